// support/every.hpp: calls a function repeatedly, on its own thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace support {

/// Calls f at once and after each interval, until it is destroyed.
class Every {
 public:
  template <class F>
  Every(std::chrono::milliseconds interval, F f)
      : thread_{[this, interval, call = std::move(f)]() mutable {
          const auto ended = [this] { return ended_; };
          std::unique_lock lock{mutex_};
          do {
            lock.unlock();
            call();
            lock.lock();
          } while (!wake_.wait_for(lock, interval, ended));
        }} {}
  Every(const Every&) = delete;
  Every& operator=(const Every&) = delete;
  ~Every() {
    {
      const std::lock_guard lock{mutex_};
      ended_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace support
