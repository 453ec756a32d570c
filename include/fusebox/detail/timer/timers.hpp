// fusebox/detail/timer/timers.hpp: Timers, the armed limits of a process, and the sleep of the thread that
// stops what runs too long (D7).
//
// The limits lie in one heap for each of a few processors, so that arming takes a lock that is seldom
// contended. `next` of a shard is when its earliest limit is due, or earlier if that one was disarmed: then
// the thread wakes once for nothing.
//
// An arm must not be lost while the thread goes to sleep. The thread announces in wakes_at_ until when it
// will sleep, then looks at every `next` once more. An arm sets `next`, then looks at wakes_at_. All four are
// sequentially consistent, so that at least one of the two sees the other.
#pragma once
// IWYU pragma: private

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>

#include <fusebox/detail/cpu_index.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/timer/heap.hpp>
#include <fusebox/detail/timer/node.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Sync also has `Condition`, on which the thread sleeps:
/// - `wait_until(lock, tick)` releases the lock, sleeps until then or a notify, perhaps shorter, and locks
/// again;
///   tick_max: until a notify;
/// - `notify()` wakes the sleeper.
template <class Sync>
class Timers {
 public:
  static constexpr std::size_t shards = 8;

  Timers() = default;
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  /// Returns true if the thread would sleep beyond `due`: then call wake(). Throws std::bad_alloc, and then
  /// nothing is armed.
  [[nodiscard]] bool arm(TimerNode& node, Tick due) {
    node.shard = cpu_index() % shards;
    Shard& shard = shards_[node.shard];
    {
      const std::lock_guard lock{shard.mutex};
      shard.heap.insert(node, due);
      if (&shard.heap.first() == &node) shard.next.store(due, std::memory_order_seq_cst);  // see the top
    }
    return due < wakes_at_.load(std::memory_order_seq_cst);  // see the top
  }

  /// Does nothing to a node that has been fired or was never armed.
  void disarm(TimerNode& node) noexcept {
    Shard& shard = shards_[node.shard];
    const std::lock_guard lock{shard.mutex};
    if (node.index != TimerNode::nowhere) shard.heap.remove(node);
  }

  /// Ends the thread's sleep, now or before it begins.
  void wake() {
    const std::lock_guard lock{mutex_};
    is_woken_ = true;
    condition_.notify();
  }

  /// Of the thread: stops what is due by `now`. Returns when the next limit is due; tick_max for none.
  [[nodiscard]] Tick fire(Tick now) {
    // Awake until sleep(): nobody needs to wake this thread. Pairs with nothing: who reads the time before
    // calls wake() in vain.
    wakes_at_.store(tick_min, std::memory_order_seq_cst);
    Tick next = tick_max;
    for (Shard& shard : shards_) {
      // What an arm adds from here on is seen by sleep().
      const Tick first = shard.next.load(std::memory_order_seq_cst);
      earlier(next, first <= now ? fire(shard, now) : first);
    }
    return next;
  }

  /// Of the thread: sleeps until `next`, which fire() returned, or until something earlier is armed. May
  /// return early.
  void sleep(Tick next) {
    std::unique_lock lock{mutex_};
    wakes_at_.store(next, std::memory_order_seq_cst);  // see the top
    if (!is_woken_ && next <= earliest()) condition_.wait_until(lock, next);
    is_woken_ = false;
  }

  /// How many limits are armed.
  [[nodiscard]] std::size_t size() {
    std::size_t sum = 0;
    for (Shard& shard : shards_) {
      const std::lock_guard lock{shard.mutex};
      sum += shard.heap.size();
    }
    return sum;
  }

  /// Around a fork: no other thread is inside.
  void lock_all() {
    mutex_.lock();
    for (Shard& shard : shards_) shard.mutex.lock();
  }
  void unlock_all() {
    for (Shard& shard : shards_) shard.mutex.unlock();
    mutex_.unlock();
  }
  /// In the child of a fork, between the two: the limits belonged to threads that are not there, and so did
  /// the sleep.
  void start_anew() noexcept {
    for (Shard& shard : shards_) {
      shard.heap.remove_all();
      shard.next.store(tick_max, std::memory_order_relaxed);  // one thread
    }
    wakes_at_.store(tick_max, std::memory_order_relaxed);  // one thread
    is_woken_ = false;
    condition_.start_anew();
  }

 private:
  static void earlier(Tick& next, Tick other) noexcept {
    if (other < next) next = other;
  }

  struct alignas(64) Shard {
    typename Sync::Mutex mutex;
    TimerHeap heap;
    typename Sync::template Atomic<Tick> next{tick_max};  // written under the mutex
  };

  /// Returns when the next limit of the shard is due.
  FUSEBOX_DETAIL_NOINLINE Tick fire(Shard& shard, Tick now) {
    for (;;) {
      DueStops stops;
      Tick next = tick_max;
      {
        const std::lock_guard lock{shard.mutex};
        stops.take_from(shard.heap, now);
        next = shard.heap.next_due();
        shard.next.store(next, std::memory_order_seq_cst);  // see the top
      }
      const bool is_last = !stops.full();
      stops.fire();
      if (is_last) return next;
    }
  }

  [[nodiscard]] Tick earliest() const {
    Tick next = tick_max;
    for (const Shard& shard : shards_) earlier(next, shard.next.load(std::memory_order_seq_cst));
    return next;
  }

  std::array<Shard, shards> shards_;
  // On a line of its own: every arm reads it. tick_max: nobody sleeps, since there is no thread yet.
  alignas(64) typename Sync::template Atomic<Tick> wakes_at_{tick_max};
  typename Sync::Mutex mutex_;  // guards what follows
  typename Sync::Condition condition_;
  bool is_woken_ = false;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
