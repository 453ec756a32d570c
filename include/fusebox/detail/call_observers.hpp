// fusebox/detail/call_observers.hpp: the callbacks of on_call() of a policy other than a breaker (M5).
#pragma once
// IWYU pragma: private

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/call/event.hpp>
#include <fusebox/detail/call_listeners.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Costs a call one relaxed load while nobody listens. Thread-safe.
class CallObservers {
 public:
  CallObservers() = default;
  CallObservers(const CallObservers&) = delete;
  CallObservers& operator=(const CallObservers&) = delete;

  /// Relaxed: a call that begins at the same moment may be missed.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool is_observed() const noexcept {
    return is_observed_.load(std::memory_order_relaxed);
  }

  template <class F>
  [[nodiscard]] Subscription subscribe(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const CallEvent&>,
                  "fusebox: on_call takes a callback(const CallEvent&)");
    auto subscriber = detail::make_subscriber<CallEvent>(std::forward<F>(callback));
    {
      const std::lock_guard lock{mutex_};
      listeners_.add(subscriber);
      is_observed_.store(true, std::memory_order_relaxed);
    }
    return detail::make_subscription(std::move(subscriber));
  }

  /// Runs the callbacks for a call that has ended.
  FUSEBOX_DETAIL_COLD void deliver(const std::string& name, Outcome outcome,
                                   std::chrono::nanoseconds duration, const Failure* failure) {
    std::shared_ptr<const CallListeners<StdSync>::List> list;
    {
      const std::lock_guard lock{mutex_};
      list = listeners_.active();
      if (!list) is_observed_.store(false, std::memory_order_relaxed);
    }
    if (!list) return;
    const CallEvent event{name, outcome, duration, failure};
    CallListeners<StdSync>::deliver(*list, event);
  }

 private:
  std::atomic<bool> is_observed_{false};
  std::mutex mutex_;  // guards the list
  CallListeners<StdSync> listeners_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
