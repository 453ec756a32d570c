// storm/cpp_text.hpp: to_cpp, the C++ that makes a pipeline of these policies, to copy into a program. It
// compiles, and names only the fields that differ from their defaults (S40).
#pragma once

#include <fusebox/fusebox.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace storm {
namespace detail {

/// One after the other. (g++ 12 warns falsely of a literal + a temporary string.)
[[nodiscard]] inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

/// A duration as a literal of std::chrono_literals, in the largest unit that gives it exactly.
[[nodiscard]] inline std::string cpp_text(std::chrono::nanoseconds duration) {
  if (duration == fusebox::no_timeout) return "fusebox::no_timeout";
  constexpr std::pair<std::int64_t, const char*> units[] = {
      {3'600'000'000'000, "h"}, {60'000'000'000, "min"}, {1'000'000'000, "s"},
      {1'000'000, "ms"},        {1'000, "us"},           {1, "ns"}};
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const auto& [size, name] : units) {
    if (count % size == 0) return std::to_string(count / size) + name;
  }
  return {};
}

[[nodiscard]] inline std::string cpp_text(double number) { return nlohmann::json(number).dump(); }
[[nodiscard]] inline std::string cpp_text(int number) { return std::to_string(number); }
[[nodiscard]] inline std::string cpp_text(bool flag) { return flag ? "true" : "false"; }
[[nodiscard]] inline std::string cpp_text(fusebox::Jitter jitter) {
  return joined({"fusebox::Jitter::", to_string(jitter)});
}
[[nodiscard]] inline std::string cpp_text(const fusebox::Window& window) {
  return window.is_time() ? joined({"fusebox::within(", cpp_text(window.length()), ")"})
                          : joined({"fusebox::last_calls(", cpp_text(window.calls()), ")"});
}

/// Designated initialisers of the fields of a config that are not as in `default_value`, in the order of the
/// calls, which must be that of the fields.
template <class Config>
class Initialisers {
 public:
  explicit Initialisers(const Config& config, const Config& default_value = {})
      : config_{config}, default_value_{default_value} {}

  template <class Field>
  Initialisers& field(const char* name, Field Config::* member) {
    if (config_.*member == default_value_.*member) return *this;
    return text(name, cpp_text(config_.*member));
  }
  Initialisers& text(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += ", ";
    text_.append(".").append(name).append(" = ").append(value);
    return *this;
  }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] std::string braces() const { return joined({"{", text_, "}"}); }

 private:
  const Config& config_;
  Config default_value_;
  std::string text_;
};

[[nodiscard]] inline std::string cpp_text(const fusebox::RetryConfig& config) {
  using C = fusebox::RetryConfig;
  return Initialisers{config}
      .field("max_retries", &C::max_retries)
      .field("base_delay", &C::base_delay)
      .field("max_delay", &C::max_delay)
      .field("multiplier", &C::multiplier)
      .field("jitter", &C::jitter)
      .field("jitter_factor", &C::jitter_factor)
      .field("total_timeout", &C::total_timeout)
      .field("honor_retry_after", &C::honor_retry_after)
      .field("idempotent", &C::idempotent)
      .braces();
}

[[nodiscard]] inline std::string cpp_text(const fusebox::RetryBudgetConfig& config) {
  using C = fusebox::RetryBudgetConfig;
  return Initialisers{config}
      .field("ratio", &C::ratio)
      .field("min_per_second", &C::min_per_second)
      .field("capacity", &C::capacity)
      .field("reserve", &C::reserve)
      .braces();
}

[[nodiscard]] inline std::string cpp_text(const fusebox::RetryThrottleConfig& config) {
  using C = fusebox::RetryThrottleConfig;
  return Initialisers{config}
      .field("max_tokens", &C::max_tokens)
      .field("token_ratio", &C::token_ratio)
      .braces();
}

[[nodiscard]] inline std::string cpp_text(const fusebox::HedgeConfig& config) {
  using C = fusebox::HedgeConfig;
  return Initialisers{config}
      .field("delay", &C::delay)
      .field("max_hedges", &C::max_hedges)
      .field("percentile", &C::percentile)
      .field("minimum_calls", &C::minimum_calls)
      .braces();
}

[[nodiscard]] inline std::string cpp_text(const fusebox::ThrottleConfig& config) {
  using C = fusebox::ThrottleConfig;
  return Initialisers{config}
      .field("k", &C::k)
      .field("window", &C::window)
      .field("max_rejection", &C::max_rejection)
      .field("minimum_calls", &C::minimum_calls)
      .braces();
}

[[nodiscard]] inline std::string cpp_text(const fusebox::BulkheadConfig& config) {
  using C = fusebox::BulkheadConfig;
  return Initialisers{config}
      .field("max_concurrent", &C::max_concurrent)
      .field("max_waiting", &C::max_waiting)
      .field("max_wait", &C::max_wait)
      .braces();
}

[[nodiscard]] inline std::string cpp_text(const fusebox::RateLimiterConfig& config) {
  using C = fusebox::RateLimiterConfig;
  return Initialisers{config}
      .field("permits", &C::permits)
      .field("per", &C::per)
      .field("burst", &C::burst)
      .field("max_wait", &C::max_wait)
      .braces();
}

[[nodiscard]] inline std::string cpp_text(const fusebox::FailureRate& config) {
  using C = fusebox::FailureRate;
  return joined({"fusebox::FailureRate", Initialisers{config}
                                             .field("threshold", &C::threshold)
                                             .field("minimum_calls", &C::minimum_calls)
                                             .field("window", &C::window)
                                             .braces()});
}

[[nodiscard]] inline std::string cpp_text(const fusebox::SlowCalls& config) {
  using C = fusebox::SlowCalls;
  return joined({"fusebox::SlowCalls", Initialisers{config}
                                           .field("slower_than", &C::slower_than)
                                           .field("threshold", &C::threshold)
                                           .field("minimum_calls", &C::minimum_calls)
                                           .field("window", &C::window)
                                           .braces()});
}

[[nodiscard]] inline std::string cpp_text(const fusebox::CircuitBreakerConfig& config) {
  using C = fusebox::CircuitBreakerConfig;
  Initialisers fields{config};
  fields.field("failure_threshold", &C::failure_threshold)
      .field("success_threshold", &C::success_threshold)
      .field("reset_timeout", &C::reset_timeout)
      .field("half_open_max_calls", &C::half_open_max_calls)
      .field("half_open_max_failures", &C::half_open_max_failures)
      .field("probe_timeout", &C::probe_timeout)
      .field("reset_backoff", &C::reset_backoff)
      .field("max_reset_timeout", &C::max_reset_timeout)
      .field("reset_jitter", &C::reset_jitter)
      .field("honor_retry_after", &C::honor_retry_after)
      .field("recovery_time", &C::recovery_time);
  if (config.failure_rate) fields.text("failure_rate", cpp_text(*config.failure_rate));
  if (config.slow_calls) fields.text("slow_calls", cpp_text(*config.slow_calls));
  return fields.braces();
}

template <class Rule>
[[nodiscard]] Initialisers<Rule> common_fields(const Rule& rule) {
  Initialisers<Rule> fields{rule};
  fields.field("initial", &Rule::initial).field("min", &Rule::min).field("max", &Rule::max);
  return fields;
}
template <class Rule>
[[nodiscard]] std::string window_fields(Initialisers<Rule>& fields) {
  return fields.field("window", &Rule::window).field("min_samples", &Rule::min_samples).braces();
}

[[nodiscard]] inline std::string cpp_text(const fusebox::Measured& rule) {
  using R = fusebox::Measured;
  auto fields = common_fields(rule);
  fields.field("tolerance", &R::tolerance)
      .field("measure_every", &R::measure_every)
      .field("measure_limit", &R::measure_limit)
      .field("tolerated_drops", &R::tolerated_drops);
  return window_fields(fields);
}
[[nodiscard]] inline std::string cpp_text(const fusebox::Aimd& rule) {
  using R = fusebox::Aimd;
  auto fields = common_fields(rule);
  fields.field("backoff", &R::backoff).field("timeout", &R::timeout);
  return window_fields(fields);
}
[[nodiscard]] inline std::string cpp_text(const fusebox::Gradient2& rule) {
  using R = fusebox::Gradient2;
  auto fields = common_fields(rule);
  fields.field("smoothing", &R::smoothing)
      .field("tolerance", &R::tolerance)
      .field("queue", &R::queue)
      .field("long_window", &R::long_window);
  return window_fields(fields);
}
[[nodiscard]] inline std::string cpp_text(const fusebox::Vegas& rule) {
  using R = fusebox::Vegas;
  auto fields = common_fields(rule);
  fields.field("smoothing", &R::smoothing).field("probe_multiplier", &R::probe_multiplier);
  return window_fields(fields);
}
[[nodiscard]] inline std::string cpp_text(const fusebox::AdaptiveLimitQueue& queue) {
  using Q = fusebox::AdaptiveLimitQueue;
  return Initialisers{queue}.field("max_waiting", &Q::max_waiting).field("max_wait", &Q::max_wait).braces();
}

template <class Rule>
inline constexpr const char* rule_name = nullptr;
template <>
inline constexpr const char* rule_name<fusebox::Measured> = "fusebox::Measured";
template <>
inline constexpr const char* rule_name<fusebox::Aimd> = "fusebox::Aimd";
template <>
inline constexpr const char* rule_name<fusebox::Gradient2> = "fusebox::Gradient2";
template <>
inline constexpr const char* rule_name<fusebox::Vegas> = "fusebox::Vegas";

/// A string literal.
[[nodiscard]] inline std::string quoted(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const bool is_plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
    literal += is_plain ? c : '_';
  }
  return literal + "\"";
}

