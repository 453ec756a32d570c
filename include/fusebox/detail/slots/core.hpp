// fusebox/detail/slots/core.hpp: SlotCore, the slots of a policy and the queue behind them.
//
// One word says how many slots are taken and how many calls wait (SlotWord). A free slot is taken by one
// compare-exchange while nobody waits, and given back by one (K1). Everything else takes one small lock: the
// queue, a slot that goes to a waiter, a new limit, events. While somebody waits, the word changes under the
// lock alone. The lock calls nobody: waiters are woken and events delivered after it.
//
// The clock is read outside the lock. Sync replaces the atomics, the mutex and what wakes a waiter, for a
// model checker.
#pragma once
// IWYU pragma: private

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/detail/slots/config.hpp>
#include <fusebox/detail/slots/queue.hpp>
#include <fusebox/detail/slots/wake.hpp>
#include <fusebox/detail/slots/word.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The slots at one moment, as BulkheadStats has them.
struct SlotStats {
  int in_use;
  int waiting;
  int limit;
  std::uint64_t admitted;
  std::uint64_t rejected;
  std::uint64_t shed;
  std::chrono::nanoseconds longest_wait;
};

/// How the slots are those of their policy, such as BulkheadKind:
///
///     Event             its event: a SlotEventRecord is the base of its EventRecord
///     source(name)      what its rejections say
///     errc              their reason
///     cancelled         the text of the CancelledError of a wait that was cancelled
template <class Kind, class C, class Sync = StdSync>
class FUSEBOX_API SlotCore {
 public:
  using Policy = Kind;
  using Clock = C;
  using Wake = typename WakeOf<Sync>::type;

  /// What became of a waiter.
  enum class Fate : unsigned char { none, granted, shed };

  /// A call in the queue. From enqueue() to settle() every field belongs to the lock, except that its owner
  /// may get tokens of `wake` (K3).
  struct Waiter {
    Priority priority = Priority::normal;
    Fate fate = Fate::none;
    Wake wake;
    Waiter* previous = nullptr;
    Waiter* next = nullptr;
    Tick since = 0;
  };

  SlotCore(std::string_view name, const SlotConfig& config, C clock)
      : config_{config}, clock_{std::move(clock)}, source_{Kind::source(name)} {
    store_limits(config.limit);
  }
  SlotCore(const SlotCore&) = delete;
  SlotCore& operator=(const SlotCore&) = delete;
  // Relaxed: whoever destroys the policy has synchronised with its last user.
  ~SlotCore() { assert(is_idle() && "a call or a Permit outlives its policy"); }

  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  [[nodiscard]] const SlotConfig& slot_config() const noexcept { return config_; }
  [[nodiscard]] const std::string& name() const noexcept { return source_->name; }
  [[nodiscard]] const std::shared_ptr<const RejectionSource>& source() const noexcept { return source_; }
  /// Is no slot taken, and does nobody wait?
  [[nodiscard]] bool is_idle() const noexcept { return static_cast<std::uint32_t>(load()) == 0; }
  [[nodiscard]] std::uint32_t in_use() const noexcept { return SlotWord::in_use(load()); }
  /// Slots in all, which critical calls may take.
  [[nodiscard]] std::uint32_t limit() const noexcept { return limit_of(Priority::critical); }

  // Taking a slot.

