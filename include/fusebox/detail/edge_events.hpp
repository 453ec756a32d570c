// fusebox/detail/edge_events.hpp: the events of a policy that is in one of two states (M3).
//
// Only changes are events, not each refusal. A policy to which nobody has subscribed reads one byte for each
// call, and writes nothing.
#pragma once
// IWYU pragma: private

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What the queue of a hub keeps of an Event with a `kind` and a time `at`. The policy derives its
/// EventRecord<Event> from it.
template <class Event>
struct FUSEBOX_API EdgeRecord {
  decltype(Event::kind) kind;
  std::chrono::system_clock::time_point at;

  void write_to(Event& event) const noexcept {
    event.kind = kind;
    event.at = at;
  }

  /// Two edges in a row lead back to where the first began.
  [[nodiscard]] static bool merge(const EdgeRecord&) noexcept { return false; }
};

/// The edges of one policy. The enum of an Event's `kind` has two values: 0, in which every policy begins,
/// and 1.
template <class Event>
class EdgeEvents {
 public:
  using Kind = decltype(Event::kind);

  /// The first subscriber finds the policy in state 0.
  template <class F>
  [[nodiscard]] Subscription subscribe(const std::string& name, F&& callback) {
    auto subscriber = detail::make_subscriber<Event>(std::forward<F>(callback));
    add(name, subscriber);
    return detail::make_subscription(std::move(subscriber));
  }

  /// The same, of a subscriber to several policies.
  void add(const std::string& name, std::shared_ptr<Subscriber<>> subscriber) {
    const std::lock_guard lock{mutex_};
    if (!hub_) hub_ = std::make_shared<EventHub<Event>>(name);
    hub_->subscribe(std::move(subscriber));
    // Relaxed: changes are made under the lock; before it, the state is a hint.
    if (state_.load(std::memory_order_relaxed) == unwatched)
      state_.store(state_of(Kind{}), std::memory_order_relaxed);
  }
  void remove(const Subscriber<>& subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    if (hub_) hub_->unsubscribe(subscriber);
  }

  /// A call has found the policy in this state. Runs callbacks if that is an edge.
  template <class C>
  FUSEBOX_DETAIL_INLINE void observe(Kind kind, const C& clock) {
    // Relaxed: a hint, which change() checks.
    if (state_.load(std::memory_order_relaxed) == state_of(opposite(kind))) [[unlikely]]
      change(kind, clock);
  }

 private:
  static constexpr unsigned char unwatched = 0xff;

  [[nodiscard]] static constexpr unsigned char state_of(Kind kind) noexcept {
    return static_cast<unsigned char>(kind);
  }
  [[nodiscard]] static constexpr Kind opposite(Kind kind) noexcept {
    return kind == Kind{} ? Kind{1} : Kind{};
  }

  template <class C>
  FUSEBOX_DETAIL_COLD void change(Kind kind, const C& clock) {
    const auto now = detail::coarse_wall_time(clock);
    std::shared_ptr<EventHub<Event>> hub;
    {
      const std::lock_guard lock{mutex_};
      if (state_.load(std::memory_order_relaxed) == state_of(kind)) return;  // another call was first
      state_.store(state_of(kind), std::memory_order_relaxed);
      hub = hub_;
      EventRecord<Event> record;
      record.kind = kind;
      record.at = now;
      hub->push(record);
    }
    EventHub<Event>::deliver(hub);
  }

  std::atomic<unsigned char> state_{unwatched};
  std::mutex mutex_;  // guards hub_ and every change of state_
  std::shared_ptr<EventHub<Event>> hub_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
