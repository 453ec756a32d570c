// fusebox/policy_registry.hpp: policies of every kind by name (M1).
//
//   PolicyRegistry               get<Bulkhead<>>(name), get<RateLimiter<>>(name), …, stats, events
//   default_policy_registry      that of the process, whose breakers are those of default_registry()
//   policy_registry/config.hpp   PolicyRegistryConfig
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/registry/named_policies.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/policy_registry/config.hpp>  // IWYU pragma: export
#include <fusebox/policy_registry/detail/kinds.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Creates each policy when its name is first asked for, and keeps at most `max_per_kind` of each kind. Each
/// kind has names of its own. P is CircuitBreaker<C>, Bulkhead<C>, AdaptiveLimit<Rule, C> with a rule of the
/// library, RateLimiter<C>, Throttle<C>, RetryBudget<C>, RetryThrottle, RetryCounts, TimeoutCounts,
/// HedgeCounts, CallDurations or Chaos<C>. For each kind G1 to G3 hold, as for breakers. Every member is
/// thread-safe.
/// Handles are std::shared_ptr and stay valid after the registry has released their policy.
///
///     auto reports = default_policy_registry().get<Bulkhead<>>("reports", {.max_concurrent = 8});
template <class C>
class FUSEBOX_API PolicyRegistry {
  static_assert(Clock<C>, "fusebox: PolicyRegistry<C> needs a C that models fusebox::Clock");

  template <class P>
  static constexpr bool is_breaker = std::same_as<P, CircuitBreaker<C>>;
  template <class P>
  using ConfigOf = typename detail::PolicyKind<P>::Config;

 public:
  template <class P>
  using Handle = std::shared_ptr<P>;

  /// With breakers of its own. Every policy gets a copy of `clock`. Throws ConfigError if `validate` refuses
  /// the config.
  explicit PolicyRegistry(const PolicyRegistryConfig& config = {}, C clock = {})
      : kinds_{clock},
        own_breakers_{std::in_place, breakers_config(config), clock},
        breakers_{*own_breakers_} {
    start(config);
  }
  template <std::same_as<C> GivenClock>
  explicit PolicyRegistry(GivenClock clock) : PolicyRegistry{PolicyRegistryConfig{}, std::move(clock)} {}

  /// With the breakers, and the clock, of a registry that outlives it.
  explicit PolicyRegistry(CircuitBreakerRegistry<C>& breakers, const PolicyRegistryConfig& config = {})
      : kinds_{breakers.clock()}, breakers_{breakers} {
    start(config);
  }
  PolicyRegistry(const PolicyRegistry&) = delete;
  PolicyRegistry& operator=(const PolicyRegistry&) = delete;
  ~PolicyRegistry() = default;

  /// The policy of that kind and name. If it is new, creates it with the config that configure() gave to its
  /// name or to the longest prefix of it, else with the default config. Throws ConfigError if the name is
  /// empty or longer than 512 bytes.
  template <class P>
  Handle<P> get(std::string_view name) {
    return of<P>().get(name);
  }

  /// The same; creates it with `config` if it is new. The first config wins: a later one that differs is
  /// ignored and counted in config_conflicts(). Throws ConfigError, and changes nothing, also if `validate`
  /// refuses the config.
  template <class P>
  Handle<P> get(std::string_view name, const ConfigOf<P>& config)
    requires(!std::same_as<ConfigOf<P>, detail::NoConfig>)
  {
    return of<P>().get(name, config);
  }

  /// The policy of that kind and name, or null. Does not count as a use for eviction.
  template <class P>
  [[nodiscard]] Handle<P> find(std::string_view name) const {
    return of<P>().find(name);
  }

  /// Removes the policy of that kind and name; false if there is none. Its handles stay valid.
  template <class P>
  bool remove(std::string_view name) {
    return of<P>().remove(name);
  }

