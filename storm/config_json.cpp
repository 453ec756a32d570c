// storm/config_json.cpp: one reader for each config.
#include "config_json.hpp"

#include <string>
#include <utility>

namespace storm {

namespace {

using fusebox::detail::Problem;

/// Refuses what the library refuses.
void refuse_bad(const JsonMembers& members, const Problem& problem) {
  if (!problem) return;
  // "x.field must be …, got …" without the "x.".
  const std::string text = fusebox::detail::to_text("x", problem).substr(2);
  const std::string field = problem.field;
  throw JsonError{members.path_of(field), text.substr(field.size() + 1)};
}

void read_window(JsonMembers& members, fusebox::Window& window) {
  members.read("window", [&](const JsonValue& value) {
    JsonMembers fields{value};
    int calls = 0;
    std::chrono::nanoseconds length{};
    const bool has_calls = fields.read("last_calls", calls);
    const bool has_length = fields.read("within", length);
    fields.end();
    if (has_calls == has_length) value.fail("must have either \"last_calls\" or \"within\"");
    window = has_calls ? fusebox::last_calls(calls) : fusebox::within(length);
  });
}

void read_fields(JsonMembers& members, fusebox::RetryConfig& config) {
  members.read("max_retries", config.max_retries);
  members.read("base_delay", config.base_delay);
  members.read("max_delay", config.max_delay);
  members.read("multiplier", config.multiplier);
  members.read_name("jitter", config.jitter, {"none", "full", "equal", "decorrelated", "proportional"});
  members.read("jitter_factor", config.jitter_factor);
  members.read("total_timeout", config.total_timeout);
  members.read("honor_retry_after", config.honor_retry_after);
  members.read("idempotent", config.idempotent);
}

void read_fields(JsonMembers& members, fusebox::CircuitBreakerConfig& config) {
  members.read("failure_threshold", config.failure_threshold);
  members.read("success_threshold", config.success_threshold);
  members.read("reset_timeout", config.reset_timeout);
  members.read("half_open_max_calls", config.half_open_max_calls);
  members.read("half_open_max_failures", config.half_open_max_failures);
  members.read("probe_timeout", config.probe_timeout);
  members.read("reset_backoff", config.reset_backoff);
  members.read("max_reset_timeout", config.max_reset_timeout);
  members.read("honor_retry_after", config.honor_retry_after);
  members.read("recovery_time", config.recovery_time);
  members.read("failure_rate", [&](const JsonValue& value) {
    JsonMembers fields{value};
    auto& rate = config.failure_rate.emplace();
    fields.read("threshold", rate.threshold);
    fields.read("minimum_calls", rate.minimum_calls);
    read_window(fields, rate.window);
    fields.end();
  });
  members.read("slow_calls", [&](const JsonValue& value) {
    JsonMembers fields{value};
    auto& slow = config.slow_calls.emplace();
    fields.read("slower_than", slow.slower_than);
    fields.read("threshold", slow.threshold);
    fields.read("minimum_calls", slow.minimum_calls);
    read_window(fields, slow.window);
    fields.end();
  });
}

void read_fields(JsonMembers& members, fusebox::BulkheadConfig& config) {
  members.read("max_concurrent", config.max_concurrent);
  members.read("max_waiting", config.max_waiting);
  members.read("max_wait", config.max_wait);
}

void read_fields(JsonMembers& members, fusebox::RateLimiterConfig& config) {
  members.read("permits", config.permits);
  members.read("per", config.per);
  members.read("burst", config.burst);
  members.read("max_wait", config.max_wait);
}

void read_fields(JsonMembers& members, fusebox::ThrottleConfig& config) {
  members.read("k", config.k);
  members.read("window", config.window);
  members.read("max_rejection", config.max_rejection);
  members.read("minimum_calls", config.minimum_calls);
}

void read_fields(JsonMembers& members, fusebox::RetryBudgetConfig& config) {
  members.read("ratio", config.ratio);
  members.read("min_per_second", config.min_per_second);
  members.read("capacity", config.capacity);
  members.read("reserve", config.reserve);
}

void read_fields(JsonMembers& members, fusebox::RetryThrottleConfig& config) {
  members.read("max_tokens", config.max_tokens);
  members.read("token_ratio", config.token_ratio);
}

void read_fields(JsonMembers& members, fusebox::HedgeConfig& config) {
  members.read("delay", config.delay);
  members.read("max_hedges", config.max_hedges);
  members.read("percentile", config.percentile);
  members.read("minimum_calls", config.minimum_calls);
}

void read_fields(JsonMembers& members, fusebox::AdaptiveLimitQueue& config) {
  members.read("max_waiting", config.max_waiting);
  members.read("max_wait", config.max_wait);
}

void read_own_fields(JsonMembers& members, fusebox::Measured& rule) {
  members.read("tolerance", rule.tolerance);
  members.read("measure_every", rule.measure_every);
  members.read("measure_limit", rule.measure_limit);
  members.read("tolerated_drops", rule.tolerated_drops);
}
void read_own_fields(JsonMembers& members, fusebox::Aimd& rule) {
  members.read("backoff", rule.backoff);
  members.read("timeout", rule.timeout);
}
void read_own_fields(JsonMembers& members, fusebox::Gradient2& rule) {
  members.read("smoothing", rule.smoothing);
  members.read("tolerance", rule.tolerance);
  members.read("queue", rule.queue);
  members.read("long_window", rule.long_window);
}
void read_own_fields(JsonMembers& members, fusebox::Vegas& rule) {
  members.read("smoothing", rule.smoothing);
  members.read("probe_multiplier", rule.probe_multiplier);
}

/// All of one config, and nothing else.
template <class Config>
[[nodiscard]] Config read_config(JsonMembers& members, Config config = {}) {
  read_fields(members, config);
  members.end();
  refuse_bad(members, fusebox::detail::check(config));
  return config;
}

[[nodiscard]] RetrySpec read_retry(JsonMembers& members, const fusebox::RetryConfig& preset = {}) {
  RetrySpec spec{preset, {}};
  const bool has_budget = members.read("budget", [&](const JsonValue& value) {
    JsonMembers fields{value};
    spec.budget = read_config<fusebox::RetryBudgetConfig>(fields);
  });
  members.read("throttle", [&](const JsonValue& value) {
    if (has_budget) value.fail("a retry has either a \"budget\" or a \"throttle\"");
    JsonMembers fields{value};
    spec.budget = read_config<fusebox::RetryThrottleConfig>(fields);
  });
  spec.config = read_config(members, preset);
  return spec;
}

template <class Rule>
[[nodiscard]] Rule read_rule(JsonMembers& members) {
  Rule rule;
  members.read("initial", rule.initial);
  members.read("min", rule.min);
  members.read("max", rule.max);
  members.read("window", rule.window);
  members.read("min_samples", rule.min_samples);
  read_own_fields(members, rule);
  refuse_bad(members, fusebox::detail::check(rule));
  return rule;
}

[[nodiscard]] AdaptiveLimitSpec read_adaptive_limit(JsonMembers& members) {
  enum class Name : unsigned char { measured, aimd, gradient2, vegas } name{};
  members.read_name("rule", name, {"measured", "aimd", "gradient2", "vegas"});
  AdaptiveLimitSpec spec;
  switch (name) {
    case Name::measured: spec.rule = {read_rule<fusebox::Measured>(members)}; break;
    case Name::aimd: spec.rule = {read_rule<fusebox::Aimd>(members)}; break;
    case Name::gradient2: spec.rule = {read_rule<fusebox::Gradient2>(members)}; break;
    case Name::vegas: spec.rule = {read_rule<fusebox::Vegas>(members)}; break;
  }
  spec.queue = read_config<fusebox::AdaptiveLimitQueue>(members);
  return spec;
}

[[nodiscard]] HedgeSpec read_hedge(JsonMembers& members) {
  HedgeSpec spec;
  members.read("budget", [&](const JsonValue& value) {
    JsonMembers fields{value};
    spec.budget = read_config<fusebox::RetryBudgetConfig>(fields);
  });
  spec.config = read_config<fusebox::HedgeConfig>(members);
  return spec;
}

[[nodiscard]] TimeoutSpec read_timeout(JsonMembers& members, fusebox::TimeoutKind kind) {
  TimeoutSpec spec;
  spec.kind = kind;
  members.require("limit", spec.limit);
  members.end();
  if (spec.limit <= std::chrono::nanoseconds::zero())
    throw JsonError{members.path_of("limit"), "must be above 0"};
  return spec;
}

void read_standard(JsonMembers& members, std::vector<PolicySpec>& out) {
  fusebox::StandardPipelineConfig config;
  const auto part = [&](const char* name, auto& into) {
    members.read(name, [&](const JsonValue& value) {
      JsonMembers fields{value};
      into = read_config(fields, into);
    });
  };
  part("bulkhead", config.bulkhead);
  members.read("total_timeout", config.total_timeout);
  part("retry", config.retry);
  part("breaker", config.breaker);
  members.read("attempt_timeout", config.attempt_timeout);
  members.end();
  refuse_bad(members, fusebox::detail::check(config));
  out.emplace_back(config.bulkhead);
  out.emplace_back(TimeoutSpec{fusebox::TimeoutKind::total, config.total_timeout});
  out.emplace_back(RetrySpec{config.retry, {}});
  out.emplace_back(config.breaker);
  out.emplace_back(TimeoutSpec{fusebox::TimeoutKind::attempt, config.attempt_timeout});
}

}  // namespace

void read_policy(const JsonValue& value, std::vector<PolicySpec>& out) {
  enum class Kind : unsigned char {
    total,
    attempt,
    retry,
    breaker,
    bulkhead,
    limiter,
    hedge,
    throttle,
    adaptive,
    standard
  } kind{};
  JsonMembers members{value};
  members.require("policy", [&](const JsonValue& name) {
    name.read_name(kind, {"total_timeout", "attempt_timeout", "retry", "breaker", "bulkhead", "rate_limiter",
                          "hedge", "throttle", "adaptive_limit", "standard_pipeline"});
  });
  switch (kind) {
    case Kind::total: out.emplace_back(read_timeout(members, fusebox::TimeoutKind::total)); break;
    case Kind::attempt: out.emplace_back(read_timeout(members, fusebox::TimeoutKind::attempt)); break;
    case Kind::retry: out.emplace_back(read_retry(members)); break;
    case Kind::breaker: out.emplace_back(read_config<fusebox::CircuitBreakerConfig>(members)); break;
    case Kind::bulkhead: out.emplace_back(read_config<fusebox::BulkheadConfig>(members)); break;
    case Kind::limiter: out.emplace_back(read_config<fusebox::RateLimiterConfig>(members)); break;
    case Kind::hedge: out.emplace_back(read_hedge(members)); break;
    case Kind::throttle: out.emplace_back(read_config<fusebox::ThrottleConfig>(members)); break;
    case Kind::adaptive: out.emplace_back(read_adaptive_limit(members)); break;
    case Kind::standard: read_standard(members, out); break;
  }
}

}  // namespace storm
