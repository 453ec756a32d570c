// fusebox/detail/registry/named_policies.hpp: NamedPolicies, the policies of one kind in a registry (G1 to
// G6).
//
// A NameTable, and a mutex that lets one thread at a time change it. PolicyKind says what the kinds differ
// in.
#pragma once
// IWYU pragma: private

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fusebox/detail/clock_reading.hpp>
#include <fusebox/detail/registry/name_table.hpp>
#include <fusebox/detail/registry/named_configs.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Every member is thread-safe.
template <class P, class C>
class NamedPolicies {
  using Kind = PolicyKind<P>;

 public:
  using Handle = std::shared_ptr<P>;
  using Config = typename Kind::Config;
  using Stats = decltype(Kind::stats(std::declval<const P&>(), std::declval<const ClockReading&>()));
  static constexpr bool has_events = !std::is_void_v<typename Kind::Event>;

  /// How many there may be, and the config of those that neither get() nor a pattern gives one.
  struct Limits {
    std::size_t max;
    Config default_config;
  };

  /// `registry` is the type that errors name. Nothing can be made before set_limits().
  NamedPolicies(const char* registry, C clock) : clock_{std::move(clock)}, named_configs_{registry} {}

  /// The policy of that name; made if it is new.
  [[nodiscard]] Handle get(std::string_view name) { return find_or_make(name, nullptr); }
  /// The same; made with `config`. Throws ConfigError for a bad one.
  [[nodiscard]] Handle get(std::string_view name, const Config& config) {
    throw_if(Kind::config_type, Kind::check(config));
    return find_or_make(name, &config);
  }

  [[nodiscard]] Handle find(std::string_view name) const { return policies_.find(name); }

  bool remove(std::string_view name) {
    Handle removed;  // destroyed after the lock is released
    const std::lock_guard lock{mutex_};
    removed = policies_.extract(name);
    if (removed) unsubscribe_from(*removed);
    return removed != nullptr;
  }

  void clear() {
    typename NameTable<P>::Removed removed;  // destroyed after the lock is released
    const std::lock_guard lock{mutex_};
    removed = policies_.clear();
    for (const auto& [name, entry] : removed) unsubscribe_from(*entry.policy);
  }

  /// Weak: a policy that is held cannot be evicted (G3).
  [[nodiscard]] std::vector<std::weak_ptr<P>> all() const {
    std::vector<std::weak_ptr<P>> all;
    all.reserve(size());
    policies_.for_each([&](const Handle& policy) { all.emplace_back(policy); });
    return all;
  }

  [[nodiscard]] std::map<std::string, Stats> stats() const {
    const ClockReading time{clock_};
    std::map<std::string, Stats> all;
    policies_.for_each_in_order([&](std::string_view name, const Handle& policy) {
      all.emplace_hint(all.end(), name, Kind::stats(*policy, time));
    });
    return all;
  }

  [[nodiscard]] std::size_t size() const { return policies_.size(); }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }

  [[nodiscard]] std::uint64_t config_conflicts() const noexcept {
    return config_conflicts_.load(std::memory_order_relaxed);  // relaxed: a number to look at
  }
  [[nodiscard]] std::uint64_t unregistered() const {
    const std::lock_guard lock{mutex_};
    return unregistered_;
  }

  /// The config of policies whose name matches, made from now on (B19).
  void configure(std::string_view pattern, const Config& config) {
    throw_if(Kind::config_type, Kind::check(config));
    const std::lock_guard lock{mutex_};
    named_configs_.set(pattern, config);
  }

  /// Puts the Limits in force that `decide(number of registered policies)` gives, under the lock. What it
  /// throws changes nothing.
  template <class Decide>
  void set_limits(Decide decide) {
    const std::lock_guard lock{mutex_};
    limits_ = decide(policies_.size());
  }

  /// To the events of all, present and to come.
  void subscribe(const std::shared_ptr<Subscriber<>>& subscriber)
    requires has_events
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(subscribers_, [](const auto& old) { return !old->is_active(); });
    subscribers_.push_back(subscriber);
    policies_.for_each([&](const Handle& policy) { Kind::subscribe(*policy, subscriber); });
  }

 private:
  [[nodiscard]] Handle find_or_make(std::string_view name, const Config* config) {
    if (Handle known = find_and_touch(name, config)) [[likely]]
      return known;
    return make(name, config);
  }

  [[nodiscard]] Handle find_and_touch(std::string_view name, const Config* config) {
    Handle known = policies_.find_and_touch(name, [this] { return detail::coarse_tick(clock_); });
    if (known && config != nullptr && !Kind::has_had(*known, *config)) [[unlikely]]
      config_conflicts_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number to look at
    return known;
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD Handle make(std::string_view name, const Config* config) {
    Handle evicted;  // destroyed after the lock is released
    const std::lock_guard lock{mutex_};
    if (Handle known = find_and_touch(name, config)) return known;  // another thread was faster
    if (config == nullptr) config = named_configs_.find(name);
    Handle made = Kind::make(std::string{name}, config != nullptr ? *config : limits_.default_config, clock_);
    if constexpr (has_events) {
      for (const auto& subscriber : subscribers_) {
        if (subscriber->is_active()) Kind::subscribe(*made, subscriber);
      }
    }
    if (policies_.size() < limits_.max) {
      policies_.insert(made);
      return made;
    }
    evicted = policies_.replace(made, [](const P& policy) { return Kind::eviction_kind(policy); });
    if (evicted) {
      unsubscribe_from(*evicted);
    } else {
      unsubscribe_from(*made);
      ++unregistered_;
    }
    return made;
  }

  void unsubscribe_from([[maybe_unused]] P& policy) noexcept {
    if constexpr (has_events) {
      for (const auto& subscriber : subscribers_) Kind::unsubscribe(policy, *subscriber);
    }
  }

  [[no_unique_address]] C clock_;
  NameTable<P> policies_;
  std::atomic<std::uint64_t> config_conflicts_{0};
  mutable std::mutex mutex_;  // guards everything below, and every change of the table
  std::vector<std::shared_ptr<Subscriber<>>> subscribers_;
  std::uint64_t unregistered_ = 0;
  NamedConfigs<Config> named_configs_;
  Limits limits_{};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