  /// Removes every policy of every kind.
  void clear() {
    breakers_.clear();
    kinds_.for_each([](auto& policies) { policies.clear(); });
  }

  /// The stats of every policy of a kind, by name. Meanwhile get() of an existing name does not wait.
  template <class P>
  [[nodiscard]] auto stats() const {
    return of<P>().stats();
  }

  /// Policies of a kind.
  template <class P>
  [[nodiscard]] std::size_t size() const {
    return of<P>().size();
  }
  /// How often get() was called with a config that the policy neither has nor had. Relaxed: a number to look
  /// at.
  template <class P>
  [[nodiscard]] std::uint64_t config_conflicts() const noexcept {
    return of<P>().config_conflicts();
  }
  /// How many policies of the kind were created but not registered, because every registered one was in use.
  template <class P>
  [[nodiscard]] std::uint64_t unregistered() const {
    return of<P>().unregistered();
  }

  /// Sets the config of policies that get(name) creates from now on: as CircuitBreakerRegistry::configure().
  template <class P>
  void configure(std::string_view pattern, const ConfigOf<P>& config)
    requires(!std::same_as<ConfigOf<P>, detail::NoConfig>)
  {
    of<P>().configure(pattern, config);
  }

  /// Replaces the bound of one kind. Throws ConfigError, and changes nothing, if `max` is below 1 or below
  /// the number of registered policies.
  template <class P>
  void set_max(int max) {
    if constexpr (is_breaker<P>) {
      RegistryConfig config = breakers_.config();
      config.max_breakers = max;
      breakers_.configure(config);
    } else {
      detail::throw_if("PolicyRegistryConfig", detail::check(PolicyRegistryConfig{max}));
      limit(of<P>(), max);
    }
  }

  /// The breakers' part.
  [[nodiscard]] CircuitBreakerRegistry<C>& circuit_breakers() noexcept { return breakers_; }
  [[nodiscard]] const CircuitBreakerRegistry<C>& circuit_breakers() const noexcept { return breakers_; }
  [[nodiscard]] const C& clock() const noexcept { return breakers_.clock(); }

