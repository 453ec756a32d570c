// fusebox/registry.hpp: breakers by name: the fuse box of a process.
//
//   RegistryConfig                how many, and with which config
//   CircuitBreakerRegistry        get(name[, config]), stats(), reset_all(), on_state_change(), …
//   get_circuit_breaker and kin   the same on default_registry(), the process-wide one
//
// A registry never holds more than max_breakers. It is safe to name breakers after what a stranger
// sends (a host of a webhook): breakers that nobody holds make room.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/registry/detail/name_order.hpp>
#include <fusebox/registry/detail/name_table.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

struct RegistryConfig {
  int max_breakers = 10'000;                 ///< at least 1
  CircuitBreakerConfig default_config = {};  ///< of breakers that are asked for without a config
};

/// Empty where the config is good, else what is wrong: field, rule and value.
[[nodiscard]] inline std::string validate(const RegistryConfig& config) {
  if (config.max_breakers < 1) {
    return detail::to_text("RegistryConfig", detail::problem("max_breakers", "at least 1",
                                                             static_cast<long long>(config.max_breakers)));
  }
  return detail::to_text("RegistryConfig.default_config", detail::check(config.default_config));
}

/// Breakers by name, made when first asked for. Every member is thread-safe; handles are shared, and
/// work on after the registry let go of a breaker.
template <class C>
class FUSEBOX_API CircuitBreakerRegistry {
  static_assert(Clock<C>, "fusebox: CircuitBreakerRegistry<C> needs a C that models fusebox::Clock");

 public:
  using Breaker = CircuitBreaker<C>;
  using Handle = std::shared_ptr<Breaker>;

  /// Throws std::invalid_argument for a config that `validate` refuses. `clock` is every breaker's.
  explicit CircuitBreakerRegistry(RegistryConfig config = {}, C clock = {})
      : config_{std::move(config)}, clock_{std::move(clock)} {
    if (const std::string wrong = validate(config_); !wrong.empty()) detail::throw_invalid(wrong);
  }
  CircuitBreakerRegistry(const CircuitBreakerRegistry&) = delete;
  CircuitBreakerRegistry& operator=(const CircuitBreakerRegistry&) = delete;
  ~CircuitBreakerRegistry() = default;

  /// The breaker of that name; made with the default config where there is none. Throws
  /// std::invalid_argument for an empty name.
  Handle get(std::string_view name) { return find_or_make(name, nullptr); }

  /// The breaker of that name; made with `config` where there is none. The first config wins: a later
  /// one that differs is ignored and counted in config_conflicts(). Throws std::invalid_argument for a
  /// config that `validate` refuses, which changes nothing.
  Handle get(std::string_view name, const CircuitBreakerConfig& config) {
    detail::throw_if("CircuitBreakerConfig", detail::check(config));
    return find_or_make(name, &config);
  }

  /// The breaker of that name, or null. Unlike get(), this is no use that keeps it from being evicted.
  [[nodiscard]] Handle find(std::string_view name) const { return breakers_.find(name); }

  /// Lets go of a breaker; false where there is none of that name. Its handles go on working.
  bool remove(std::string_view name) {
    Handle removed;  // destroyed after the lock is gone
    const std::lock_guard lock{mutex_};
    removed = breakers_.take(name);
    if (removed) unsubscribe_from(*removed);
    return removed != nullptr;
  }

  /// Lets go of all.
  void clear() {
    typename detail::NameTable<Breaker>::Removed removed;  // destroyed after the lock is gone
    const std::lock_guard lock{mutex_};
    removed = breakers_.clear();
    for (const auto& [name, entry] : removed) unsubscribe_from(*entry.breaker);
  }

  /// Resets the breaker of that name; false where there is none.
  bool reset(std::string_view name) {
    const Handle breaker = find(name);
    if (breaker) breaker->reset();
    return breaker != nullptr;
  }

  void reset_all() {
    std::vector<std::weak_ptr<Breaker>> breakers;  // weak: resetting breakers does not hold them (G3)
    breakers.reserve(size());
    breakers_.for_each([&](const Handle& breaker) { breakers.emplace_back(breaker); });
    for (const auto& breaker : breakers) {
      if (const Handle handle = breaker.lock()) handle->reset();
    }
  }