  /// Takes a free slot unless somebody waits. Acquire: pairs with the release in give_back(), so that calls
  /// which one slot admits one after another see each other's writes.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool try_take(Priority priority) noexcept {
    std::uint64_t word = load();
    while (SlotWord::admits(word, limit_of(priority))) {
      const std::uint64_t next = word + SlotWord::taken;
      if (next < word) [[unlikely]]
        return take_under_lock(priority);
      if (word_.compare_exchange_weak(word, next, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    }
    return false;
  }

  /// If only calls of lower priority wait: takes a slot that they must leave free.
  [[nodiscard]] bool try_pass(Priority priority) noexcept {
    const std::uint64_t word = load();
    return priority < SlotWord::lowest(word) && SlotWord::in_use(word) < limit_of(priority) &&
           take_under_lock(priority);
  }

  /// Would enqueue() refuse? A look without the lock.
  [[nodiscard]] bool is_queue_full(Priority priority) const noexcept {
    const std::uint64_t word = load();
    return !SlotWord::admits(word, limit_of(priority)) && SlotWord::waiting(word) >= max_waiting() &&
           priority >= SlotWord::lowest(word);
  }

  enum class Place : unsigned char { slot, queue, none };

  /// Takes a slot or a place in the queue, in one step: if the queue is full, that of a waiter of lower
  /// priority (P18). Delivers no event: the caller does, when it can bear what a callback does.
  [[nodiscard]] Place enqueue(Waiter& waiter) {
    waiter.since = fine_tick(clock_);
    WallTime at;
    Lock lock = lock_for_change(at);
    Waiter* const displaced = displaced_by(waiter.priority);
    if (displaced != nullptr) queue_.unlink(*displaced);
    Place place = Place::none;
    const std::uint64_t mark = is_observed() ? SlotWord::saturated : 0;
    const Priority lowest = std::max(queue_.lowest(), waiter.priority);
    const Updated word = update(std::memory_order_acquire, [&](std::uint64_t before) {
      place = displaced != nullptr ? Place::queue : place_in(before, waiter.priority);
      if (place == Place::none) return before;
      if (place == Place::slot) return before + SlotWord::taken;
      if (displaced == nullptr) before += SlotWord::one_waiting;
      return SlotWord::with_lowest(before, lowest) | mark;
    });
    if (place == Place::queue) queue_.link(waiter);
    push_edge(word, at);
    if (displaced != nullptr) {
      Wake wake = shed(*displaced);
      lock.unlock();
      wake.request_stop();
    }
    return place;
  }

  /// After the wait, however it ended: has the waiter a slot, or was it displaced (K3)? A displaced one is
  /// counted as rejected already.
  [[nodiscard]] Fate settle(Waiter& waiter) noexcept {
    const Tick now = fine_tick(clock_);
    const Lock lock{mutex_};
    longest_wait_ = std::max(longest_wait_, elapsed(waiter.since, now));
    if (waiter.fate != Fate::none) return waiter.fate;
    queue_.unlink(waiter);
    update(std::memory_order_relaxed, [lowest = queue_.lowest()](std::uint64_t before) {
      return SlotWord::with_lowest(before - SlotWord::one_waiting, lowest);
    });
    return Fate::none;
  }

  /// Counts a rejection. Not noexcept: the first one of many may run callbacks.
  FUSEBOX_DETAIL_INLINE void count_rejected(Priority priority) {
    if (add_rejected()) [[unlikely]]
      report_saturated(priority);
  }
  /// The same in two steps. True if somebody listens: then report_saturated() follows.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool add_rejected() {
    rejected_.add();
    return is_observed();
  }
  FUSEBOX_DETAIL_COLD void report_saturated(Priority priority) {
    if ((load() & SlotWord::saturated) != 0) return;
    WallTime at;
    Lock lock = lock_for_change(at);
    const Updated word = update(std::memory_order_relaxed, [&](std::uint64_t before) {
      return SlotWord::admits(before, limit_of(priority))
                 ? before
                 : before | SlotWord::saturated;  // or it is free again
    });
    push_edge(word, at);
    unlock_and_deliver(lock);
  }

  // Giving a slot back.

