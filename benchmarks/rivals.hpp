// rivals.hpp: the comparisons for the paths: their floor, and textbook code.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "measure.hpp"

namespace bench {

inline std::int64_t coarse_tick() {
#if defined(__linux__)
  ::timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
#else
  return std::chrono::steady_clock::now().time_since_epoch().count();
#endif
}

inline std::int64_t steady_tick() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

/// A textbook breaker: one mutex, taken before and after the call, and the time of each success.
class TextbookBreaker {
 public:
  explicit TextbookBreaker(int threshold) : threshold_{threshold} {}

  template <class Op>
  auto execute(Op&& op) {
    {
      const std::lock_guard lock{mutex_};
      if (open_) {
        if (std::chrono::steady_clock::now() - opened_ < std::chrono::seconds{60})
          throw std::runtime_error{"circuit breaker 'payments' is open"};
        open_ = false;
      }
    }
    try {
      auto result = op();
      const std::lock_guard lock{mutex_};
      failures_ = 0;
      ++successes_;
      last_success_ = std::chrono::steady_clock::now();
      return result;
    } catch (...) {
      const std::lock_guard lock{mutex_};
      if (++failures_ >= threshold_) {
        open_ = true;
        opened_ = std::chrono::steady_clock::now();
      }
      throw;
    }
  }

 private:
  const int threshold_;
  std::mutex mutex_;
  bool open_ = false;
  int failures_ = 0;
  std::uint64_t successes_ = 0;
  std::chrono::steady_clock::time_point opened_;
  std::chrono::steady_clock::time_point last_success_;
};

/// A textbook retry.
BENCH_OPAQUE inline int textbook_retry(const std::function<int()>& op, int max_retries,
                                       std::chrono::milliseconds delay) {
  for (int attempt = 0;; ++attempt) {
    try {
      return op();
    } catch (...) {
      if (attempt == max_retries) throw;
    }
    std::this_thread::sleep_for(delay);
    delay *= 2;
  }
}

}  // namespace bench
