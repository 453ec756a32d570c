// relacy/sync.hpp: atomics and a mutex of Relacy's in the shape that the library takes, and flawed ones.
//
// The library's own templates run on them, unchanged. A flaw makes a broken twin of a scenario without a copy
// of any code: Relacy must reject it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include <fusebox/detail/deliveries.hpp>
#include <fusebox/detail/shards.hpp>

#include "flaw.hpp"
#include "relacy.hpp"

namespace checks {

template <Flaw flaw>
struct Sync;

[[nodiscard]] constexpr rl::memory_order to_relacy(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed: return rl::mo_relaxed;
    case std::memory_order_consume: return rl::mo_consume;
    case std::memory_order_acquire: return rl::mo_acquire;
    case std::memory_order_release: return rl::mo_release;
    case std::memory_order_acq_rel: return rl::mo_acq_rel;
    case std::memory_order_seq_cst: return rl::mo_seq_cst;
  }
  return rl::mo_seq_cst;
}

/// Where the library asked for an operation: what Relacy's histories show.
struct Place {
  // NOLINTNEXTLINE(*-explicit-*): taken by default arguments
  Place(const char* function = __builtin_FUNCTION(), const char* file = __builtin_FILE(),
        int line = __builtin_LINE())
      : info{function, file, static_cast<unsigned>(line)} {}
  rl::debug_info info;
};

template <Flaw flaw, class T>
class Atomic {
 public:
  Atomic() : Atomic{T{}} {}
  Atomic(T value) : atomic_{value} {}  // NOLINT(*-explicit-*): as std::atomic
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst, Place at = {}) const {
    const typename Sync<flaw>::ThreadLocals own;
    const std::size_t thread = rl::thread_index();
    if (suffers<flaw>(Flaw::unchecked) && is_locking[thread] && saw_[thread]) return seen_[thread];
    seen_[thread] = atomic_.load(weakened(order, rl::mo_acquire), at.info);
    saw_[thread] = true;
    return seen_[thread];
  }

  void store(T value, std::memory_order order = std::memory_order_seq_cst, Place at = {}) {
    const typename Sync<flaw>::ThreadLocals own;
    saw_[rl::thread_index()] = false;
    atomic_.store(value, weakened(order, rl::mo_release), at.info);
  }

  T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst, Place at = {}) {
    const typename Sync<flaw>::ThreadLocals own;
    saw_[rl::thread_index()] = false;
    if (!suffers<flaw>(Flaw::split))
      return atomic_.fetch_add(value, weakened(order, rl::mo_acq_rel), at.info);
    const T old = atomic_.load(rl::mo_acquire, at.info);
    atomic_.store(static_cast<T>(old + value), rl::mo_release, at.info);
    return old;
  }
  T fetch_sub(T value, std::memory_order order = std::memory_order_seq_cst, Place at = {}) {
    return fetch_add(static_cast<T>(T{0} - value), order, at);
  }

  T exchange(T value, std::memory_order order = std::memory_order_seq_cst, Place at = {}) {
    const typename Sync<flaw>::ThreadLocals own;
    saw_[rl::thread_index()] = false;
    if (!suffers<flaw>(Flaw::split)) return atomic_.exchange(value, weakened(order, rl::mo_acq_rel), at.info);
    const T old = atomic_.load(rl::mo_acquire, at.info);
    atomic_.store(value, rl::mo_release, at.info);
    return old;
  }

  bool compare_exchange_weak(T& expected, T value, std::memory_order order, std::memory_order failed,
                             Place at = {}) {
    return exchange<true>(expected, value, order, failed, at);
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order order, std::memory_order failed,
                               Place at = {}) {
    return exchange<false>(expected, value, order, failed, at);
  }

  void wait(T old, std::memory_order order = std::memory_order_seq_cst, Place at = {}) const {
    // Nobody comes between a look at what is and going to sleep.
    while (load(order, at) == old) {
      const typename Sync<flaw>::ThreadLocals own;
      if (atomic_.debug_value() == old) atomic_.wait(rl::ctx(), false, false, at.info);
    }
  }
  void notify_all(Place at = {}) {
    const typename Sync<flaw>::ThreadLocals own;
    if (!suffers<flaw>(Flaw::silent))
      atomic_.wake(rl::ctx(), static_cast<rl::thread_id_t>(max_threads), at.info);
  }

 private:
  [[nodiscard]] static rl::memory_order weakened(std::memory_order order, rl::memory_order without_total) {
    if (suffers<flaw>(Flaw::relaxed)) return rl::mo_relaxed;
    const bool is_total = order == std::memory_order_seq_cst;
    return suffers<flaw>(Flaw::unordered) && is_total ? without_total : to_relacy(order);
  }

  template <bool is_weak>
  bool exchange(T& expected, T value, std::memory_order order, std::memory_order failed, Place at) {
    const typename Sync<flaw>::ThreadLocals own;
    saw_[rl::thread_index()] = false;
    if (!suffers<flaw>(Flaw::split)) {
      return atomic_.compare_exchange(rl::bool_t<is_weak>{}, expected, value, weakened(order, rl::mo_acq_rel),
                                      weakened(failed, rl::mo_acquire), at.info);
    }
    const T old = atomic_.load(to_relacy(failed), at.info);
    const bool is_expected = old == expected;
    expected = old;
    if (is_expected) atomic_.store(value, rl::mo_release, at.info);
    return is_expected;
  }

  mutable rl::atomic<T> atomic_;
  mutable std::array<T, max_threads> seen_{};
  mutable std::array<bool, max_threads> saw_{};
};

