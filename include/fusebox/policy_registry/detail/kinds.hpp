// fusebox/policy_registry/detail/kinds.hpp: the kinds of policies that a registry keeps beside breakers (M1).
//
// A further kind is one specialisation of PolicyKind and one entry of PolicyKinds.
#pragma once
// IWYU pragma: private, include <fusebox/policy_registry.hpp>

#include <algorithm>
#include <concepts>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <fusebox/adaptive_limit.hpp>
#include <fusebox/bulkhead.hpp>
#include <fusebox/call_durations.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/detail/clock_reading.hpp>
#include <fusebox/detail/printable_names.hpp>
#include <fusebox/detail/registry/named_policies.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/timeout.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

struct NoConfig {};
[[nodiscard]] constexpr Problem check(const NoConfig& /*config*/) noexcept { return {}; }

/// What most kinds have in common. A policy whose config says all of it, and that may be evicted while nobody
/// holds it.
template <class P, class PolicyConfig, class PolicyEvent = void>
struct BasicKind {
  using Config = PolicyConfig;
  using Event = PolicyEvent;

  template <class C>
  [[nodiscard]] static std::shared_ptr<P> make(std::string name, const Config& config, const C& clock) {
    return std::make_shared<P>(std::move(name), config, clock);
  }
  [[nodiscard]] static constexpr Problem check(const Config& config) noexcept {
    return detail::check(config);
  }
  [[nodiscard]] static bool has_had(const P& policy, const Config& config) noexcept {
    return policy.config() == config;
  }
  [[nodiscard]] static constexpr int eviction_kind(const P& /*policy*/) noexcept { return 0; }
  [[nodiscard]] static auto stats(const P& policy, const ClockReading& /*now*/) { return policy.stats(); }
};

template <class C>
struct PolicyKind<Bulkhead<C>> : BasicKind<Bulkhead<C>, BulkheadConfig, BulkheadEvent> {
  static constexpr const char* config_type = "BulkheadConfig";

  /// One with a call in it would let more calls through once a new one has its name.
  [[nodiscard]] static int eviction_kind(const Bulkhead<C>& bulkhead) noexcept {
    return BulkheadAccess::is_idle(bulkhead) ? 0 : 2;
  }
  static void subscribe(Bulkhead<C>& bulkhead, const std::shared_ptr<Subscriber<>>& subscriber) {
    BulkheadAccess::core(bulkhead).subscribe(subscriber);
  }
  static void unsubscribe(Bulkhead<C>& bulkhead, const Subscriber<>& subscriber) noexcept {
    BulkheadAccess::core(bulkhead).unsubscribe(subscriber);
  }
};

/// Its config is its rule.
template <class Rule, class C>
struct PolicyKind<AdaptiveLimit<Rule, C>> : BasicKind<AdaptiveLimit<Rule, C>, Rule, AdaptiveLimitEvent> {
  static constexpr const char* config_type = rule_type<Rule>;

  [[nodiscard]] static bool has_had(const AdaptiveLimit<Rule, C>& limit, const Rule& rule) noexcept {
    return limit.rule() == rule;
  }
  /// One with a call in it would let more calls through once a new one has its name; one that has found its
  /// limit goes last.
  [[nodiscard]] static int eviction_kind(const AdaptiveLimit<Rule, C>& limit) {
    if (!AdaptiveLimitAccess::is_idle(limit)) return 2;
    return limit.stats().windows == 0 ? 0 : 1;
  }
  static void subscribe(AdaptiveLimit<Rule, C>& limit, const std::shared_ptr<Subscriber<>>& subscriber) {
    AdaptiveLimitAccess::core(limit).subscribe(subscriber);
  }
  static void unsubscribe(AdaptiveLimit<Rule, C>& limit, const Subscriber<>& subscriber) noexcept {
    AdaptiveLimitAccess::core(limit).unsubscribe(subscriber);
  }
};

template <class C>
struct PolicyKind<RateLimiter<C>> : BasicKind<RateLimiter<C>, RateLimiterConfig, RateLimiterEvent> {
  static constexpr const char* config_type = "RateLimiterConfig";