  /// Calls `callback(const Event&)` for every event of every policy of a kind that has events, existing or
  /// created later (M3): StateChange, BulkheadEvent, AdaptiveLimitEvent, RateLimiterEvent, ThrottleEvent,
  /// RetryBudgetEvent, HedgeEvent or ChaosEvent. The events of one policy arrive in order; those of several
  /// may arrive on several threads at once.
  template <class P, class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    using Event = typename detail::PolicyKind<P>::Event;
    static_assert(std::is_invocable_v<std::decay_t<F>&, const Event&>,
                  "fusebox: on_event<P> takes a callback of the events of P");
    auto subscriber = detail::make_subscriber<Event>(std::forward<F>(callback));
    of<P>().subscribe(subscriber);
    return detail::make_subscription(std::move(subscriber));
  }

  /// The same for all kinds: `callback` may take every event, as `[](const auto& event)` does, or those of
  /// some types.
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    using Callback = std::decay_t<F>;
    static_assert(accepts<Callback, StateChange> || accepts<Callback, BulkheadEvent> ||
                      accepts<Callback, AdaptiveLimitEvent> || accepts<Callback, RateLimiterEvent> ||
                      accepts<Callback, ThrottleEvent> || accepts<Callback, RetryBudgetEvent> ||
                      accepts<Callback, HedgeEvent> || accepts<Callback, ChaosEvent>,
                  "fusebox: on_event takes a callback of a const StateChange&, BulkheadEvent&, "
                  "AdaptiveLimitEvent&, RateLimiterEvent&, ThrottleEvent&, RetryBudgetEvent&, HedgeEvent& or "
                  "ChaosEvent&, or of several of them");
    const auto shared = std::make_shared<Callback>(std::forward<F>(callback));
    Subscribers made;
    for_each_event_kind<Callback>([&]<class P>(std::type_identity<P>) {
      using Event = typename detail::PolicyKind<P>::Event;
      made.push_back(detail::make_subscriber<Event>([shared](const Event& event) { (*shared)(event); }));
    });
    Subscription subscription = detail::make_subscription(Subscribers{made});
    for_each_event_kind<Callback>(
        [&, next = made.begin()]<class P>(std::type_identity<P>) mutable { of<P>().subscribe(*next++); });
    return subscription;
  }

 private:
  using Subscribers = std::vector<std::shared_ptr<detail::Subscriber<>>>;
  template <class Callback, class Event>
  static constexpr bool accepts = std::is_invocable_v<Callback&, const Event&>;

  /// Calls f(std::type_identity<P>) for each kind whose events the callback takes.
  template <class Callback, class F>
  void for_each_event_kind(F f) {
    const auto visit = [&]<class P>(std::type_identity<P> kind) {
      using Event = typename detail::PolicyKind<P>::Event;
      if constexpr (!std::is_void_v<Event>) {
        if constexpr (accepts<Callback, Event>) f(kind);
      }
    };
    visit(std::type_identity<CircuitBreaker<C>>{});
    kinds_.for_each([&]<class P>(detail::NamedPolicies<P, C>&) { visit(std::type_identity<P>{}); });
  }

  [[nodiscard]] static RegistryConfig breakers_config(const PolicyRegistryConfig& config) {
    detail::throw_if("PolicyRegistryConfig", detail::check(config));
    return {.max_breakers = config.max_per_kind};
  }

  void start(const PolicyRegistryConfig& config) {
    detail::throw_if("PolicyRegistryConfig", detail::check(config));
    kinds_.for_each([&](auto& policies) { limit(policies, config.max_per_kind); });
  }

  template <class P>
  static void limit(detail::NamedPolicies<P, C>& policies, int max) {
    policies.set_limits([&](std::size_t registered) {
      if (static_cast<std::size_t>(max) < registered) {
        detail::throw_invalid("PolicyRegistryConfig.max_per_kind must be at least " +
                              std::to_string(registered) + ", the number of registered policies, got " +
                              std::to_string(max));
      }
      return typename detail::NamedPolicies<P, C>::Limits{static_cast<std::size_t>(max), {}};
    });
  }

  template <class P>
  static consteval void check_kind() {
    static_assert(is_breaker<P> || detail::PolicyKinds<C>::template has<P>,
                  "fusebox: a PolicyRegistry<C> keeps CircuitBreaker<C>, Bulkhead<C>, "
                  "AdaptiveLimit<Rule, C> with the rule Measured, Aimd, Gradient2 or Vegas, RateLimiter<C>, "
                  "Throttle<C>, RetryBudget<C>, RetryThrottle, RetryCounts, TimeoutCounts, HedgeCounts, "
                  "CallDurations and Chaos<C>");
  }
  template <class P>
  [[nodiscard]] auto& of() noexcept {
    check_kind<P>();
    if constexpr (is_breaker<P>) {
      return breakers_.breakers_;
    } else {
      return kinds_.template of<P>();
    }
  }
  template <class P>
  [[nodiscard]] const auto& of() const noexcept {
    check_kind<P>();
    if constexpr (is_breaker<P>) {
      return std::as_const(breakers_).breakers_;
    } else {
      return kinds_.template of<P>();
    }
  }

  detail::PolicyKinds<C> kinds_;
  std::optional<CircuitBreakerRegistry<C>> own_breakers_;
  CircuitBreakerRegistry<C>& breakers_;
};

/// The registry of the process: one for all its shared libraries, never destroyed, so that static destructors
/// may use it (G4). Its breakers are those of default_registry(). Thread-safe.
[[nodiscard]] FUSEBOX_API inline PolicyRegistry<>& default_policy_registry() {
  static detail::NoDestroy<PolicyRegistry<>> registry{default_registry()};
  return *registry;
}

FUSEBOX_END_NAMESPACE
