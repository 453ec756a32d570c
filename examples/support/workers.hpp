// support/workers.hpp: threads that do jobs, and end cleanly.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace support {

template <class Job>
class Workers {
 public:
  /// `work` throws nothing; its token is stopped when the program ends.
  using Work = std::function<void(const Job& job, std::stop_token stop)>;

  Workers(int number, Work work) : work_{std::move(work)} {
    for (int i = 0; i < number; ++i) threads_.emplace_back([this](std::stop_token stop) { run(stop); });
  }

  /// False if too many jobs wait.
  bool add(Job job) {
    const std::lock_guard lock{mutex_};
    if (jobs_.size() >= 100) return false;
    jobs_.push_back(std::move(job));
    added_.notify_one();
    return true;
  }

  /// Stops the jobs under way and waits for them; the jobs that no worker has begun.
  std::deque<Job> end() {
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
    return std::move(jobs_);
  }

 private:
  void run(const std::stop_token& stop) {
    for (std::unique_lock lock{mutex_}; added_.wait(lock, stop, [this] { return !jobs_.empty(); });) {
      if (stop.stop_requested()) return;
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      work_(job, stop);
      lock.lock();
    }
  }

  Work work_;
  std::mutex mutex_;
  std::condition_variable_any added_;
  std::deque<Job> jobs_;
  std::vector<std::jthread> threads_;  // last: destroyed before what they use
};

}  // namespace support
