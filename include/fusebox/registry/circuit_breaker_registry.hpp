// fusebox/registry/circuit_breaker_registry.hpp: CircuitBreakerRegistry, circuit breakers by name.
#pragma once
// IWYU pragma: private, include <fusebox/registry.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/clock_reading.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/registry/config.hpp>
#include <fusebox/registry/detail/name_order.hpp>
#include <fusebox/registry/detail/name_table.hpp>
#include <fusebox/registry/detail/named_configs.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Creates each breaker when its name is first asked for, and keeps at most `max_breakers` of them (G3).
/// Every member is thread-safe. Handles are shared: they stay valid after the registry has released their
/// breaker (G2).
template <class C>
class FUSEBOX_API CircuitBreakerRegistry {
  static_assert(Clock<C>, "fusebox: CircuitBreakerRegistry<C> needs a C that models fusebox::Clock");

 public:
  using Breaker = CircuitBreaker<C>;
  using Handle = std::shared_ptr<Breaker>;

  /// Every breaker gets a copy of `clock`. Throws ConfigError if `validate` refuses the config.
  explicit CircuitBreakerRegistry(const RegistryConfig& config = {}, C clock = {})
      : clock_{std::move(clock)} {
    store(config);
  }
  CircuitBreakerRegistry(const CircuitBreakerRegistry&) = delete;
  CircuitBreakerRegistry& operator=(const CircuitBreakerRegistry&) = delete;
  ~CircuitBreakerRegistry() = default;

  /// The breaker of that name; if it is new, creates it with the config that configure() gave to its name or
  /// to the longest prefix of it, else with the default config. Throws ConfigError if the name is
  /// empty.
  Handle get(std::string_view name) { return find_or_make(name, nullptr); }

  /// The breaker of that name; creates it with `config` if it is new. The first config wins: a later one
  /// that differs is ignored and counted in config_conflicts() (G1). Throws ConfigError if the
  /// name is empty, or if `validate` refuses the config, which then changes nothing.
  Handle get(std::string_view name, const CircuitBreakerConfig& config) {
    detail::throw_if("CircuitBreakerConfig", detail::check(config));
    return find_or_make(name, &config);
  }

  /// The breaker of that name, or null. Unlike get(), does not count as a use for eviction.
  [[nodiscard]] Handle find(std::string_view name) const { return breakers_.find(name); }

  /// Removes the breaker of that name; false if there is none. Its handles stay valid.
  bool remove(std::string_view name) {
    Handle removed;  // destroyed after the lock is released
    const std::lock_guard lock{mutex_};
    removed = breakers_.extract(name);
    if (removed) unsubscribe_from(*removed);
    return removed != nullptr;
  }

