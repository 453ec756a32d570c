// fusebox/metrics.hpp: the stats of a registry's breakers, for Prometheus.
//
// to_prometheus() writes the text exposition format 0.0.4. Serve it under /metrics, with the content type
// "text/plain; version=0.0.4; charset=utf-8".
#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <fusebox/detail/json_writer.hpp>
#include <fusebox/detail/printable_names.hpp>
#include <fusebox/detail/utf8.hpp>
#include <fusebox/registry.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The value of a label, in valid UTF-8, with backslash, quote and line feed escaped.
[[nodiscard]] inline std::string escape_label(std::string_view value) {
  const std::size_t plain = plain_length(value);
  std::string out{value.substr(0, plain)};
  for_each_character(value.substr(plain), [&](std::string_view character) {
    if (character == "\\" || character == "\"") {
      out.push_back('\\');
      out.append(character);
    } else if (character == "\n") {
      out.append("\\n");
    } else {
      out.append(character);
    }
  });
  return out;
}

/// Writes one metric family: HELP and TYPE when it is made, then its samples.
class MetricFamily {
 public:
  MetricFamily(std::string& out, std::string_view name, std::string_view type, std::string_view help)
      : out_{out}, name_{name} {
    print("# HELP fusebox_circuit_breaker_{} {}\n", name_, help);
    print("# TYPE fusebox_circuit_breaker_{} {}\n", name_, type);
  }

  template <class Number>
  void sample(std::string_view breaker, std::string_view more_labels, Number value) {
    series(breaker, more_labels);
    append_number(out_, value);
    out_.push_back('\n');
  }
  void sample(std::string_view breaker, std::string_view more_labels, const std::string& value) {
    series(breaker, more_labels);
    out_.append(value).push_back('\n');
  }

 private:
  void series(std::string_view breaker, std::string_view more_labels) {
    print("fusebox_circuit_breaker_{}{{name=\"{}\"{}}} ", name_, escape_label(breaker), more_labels);
  }
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  std::string& out_;
  std::string_view name_;
};

[[nodiscard]] inline std::string to_prometheus(const std::map<std::string, CircuitBreakerStats>& breakers) {
  std::string out;
  MetricFamily calls{out, "calls_total", "counter", "Calls that were made, by how they ended."};
  for (const auto& [name, stats] : breakers) {
    calls.sample(name, ",outcome=\"success\"", stats.success_count);
    calls.sample(name, ",outcome=\"failure\"", stats.failure_count);
    calls.sample(name, ",outcome=\"ignored\"", stats.ignored_count);
  }
  MetricFamily rejected{out, "rejected_total", "counter", "Calls that were not made."};
  for (const auto& [name, stats] : breakers) rejected.sample(name, "", stats.rejected_count);
  MetricFamily opened{out, "opened_total", "counter", "How often the breaker opened."};
  for (const auto& [name, stats] : breakers) opened.sample(name, "", stats.opened_count);
  MetricFamily state{out, "state", "gauge", "1 for the state that the breaker is in, 0 for the others."};
  for (const auto& [name, stats] : breakers) {
    for (const State one :
         {State::closed, State::open, State::half_open, State::forced_open, State::disabled}) {
      state.sample(name, fmt::format(",state=\"{}\"", to_string(one)), stats.state == one ? 1 : 0);
    }
  }
  MetricFamily ratio{out, "failure_ratio", "gauge", "Failures per recorded call, from 0 to 1."};
  for (const auto& [name, stats] : breakers) ratio.sample(name, "", stats.failure_rate);
  MetricFamily last{out, "last_failure_timestamp_seconds", "gauge", "When a call last failed, in Unix time."};
  for (const auto& [name, stats] : breakers) {
    if (!stats.last_failure_time) continue;
    const auto unix_time =
        std::chrono::floor<std::chrono::milliseconds>(*stats.last_failure_time).time_since_epoch();
    last.sample(name, "", fmt::format("{:.3f}", static_cast<double>(unix_time.count()) / 1000.0));
  }
  return out;
}

}  // namespace detail

/// Every breaker of the registry, family by family. Thread-safe. A counter returns to 0 with its breaker's
/// reset(), which Prometheus takes into account. The time of a last failure does not change until the next
/// one (H7).
template <class C = SystemClock>
[[nodiscard]] std::string to_prometheus(const CircuitBreakerRegistry<C>& registry = default_registry()) {
  return detail::to_prometheus(detail::with_printable_names(registry.stats()));
}

FUSEBOX_END_NAMESPACE