/// A line that is too long, with each field of its config on a line of its own.
[[nodiscard]] inline std::string wrapped(std::string line, std::size_t indent) {
  constexpr std::size_t most = 100;
  if (line.size() <= most) return line;
  const std::size_t open = line.find("{.");
  if (open == std::string::npos) return line;
  std::string text = line.substr(0, open + 1);
  int depth = 1;
  std::string margin(indent + 5, ' ');
  margin[0] = '\n';
  text += margin;
  for (std::size_t i = open + 1; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '{' || c == '(') ++depth;
    if (c == '}' || c == ')') --depth;
    if (depth == 0) return text + line.substr(i);
    text += c;
    if (depth != 1 || c != ',') continue;
    text += margin;
    ++i;  // the blank
  }
  return text;
}

/// The objects and the parts of compose(), policy by policy.
class CppWriter {
 public:
  explicit CppWriter(std::string_view service) : service_{quoted(service)} {}

  void operator()(const TimeoutSpec& spec) {
    const bool total = spec.kind == fusebox::TimeoutKind::total;
    part(
        joined({total ? "fusebox::total_timeout(" : "fusebox::attempt_timeout(", cpp_text(spec.limit), ")"}));
  }
  void operator()(const RetrySpec& spec) {
    std::string text = cpp_text(spec.config);
    if (const auto* budget = std::get_if<fusebox::RetryBudgetConfig>(&spec.budget)) {
      text.append(", ").append(object("fusebox::RetryBudget<>", "budget", cpp_text(*budget)));
    } else if (const auto* throttle = std::get_if<fusebox::RetryThrottleConfig>(&spec.budget)) {
      text.append(", ").append(object("fusebox::RetryThrottle", "retry_throttle", cpp_text(*throttle)));
    }
    part(joined({"fusebox::retry(", text, ")"}));
  }
  void operator()(const HedgeSpec& spec) {
    std::string text = cpp_text(spec.config);
    if (spec.budget)
      text.append(", ").append(object("fusebox::RetryBudget<>", "hedge_budget", cpp_text(*spec.budget)));
    part(joined({"fusebox::hedge(", text, ")"}));
  }
  void operator()(const fusebox::CircuitBreakerConfig& config) {
    part(object("fusebox::CircuitBreaker<>", "breaker", cpp_text(config)));
  }
  void operator()(const fusebox::BulkheadConfig& config) {
    part(object("fusebox::Bulkhead<>", "bulkhead", cpp_text(config)));
  }
  void operator()(const fusebox::ThrottleConfig& config) {
    part(object("fusebox::Throttle<>", "throttle", cpp_text(config)));
  }
  void operator()(const AdaptiveLimitSpec& spec) {
    std::visit(
        [&]<class Rule>(const Rule& rule) {
          const bool is_default = std::is_same_v<Rule, fusebox::Measured>;
          const std::string name = is_default ? "" : rule_name<Rule>;
          std::string config = cpp_text(rule);
          if (const std::string queue = cpp_text(spec.queue); queue != "{}") {
            config = joined({rule_name<Rule>, config, ", fusebox::AdaptiveLimitQueue", queue});
          }
          part(object(joined({"fusebox::AdaptiveLimit<", name, ">"}), "adaptive_limit", config));
        },
        spec.rule.rule);
  }
  void operator()(const fusebox::RateLimiterConfig& config) {
    part(object("fusebox::RateLimiter<>", "limiter", cpp_text(config)));
  }

