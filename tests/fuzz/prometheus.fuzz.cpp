// The metrics of breakers of any names: by a strict reader they are families of the format, whose samples are
// the stats that were put in.
#include <fusebox/metrics.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "input.hpp"
#include "json.hpp"
#include "named_stats.hpp"
#include "prometheus_text.hpp"

namespace {

using namespace fusebox;
using fuzz::Labels;
using Samples = std::map<Labels, std::string>;

/// Unix time in seconds, to the millisecond that has begun.
std::string seconds(std::chrono::system_clock::time_point time) {
  const auto count = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
  const long long size = std::llabs(count);
  char text[40];
  std::snprintf(text, sizeof text, "%s%lld.%03lld", count < 0 ? "-" : "", size / 1000, size % 1000);
  return text;
}

std::map<std::string, Samples> samples_of(const fuzz::NamedStats& breakers) {
  std::map<std::string, Samples> all{{"calls_total", {}},   {"rejected_total", {}},
                                     {"opened_total", {}},  {"state", {}},
                                     {"failure_ratio", {}}, {"last_failure_timestamp_seconds", {}}};
  for (const auto& [name, stats] : breakers) {
    const Labels only{{"name", name}};
    const auto with = [&only](const char* label, std::string value) {
      Labels labels = only;
      labels[label] = std::move(value);
      return labels;
    };
    all["calls_total"][with("outcome", "success")] = std::to_string(stats.success_count);
    all["calls_total"][with("outcome", "failure")] = std::to_string(stats.failure_count);
    all["calls_total"][with("outcome", "ignored")] = std::to_string(stats.ignored_count);
    all["rejected_total"][only] = std::to_string(stats.rejected_count);
    all["opened_total"][only] = std::to_string(stats.opened_count);
    for (const char* state : {"closed", "open", "half-open", "forced-open", "disabled"}) {
      all["state"][with("state", state)] = to_string(stats.state) == state ? "1" : "0";
    }
    all["failure_ratio"][only] = std::to_string(stats.failure_rate);
    if (stats.last_failure_time)
      all["last_failure_timestamp_seconds"][only] = seconds(*stats.last_failure_time);
  }
  return all;
}

void check_text(const std::string& text, const fuzz::NamedStats& breakers) {
  fuzz::check(fuzz::printable(text) == text, "not UTF-8", text);

  const fuzz::PrometheusText read{text};
  const auto wanted = samples_of(breakers);
  fuzz::check(read.families().size() == wanted.size(), "families that nobody knows", text);
  for (const auto& [name, samples] : wanted) {
    const auto found = read.families().find("fusebox_circuit_breaker_" + name);
    fuzz::check(found != read.families().end(), name, text);
    const fuzz::Family& family = found->second;
    fuzz::check(family.type == (name.ends_with("_total") ? "counter" : "gauge"), "the type of " + name, text);
    fuzz::check(!family.help.empty(), "the help of " + name, text);
    if (name != "failure_ratio") {
      fuzz::check(family.samples == samples, name, text);
      continue;
    }
    fuzz::check(family.samples.size() == breakers.size(), name, text);
    for (const auto& [labels, value] : family.samples) {  // to the last bit, in whatever form
      const auto breaker = breakers.find(labels.at("name"));
      fuzz::check(labels.size() == 1 && breaker != breakers.end(), name, text);
      fuzz::check(std::strtod(value.c_str(), nullptr) == breaker->second.failure_rate, name, text);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, size};
  const fuzz::NamedStats given = fuzz::any_named_stats(input);
  const fuzz::NamedStats shown = fuzz::as_shown(given);
  check_text(detail::to_prometheus(shown), shown);

  // And of a registry, with names as they are.
  const fuzz::NamedBreakers breakers{given};
  check_text(to_prometheus(breakers.registry()), fuzz::as_shown(breakers.registry().stats()));
  return 0;
}
