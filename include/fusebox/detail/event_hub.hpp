// fusebox/detail/event_hub.hpp: delivers the events of one policy to its subscribers, in order (B14).
//
// push() queues an event under the lock that orders the policy's changes; deliver() then runs the callbacks
// outside every lock. One thread at a time drains a hub, so that each subscriber receives the events in
// their order. An event that a callback causes on its own thread is delivered after that callback returns.
//
// The queue holds EventRecord<Event>, which a policy specialises: an event without its strings, so that
// push() never allocates. Events and their records are FUSEBOX_API: hubs are shared between libraries that
// hide their symbols (G4).
//
//     void write_to(Event&) const          fills in an event, whose name the hub has set
//     bool merge(const EventRecord& next)  makes one record of two; false if together they change nothing
#pragma once
// IWYU pragma: private

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/throw.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class Event>
struct EventRecord;

template <class Event, class Sync = StdSync>
class FUSEBOX_API EventHub {
 public:
  using Listener = Subscriber<Sync>;
  using Record = EventRecord<Event>;

  explicit EventHub(std::string name) { event_.name = std::move(name); }

  void subscribe(std::shared_ptr<Listener> subscriber) {
    const std::lock_guard lock{mutex_};
    auto entries = entries_without(nullptr);
    entries->push_back({std::move(subscriber), next_sequence_});
    entries_ = std::move(entries);
  }

  /// If memory runs out, the subscriber stays.
  void unsubscribe(const Listener& subscriber) noexcept {
    const std::lock_guard lock{mutex_};
    FUSEBOX_DETAIL_TRY { entries_ = entries_without(&subscriber); }
    FUSEBOX_DETAIL_CATCH_ALL {}
  }

  /// Queues an event; call it under the lock that orders the changes. A full queue merges the event into
  /// the newest one. Never allocates.
  void push(const Record& record) noexcept {
    const std::lock_guard lock{mutex_};
    if (entries_->empty()) return;
    const std::uint64_t sequence = next_sequence_++;
    if (size_ < queue_.size()) {
      queued(size_++) = {record, sequence};
      return;
    }
    Queued& newest = queued(size_ - 1);
    newest.sequence = sequence;
    if (!newest.record.merge(record)) --size_;
  }

  /// Delivers the queued events unless another thread is draining the hub; if this thread is inside a
  /// callback, delivers them after it. Takes the owner, since a callback may release the policy.
  static void deliver(const std::shared_ptr<EventHub>& hub) noexcept {
    Delivery& delivery = delivery_of_thread;
    if (delivery.is_under_way) return postpone(hub);
    delivery.is_under_way = true;
    hub->drain();
    while (delivery.postponed != nullptr) take_first_postponed()->drain();
    delivery.is_under_way = false;
  }

 private:
  struct Entry {
    std::shared_ptr<Listener> subscriber;
    std::uint64_t since;  // the first event that it receives
  };
  using Entries = std::vector<Entry>;

  struct Queued {
    Record record;
    std::uint64_t sequence;
  };

  /// What a thread that runs callbacks still has to deliver: a list through next_postponed_.
  struct Delivery {
    bool is_under_way;
    EventHub* postponed;
  };
  static inline constinit thread_local Delivery delivery_of_thread{};
  friend Sync;  // a model checker whose threads are fibers saves and restores delivery_of_thread

  /// A copy of the entries without `left_out` and without those that were stopped.
  [[nodiscard]] std::shared_ptr<Entries> entries_without(const Listener* left_out) const {
    auto entries = std::make_shared<Entries>();
    entries->reserve(entries_->size() + 1);
    for (const Entry& entry : *entries_) {
      if (entry.subscriber.get() != left_out && entry.subscriber->is_active()) entries->push_back(entry);
    }
    return entries;
  }

  [[nodiscard]] Queued& queued(std::size_t index) noexcept {
    return queue_[(first_ + index) % queue_.size()];
  }

  /// Puts the hub on this thread's list, unless a thread already drains it or has it on its list: that
  /// thread will deliver the new event too.
  static void postpone(const std::shared_ptr<EventHub>& hub) noexcept {
    const std::lock_guard lock{hub->mutex_};
    if (hub->is_draining_ || hub->postponed_self_) return;
    hub->postponed_self_ = hub;
    hub->next_postponed_ = std::exchange(delivery_of_thread.postponed, hub.get());
  }

  [[nodiscard]] static std::shared_ptr<EventHub> take_first_postponed() noexcept {
    EventHub& hub = *delivery_of_thread.postponed;
    const std::lock_guard lock{hub.mutex_};
    delivery_of_thread.postponed = std::exchange(hub.next_postponed_, nullptr);
    return std::move(hub.postponed_self_);
  }

  void drain() noexcept {
    std::unique_lock lock{mutex_};
    if (is_draining_) return;
    is_draining_ = true;
    while (size_ > 0) {
      const Queued next = queued(0);
      first_ = (first_ + 1) % queue_.size();
      --size_;
      const std::shared_ptr<const Entries> entries = entries_;
      lock.unlock();
      next.record.write_to(event_);
      for (const Entry& entry : *entries) {
        if (entry.since <= next.sequence) entry.subscriber->receive(event_);
      }
      lock.lock();
    }
    is_draining_ = false;
  }

  typename Sync::Mutex mutex_;  // guards everything below except event_
  std::shared_ptr<const Entries> entries_ = std::make_shared<Entries>();
  std::array<Queued, 64> queue_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::uint64_t next_sequence_ = 0;
  bool is_draining_ = false;
  std::shared_ptr<EventHub> postponed_self_;  // keeps a postponed hub alive
  EventHub* next_postponed_ = nullptr;
  Event event_;  // used by the draining thread only
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
