// storm/policies.hpp: PolicySpec, one policy of a pipeline by its config. pipeline.hpp makes the real
// policies of fusebox of them; config_json.hpp reads them from JSON.
#pragma once

#include <fusebox/fusebox.hpp>

#include <chrono>
#include <optional>
#include <variant>

#include "any_rule.hpp"

namespace storm {

struct TimeoutSpec {
  fusebox::TimeoutKind kind = fusebox::TimeoutKind::total;
  std::chrono::nanoseconds limit = std::chrono::seconds{30};
};

struct RetrySpec {
  fusebox::RetryConfig config;
  /// Of this client process; none: no budget.
  std::variant<std::monostate, fusebox::RetryBudgetConfig, fusebox::RetryThrottleConfig> budget;
};

struct AdaptiveLimitSpec {
  AnyRule rule;
  fusebox::AdaptiveLimitQueue queue;
};

struct HedgeSpec {
  fusebox::HedgeConfig config;
  std::optional<fusebox::RetryBudgetConfig> budget;  ///< of this client process
};

using PolicySpec =
    std::variant<TimeoutSpec, RetrySpec, fusebox::CircuitBreakerConfig, fusebox::BulkheadConfig,
                 fusebox::RateLimiterConfig, HedgeSpec, fusebox::ThrottleConfig, AdaptiveLimitSpec>;

}  // namespace storm