/// Relacy's histories know no pointers to const.
template <Flaw flaw, class T>
class Atomic<flaw, const T*> {
 public:
  Atomic(const T* value) : atomic_{const_cast<T*>(value)} {}  // NOLINT(*-explicit-*, *-const-cast)

  const T* load(std::memory_order order = std::memory_order_seq_cst, Place at = {}) const {
    return atomic_.load(order, at);
  }
  void store(const T* value, std::memory_order order = std::memory_order_seq_cst, Place at = {}) {
    atomic_.store(const_cast<T*>(value), order, at);  // NOLINT(*-const-cast)
  }

 private:
  Atomic<flaw, T*> atomic_;
};

template <Flaw flaw>
class Mutex {
 public:
  Mutex() { mutex_.init(false, false, false, false, Place{}.info); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  ~Mutex() { mutex_.deinit(Place{}.info); }

  void lock(Place at = {}) {
    const typename Sync<flaw>::ThreadLocals own;
    if (suffers<flaw>(Flaw::unlocked)) {
      rl::ctx().sched();
    } else {
      mutex_.lock_exclusive(at.info);
    }
    is_locking[rl::thread_index()] = true;
  }
  void unlock(Place at = {}) {
    const typename Sync<flaw>::ThreadLocals own;
    is_locking[rl::thread_index()] = false;
    if (!suffers<flaw>(Flaw::unlocked)) mutex_.unlock_exclusive(at.info);
  }

 private:
  rl::generic_mutex<rl::mutex_tag_std> mutex_;
};

/// All threads of Relacy's are fibers on one thread of the system, and change within its operations only:
/// what the library keeps for each thread is put back after each.
template <Flaw flaw>
struct Sync {
  template <class T>
  using Atomic = checks::Atomic<flaw, T>;
  using Mutex = checks::Mutex<flaw>;
  using Deliveries = fusebox::detail::Deliveries<Sync>;

  /// What wakes a call that waits for a bulkhead: a handle, as std::stop_source is.
  class Wake {
   public:
    void request_stop() {
      is_requested_->store(true, std::memory_order_release);
      is_requested_->notify_all();
    }
    void wait() const { is_requested_->wait(false, std::memory_order_acquire); }

   private:
    std::shared_ptr<Atomic<bool>> is_requested_ = std::make_shared<Atomic<bool>>(false);
  };

  /// Those of the running suite, which owns them: Relacy's objects live in one execution.
  [[nodiscard]] static Deliveries& deliveries() { return *deliveries_of_suite; }
  static inline Deliveries* deliveries_of_suite = nullptr;

  class ThreadLocals {
   public:
    ThreadLocals() = default;
    ThreadLocals(const ThreadLocals&) = delete;
    ThreadLocals& operator=(const ThreadLocals&) = delete;
    ~ThreadLocals() { fusebox::detail::thread_shard_offset = shard_; }

   private:
    std::size_t shard_ = fusebox::detail::thread_shard_offset;
  };

  static void begin_thread() { fusebox::detail::thread_shard_offset = 0; }
};

}  // namespace checks
