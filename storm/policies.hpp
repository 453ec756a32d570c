// storm/policies.hpp: PolicySpec, one policy of a pipeline by its config: those parts of fusebox's JSON
// adapter that the lab plays as they are. pipeline.hpp makes the real policies of fusebox of them.
#pragma once

#include <fusebox/adapters/nlohmann_json.hpp>
#include <fusebox/fusebox.hpp>

#include <variant>

namespace storm {

using PolicySpec = std::variant<fusebox::TimeoutPart, fusebox::RetryPart, fusebox::CircuitBreakerConfig,
                                fusebox::BulkheadConfig, fusebox::RateLimiterConfig, fusebox::HedgePart,
                                fusebox::ThrottleConfig, fusebox::AdaptiveLimitPart>;

}  // namespace storm
