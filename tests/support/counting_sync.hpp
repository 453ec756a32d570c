// support/counting_sync.hpp: the atomics and the mutex of a core, which count what it does with them.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <type_traits>

namespace support {

struct SyncCounters {
  int locks = 0;
  int exchanges = 0;
  int adds = 0;
};

/// Also keeps the first 64-bit word that is made while `word` is null, so that a test can set it.
struct CountingSync {
  static inline SyncCounters counters;
  static inline std::atomic<std::uint64_t>* word = nullptr;

  template <class T>
  class Atomic : public std::atomic<T> {
   public:
    Atomic() = default;
    Atomic(T value) : std::atomic<T>{value} {  // NOLINT(*-explicit-*): as std::atomic
      if constexpr (std::is_same_v<T, std::uint64_t>) {
        if (word == nullptr) word = this;
      }
    }
    T fetch_add(T value, std::memory_order order) {
      ++counters.adds;
      return std::atomic<T>::fetch_add(value, order);
    }
    bool compare_exchange_strong(T& seen, T next, std::memory_order success, std::memory_order failure) {
      ++counters.exchanges;
      return std::atomic<T>::compare_exchange_strong(seen, next, success, failure);
    }
    bool compare_exchange_weak(T& seen, T next, std::memory_order success, std::memory_order failure) {
      ++counters.exchanges;
      return std::atomic<T>::compare_exchange_weak(seen, next, success, failure);
    }
  };
  class Mutex {
   public:
    void lock() {
      ++counters.locks;
      mutex_.lock();
    }
    void unlock() { mutex_.unlock(); }

   private:
    std::mutex mutex_;
  };
};

}  // namespace support