  /// Not noexcept: it may run callbacks.
  FUSEBOX_DETAIL_INLINE void give_back() {
    std::uint64_t word = load();
    while (SlotWord::releases_at_once(word)) {
      if (word_.compare_exchange_weak(word, word - SlotWord::one_slot, std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return;
      }
    }
    give_back_slow_path();
  }

  /// Hands the slot over to the first waiter (K2), unless more slots are taken than it may bring them to.
  FUSEBOX_DETAIL_NOINLINE void give_back_slow_path() {
    WallTime at;
    Lock lock = lock_for_change(at);
    Waiter* const first = queue_.first();
    if (first != nullptr && SlotWord::in_use(load()) <= limit_of(first->priority)) {
      Wake wake = grant(*first, 0);
      lock.unlock();
      wake.request_stop();
      return;
    }
    const Updated word = update(std::memory_order_release, [&](std::uint64_t before) {
      return without_saturated(before - SlotWord::one_slot);
    });
    push_edge(word, at);
    unlock_and_deliver(lock);
  }

  /// More slots go to waiters at once, fewer take effect as slots come back (K6).
  void set_limit(std::uint32_t limit) {
    WallTime at;
    Lock lock = lock_for_change(at);
    const std::uint32_t previous = this->limit();
    store_limits(limit);
    if (limit != previous) push(EventKind::limit_changed, previous, at);
    for (;;) {
      Waiter* const first = queue_.first();
      if (first == nullptr || SlotWord::in_use(load()) >= limit_of(first->priority)) break;
      Wake wake = grant(*first, SlotWord::one_slot);
      lock.unlock();  // others may come in between: they find waiters, and queue behind them
      wake.request_stop();
      lock = lock_for_change(at);
    }
    push_edge(
        update(std::memory_order_relaxed, [&](std::uint64_t before) { return without_saturated(before); }),
        at);
    unlock_and_deliver(lock);
  }

  [[nodiscard]] SlotStats stats() const {
    const Tick now = fine_tick(clock_);
    const Lock lock{mutex_};
    const std::uint64_t word = load();
    Tick longest = longest_wait_;
    queue_.for_each_oldest(
        [&](const Waiter& waiter) { longest = std::max(longest, elapsed(waiter.since, now)); });
    return {static_cast<int>(SlotWord::in_use(word)),
            static_cast<int>(SlotWord::waiting(word)),
            static_cast<int>(limit()),
            (carries_ << (64U - SlotWord::admitted_shift)) + SlotWord::admitted(word),
            rejected_.value(),
            shed_,
            std::chrono::nanoseconds{longest}};
  }

  /// The error of a rejected call; `core` is a SlotCore.
  [[nodiscard]] static Failure make_rejection(const void* core, Admission /*admission*/) {
    const auto& self = *static_cast<const SlotCore*>(core);
    return PolicyRejection::failure(self.source_, std::nullopt, detail::coarse_wall_time(self.clock_));
  }

  // Events.

  void subscribe(std::shared_ptr<Subscriber<Sync>> subscriber) {
    auto fresh = std::make_shared<Hub>(name());
    const Lock lock{mutex_};
    if (!hub_) hub_ = std::move(fresh);
    hub_->subscribe(std::move(subscriber));
    // Relaxed: only a hint; the events themselves go through the lock.
    is_observed_.store(true, std::memory_order_relaxed);
  }

  void unsubscribe(const Subscriber<Sync>& subscriber) noexcept {
    const Lock lock{mutex_};
    if (hub_) hub_->unsubscribe(subscriber);
  }

  /// What enqueue() queued.
  void deliver_events() {
    if (!is_observed()) return;
    Lock lock{mutex_};
    unlock_and_deliver(lock);
  }

 private:
  using Lock = std::unique_lock<typename Sync::Mutex>;
  using Event = typename Kind::Event;
  using EventKind = decltype(Event::kind);
  using Hub = EventHub<Event, Sync>;
  using WallTime = std::chrono::system_clock::time_point;

  /// Relaxed: an exchange, or the lock, says whether it still holds.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::uint64_t load() const noexcept {
    return word_.load(std::memory_order_relaxed);
  }
  /// Relaxed: a call takes the limit that it sees; see store_limits().
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::uint32_t limit_of(Priority priority) const noexcept {
    return limits_[static_cast<std::size_t>(priority)].load(std::memory_order_relaxed);
  }
  /// Under the lock. Relaxed: a caller that must see the new limits has synchronised with this one.
  void store_limits(std::uint32_t limit) noexcept {
    for (std::size_t i = 0; i < priority_count; ++i) {
      limits_[i].store(slots_for(static_cast<Priority>(i), limit, config_.headroom),
                       std::memory_order_relaxed);
    }
  }
  [[nodiscard]] std::uint32_t max_waiting() const noexcept {
    return static_cast<std::uint32_t>(config_.max_waiting);
  }
  /// Relaxed: see subscribe().
  [[nodiscard]] bool is_observed() const noexcept { return is_observed_.load(std::memory_order_relaxed); }

  /// Takes the lock, with the time of events that happen under it. Reads no clock if nobody listens.
  [[nodiscard]] Lock lock_for_change(WallTime& at) const {
    for (;;) {
      const bool observed = is_observed();
      if (observed) at = clock_.wall_now();
      Lock lock{mutex_};
      if (is_observed() == observed) return lock;
    }
  }

  // Under the lock.

  struct Updated {
    std::uint64_t before;
    std::uint64_t after;
  };

