// fusebox/detail/event_hub.hpp: delivers the events of one policy to its subscribers, in order (B14).
//
// push() queues an event under the lock that orders the policy's changes; deliver() then runs the callbacks
// outside every lock. One thread at a time drains a hub, so that each subscriber receives the events in
// their order. An event that a callback causes is delivered after that callback returns. If a callback ends
// the thread, what is left of the drain is done while the stack is unwound.
//
// The queue holds EventRecord<Event>, which a policy specialises: an event without its strings, so that
// push() never allocates.
//
//     void write_to(Event&) const          fills in an event, whose name the hub has set
//     bool merge(const EventRecord& next)  makes one record of two; false if together they change nothing
#pragma once
// IWYU pragma: private

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fusebox/detail/deliveries.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class Event>
struct EventRecord;

template <class Event, class Sync = StdSync>
class FUSEBOX_API EventHub final : public Delivery {
 public:
  using Listener = Subscriber<Sync>;
  using Record = EventRecord<Event>;

  explicit EventHub(std::string name) { event_.name = std::move(name); }

  void subscribe(std::shared_ptr<Listener> subscriber) {
    const std::lock_guard lock{mutex_};
    auto entries = entries_without(nullptr);
    entries->push_back({std::move(subscriber), next_sequence_});
    seal_queue();
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
    // seal_queue() made room for an event that every subscriber receives from its beginning to its end.
    Queued& newest = queued(size_ - 1);
    newest.sequence = sequence;
    if (!newest.record.merge(record)) --size_;
  }

  /// Delivers the queued events unless they are being delivered; if this code was called by a callback, after
  /// it has returned. Takes the owner, since a callback may release the policy.
  static void deliver(const std::shared_ptr<EventHub>& hub) {
    const DueDelivery due{hub, [](Delivery& delivery, std::vector<DueDelivery>& postponed) {
                            static_cast<EventHub&>(delivery).drain(postponed);
                          }};
    if (!deliveries_of<Sync>().postpone(due)) deliver_with_postponed(due);
  }

 private:
  struct Entry {
    std::shared_ptr<Listener> subscriber;
    std::uint64_t since;  // the first event that it receives
  };
  using Entries = std::vector<Entry>;

  struct Queued {
    Record record;
    std::uint64_t sequence;  // of its last part, if it was merged
  };

  /// Where a drain stands: at which subscriber of which event.
  struct Progress {
    std::unique_lock<typename Sync::Mutex> lock;  // not held while a callback runs
    Queued event;
    std::shared_ptr<const Entries> entries;
    std::size_t next = 0;
  };

  void drain(std::vector<DueDelivery>& postponed) {
    Progress progress{std::unique_lock{mutex_}, {}, nullptr};
    if (is_draining_ || size_ == 0) return;  // the draining thread delivers the new event too
    is_draining_ = true;
    deliveries_of<Sync>().begin(*this, __builtin_frame_address(0));
    const auto step = [&] { return deliver_next(progress, postponed); };
    run_to_end(step);
  }

  /// To one subscriber. False if no event is left, which ends the drain.
  [[nodiscard]] bool deliver_next(Progress& progress, std::vector<DueDelivery>& postponed) {
    if (progress.entries && progress.next < progress.entries->size()) {
      const Entry& entry = (*progress.entries)[progress.next++];
      if (entry.since <= progress.event.sequence) entry.subscriber->receive(event_, *this);
      return true;
    }
    if (progress.entries) {
      progress.event = {};  // both may destroy objects of the user's
      progress.entries = nullptr;
      progress.lock.lock();
    }
    if (size_ == 0) {
      is_draining_ = false;
      postponed = deliveries_of<Sync>().end(*this);
      return false;
    }
    progress.event = queued(0);
    first_ = (first_ + 1) % queue_.size();
    --size_;
    progress.entries = entries_;
    progress.next = 0;
    progress.lock.unlock();
    progress.event.record.write_to(event_);
    return true;
  }

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

  /// For a new subscriber: what comes next is not merged into what was queued before it.
  void seal_queue() {
    if (size_ < queue_.size()) return;
    std::vector<Queued> longer;
    longer.reserve(size_ + 1);
    for (std::size_t i = 0; i < size_; ++i) longer.push_back(queued(i));
    longer.emplace_back();
    queue_ = std::move(longer);
    first_ = 0;
  }

  typename Sync::Mutex mutex_;  // guards everything below except event_
  std::shared_ptr<const Entries> entries_ = std::make_shared<Entries>();
  std::vector<Queued> queue_ = std::vector<Queued>(64);
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::uint64_t next_sequence_ = 0;
  bool is_draining_ = false;
  Event event_;  // used by the draining thread only
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
