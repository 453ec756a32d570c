// support/event_loop.hpp: a small event loop: poll(), a heap of due times, and a pipe that wakes it up.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fusebox/clock.hpp>

namespace support {

/// An event loop. Only post() may be called on other threads.
class EventLoop {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Action = std::function<void()>;

  EventLoop() {
    if (::pipe(pipe_) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
    for (const int end : pipe_) ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() {
    for (const int end : pipe_) ::close(end);
  }

  /// Acts once, when the socket is ready.
  void watch(int fd, short events, Action action) { watched_[fd] = {events, std::move(action)}; }
  void forget(int fd) { watched_.erase(fd); }

  /// Acts once, after that time; never after no_timeout.
  std::uint64_t after(std::chrono::nanoseconds time, Action action) {
    const Time due = fusebox::Deadline::after(time).time();
    timers_[++last_id_] = std::move(action);
    heap_.emplace_back(due, last_id_);
    std::ranges::push_heap(heap_, std::greater<>{});
    return last_id_;
  }
  void cancel(std::uint64_t id) { timers_.erase(id); }  // the heap drops its id when it comes to it

  /// Acts soon, on the thread of the loop.
  void post(Action action) {
    {
      const std::lock_guard lock{mutex_};
      posted_.push_back(std::move(action));
    }
    if (::write(pipe_[1], "", 1) < 0) return;  // the pipe is full, so the loop wakes up anyway
  }

  /// Sleeps until something happens, then acts.
  void turn() {
    std::vector<::pollfd> polled{{pipe_[0], POLLIN, 0}};
    for (const auto& [fd, watch] : watched_) polled.push_back({fd, watch.first, 0});
    while (!heap_.empty() && !timers_.contains(heap_.front().second)) pop_heap();
    const auto left = heap_.empty() ? Time::duration{std::chrono::seconds{1}}
                                    : heap_.front().first - std::chrono::steady_clock::now();
    const auto sleep = std::clamp(std::chrono::ceil<milliseconds>(left), milliseconds{0}, milliseconds{1000});
    ::poll(polled.data(), polled.size(), static_cast<int>(sleep.count()));

    for (const ::pollfd& one : polled) {
      if (one.revents == 0) continue;
      if (auto watch = watched_.extract(one.fd)) watch.mapped().second();
    }
    while (!heap_.empty() && heap_.front().first <= std::chrono::steady_clock::now()) {
      if (auto timer = timers_.extract(pop_heap())) timer.mapped()();
    }
    for (const Action& action : take_posted()) action();
  }

 private:
  using milliseconds = std::chrono::milliseconds;

  std::uint64_t pop_heap() {
    std::ranges::pop_heap(heap_, std::greater<>{});
    const auto id = heap_.back().second;
    heap_.pop_back();
    return id;
  }

  std::vector<Action> take_posted() {
    char drained[64];
    while (::read(pipe_[0], drained, sizeof drained) > 0) {
    }
    const std::lock_guard lock{mutex_};
    return std::exchange(posted_, {});
  }

  int pipe_[2];
  std::unordered_map<int, std::pair<short, Action>> watched_;
  std::vector<std::pair<Time, std::uint64_t>> heap_;  // the earliest first, with those of cancelled timers
  std::unordered_map<std::uint64_t, Action> timers_;
  std::uint64_t last_id_ = 0;
  std::mutex mutex_;  // guards what follows
  std::vector<Action> posted_;
};

}  // namespace support
