// fusebox/bulkhead/detail/core.hpp: BulkheadCore, the slots of a bulkhead and the queue behind them.
//
// One word says how many slots are taken and how many calls wait (SlotWord). A free slot is taken by one
// compare-exchange while nobody waits, and given back by one (K1). Everything else takes one small lock: the
// queue, a slot that goes to a waiter, a new limit, events. While somebody waits, the word changes under the
// lock alone. The lock calls nobody: waiters are woken and events delivered after it.
//
// The clock is read outside the lock. Sync replaces the atomics, the mutex and what wakes a waiter, for a
// model checker.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/bulkhead/config.hpp>
#include <fusebox/bulkhead/detail/event_record.hpp>
#include <fusebox/bulkhead/detail/slot_word.hpp>
#include <fusebox/bulkhead/stats.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Without std::stop_token, a flag in its place, which a waiter asks now and then.
class WakeFlag {
 public:
  void request_stop() const noexcept { flag_->store(true, std::memory_order_release); }
  /// Acquire: pairs with the store in request_stop().
  [[nodiscard]] bool stop_requested() const noexcept { return flag_->load(std::memory_order_acquire); }
  [[nodiscard]] static StopToken get_token() noexcept { return {}; }

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

template <class Sync>
struct WakeOf {
#if FUSEBOX_DETAIL_STOP_TOKEN
  using type = std::stop_source;
#else
  using type = WakeFlag;
#endif
};
template <class Sync>
  requires requires { typename Sync::Wake; }
struct WakeOf<Sync> {
  using type = typename Sync::Wake;
};

/// What the library asks of a bulkhead beside its public members.
struct BulkheadAccess {
  template <class C>
  [[nodiscard]] static auto& core(Bulkhead<C>& bulkhead) noexcept {
    return bulkhead.core_;
  }
  /// Is no slot taken, and does nobody wait? Only then may a registry evict it.
  template <class C>
  [[nodiscard]] static bool is_idle(const Bulkhead<C>& bulkhead) noexcept {
    return bulkhead.core_.is_idle();
  }
};

template <class C, class Sync = StdSync>
class FUSEBOX_API BulkheadCore final : public PermitTarget {
 public:
  using Wake = typename WakeOf<Sync>::type;

  /// A call in the queue. From enqueue() to settle() every field belongs to the lock, except that its owner
  /// may get tokens of `wake` (K3).
  struct Waiter {
    Wake wake;
    Waiter* previous = nullptr;
    Waiter* next = nullptr;
    Tick since = 0;
    bool granted = false;
  };

  BulkheadCore(std::string_view name, const BulkheadConfig& config, C clock)
      : limit_{static_cast<std::uint32_t>(config.max_concurrent)},
        config_{config},
        clock_{std::move(clock)},
        source_{PolicyRejection::source<BulkheadFullError>(name)} {}
  BulkheadCore(const BulkheadCore&) = delete;
  BulkheadCore& operator=(const BulkheadCore&) = delete;
  // Relaxed: whoever destroys the bulkhead has synchronised with its last user.
  ~BulkheadCore() { assert(is_idle() && "a call or a Permit outlives its bulkhead"); }

  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  [[nodiscard]] const BulkheadConfig& config() const noexcept { return config_; }
  [[nodiscard]] const std::string& name() const noexcept { return source_->name; }
  [[nodiscard]] const std::shared_ptr<const RejectionSource>& source() const noexcept { return source_; }
  /// Is no slot taken, and does nobody wait?
  [[nodiscard]] bool is_idle() const noexcept { return static_cast<std::uint32_t>(load()) == 0; }

  // Taking a slot.

