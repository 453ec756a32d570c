// support/hedge.hpp: Stage, on which the copies of a hedged call meet the test.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

namespace support {

class Stage {
 public:
  /// The number of the copy that comes, in the order in which they come.
  int enter() {
    const std::lock_guard lock{mutex_};
    changed_.notify_all();
    return copies_++;
  }
  void note(const std::string& text) {
    const std::lock_guard lock{mutex_};
    notes_.push_back(text);
    changed_.notify_all();
  }
  void wait_for(const std::string& text) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return has_locked(text); });
  }
  void wait_for_copies(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return copies_ >= count; });
  }
  /// Until the token is stopped.
  void wait_for_stop(const std::stop_token& token) {
    std::unique_lock lock{mutex_};
    stop_.wait(lock, token, [] { return false; });
    ++stopped_;
    changed_.notify_all();
  }
  void wait_for_stops(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return stopped_ >= count; });
  }

  [[nodiscard]] bool has(const std::string& text) {
    const std::lock_guard lock{mutex_};
    return has_locked(text);
  }
  [[nodiscard]] int copies() {
    const std::lock_guard lock{mutex_};
    return copies_;
  }
  [[nodiscard]] int stopped() {
    const std::lock_guard lock{mutex_};
    return stopped_;
  }

 private:
  [[nodiscard]] bool has_locked(const std::string& text) const {
    return std::find(notes_.begin(), notes_.end(), text) != notes_.end();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable_any stop_;
  std::vector<std::string> notes_;
  int copies_ = 0;
  int stopped_ = 0;
};

}  // namespace support