  [[nodiscard]] std::string text() const {
    std::string text = "#include <fusebox/fusebox.hpp>\n\nusing namespace std::chrono_literals;\n\n";
    if (!objects_.empty())
      text.append("// One for each dependency: all calls share it.\n").append(objects_).append("\n");
    if (parts_.empty()) return text + "// No policy: the program calls the service as it is.\n";
    return text +
           "// Make it once and use it from any thread: pipeline.execute(op).\n"
           "inline const auto pipeline = fusebox::compose(" +
           parts_ + ");\n";
  }

 private:
  void part(const std::string& text) {
    parts_.append(parts_.empty() ? "\n    " : ",\n    ").append(wrapped(text, 4));
  }
  /// Declares it, and returns its name.
  std::string object(std::string_view type, std::string_view kind, std::string_view config) {
    std::string name{kind};
    if (const int number = ++names_[name]; number > 1) name.append("_").append(std::to_string(number));
    std::string line = "inline ";
    line.append(type).append(" ").append(name).append("{").append(service_);
    if (config != "{}") line.append(", ").append(config);
    objects_ += wrapped(line + "};", 0) + "\n";
    return name;
  }

  std::string service_;
  std::string objects_;
  std::string parts_;
  std::map<std::string, int> names_;
};

}  // namespace detail

/// A header that declares `pipeline`, and the objects that it refers to, under the name of the service.
[[nodiscard]] inline std::string to_cpp(const PipelineSpec& pipeline, std::string_view service) {
  detail::CppWriter writer{service};
  for (const PolicySpec& policy : pipeline.policies) std::visit(writer, policy);
  return writer.text();
}

}  // namespace storm
