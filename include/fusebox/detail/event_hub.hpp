// fusebox/detail/event_hub.hpp: state changes on their way to those who subscribed (B14).
//
// State, StateChange, StateChangeReason and Subscription are here, public through circuit_breaker.hpp.
// An EventHub queues the changes of one breaker in their order; one thread at a time delivers them,
// outside every lock. Subscriber is the one place where the library stores a callable. Both come from
// templates over Sync, so that they can be model-checked.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/fwd.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

enum class State : unsigned char {
  closed,       ///< calls pass
  open,         ///< calls are rejected until a probe may pass
  half_open,    ///< a few calls pass as probes
  forced_open,  ///< calls are rejected until reset()
  disabled,     ///< calls pass, whatever they do, until reset()
};

[[nodiscard]] constexpr std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::closed: return "closed";
    case State::open: return "open";
    case State::half_open: return "half-open";
    case State::forced_open: return "forced-open";
    case State::disabled: return "disabled";
  }
  return "unknown";
}

enum class StateChangeReason : unsigned char {
  failure_threshold,
  failure_rate,
  slow_calls,
  probe_admitted,
  probe_failed,
  probes_succeeded,
  forced,
  disabled,
  reset,
};

[[nodiscard]] constexpr std::string_view to_string(StateChangeReason reason) noexcept {
  switch (reason) {
    case StateChangeReason::failure_threshold: return "failure_threshold";
    case StateChangeReason::failure_rate: return "failure_rate";
    case StateChangeReason::slow_calls: return "slow_calls";
    case StateChangeReason::probe_admitted: return "probe_admitted";
    case StateChangeReason::probe_failed: return "probe_failed";
    case StateChangeReason::probes_succeeded: return "probes_succeeded";
    case StateChangeReason::forced: return "forced";
    case StateChangeReason::disabled: return "disabled";
    case StateChangeReason::reset: return "reset";
  }
  return "unknown";
}

/// One change of a breaker's state. In a breaker's sequence each `from` is the previous `to`.
struct StateChange {
  std::string name;
  State from = State::closed;
  State to = State::closed;
  std::chrono::system_clock::time_point at;  ///< by the breaker's own clock
  StateChangeReason reason = StateChangeReason::reset;
};

namespace detail {

/// A stored callback. It may run on several threads at once when it listens to several breakers. The
/// callable is erased by functions, not by a derived class: once it is released, nothing that is left
/// needs the code of the library that made it, which may be unloaded (G4).
template <class Sync>
class FUSEBOX_API BasicSubscriber {
 public:
  template <class F>
  BasicSubscriber(std::in_place_t, F callback)
      : callback_{new F(std::move(callback))},
        call_{[](void* object, const StateChange& change) { (*static_cast<F*>(object))(change); }},
        destroy_{[](void* object) noexcept { delete static_cast<F*>(object); }} {}
  BasicSubscriber(const BasicSubscriber&) = delete;
  BasicSubscriber& operator=(const BasicSubscriber&) = delete;
  ~BasicSubscriber() { release(); }

  [[nodiscard]] bool active() const noexcept { return active_.load(std::memory_order_acquire); }

  void deliver(const StateChange& change) noexcept {
    Running running{*this};
    if (!active_.load(std::memory_order_seq_cst)) return;
    FUSEBOX_DETAIL_TRY { call_(callback_, change); }
    FUSEBOX_DETAIL_CATCH_ALL {}  // a callback that throws harms nobody (B14)
    if (running.is_last) release();
  }

  /// None runs or starts after this, but for those that called it themselves.
  void stop() noexcept {
    active_.store(false, std::memory_order_seq_cst);
    int own = 0;
    Running* outermost = nullptr;
    for (Running* frame = Running::innermost; frame != nullptr; frame = frame->outer) {
      if (&frame->subscriber != this) continue;
      ++own;
      outermost = frame;
    }
    for (int running = running_.load(std::memory_order_seq_cst); running > own;
         running = running_.load(std::memory_order_seq_cst)) {
      running_.wait(running, std::memory_order_seq_cst);
    }
    if (outermost == nullptr) {
      release();
    } else {
      outermost->is_last = true;  // ended from inside: the callback is released when it has returned
    }
  }

 private:
  struct FUSEBOX_API Running {
    explicit Running(BasicSubscriber& whose) noexcept : subscriber{whose}, outer{innermost} {
      subscriber.running_.fetch_add(1, std::memory_order_seq_cst);
      innermost = this;
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      innermost = outer;
      subscriber.running_.fetch_sub(1, std::memory_order_seq_cst);
      subscriber.running_.notify_all();
    }
    static inline constinit thread_local Running* innermost = nullptr;

    BasicSubscriber& subscriber;
    Running* outer;
    bool is_last = false;
  };

  friend Sync;  // where threads are not the system's, it keeps `innermost` for each

  void release() noexcept {
    if (void* const callback = std::exchange(callback_, nullptr)) destroy_(callback);
  }

  void* callback_;
  void (*call_)(void*, const StateChange&);
  void (*destroy_)(void*) noexcept;
  typename Sync::template Atomic<bool> active_{true};
  typename Sync::template Atomic<int> running_{0};
};

using Subscriber = BasicSubscriber<StdSync>;

template <class Sync = StdSync, class F>
[[nodiscard]] std::shared_ptr<BasicSubscriber<Sync>> make_subscriber(F&& callback) {
  using Callback = std::decay_t<F>;
  static_assert(std::is_invocable_v<Callback&, const StateChange&>,
                "fusebox: on_state_change takes a callback(const StateChange&)");
  return std::make_shared<BasicSubscriber<Sync>>(std::in_place, Callback(std::forward<F>(callback)));
}

struct Event {
  State from;
  State to;
  StateChangeReason reason;
  std::chrono::system_clock::time_point at;
  std::uint64_t sequence;
};

/// The queue and the subscribers of one breaker.
template <class Sync>
class FUSEBOX_API BasicEventHub {
 public:
  using Subscriber = BasicSubscriber<Sync>;