  /// Changes the word to what `change(word)` gives. Competes with try_take() and give_back(), which take no
  /// lock.
  template <class Change>
  Updated update(std::memory_order order, Change change) noexcept {
    Updated word{load(), 0};
    do {
      word.after = change(word.before);
      if (word.after == word.before) return word;
    } while (!word_.compare_exchange_weak(word.before, word.after, order, std::memory_order_relaxed));
    if (SlotWord::admitted(word.after) < SlotWord::admitted(word.before)) ++carries_;
    return word;
  }

  /// May a call take a slot? Not past a waiter of its own priority, or of a higher one (K2).
  [[nodiscard]] bool may_take(std::uint64_t word, Priority priority) const noexcept {
    if (SlotWord::in_use(word) >= limit_of(priority)) return false;
    return SlotWord::waiting(word) == 0 || queue_.first()->priority > priority;
  }
  [[nodiscard]] Place place_in(std::uint64_t word, Priority priority) const noexcept {
    if (may_take(word, priority)) return Place::slot;
    return SlotWord::waiting(word) < max_waiting() ? Place::queue : Place::none;
  }
  /// The waiter whose place a call takes, if any. With a full queue somebody waits: the word stays as it is.
  [[nodiscard]] Waiter* displaced_by(Priority priority) const noexcept {
    return place_in(load(), priority) == Place::none ? queue_.youngest_below(priority) : nullptr;
  }

  /// Free is what a call of any priority may take.
  [[nodiscard]] std::uint64_t without_saturated(std::uint64_t word) const noexcept {
    return SlotWord::admits(word, limit_of(Priority::background)) ? word & ~SlotWord::saturated : word;
  }

  /// Gives the first waiter a slot: one that comes back, or a new one. Returns what wakes it, since the
  /// waiter may be gone as soon as the lock is.
  [[nodiscard]] Wake grant(Waiter& waiter, std::uint64_t new_slot) noexcept {
    queue_.unlink(waiter);
    waiter.fate = Fate::granted;
    update(std::memory_order_relaxed, [new_slot, lowest = queue_.lowest()](std::uint64_t before) {
      return SlotWord::with_lowest(before - SlotWord::one_waiting, lowest) + SlotWord::one_admitted +
             new_slot;
    });
    return waiter.wake;
  }
  /// Rejects a waiter that has left the queue; returns what wakes it.
  [[nodiscard]] Wake shed(Waiter& waiter) noexcept {
    waiter.fate = Fate::shed;
    ++shed_;
    rejected_.add();
    return waiter.wake;
  }

  FUSEBOX_DETAIL_COLD bool take_under_lock(Priority priority) noexcept {
    const Lock lock{mutex_};
    bool admitted = false;
    update(std::memory_order_acquire, [&](std::uint64_t before) {
      admitted = may_take(before, priority);
      return admitted ? before + SlotWord::taken : before;
    });
    return admitted;
  }

  /// An event if the mark of the word has changed.
  void push_edge(const Updated& word, WallTime at) noexcept {
    if (((word.before ^ word.after) & SlotWord::saturated) == 0) return;
    push((word.after & SlotWord::saturated) != 0 ? EventKind::saturated : EventKind::free, limit(), at);
  }
  void push(EventKind kind, std::uint32_t previous_limit, WallTime at) noexcept {
    if (!hub_) return;
    const bool is_saturated = (load() & SlotWord::saturated) != 0;
    const bool is_edge = kind != EventKind::limit_changed;
    hub_->push({{kind, is_saturated != is_edge, is_saturated, static_cast<int>(previous_limit),
                 static_cast<int>(limit()), at}});
  }

  void unlock_and_deliver(Lock& lock) {
    const std::shared_ptr<Hub> hub = hub_;
    lock.unlock();
    if (hub) Hub::deliver(hub);
  }

  typename Sync::template Atomic<std::uint64_t> word_{0};
  std::array<typename Sync::template Atomic<std::uint32_t>, priority_count> limits_{};
  typename Sync::template Atomic<bool> is_observed_{false};
  const SlotConfig config_;
  [[no_unique_address]] C clock_;
  const std::shared_ptr<const RejectionSource> source_;
  ShardedCounter<Sync> rejected_;

  mutable typename Sync::Mutex mutex_;  // guards everything below, and the word while somebody waits
  SlotQueue<Waiter> queue_;
  std::uint64_t carries_ = 0;  // of the admitted calls in the word
  std::uint64_t shed_ = 0;
  Tick longest_wait_ = 0;  // of the waits that have ended
  std::shared_ptr<Hub> hub_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