  /// Removes every breaker.
  void clear() {
    typename detail::NameTable<Breaker>::Removed removed;  // destroyed after the lock is released
    const std::lock_guard lock{mutex_};
    removed = breakers_.clear();
    for (const auto& [name, entry] : removed) unsubscribe_from(*entry.breaker);
  }

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
    std::vector<std::weak_ptr<Breaker>> breakers;  // weak: a breaker that is held cannot be evicted (G3)
    breakers.reserve(size());
    breakers_.for_each([&](const Handle& breaker) { breakers.emplace_back(breaker); });
    for (const auto& breaker : breakers) {
      if (const Handle handle = breaker.lock()) handle->reset();
    }
  }

  /// The stats of every breaker, by name. Meanwhile get() of an existing name does not wait; of a new one it
  /// does.
  [[nodiscard]] std::map<std::string, CircuitBreakerStats> stats() const {
    const detail::ClockReading time{clock_};
    std::map<std::string, CircuitBreakerStats> all;
    breakers_.for_each_in_order([&](std::string_view name, const Handle& breaker) {
      all.emplace_hint(all.end(), name, breaker->core_.stats(time));
    });
    return all;
  }

  [[nodiscard]] std::size_t size() const { return breakers_.size(); }

  /// How often get() was called with a config that the breaker neither has nor had. Relaxed: a number to look
  /// at.
  [[nodiscard]] std::uint64_t config_conflicts() const noexcept {
    return config_conflicts_.load(std::memory_order_relaxed);
  }

  /// How many breakers were created but not registered, because every registered one was in use (G3).
  [[nodiscard]] std::uint64_t unregistered() const {
    const std::lock_guard lock{mutex_};
    return unregistered_;
  }

  /// Sets the config of breakers that get(name) creates from now on. The pattern is a name ("payments-eu"),
  /// or a prefix and one `*` ("payments-*"; "*" is every name). A name counts before a prefix, a longer
  /// prefix before a shorter one, and all before `default_config`; an equal pattern is replaced. Breakers
  /// that exist keep their config, and a config given to get() wins (B19). Throws ConfigError for another
  /// pattern, or if `validate` refuses the config; either changes nothing.
  void configure(std::string_view pattern, const CircuitBreakerConfig& config) {
    detail::throw_if("CircuitBreakerConfig", detail::check(config));
    const std::lock_guard lock{mutex_};
    named_configs_.set(pattern, config);
  }

  /// Replaces the registry's config: the bound from now on, and the default config of breakers created from
  /// now on; what configure(pattern) has set stays (B19). Throws ConfigError if `validate` refuses
  /// the config, or if more than `max_breakers` are registered; either changes nothing.
  void configure(const RegistryConfig& config) {
    const std::lock_guard lock{mutex_};
    store(config);
  }

  /// The present config. The reference stays valid and constant; configure() puts another one in its place.
  [[nodiscard]] const RegistryConfig& config() const noexcept {
    return *config_.load(std::memory_order_acquire);  // pairs with the store in store()
  }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }

  /// Calls `callback(const StateChange&)` for every change of every breaker, existing or created later. The
  /// changes of one breaker arrive in order; those of several may arrive on several threads at once. As
  /// CircuitBreaker::on_state_change().
  template <class F>
  [[nodiscard]] Subscription on_state_change(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const StateChange&>,
                  "fusebox: on_state_change takes a callback(const StateChange&)");
    auto subscriber = detail::make_subscriber<StateChange>(std::forward<F>(callback));
    Subscription subscription = detail::make_subscription(subscriber);
    const std::lock_guard lock{mutex_};
    std::erase_if(subscribers_, [](const auto& old) { return !old->is_active(); });
    subscribers_.push_back(subscriber);
    breakers_.for_each([&](const Handle& breaker) { breaker->core_.subscribe(subscriber); });
    return subscription;
  }

 private:
  [[nodiscard]] Handle find_or_make(std::string_view name, const CircuitBreakerConfig* config) {
    if (Handle known = find_and_touch(name, config)) [[likely]]
      return known;
    return make(name, config);
  }

  [[nodiscard]] Handle find_and_touch(std::string_view name, const CircuitBreakerConfig* config) {
    Handle known = breakers_.find_and_touch(name, [this] { return detail::coarse_tick(clock_); });
    if (known && config != nullptr && !known->core_.has_had(*config)) [[unlikely]]
      config_conflicts_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number to look at
    return known;
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD Handle make(std::string_view name, const CircuitBreakerConfig* config) {
    Handle evicted;  // destroyed after the lock is released
    const std::lock_guard lock{mutex_};
    if (Handle known = find_and_touch(name, config)) return known;  // another thread was faster
    if (config == nullptr) config = named_configs_.find(name);
    const RegistryConfig& registry = this->config();
    auto made = std::make_shared<Breaker>(std::string{name},
                                          config != nullptr ? *config : registry.default_config, clock_);
    for (const auto& subscriber : subscribers_) {
      if (subscriber->is_active()) made->core_.subscribe(subscriber);
    }
    if (breakers_.size() < static_cast<std::size_t>(registry.max_breakers)) {
      breakers_.insert(made);
      return made;
    }
    evicted = breakers_.replace(made, eviction_kind);
    if (evicted) {
      unsubscribe_from(*evicted);
    } else {
      unsubscribe_from(*made);
      ++unregistered_;
    }
    return made;
  }

  /// G3: healthy breakers are evicted first, so that a stream of new names cannot keep a failing one from
  /// opening; then failing, open and half-open ones, and never those forced by hand.
  [[nodiscard]] static int eviction_kind(const Breaker& breaker) noexcept {
    const detail::StateWord word = breaker.core_.load();
    switch (word.state()) {
      case State::closed: return word.failure_streak() == 0 ? 0 : 1;
      case State::forced_open:
      case State::disabled: return 2;
      default: return 1;
    }
  }

  /// The caller holds the mutex, or constructs.
  void store(const RegistryConfig& config) {
    if (const std::string wrong = validate(config); !wrong.empty()) detail::throw_invalid(wrong);
    const std::size_t registered = breakers_.size();
    if (static_cast<std::size_t>(config.max_breakers) < registered) {
      detail::throw_invalid("RegistryConfig.max_breakers must be at least " + std::to_string(registered) +
                            ", the number of registered breakers, got " +
                            std::to_string(config.max_breakers));
    }
    configs_.push_front(config);
    config_.store(&configs_.front(), std::memory_order_release);  // pairs with the load in config()
  }

  void unsubscribe_from(Breaker& breaker) noexcept {
    for (const auto& subscriber : subscribers_) breaker.core_.unsubscribe(*subscriber);
  }

  std::atomic<const RegistryConfig*> config_{nullptr};
  [[no_unique_address]] C clock_;
  detail::NameTable<Breaker> breakers_;
  std::atomic<std::uint64_t> config_conflicts_{0};
  mutable std::mutex mutex_;  // guards everything below, and every change of the table
  std::vector<std::shared_ptr<detail::Subscriber<>>> subscribers_;
  std::uint64_t unregistered_ = 0;
  detail::NamedConfigs named_configs_;
  std::forward_list<RegistryConfig> configs_;  // the present one and those before, to which references exist
};

FUSEBOX_END_NAMESPACE
