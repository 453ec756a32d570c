// fusebox/adapters/nlohmann_json/pipeline.hpp: PipelineConfig, the parts of a pipeline as a list in JSON
// (H43).
//
//     [{"policy": "total_timeout", "limit": "10s"},
//      {"policy": "retry", "max_retries": 2, "base_delay": "200ms", "budget": {"ratio": 0.1}},
//      {"policy": "breaker", "failure_rate": {"threshold": 0.5, "window": {"within": "10s"}}}]
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <fusebox/adapters/nlohmann_json/configs.hpp>
#include <fusebox/adaptive_limit.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/timeout.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// {"policy": "total_timeout", "limit": "30s"}, or "attempt_timeout".
struct TimeoutPart {
  TimeoutKind kind = TimeoutKind::total;
  std::chrono::nanoseconds limit = std::chrono::seconds{30};  ///< above 0; must be given in JSON
  friend bool operator==(const TimeoutPart&, const TimeoutPart&) = default;
};

/// {"policy": "retry", …}: the members of RetryConfig, and a "budget" or a "throttle" if it has one.
struct RetryPart {
  RetryConfig config = {};
  std::variant<std::monostate, RetryBudgetConfig, RetryThrottleConfig> budget = {};
  friend bool operator==(const RetryPart&, const RetryPart&) = default;
};

/// {"policy": "hedge", …}: the members of HedgeConfig, and a "budget" if it has one.
struct HedgePart {
  HedgeConfig config = {};
  std::optional<RetryBudgetConfig> budget = std::nullopt;
  friend bool operator==(const HedgePart&, const HedgePart&) = default;
};

/// {"policy": "adaptive_limit", "rule": "measured", …}: the members of the rule ("measured", "aimd",
/// "gradient2" or "vegas") and of AdaptiveLimitQueue.
struct AdaptiveLimitPart {
  std::variant<Measured, Aimd, Gradient2, Vegas> rule = {};
  AdaptiveLimitQueue queue = {};
  friend bool operator==(const AdaptiveLimitPart&, const AdaptiveLimitPart&) = default;
};

/// One policy. Those without a type of their own here are "breaker", "bulkhead", "rate_limiter", "throttle",
/// "chaos" and "standard_pipeline", which stands for its five policies.
using PipelinePart =
    std::variant<TimeoutPart, RetryPart, CircuitBreakerConfig, BulkheadConfig, RateLimiterConfig, HedgePart,
                 ThrottleConfig, AdaptiveLimitPart, ChaosConfig, StandardPipelineConfig>;

/// The policies of a pipeline, the outermost first: data, of which the program makes the policies that it
/// knows.
struct PipelineConfig {
  std::vector<PipelinePart> parts = {};
  friend bool operator==(const PipelineConfig&, const PipelineConfig&) = default;
};

