// fusebox/chaos/detail/core.hpp: ChaosCore, what a chaos policy and its copies share.
#pragma once
// IWYU pragma: private, include <fusebox/chaos.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/chaos/config.hpp>
#include <fusebox/chaos/detail/draws.hpp>
#include <fusebox/chaos/stats.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/error_code.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A ChaosEvent as it waits in the queue of its hub.
template <>
struct FUSEBOX_API EventRecord<ChaosEvent> {
  ChaosEventKind kind;
  std::chrono::nanoseconds delay;
  std::chrono::system_clock::time_point at;

  void write_to(ChaosEvent& event) const noexcept {
    event.kind = kind;
    event.delay = delay;
    event.at = at;
  }
  /// Of more than the queue holds, the newest is told.
  [[nodiscard]] bool merge(const EventRecord& next) noexcept {
    *this = next;
    return true;
  }
};

inline constexpr const char* injected_by = "injected_by";

template <class C>
class ChaosCore {
 public:
  ChaosCore(std::string name, const ChaosConfig& config, C clock)
      : name_{std::move(name)},
        config_{config},
        clock_{std::move(clock)},
        seed_{config.seed != 0 ? config.seed : EntropySource{}()} {}
  ChaosCore(const ChaosCore&) = delete;
  ChaosCore& operator=(const ChaosCore&) = delete;

  /// Relaxed: a call that begins while another thread switches may see either.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool is_enabled() const noexcept {
    return is_enabled_.load(std::memory_order_relaxed);
  }
  void enable(bool on) {
    // Relaxed: as in subscribe(). Nobody reads the clock for an event that nobody receives.
    const bool is_watched = is_watched_.load(std::memory_order_relaxed);
    const auto now = is_watched ? clock_.wall_now() : std::chrono::system_clock::time_point{};
    std::shared_ptr<Hub> hub;
    {
      const std::lock_guard lock{mutex_};
      if (is_enabled_.exchange(on, std::memory_order_relaxed) == on || !is_watched) return;
      hub = hub_;
      hub->push({on ? ChaosEventKind::enabled : ChaosEventKind::disabled, {}, now});
    }
    Hub::deliver(hub);
  }

  /// What the next call gets. Relaxed: the counts are right by themselves and publish no other data.
  [[nodiscard]] ChaosPlan begin_call() noexcept {
    return detail::chaos_plan(config_, seed_, calls_.fetch_add(1, std::memory_order_relaxed));
  }
  void count_delay(std::chrono::nanoseconds delay) {
    delays_.fetch_add(1, std::memory_order_relaxed);  // as above
    tell(ChaosEventKind::delay, delay);
  }
  /// The error of a fault, which is counted.
  [[nodiscard]] ApiError make_fault() {
    faults_.fetch_add(1, std::memory_order_relaxed);  // as above
    tell(ChaosEventKind::fault, {});
    const auto reason =
        config_.network_fault ? make_error_code(*config_.network_fault) : make_error_code(config_.fault);
    ApiError error = ApiError{config_.fault, "fault injected by " + shown_name(), reason, clock_.wall_now()}
                         .with_details({{injected_by, shown_name()}})
                         .from_upstream(shown_name());
    if (config_.network_fault) error = error.with_category(ErrorCategory::network);
    if (config_.retry_after.count() > 0) error = error.with_retry_after(config_.retry_after);
    return error;
  }
  /// `chaos 'payments'`
  [[nodiscard]] std::string shown_name() const { return name_.empty() ? "chaos" : "chaos '" + name_ + "'"; }

  // Relaxed: see begin_call().
  [[nodiscard]] ChaosStats stats() const noexcept {
    return {calls_.load(std::memory_order_relaxed), faults_.load(std::memory_order_relaxed),
            delays_.load(std::memory_order_relaxed), is_enabled()};
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const ChaosConfig& config() const noexcept { return config_; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

  void subscribe(std::shared_ptr<Subscriber<>> subscriber) {
    const std::lock_guard lock{mutex_};
    if (!hub_) hub_ = std::make_shared<Hub>(name_);
    hub_->subscribe(std::move(subscriber));
    // Relaxed: a hint, and tell() looks again under the lock.
    is_watched_.store(true, std::memory_order_relaxed);
  }
  void unsubscribe(const Subscriber<>& subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    if (hub_) hub_->unsubscribe(subscriber);
  }

 private:
  using Hub = EventHub<ChaosEvent>;

  void tell(ChaosEventKind kind, std::chrono::nanoseconds delay) {
    if (!is_watched_.load(std::memory_order_relaxed)) return;  // as in subscribe()
    const auto now = clock_.wall_now();
    std::shared_ptr<Hub> hub;
    {
      const std::lock_guard lock{mutex_};
      hub = hub_;
      hub->push({kind, delay, now});
    }
    Hub::deliver(hub);
  }

  std::atomic<bool> is_enabled_{false};  // first: all that a call reads while it is false
  const std::string name_;
  const ChaosConfig config_;
  [[no_unique_address]] C clock_;
  const std::uint64_t seed_;
  std::atomic<std::uint64_t> calls_{0};  // also the number of the next call
  std::atomic<std::uint64_t> faults_{0};
  std::atomic<std::uint64_t> delays_{0};
  std::atomic<bool> is_watched_{false};
  std::mutex mutex_;  // guards hub_, orders what is pushed, and guards changes of is_enabled_
  std::shared_ptr<Hub> hub_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