  /// One that has spent permits goes last: a new one has its whole burst.
  [[nodiscard]] static int eviction_kind(const RateLimiter<C>& limiter) {
    return limiter.retry_after(burst_of(limiter.config())).count() == 0 ? 0 : 1;
  }
  static void subscribe(RateLimiter<C>& limiter, const std::shared_ptr<Subscriber<>>& subscriber) {
    limiter.events_.add(limiter.name(), subscriber);
  }
  static void unsubscribe(RateLimiter<C>& limiter, const Subscriber<>& subscriber) noexcept {
    limiter.events_.remove(subscriber);
  }
};

template <class C>
struct PolicyKind<Chaos<C>> : BasicKind<Chaos<C>, ChaosConfig, ChaosEvent> {
  static constexpr const char* config_type = "ChaosConfig";

  /// Alone, it may be without a name.
  [[nodiscard]] static std::shared_ptr<Chaos<C>> make(std::string name, const ChaosConfig& config,
                                                      const C& clock) {
    detail::check_name("Chaos", name);
    return std::make_shared<Chaos<C>>(std::move(name), config, clock);
  }
  /// One that was enabled goes last: a new one is disabled.
  [[nodiscard]] static int eviction_kind(const Chaos<C>& chaos) noexcept {
    return chaos.is_enabled() ? 1 : 0;
  }
  static void subscribe(Chaos<C>& chaos, const std::shared_ptr<Subscriber<>>& subscriber) {
    chaos.core_->subscribe(subscriber);
  }
  static void unsubscribe(Chaos<C>& chaos, const Subscriber<>& subscriber) noexcept {
    chaos.core_->unsubscribe(subscriber);
  }
};

template <class C>
struct PolicyKind<Throttle<C>> : BasicKind<Throttle<C>, ThrottleConfig, ThrottleEvent> {
  static constexpr const char* config_type = "ThrottleConfig";

  /// One that rejects calls goes last: a new one rejects none until it has seen enough of them.
  [[nodiscard]] static int eviction_kind(const Throttle<C>& throttle) {
    return throttle.stats().rejection_ratio > 0 ? 1 : 0;
  }
  static void subscribe(Throttle<C>& throttle, const std::shared_ptr<Subscriber<>>& subscriber) {
    throttle.core_.events().add(throttle.name(), subscriber);
  }
  static void unsubscribe(Throttle<C>& throttle, const Subscriber<>& subscriber) noexcept {
    throttle.core_.events().remove(subscriber);
  }
};

/// A budget and a retry throttle. Alone, they may be without a name.
template <class P, class PolicyConfig>
struct BudgetKind : BasicKind<P, PolicyConfig, RetryBudgetEvent> {
 protected:
  [[nodiscard]] static std::string checked(const char* type, std::string name) {
    detail::check_name(type, name);
    return name;
  }
};

template <class C>
struct PolicyKind<RetryBudget<C>> : BudgetKind<RetryBudget<C>, RetryBudgetConfig> {
  static constexpr const char* config_type = "RetryBudgetConfig";

  [[nodiscard]] static std::shared_ptr<RetryBudget<C>> make(std::string name, const RetryBudgetConfig& config,
                                                            const C& clock) {
    return std::make_shared<RetryBudget<C>>(PolicyKind::checked("RetryBudget", std::move(name)), config,
                                            clock);
  }
  /// One that has paid goes last: a new one has its whole reserve.
  [[nodiscard]] static int eviction_kind(const RetryBudget<C>& budget) {
    const RetryBudgetConfig& config = budget.config();
    return budget.stats().balance < std::min(config.reserve, config.capacity) ? 1 : 0;
  }
  static void subscribe(RetryBudget<C>& budget, const std::shared_ptr<Subscriber<>>& subscriber) {
    budget.report_.events().add(budget.name(), subscriber);
  }
  static void unsubscribe(RetryBudget<C>& budget, const Subscriber<>& subscriber) noexcept {
    budget.report_.events().remove(subscriber);
  }
};

/// Without a clock.
template <>
struct PolicyKind<RetryThrottle> : BudgetKind<RetryThrottle, RetryThrottleConfig> {
  static constexpr const char* config_type = "RetryThrottleConfig";