namespace detail {

inline constexpr std::size_t max_parts = 1000;

[[nodiscard]] constexpr Problem check(const TimeoutPart& part) noexcept {
  if (is_positive_duration(part.limit)) return {};
  return problem("limit", positive_duration_rule, part.limit);
}

inline void members_of(MemberVisitor& visitor, TimeoutPart& part) {
  visitor.required("limit", part.limit);
  visitor.checked(check(part));
}

inline void members_of(MemberVisitor& visitor, RetryPart& part) {
  std::optional<RetryBudgetConfig> budget;
  std::optional<RetryThrottleConfig> throttle;
  if (const auto* its = std::get_if<RetryBudgetConfig>(&part.budget)) budget = *its;
  if (const auto* its = std::get_if<RetryThrottleConfig>(&part.budget)) throttle = *its;
  visitor.member("budget", budget);
  visitor.member("throttle", throttle);
  visitor.refuse_if(budget && throttle, "throttle", "a retry has either a \"budget\" or a \"throttle\"");
  part.budget = {};
  if (budget) part.budget = *budget;
  if (throttle) part.budget = *throttle;
  members_of(visitor, part.config);
}

inline void members_of(MemberVisitor& visitor, HedgePart& part) {
  visitor.member("budget", part.budget);
  members_of(visitor, part.config);
}

inline void members_of(MemberVisitor& visitor, AdaptiveLimitPart& part) {
  enum class Rule : unsigned char { measured, aimd, gradient2, vegas };
  auto rule = static_cast<Rule>(part.rule.index());
  visitor.member("rule", rule, {0, {"measured", "aimd", "gradient2", "vegas"}});
  if (static_cast<std::size_t>(rule) != part.rule.index()) {
    switch (rule) {
      case Rule::measured: part.rule = Measured{}; break;
      case Rule::aimd: part.rule = Aimd{}; break;
      case Rule::gradient2: part.rule = Gradient2{}; break;
      case Rule::vegas: part.rule = Vegas{}; break;
    }
  }
  std::visit([&](auto& its) { members_of(visitor, its); }, part.rule);
  members_of(visitor, part.queue);
}

/// The name of a policy in JSON, and a part of that kind.
struct NamedPart {
  const char* name;
  PipelinePart part;
};
[[nodiscard]] inline std::vector<NamedPart> named_parts() {
  return {{"total_timeout", TimeoutPart{}},
          {"attempt_timeout", TimeoutPart{TimeoutKind::attempt}},
          {"retry", RetryPart{}},
          {"breaker", CircuitBreakerConfig{}},
          {"bulkhead", BulkheadConfig{}},
          {"rate_limiter", RateLimiterConfig{}},
          {"hedge", HedgePart{}},
          {"throttle", ThrottleConfig{}},
          {"adaptive_limit", AdaptiveLimitPart{}},
          {"standard_pipeline", StandardPipelineConfig{}},
          {"chaos", ChaosConfig{}}};
}

[[nodiscard]] inline bool is_of_kind(const PipelinePart& part, const PipelinePart& kind) {
  if (part.index() != kind.index()) return false;
  const auto* timeout = std::get_if<TimeoutPart>(&part);
  return timeout == nullptr || timeout->kind == std::get_if<TimeoutPart>(&kind)->kind;
}

/// Reads one part.
[[nodiscard]] inline PipelinePart read_part(const JsonValue& value) {
  std::vector<NamedPart> kinds = named_parts();
  EnumNames names{0, {}};
  for (const NamedPart& kind : kinds) names.names.emplace_back(kind.name);
  JsonMembers members{value};
  std::size_t kind = 0;
  members.require("policy",
                  [&](const JsonValue& name) { kind = static_cast<std::size_t>(name.read_name(names)); });
  PipelinePart part = std::move(kinds[kind].part);
  const MembersRef its = std::visit([](auto& object) { return members_ref(object); }, part);
  JsonReader{members, UnknownMembers::refuse}.read_all(its);
  return part;
}

inline void write_part(std::string& out, PipelinePart part) {
  JsonObject object{out};
  for (const NamedPart& kind : named_parts()) {
    if (is_of_kind(part, kind.part)) object.text("policy", kind.name);
  }
  JsonWriter writer{object};
  std::visit([&](auto& its) { members_of(writer, its); }, part);
}

}  // namespace detail

/// A list of objects, each with the name of its policy as "policy", and the members of its config.
template <detail::AnyJson J>
void to_json(J& out, const PipelineConfig& config) {
  std::string text;
  detail::append_list(text, config.parts, [&](const PipelinePart& part) { detail::write_part(text, part); });
  out = J::parse(text);
}

/// Reads such a list, of at most 1000 parts, in place of what `config` had. Throws JsonError, as for a
/// config:
/// "[1].max_retries: must be …"; with the path "policies", "policies[1].max_retries: must be …".
template <detail::AnyJson J>
void from_json(const J& value, PipelineConfig& config, std::string_view path = {}) {
  const nlohmann::json& list = detail::to_plain_json(value, path);
  PipelineConfig given;
  const detail::JsonValue all{list, std::string{path}};
  if (list.is_array() && list.size() > detail::max_parts) all.fail("must have at most 1000 parts");
  all.each([&](const detail::JsonValue& one) { given.parts.push_back(detail::read_part(one)); });
  config = std::move(given);
}

FUSEBOX_END_NAMESPACE