  explicit BasicEventHub(std::string name) { change_.name = std::move(name); }

  void subscribe(std::shared_ptr<Subscriber> subscriber) {
    const std::lock_guard lock{mutex_};
    auto entries = entries_without(nullptr);
    entries->push_back({std::move(subscriber), next_sequence_});
    entries_ = std::move(entries);
  }

  /// Where there is no memory for it, the subscriber stays.
  void unsubscribe(const Subscriber& subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    FUSEBOX_DETAIL_TRY { entries_ = entries_without(&subscriber); }
    FUSEBOX_DETAIL_CATCH_ALL {}
  }

  /// Queues a change; call it under the lock that orders the changes. Never allocates.
  void push(Event event) noexcept {
    const std::lock_guard lock{mutex_};
    if (entries_->empty()) return;
    event.sequence = next_sequence_++;
    if (size_ < queue_.size()) {
      queue_[(first_ + size_++) % queue_.size()] = event;
      return;
    }
    Event& newest = queue_[(first_ + size_ - 1) % queue_.size()];
    newest.to = event.to;
    newest.reason = event.reason;
    newest.at = event.at;
    newest.sequence = event.sequence;
    if (newest.from == newest.to) --size_;
  }

  /// Delivers what is queued, unless another thread is at it. From inside a callback: after it.
  static void deliver(const std::shared_ptr<BasicEventHub>& hub) noexcept {
    Delivery& delivery = delivery_of_thread;
    if (delivery.active) {
      postpone(hub);
      return;
    }
    delivery.active = true;
    hub->drain();
    while (delivery.postponed != nullptr) {
      const std::shared_ptr<BasicEventHub> next = delivery.postponed->take_postponed();
      next->drain();
    }
    delivery.active = false;
  }

 private:
  struct Entry {
    std::shared_ptr<Subscriber> subscriber;
    std::uint64_t since;
  };
  using Entries = std::vector<Entry>;

  struct Delivery {
    bool active;
    BasicEventHub* postponed;  // a list through next_postponed_; each keeps itself alive
  };
  static inline constinit thread_local Delivery delivery_of_thread{};
  friend Sync;  // as in Subscriber

  [[nodiscard]] std::shared_ptr<Entries> entries_without(const Subscriber* left) const {
    auto entries = std::make_shared<Entries>();
    entries->reserve(entries_->size() + 1);
    for (const Entry& entry : *entries_) {
      if (entry.subscriber.get() != left && entry.subscriber->active()) entries->push_back(entry);
    }
    return entries;
  }

  static void postpone(const std::shared_ptr<BasicEventHub>& hub) noexcept {
    const std::lock_guard lock{hub->mutex_};
    // Who drains it, or has postponed it, will come to the new event too.
    if (hub->draining_ || hub->self_) return;
    hub->self_ = hub;
    hub->next_postponed_ = std::exchange(delivery_of_thread.postponed, hub.get());
  }

  [[nodiscard]] std::shared_ptr<BasicEventHub> take_postponed() noexcept {
    const std::lock_guard lock{mutex_};
    delivery_of_thread.postponed = std::exchange(next_postponed_, nullptr);
    return std::move(self_);
  }

  void drain() noexcept {
    std::unique_lock lock{mutex_};
    if (draining_) return;
    draining_ = true;
    while (size_ > 0) {
      const Event event = queue_[first_];
      first_ = (first_ + 1) % queue_.size();
      --size_;
      const std::shared_ptr<const Entries> entries = entries_;
      lock.unlock();
      change_.from = event.from;
      change_.to = event.to;
      change_.at = event.at;
      change_.reason = event.reason;
      for (const Entry& entry : *entries) {
        if (entry.since <= event.sequence) entry.subscriber->deliver(change_);
      }
      lock.lock();
    }
    draining_ = false;
  }

  typename Sync::Mutex mutex_;
  std::shared_ptr<const Entries> entries_ = std::make_shared<Entries>();
  std::array<Event, 64> queue_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::uint64_t next_sequence_ = 0;
  bool draining_ = false;
  StateChange change_;  // the drainer's alone
  std::shared_ptr<BasicEventHub> self_;
  BasicEventHub* next_postponed_ = nullptr;
};

using EventHub = BasicEventHub<StdSync>;

}  // namespace detail

/// Ends a subscription when it is destroyed: afterwards its callback is not called any more. Waits for
/// a callback that is running on another thread; does not, and must not, from inside the callback
/// itself. Safe to keep after its breaker or registry is gone.
class [[nodiscard]] Subscription {
 public:
  Subscription() noexcept = default;
  explicit Subscription(std::shared_ptr<detail::Subscriber> subscriber) noexcept
      : subscriber_{std::move(subscriber)} {}
  Subscription(Subscription&&) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      unsubscribe();
      subscriber_ = std::move(other.subscriber_);
    }
    return *this;
  }
  ~Subscription() { unsubscribe(); }

  /// Ends it now. Not thread-safe against other uses of the same Subscription.
  void unsubscribe() noexcept {
    if (const auto subscriber = std::move(subscriber_)) subscriber->stop();
  }

 private:
  std::shared_ptr<detail::Subscriber> subscriber_;
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
