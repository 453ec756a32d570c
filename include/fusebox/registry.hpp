// fusebox/registry.hpp: breakers by name: the fuse box of a process.
//
//   RegistryConfig                how many, and with which config
//   CircuitBreakerRegistry        get(name[, config]), stats(), reset_all(), on_state_change(), …
//   get_circuit_breaker and kin   the same on default_registry(), the process-wide one
//
// A registry never holds more than max_breakers. It is safe to name breakers after what a stranger
// sends (a host of a webhook): breakers that nobody holds make room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/no_destroy.hpp>

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
    return find_or_make(name, &config);
  }

  /// The breaker of that name, or null. Unlike get(), this is no use that keeps it from being evicted.
  [[nodiscard]] Handle find(std::string_view name) const {
    const std::lock_guard lock{mutex_};
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : *found->second;
  }

  /// Lets go of a breaker; false where there is none of that name. Its handles go on working.
  bool remove(std::string_view name) {
    Handle removed;
    const std::lock_guard lock{mutex_};
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return false;
    removed = take_out(found->second);
    return true;
  }

  /// Lets go of all.
  void clear() {
    std::list<Handle> removed;
    const std::lock_guard lock{mutex_};
    for (const Handle& breaker : by_use_) unsubscribe_from(*breaker);
    by_name_.clear();
    removed.swap(by_use_);
  }

  /// Resets the breaker of that name; false where there is none.
  bool reset(std::string_view name) {
    const Handle breaker = find(name);
    if (breaker) breaker->reset();
    return breaker != nullptr;
  }

  void reset_all() {
    for_each([](Breaker& breaker) { breaker.reset(); });
  }

  [[nodiscard]] std::map<std::string, CircuitBreakerStats> stats() const {
    std::map<std::string, CircuitBreakerStats> all;
    for_each([&](const Breaker& breaker) { all.emplace(breaker.name(), breaker.stats()); });
    return all;
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return by_name_.size();
  }

  /// How often a breaker was asked for with another config than it has.
  [[nodiscard]] std::uint64_t config_conflicts() const {
    const std::lock_guard lock{mutex_};
    return config_conflicts_;
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
    for (const Handle& breaker : by_use_) breaker->core_.subscribe(subscriber);
    return subscription;
  }

 private:
  using Position = typename std::list<Handle>::iterator;

  struct Hash {
    using is_transparent = void;
    [[nodiscard]] std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>{}(name);
    }
  };

  [[nodiscard]] Handle find_or_make(std::string_view name, const CircuitBreakerConfig* config) {
    Handle evicted;  // destroyed after the lock is gone
    const std::lock_guard lock{mutex_};
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      const Position position = found->second;
      if (config != nullptr && *config != (*position)->config()) {
        detail::throw_if("CircuitBreakerConfig", detail::check(*config));
        ++config_conflicts_;
      }
      by_use_.splice(by_use_.end(), by_use_, position);
      return *position;
    }
    auto made = std::make_shared<Breaker>(std::string{name},
                                          config != nullptr ? *config : config_.default_config, clock_);
    const bool full = by_name_.size() >= static_cast<std::size_t>(config_.max_breakers);
    const Position oldest = full ? find_evictable() : by_use_.end();
    if (full && oldest == by_use_.end()) {
      ++unregistered_;
      return made;
    }
    for (const auto& subscriber : subscribers_) {
      if (subscriber->active()) made->core_.subscribe(subscriber);
    }
    const Position position = by_use_.insert(by_use_.end(), made);
    FUSEBOX_DETAIL_TRY { by_name_.emplace(made->name(), position); }
    FUSEBOX_DETAIL_CATCH_ALL {
      by_use_.erase(position);
      FUSEBOX_DETAIL_RETHROW;
    }
    if (full) evicted = take_out(oldest);
    return made;
  }

  /// The least recently used of the closed and unheld, else of the unheld (G3).
  [[nodiscard]] Position find_evictable() {
    Position unheld = by_use_.end();
    for (Position position = by_use_.begin(); position != by_use_.end(); ++position) {
      // Handles are only given out under the lock: one owner means that nobody else has it.
      if (position->use_count() != 1) continue;
      const State state = (*position)->state();
      if (state == State::closed) return position;
      if (state == State::forced_open || state == State::disabled) continue;
      if (unheld == by_use_.end()) unheld = position;
    }
    return unheld;
  }

  [[nodiscard]] Handle take_out(Position position) noexcept {
    Handle breaker = *position;
    unsubscribe_from(*breaker);
    by_name_.erase(by_name_.find(std::string_view{breaker->name()}));
    by_use_.erase(position);
    return breaker;
  }

  void unsubscribe_from(Breaker& breaker) noexcept {
    for (const auto& subscriber : subscribers_) breaker.core_.unsubscribe(*subscriber);
  }

  /// Calls f for each breaker, outside the lock: f may call back into the registry.
  template <class F>
  void for_each(F f) const {
    std::vector<std::weak_ptr<Breaker>> breakers;  // weak: looking at breakers does not hold them
    {
      const std::lock_guard lock{mutex_};
      breakers.reserve(by_use_.size());
      for (const Handle& breaker : by_use_) breakers.emplace_back(breaker);
    }
    for (const auto& breaker : breakers) {
      if (const Handle handle = breaker.lock()) f(*handle);
    }
  }

  const RegistryConfig config_;
  [[no_unique_address]] C clock_;
  mutable std::mutex mutex_;
  std::list<Handle> by_use_;  // the least recently used first
  std::unordered_map<std::string, Position, Hash, std::equal_to<>> by_name_;
  std::vector<std::shared_ptr<detail::Subscriber>> subscribers_;
  std::uint64_t config_conflicts_ = 0;
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
