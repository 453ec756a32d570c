// model/code.hpp: the C++ that makes a config, so that what a model test prints can be pasted into a test.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

namespace model {

inline std::string to_code(std::chrono::nanoseconds duration) {
  return std::to_string(duration.count()) + "ns";
}

inline std::string to_code(double number) {
  if (std::isnan(number)) return "std::nan(\"\")";
  if (std::isinf(number)) return number > 0 ? "HUGE_VAL" : "-HUGE_VAL";
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", number);
  return text;
}

inline std::string to_code(fusebox::Outcome outcome) {
  switch (outcome) {
    case fusebox::Outcome::success: return "Outcome::success";
    case fusebox::Outcome::failure: return "Outcome::failure";
    case fusebox::Outcome::ignored: return "Outcome::ignored";
  }
  return "Outcome{99}";
}

inline std::string to_code(fusebox::Jitter jitter) { return "Jitter::" + std::string{to_string(jitter)}; }

inline std::string to_code(const fusebox::Window& window) {
  return window.is_time() ? "within(" + to_code(window.length()) + ")"
                          : "last_calls(" + std::to_string(window.calls()) + ")";
}

// What a config of a script may have for `classify`.

inline fusebox::Outcome ignore_failures(const fusebox::Failure&) { return fusebox::Outcome::ignored; }
struct ClassifyThrew {};
inline fusebox::Outcome throw_from_classify(const fusebox::Failure&) { throw ClassifyThrew{}; }

/// Collects `.field = value` of the fields that differ from their default.
class Fields {
 public:
  template <class T>
  Fields& add(const char* name, const T& value, const T& by_default, const std::string& code) {
    if (value != by_default) add(name, code);
    return *this;
  }
  void add(const char* name, const std::string& code) {
    if (!text_.empty()) text_ += ", ";
    text_ += "." + std::string{name} + " = " + code;
  }
  [[nodiscard]] std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

inline std::string to_code(const fusebox::CircuitBreakerConfig& config) {
  const fusebox::CircuitBreakerConfig none;
  Fields fields;
  const auto count = [&](const char* name, int value, int by_default) {
    fields.add(name, value, by_default, std::to_string(value));
  };
  const auto span = [&](const char* name, std::chrono::nanoseconds value,
                        std::chrono::nanoseconds by_default) {
    fields.add(name, value, by_default, to_code(value));
  };
  count("failure_threshold", config.failure_threshold, none.failure_threshold);
  count("success_threshold", config.success_threshold, none.success_threshold);
  span("reset_timeout", config.reset_timeout, none.reset_timeout);
  count("half_open_max_calls", config.half_open_max_calls, none.half_open_max_calls);
  count("half_open_max_failures", config.half_open_max_failures, none.half_open_max_failures);
  span("probe_timeout", config.probe_timeout, none.probe_timeout);
  fields.add("reset_backoff", config.reset_backoff, none.reset_backoff, to_code(config.reset_backoff));
  span("max_reset_timeout", config.max_reset_timeout, none.max_reset_timeout);
  fields.add("reset_jitter", config.reset_jitter, none.reset_jitter, to_code(config.reset_jitter));
  fields.add("honor_retry_after", config.honor_retry_after, none.honor_retry_after,
             config.honor_retry_after ? "true" : "false");
  span("recovery_time", config.recovery_time, none.recovery_time);
  if (const auto& rule = config.failure_rate) {
    fields.add("failure_rate", "FailureRate{.threshold = " + to_code(rule->threshold) +
                                   ", .minimum_calls = " + std::to_string(rule->minimum_calls) +
                                   ", .window = " + to_code(rule->window) + "}");
  }
  if (const auto& rule = config.slow_calls) {
    fields.add("slow_calls", "SlowCalls{.slower_than = " + to_code(rule->slower_than) +
                                 ", .threshold = " + to_code(rule->threshold) +
                                 ", .minimum_calls = " + std::to_string(rule->minimum_calls) +
                                 ", .window = " + to_code(rule->window) + "}");
  }
  if (config.classify == ignore_failures) fields.add("classify", "ignore_failures");
  if (config.classify == throw_from_classify) fields.add("classify", "throw_from_classify");
  return fields.text();
}

inline std::string to_code(const fusebox::RetryConfig& config) {
  const fusebox::RetryConfig none;
  const auto yes_or_no = [](bool value) { return value ? "true" : "false"; };
  Fields fields;
  fields.add("max_retries", config.max_retries, none.max_retries, std::to_string(config.max_retries));
  fields.add("base_delay", config.base_delay, none.base_delay, to_code(config.base_delay));
  fields.add("max_delay", config.max_delay, none.max_delay, to_code(config.max_delay));
  fields.add("multiplier", config.multiplier, none.multiplier, to_code(config.multiplier));
  fields.add("jitter", config.jitter, none.jitter, to_code(config.jitter));
  fields.add("jitter_factor", config.jitter_factor, none.jitter_factor, to_code(config.jitter_factor));
  fields.add("total_timeout", config.total_timeout, none.total_timeout, to_code(config.total_timeout));
  fields.add("honor_retry_after", config.honor_retry_after, none.honor_retry_after,
             yes_or_no(config.honor_retry_after));
  fields.add("idempotent", config.idempotent, none.idempotent, yes_or_no(config.idempotent));
  return fields.text();
}

}  // namespace model