  /// Takes a free slot unless somebody waits. Acquire: pairs with the release in give_back(), so that calls
  /// which one slot admits one after another see each other's writes.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool try_take() noexcept {
    std::uint64_t word = load();
    while (SlotWord::admits(word, limit())) {
      const std::uint64_t next = word + SlotWord::taken;
      if (next < word) [[unlikely]]
        return take_and_carry();
      if (word_.compare_exchange_weak(word, next, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    }
    return false;
  }

  /// Would enqueue() refuse? A look without the lock.
  [[nodiscard]] bool is_queue_full() const noexcept {
    const std::uint64_t word = load();
    return !SlotWord::admits(word, limit()) && SlotWord::waiting(word) >= max_waiting();
  }

  enum class Place : unsigned char { slot, queue, none };

  /// Takes a slot or a place in the queue, in one step. Delivers no event: the caller does, when it can bear
  /// what a callback does.
  [[nodiscard]] Place enqueue(Waiter& waiter) {
    waiter.since = fine_tick(clock_);
    WallTime at;
    const Lock lock = lock_for_change(at);
    Place place = Place::none;
    const std::uint64_t mark = is_observed() ? SlotWord::saturated : 0;
    const Updated word = update(std::memory_order_acquire, [&](std::uint64_t before) {
      place = place_in(before);
      if (place == Place::none) return before;
      return place == Place::slot ? before + SlotWord::taken : (before + SlotWord::one_waiting) | mark;
    });
    if (place == Place::queue) link(waiter);
    push_edge(word, at);
    return place;
  }

  /// After the wait, however it ended: does the waiter have a slot (K3)?
  [[nodiscard]] bool settle(Waiter& waiter) noexcept {
    const Tick now = fine_tick(clock_);
    const Lock lock{mutex_};
    longest_wait_ = std::max(longest_wait_, elapsed(waiter.since, now));
    if (waiter.granted) return true;
    unlink(waiter);
    update(std::memory_order_relaxed, [](std::uint64_t before) { return before - SlotWord::one_waiting; });
    return false;
  }

  /// Counts a rejection. Not noexcept: the first one of many may run callbacks.
  FUSEBOX_DETAIL_INLINE void count_rejected() {
    rejected_.add();
    if (is_observed()) [[unlikely]]
      report_saturated();
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

  /// Hands the slot over to the longest waiter (K2), unless there are more slots than the limit allows.
  FUSEBOX_DETAIL_NOINLINE void give_back_slow_path() {
    WallTime at;
    Lock lock = lock_for_change(at);
    if (first_ != nullptr && SlotWord::in_use(load()) <= limit()) {
      Wake wake = grant_first(0);
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
    // Relaxed: a caller that must see the new limit has synchronised with this one.
    limit_.store(limit, std::memory_order_relaxed);
    if (limit != previous) push(BulkheadEventKind::limit_changed, previous, at);
    while (first_ != nullptr && SlotWord::in_use(load()) < this->limit()) {
      Wake wake = grant_first(SlotWord::one_slot);
      lock.unlock();  // others may come in between: they find waiters, and queue behind them
      wake.request_stop();
      lock = lock_for_change(at);
    }
    push_edge(
        update(std::memory_order_relaxed, [&](std::uint64_t before) { return without_saturated(before); }),
        at);
    unlock_and_deliver(lock);
  }

  [[nodiscard]] BulkheadStats stats() const {
    const Tick now = fine_tick(clock_);
    const Lock lock{mutex_};
    const std::uint64_t word = load();
    const Tick waits = first_ != nullptr ? elapsed(first_->since, now) : 0;
    return {static_cast<int>(SlotWord::in_use(word)),
            static_cast<int>(SlotWord::waiting(word)),
            static_cast<int>(limit()),
            (carries_ << (64U - SlotWord::admitted_shift)) + SlotWord::admitted(word),
            rejected_.value(),
            std::chrono::nanoseconds{std::max(longest_wait_, waits)}};
  }

  // Permits.

  void report_permit(Admission /*admission*/, Outcome /*outcome*/,
                     const Failure* /*failure*/) noexcept override {
    give_back();
  }
  [[nodiscard]] Outcome judge_permit(Admission /*admission*/, const Failure& /*failure*/) const override {
    return Outcome::ignored;  // a bulkhead makes no difference
  }
  [[nodiscard]] RejectedError permit_error(Admission /*admission*/) const override {
    return PolicyRejection::error(source_, std::nullopt, clock_.wall_now());
  }
  void end_permit() noexcept override {}

  /// The error of a rejected call; `core` is a BulkheadCore.
  [[nodiscard]] static Failure make_rejection(const void* core, Admission /*admission*/) {
    const auto& self = *static_cast<const BulkheadCore*>(core);
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
  using Hub = EventHub<BulkheadEvent, Sync>;
  using WallTime = std::chrono::system_clock::time_point;

  /// Relaxed: an exchange, or the lock, says whether it still holds.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::uint64_t load() const noexcept {
    return word_.load(std::memory_order_relaxed);
  }
  /// Relaxed: a call takes the limit that it sees; see set_limit().
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::uint32_t limit() const noexcept {
    return limit_.load(std::memory_order_relaxed);
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

  [[nodiscard]] Place place_in(std::uint64_t word) const noexcept {
    if (SlotWord::admits(word, limit())) return Place::slot;
    return SlotWord::waiting(word) < max_waiting() ? Place::queue : Place::none;
  }

  [[nodiscard]] std::uint64_t without_saturated(std::uint64_t word) const noexcept {
    return SlotWord::admits(word, limit()) ? word & ~SlotWord::saturated : word;
  }

  void link(Waiter& waiter) noexcept {
    waiter.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &waiter;
    last_ = &waiter;
  }
  void unlink(Waiter& waiter) noexcept {
    (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
  }

  /// Gives the longest waiter a slot: one that comes back, or a new one. Returns what wakes it, since the
  /// waiter may be gone as soon as the lock is.
  [[nodiscard]] Wake grant_first(std::uint64_t new_slot) noexcept {
    Waiter& waiter = *first_;
    unlink(waiter);
    waiter.granted = true;
    update(std::memory_order_relaxed, [new_slot](std::uint64_t before) {
      return before + SlotWord::one_admitted - SlotWord::one_waiting + new_slot;
    });
    return waiter.wake;
  }

  FUSEBOX_DETAIL_COLD bool take_and_carry() noexcept {
    const Lock lock{mutex_};
    bool admitted = false;
    update(std::memory_order_acquire, [&](std::uint64_t before) {
      admitted = SlotWord::admits(before, limit());
      return admitted ? before + SlotWord::taken : before;
    });
    return admitted;
  }

  FUSEBOX_DETAIL_COLD void report_saturated() {
    if ((load() & SlotWord::saturated) != 0) return;
    WallTime at;
    Lock lock = lock_for_change(at);
    const Updated word = update(std::memory_order_relaxed, [&](std::uint64_t before) {
      return SlotWord::admits(before, limit()) ? before
                                               : before | SlotWord::saturated;  // or it is free again
    });
    push_edge(word, at);
    unlock_and_deliver(lock);
  }

  /// An event if the mark of the word has changed.
  void push_edge(const Updated& word, WallTime at) noexcept {
    if (((word.before ^ word.after) & SlotWord::saturated) == 0) return;
    push((word.after & SlotWord::saturated) != 0 ? BulkheadEventKind::saturated : BulkheadEventKind::free,
         limit(), at);
  }
  void push(BulkheadEventKind kind, std::uint32_t previous_limit, WallTime at) noexcept {
    if (!hub_) return;
    const bool is_saturated = (load() & SlotWord::saturated) != 0;
    const bool is_edge = kind != BulkheadEventKind::limit_changed;
    hub_->push({kind, is_saturated != is_edge, is_saturated, static_cast<int>(previous_limit),
                static_cast<int>(limit()), at});
  }

  void unlock_and_deliver(Lock& lock) {
    const std::shared_ptr<Hub> hub = hub_;
    lock.unlock();
    if (hub) Hub::deliver(hub);
  }

  typename Sync::template Atomic<std::uint64_t> word_{0};
  typename Sync::template Atomic<std::uint32_t> limit_;
  typename Sync::template Atomic<bool> is_observed_{false};
  const BulkheadConfig config_;
  [[no_unique_address]] C clock_;
  const std::shared_ptr<const RejectionSource> source_;
  ShardedCounter<Sync> rejected_;

  mutable typename Sync::Mutex mutex_;  // guards everything below, and the word while somebody waits
  Waiter* first_ = nullptr;             // the longest waiter
  Waiter* last_ = nullptr;
  std::uint64_t carries_ = 0;  // of the admitted calls in the word
  Tick longest_wait_ = 0;      // of the waits that have ended
  std::shared_ptr<Hub> hub_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
