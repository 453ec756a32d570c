// fusebox/detail/asio/clock.hpp: the clock of a coroutine of Asio or Boost.Asio (A11): one text for both.
//
// Net is the library: adapters/asio.hpp and adapters/boost_asio.hpp each have one, with the few names that
// are needed of it.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/ticks.hpp>

#if FUSEBOX_DETAIL_STOP_TOKEN
#include <stop_token>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// When a wait that begins now ends, on the clock of Asio's timers. That is never the one that
/// ScopedSystemClock puts in place of SystemClock.
[[nodiscard]] inline std::chrono::steady_clock::time_point wait_end(std::chrono::nanoseconds time) {
  const Tick now = detail::ticks(std::chrono::steady_clock::now());
  const Tick end = detail::saturating_add(now, detail::ticks(time));
  return std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}};
}

/// A wait that a coroutine or a composed operation begins, and any thread ends early. Asio's timers are no
/// objects for two threads: the mutex guards this one.
template <class Timer>
class AsioWait {
 public:
  template <class Executor>
  AsioWait(const Executor& executor, std::chrono::steady_clock::time_point end) : timer_{executor} {
    timer_.expires_at(end);
  }

  template <class Handler>
  void begin(Handler&& handler) {
    const std::scoped_lock lock{mutex_};
    if (is_ended_) timer_.expires_at(std::chrono::steady_clock::time_point::min());
    timer_.async_wait(std::forward<Handler>(handler));
  }
  /// The coroutine goes on on its executor, not in here.
  void end_early() {
    const std::scoped_lock lock{mutex_};
    is_ended_ = true;
    timer_.cancel();
  }

 private:
  std::mutex mutex_;
  Timer timer_;
  bool is_ended_ = false;
};

template <class Net, class Executor>
class AsioClockOf {
 public:
  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return SystemClock{}.now(); }
  [[nodiscard]] std::chrono::steady_clock::time_point coarse_now() const {
    return SystemClock{}.coarse_now();
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const { return SystemClock{}.wall_now(); }

  /// Await it: true at the end of the wait, false if the token or the cancellation of the coroutine ended it.
  /// One that was cancelled before throws operation_aborted, as every co_await of Asio.
  [[nodiscard]] typename Net::template Awaitable<bool, Executor> sleep_for(std::chrono::nanoseconds duration,
                                                                           StopToken token = {}) const {
    using Wait = AsioWait<typename Net::template Timer<Executor>>;
    if (token.stop_requested()) co_return false;
    const Executor executor = co_await Net::this_executor();
    const auto wait = std::make_shared<Wait>(executor, detail::wait_end(duration));
#if FUSEBOX_DETAIL_STOP_TOKEN
    const auto stop = [&wait = *wait] { wait.end_early(); };
    const std::stop_callback on_stop{token, stop};
#endif
    typename Net::Code code;
    // A copy is on the stack: with many threads, the frame may be gone before begin() returns.
    const auto begin = [&wait](auto&& handler) {
      const auto kept = wait;
      kept->begin(std::move(handler));
    };
    co_await Net::template initiate<Executor, void(typename Net::Code)>(begin, code);
    co_return !code && !token.stop_requested();
  }

  /// For timeouts (D1).
  template <class Node>
  void arm(Node& node, std::chrono::steady_clock::time_point due) const {
    SystemClock{}.arm(node, due);
  }
  template <class Node>
  void disarm(Node& node) const noexcept {
    SystemClock{}.disarm(node);
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