  /// Of every breaker, by name. Meanwhile get() goes on for the names that there are; a new one waits.
  [[nodiscard]] std::map<std::string, CircuitBreakerStats> stats() const {
    const detail::StatsTime time{clock_};
    std::map<std::string, CircuitBreakerStats> all;
    breakers_.for_each_in_order([&](std::string_view name, const Handle& breaker) {
      all.emplace_hint(all.end(), name, breaker->core_.stats(time));
    });
    return all;
  }

  [[nodiscard]] std::size_t size() const { return breakers_.size(); }

  /// How often a breaker was asked for with another config than it has.
  [[nodiscard]] std::uint64_t config_conflicts() const noexcept {
    return config_conflicts_.load(std::memory_order_relaxed);
  }

  /// How many breakers were made that are not in the registry, since it was full of breakers in use.
  [[nodiscard]] std::uint64_t unregistered() const {
    const std::lock_guard lock{mutex_};
    return unregistered_;
  }

  [[nodiscard]] const RegistryConfig& config() const noexcept { return config_; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }

  /// Calls `callback(const StateChange&)` for each change of every breaker in the registry, now and to
  /// come: of one breaker in order, of several maybe at the same time on several threads.
  template <class F>
  [[nodiscard]] Subscription on_state_change(F&& callback) {
    auto subscriber = detail::make_subscriber(std::forward<F>(callback));
    Subscription subscription{subscriber};
    const std::lock_guard lock{mutex_};
    std::erase_if(subscribers_, [](const auto& old) { return !old->active(); });
    subscribers_.push_back(subscriber);
    breakers_.for_each([&](const Handle& breaker) { breaker->core_.subscribe(subscriber); });
    return subscription;
  }

 private:
  [[nodiscard]] Handle find_or_make(std::string_view name, const CircuitBreakerConfig* config) {
    if (Handle known = use(name, config)) [[likely]]
      return known;
    return make(name, config);
  }

  [[nodiscard]] Handle use(std::string_view name, const CircuitBreakerConfig* config) {
    Handle known = breakers_.use(name);
    if (known && config != nullptr && *config != known->config()) [[unlikely]]
      config_conflicts_.fetch_add(1, std::memory_order_relaxed);
    return known;
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD Handle make(std::string_view name, const CircuitBreakerConfig* config) {
    Handle evicted;  // destroyed after the lock is gone
    const std::lock_guard lock{mutex_};
    if (Handle known = use(name, config)) return known;  // another thread was faster
    auto made = std::make_shared<Breaker>(std::string{name},
                                          config != nullptr ? *config : config_.default_config, clock_);
    for (const auto& subscriber : subscribers_) {
      if (subscriber->active()) made->core_.subscribe(subscriber);
    }
    if (breakers_.size() < static_cast<std::size_t>(config_.max_breakers)) {
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

  /// G3: closed ones go first, then others; forced_open and disabled ones stay.
  [[nodiscard]] static int eviction_kind(const Breaker& breaker) noexcept {
    switch (breaker.state()) {
      case State::closed: return 0;
      case State::forced_open:
      case State::disabled: return 2;
      default: return 1;
    }
  }

  void unsubscribe_from(Breaker& breaker) noexcept {
    for (const auto& subscriber : subscribers_) breaker.core_.unsubscribe(*subscriber);
  }

  const RegistryConfig config_;
  [[no_unique_address]] C clock_;
  detail::NameTable<Breaker> breakers_;
  std::atomic<std::uint64_t> config_conflicts_{0};
  mutable std::mutex mutex_;  // guards what follows, and every change of which breakers there are
  std::vector<std::shared_ptr<detail::Subscriber>> subscribers_;
  std::uint64_t unregistered_ = 0;
};

/// The process-wide registry: one for all shared libraries of a process, never destroyed.
[[nodiscard]] FUSEBOX_API inline CircuitBreakerRegistry<>& default_registry() {
  static detail::NoDestroy<CircuitBreakerRegistry<>> registry;
  return *registry;
}

inline std::shared_ptr<CircuitBreaker<>> get_circuit_breaker(std::string_view name) {
  return default_registry().get(name);
}
inline std::shared_ptr<CircuitBreaker<>> get_circuit_breaker(std::string_view name,
                                                             const CircuitBreakerConfig& config) {
  return default_registry().get(name, config);
}

[[nodiscard]] inline std::map<std::string, CircuitBreakerStats> get_all_circuit_breaker_stats() {
  return default_registry().stats();
}

/// False where there is no breaker of that name.
inline bool reset_circuit_breaker(std::string_view name) { return default_registry().reset(name); }

inline void reset_all_circuit_breakers() { default_registry().reset_all(); }

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
