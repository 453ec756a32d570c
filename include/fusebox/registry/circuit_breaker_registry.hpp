// fusebox/registry/circuit_breaker_registry.hpp: CircuitBreakerRegistry, circuit breakers by name.
#pragma once
// IWYU pragma: private, include <fusebox/registry.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/registry/named_policies.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/registry/config.hpp>
#include <fusebox/registry/detail/breaker_kind.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Creates each breaker when its name is first asked for, and keeps at most `max_breakers` of them (G3).
/// Every member is thread-safe. Handles are shared: they stay valid after the registry has released their
/// breaker (G2).
template <class C>
class FUSEBOX_API CircuitBreakerRegistry {
  static_assert(TimeSource<C>,
                "fusebox: CircuitBreakerRegistry<C> needs a C that models fusebox::TimeSource");

 public:
  using Breaker = CircuitBreaker<C>;
  using Handle = std::shared_ptr<Breaker>;

  /// Every breaker gets a copy of `clock`. Throws ConfigError if `validate` refuses the config.
  explicit CircuitBreakerRegistry(const RegistryConfig& config = {}, C clock = {})
      : breakers_{"CircuitBreakerRegistry", std::move(clock)} {
    configure(config);
  }
  CircuitBreakerRegistry(const CircuitBreakerRegistry&) = delete;
  CircuitBreakerRegistry& operator=(const CircuitBreakerRegistry&) = delete;
  ~CircuitBreakerRegistry() = default;

  /// The breaker of that name; if it is new, creates it with the config that configure() gave to its name or
  /// to the longest prefix of it, else with the default config. Throws ConfigError if the name is
  /// empty.
  Handle get(std::string_view name) { return breakers_.get(name); }

  /// The breaker of that name; creates it with `config` if it is new. The first config wins: a later one
  /// that differs is ignored and counted in config_conflicts() (G1). Throws ConfigError if the
  /// name is empty, or if `validate` refuses the config, which then changes nothing.
  Handle get(std::string_view name, const CircuitBreakerConfig& config) {
    return breakers_.get(name, config);
  }

  /// The breaker of that name, or null. Unlike get(), does not count as a use for eviction.
  [[nodiscard]] Handle find(std::string_view name) const { return breakers_.find(name); }

  /// Removes the breaker of that name; false if there is none. Its handles stay valid.
  bool remove(std::string_view name) { return breakers_.remove(name); }

  /// Removes every breaker.
  void clear() { breakers_.clear(); }

  /// Resets the breaker of that name; false if there is none.
  bool reset(std::string_view name) {
    const Handle breaker = find(name);
    if (breaker) breaker->reset();
    return breaker != nullptr;
  }

  /// Puts another config in force for the breaker of that name, as CircuitBreaker::reconfigure() does; false
  /// if there is none (B19). Throws ConfigError, and changes nothing, if `validate` refuses the config.
  bool reconfigure(std::string_view name, const CircuitBreakerConfig& config) {
    detail::throw_if("CircuitBreakerConfig", detail::check(config));
    const Handle breaker = find(name);
    if (breaker) breaker->reconfigure(config);
    return breaker != nullptr;
  }

  void reset_all() {
    for (const auto& breaker : breakers_.all()) {
      if (const Handle handle = breaker.lock()) handle->reset();
    }
  }

  /// The stats of every breaker, by name. Meanwhile get() of an existing name does not wait; of a new one it
  /// does.
  [[nodiscard]] std::map<std::string, CircuitBreakerStats> stats() const { return breakers_.stats(); }

  [[nodiscard]] std::size_t size() const { return breakers_.size(); }

  /// How often get() was called with a config that the breaker neither has nor had. Relaxed: a number to look
  /// at.
  [[nodiscard]] std::uint64_t config_conflicts() const noexcept { return breakers_.config_conflicts(); }

  /// How many breakers were created but not registered, because every registered one was in use (G3).
  [[nodiscard]] std::uint64_t unregistered() const { return breakers_.unregistered(); }

  /// Sets the config of breakers that get(name) creates from now on. The pattern is a name ("payments-eu"),
  /// or a prefix and one `*` ("payments-*"; "*" is every name). A name counts before a prefix, a longer
  /// prefix before a shorter one, and all before `default_config`; an equal pattern is replaced. Breakers
  /// that exist keep their config, and a config given to get() wins (B19). Throws ConfigError for another
  /// pattern, or if `validate` refuses the config; either changes nothing.
  void configure(std::string_view pattern, const CircuitBreakerConfig& config) {
    breakers_.configure(pattern, config);
  }

  /// Replaces the registry's config: the bound from now on, and the default config of breakers created from
  /// now on; what configure(pattern) has set stays (B19). Throws ConfigError if `validate` refuses
  /// the config, or if more than `max_breakers` are registered; either changes nothing.
  void configure(const RegistryConfig& config) {
    if (const std::string wrong = validate(config); !wrong.empty()) detail::throw_invalid(wrong);
    breakers_.set_limits([&](std::size_t registered) {
      if (static_cast<std::size_t>(config.max_breakers) < registered) {
        detail::throw_invalid("RegistryConfig.max_breakers must be at least " + std::to_string(registered) +
                              ", the number of registered breakers, got " +
                              std::to_string(config.max_breakers));
      }
      configs_.push_front(config);
      config_.store(&configs_.front(), std::memory_order_release);  // pairs with the load in config()
      return typename Breakers::Limits{static_cast<std::size_t>(config.max_breakers), config.default_config};
    });
  }

  /// The present config. The reference stays valid and constant; configure() puts another one in its place.
  [[nodiscard]] const RegistryConfig& config() const noexcept {
    return *config_.load(std::memory_order_acquire);  // pairs with the store in configure()
  }
  [[nodiscard]] const C& clock() const noexcept { return breakers_.clock(); }

  /// Calls `callback(const StateChange&)` for every change of every breaker, existing or created later. The
  /// changes of one breaker arrive in order; those of several may arrive on several threads at once. As
  /// CircuitBreaker::on_state_change().
  template <class F>
  [[nodiscard]] Subscription on_state_change(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const StateChange&>,
                  "fusebox: on_state_change takes a callback(const StateChange&)");
    auto subscriber = detail::make_subscriber<StateChange>(std::forward<F>(callback));
    breakers_.subscribe(subscriber);
    return detail::make_subscription(std::move(subscriber));
  }

 private:
  template <class>
  friend class PolicyRegistry;
  using Breakers = detail::NamedPolicies<Breaker, C>;

  std::atomic<const RegistryConfig*> config_{nullptr};
  Breakers breakers_;
  /// The present one and those before, to which references exist. Changed under the lock of the breakers.
  std::forward_list<RegistryConfig> configs_;
};

FUSEBOX_END_NAMESPACE