  template <class C>
  [[nodiscard]] static std::shared_ptr<RetryThrottle> make(std::string name,
                                                           const RetryThrottleConfig& config,
                                                           const C& /*clock*/) {
    return std::make_shared<RetryThrottle>(checked("RetryThrottle", std::move(name)), config);
  }
  /// One that has seen failures goes last.
  [[nodiscard]] static int eviction_kind(const RetryThrottle& throttle) noexcept {
    return throttle.stats().balance < throttle.config().max_tokens ? 1 : 0;
  }
  static void subscribe(RetryThrottle& throttle, const std::shared_ptr<Subscriber<>>& subscriber) {
    throttle.report_.events().add(throttle.name(), subscriber);
  }
  static void unsubscribe(RetryThrottle& throttle, const Subscriber<>& subscriber) noexcept {
    throttle.report_.events().remove(subscriber);
  }
};

/// Counts, which need neither a config nor a clock.
template <class P, class CountsEvent = void>
struct CountsKind : BasicKind<P, NoConfig, CountsEvent> {
  static constexpr const char* config_type = "";

  template <class C>
  [[nodiscard]] static std::shared_ptr<P> make(std::string name, const NoConfig& /*config*/,
                                               const C& /*clock*/) {
    return std::make_shared<P>(std::move(name));
  }
  [[nodiscard]] static constexpr bool has_had(const P& /*counts*/, const NoConfig& /*config*/) noexcept {
    return true;
  }
};
template <>
struct PolicyKind<RetryCounts> : CountsKind<RetryCounts> {};
template <>
struct PolicyKind<TimeoutCounts> : CountsKind<TimeoutCounts> {};
template <>
struct PolicyKind<HedgeCounts> : CountsKind<HedgeCounts, HedgeEvent> {
  static void subscribe(HedgeCounts& counts, const std::shared_ptr<Subscriber<>>& subscriber) {
    counts.counts_.events().add(counts.name(), subscriber);
  }
  static void unsubscribe(HedgeCounts& counts, const Subscriber<>& subscriber) noexcept {
    counts.counts_.events().remove(subscriber);
  }
};

template <>
struct PolicyKind<CallDurations> : BasicKind<CallDurations, CallDurationsConfig> {
  static constexpr const char* config_type = "CallDurationsConfig";

  template <class C>
  [[nodiscard]] static std::shared_ptr<CallDurations> make(std::string name,
                                                           const CallDurationsConfig& config,
                                                           const C& /*clock*/) {
    return std::make_shared<CallDurations>(std::move(name), config);
  }
};

/// The policies of several kinds, each with names of its own.
template <class C, class... Ps>
class NamedOfKinds : private NamedPolicies<Ps, C>... {
 public:
  template <class P>
  static constexpr bool has = (... || std::same_as<P, Ps>);

  explicit NamedOfKinds(const C& clock) : NamedPolicies<Ps, C>{"PolicyRegistry", clock}... {}

  template <class P>
  [[nodiscard]] NamedPolicies<P, C>& of() noexcept {
    return *this;
  }
  template <class P>
  [[nodiscard]] const NamedPolicies<P, C>& of() const noexcept {
    return *this;
  }
  /// Calls f(policies) for each kind.
  template <class F>
  void for_each(F f) {
    (f(of<Ps>()), ...);
  }
};

template <class C>
using PolicyKinds = NamedOfKinds<C, Bulkhead<C>, AdaptiveLimit<Measured, C>, AdaptiveLimit<Aimd, C>,
                                 AdaptiveLimit<Gradient2, C>, AdaptiveLimit<Vegas, C>, RateLimiter<C>,
                                 Throttle<C>, RetryBudget<C>, RetryThrottle, RetryCounts, TimeoutCounts,
                                 HedgeCounts, CallDurations, Chaos<C>>;

/// The stats of adaptive limits, whatever their rule, by printable names (M2).
template <class C>
[[nodiscard]] std::map<std::string, AdaptiveLimitStats> adaptive_limit_stats(
    const PolicyRegistry<C>& registry) {
  return with_printable_names(registry.template stats<AdaptiveLimit<Measured, C>>(),
                              registry.template stats<AdaptiveLimit<Aimd, C>>(),
                              registry.template stats<AdaptiveLimit<Gradient2, C>>(),
                              registry.template stats<AdaptiveLimit<Vegas, C>>());
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
