// A7, A8, A11, A14: coroutines of Asio and Boost.Asio, in real time.
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net.hpp"
#include "support/failures.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using support::Code;
using support::run;
using support::SystemError;
using support::unavailable;
namespace net = support::net;
namespace adapter = support::adapter;

namespace {

constexpr RetryConfig twice{.max_retries = 2, .base_delay = 2ms, .jitter = Jitter::none};
constexpr RetryConfig patient{.max_retries = 1, .base_delay = 60s, .max_delay = 60s, .jitter = Jitter::none};

using SteadyTime = std::chrono::steady_clock::time_point;
SteadyTime now() { return std::chrono::steady_clock::now(); }

net::awaitable<int> fail() {
  throw unavailable();
  co_return 0;
}
net::awaitable<void> wait(std::chrono::nanoseconds time) {
  net::steady_timer timer{co_await net::this_coro::executor, time};
  co_await timer.async_wait(net::use_awaitable);
}

}  // namespace

TEST_CASE("A11 a retry in a coroutine of Asio needs no clock, and waits in real time", "[A11]") {
  net::io_context context;
  int calls = 0;
  auto op = [&]() -> net::awaitable<int> {
    if (++calls < 3) throw unavailable();
    co_return 7;
  };
  const auto begin = now();
  const auto result = run(context, retry_with_backoff(op, twice));
  CHECK(now() - begin >= 6ms);
  CHECK(result.value() == 7);
  CHECK(result.stats.total_delay == 6ms);
  CHECK(calls == 3);
}

TEST_CASE("A11 a wait ends on the executor of the coroutine", "[A11]") {
  net::io_context context;
  const auto strand = net::make_strand(context);
  bool is_on_strand = false;
  auto body = [&]() -> net::awaitable<void> {
    const adapter::AsioClock clock;
    const bool to_its_end = co_await clock.sleep_for(1ms);
    is_on_strand = to_its_end && strand.running_in_this_thread();
  };
  net::co_spawn(strand, body(), net::detached);
  run(context);
  CHECK(is_on_strand);
}

TEST_CASE("A11 a stop from another thread ends a wait, and the coroutine goes on on its own", "[A11][A7]") {
  net::io_context context;
  std::stop_source source;
  std::thread::id resumed;
  auto body = [&]() -> net::awaitable<int> {
    const auto result = co_await try_retry_with_backoff(&fail, patient, source.get_token());
    resumed = std::this_thread::get_id();
    co_return result.stats.stop_reason == StopReason::cancelled ? result.stats.attempts : -1;
  };
  std::jthread stopper{[&] {
    std::this_thread::sleep_for(5ms);
    source.request_stop();
  }};
  CHECK(run(context, body()) == 1);
  CHECK(resumed == std::this_thread::get_id());
}

TEST_CASE("A11 a wait with a stopped token gives false at once", "[A11]") {
  net::io_context context;
  std::stop_source source;
  source.request_stop();
  CHECK_FALSE(run(context, adapter::AsioClock{}.sleep_for(60s, source.get_token())));
  CHECK(run(context, adapter::AsioClock{}.sleep_for(-1s)));
}

TEST_CASE("A11 an AsioClock tells the time of SystemClock, and arms the limits of timeouts", "[A11]") {
  const adapter::AsioClock clock;
  const auto before = SystemClock{}.now();
  const auto time = clock.now();
  CHECK(time >= before);
  CHECK(time <= SystemClock{}.now());
  net::io_context context;
  auto pipeline = compose(retry(twice, clock), attempt_timeout(5ms, clock));
  auto op = [&](std::stop_token token) -> net::awaitable<int> {
    while (!token.stop_requested()) co_await wait(1ms);
    throw SystemError{net::error::operation_aborted};
  };
  CHECK_THROWS_AS(run(context, pipeline.execute(op)), TimeoutError);
}

TEST_CASE("A7 an op that the framework cancelled is ignored, and neither retried nor replaced", "[A7]") {
  net::io_context context;
  CircuitBreaker<> breaker{"b", {.failure_threshold = 1}};
  net::steady_timer timer{context, 60s};
  int calls = 0;
  int fallbacks = 0;
  auto op = [&]() -> net::awaitable<int> {
    ++calls;
    co_await timer.async_wait(net::use_awaitable);
    co_return 1;
  };
  auto fall_back = [&] { return ++fallbacks; };
  auto pipeline = compose(fallback(fall_back), retry(twice), breaker);
  net::steady_timer canceller{context, 2ms};
  canceller.async_wait([&](Code) { timer.cancel(); });
  try {
    run(context, pipeline.execute(op));
    FAIL("it was cancelled");
  } catch (const SystemError& error) {
    CHECK(error.code() == net::error::operation_aborted);
  }
  CHECK(calls == 1);
  CHECK(fallbacks == 0);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().failure_count == 0);
}

TEST_CASE("A8 a coroutine that is destroyed in a wait leaves nothing behind", "[A8]") {
  const auto kept = std::make_shared<int>(1);
  std::stop_source source;
  {
    net::io_context context;
    auto op = [kept]() -> net::awaitable<int> { return fail(); };
    net::co_spawn(context, retry_with_backoff(op, patient, source.get_token()), net::detached);
    context.run_for(2ms);
    CHECK(kept.use_count() > 2);
  }
  CHECK(kept.use_count() == 1);
  source.request_stop();
}

TEST_CASE("A14 a slot of a bulkhead resumes the next coroutine on its executor, not on the releaser's stack",
          "[A14]") {
  net::io_context context;
  Bulkhead<> bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 10s}};
  std::vector<std::string> log;
  auto body = [&](std::string name) -> net::awaitable<void> {
    auto op = [&]() -> net::awaitable<int> {
      log.push_back(name + " in");
      co_await wait(2ms);
      co_return 1;
    };
    co_await bulkhead.execute(op);
    log.push_back(name + " out");
  };
  net::co_spawn(context, body("a"), net::detached);
  net::co_spawn(context, body("b"), net::detached);
  run(context);
  CHECK(log == std::vector<std::string>{"a in", "a out", "b in", "b out"});
}

#if !FUSEBOX_TEST_BOOST_ASIO || __has_include(<boost/asio/bind_cancellation_slot.hpp>)

TEST_CASE("A11 the cancellation of the coroutine ends a wait", "[A11][A7]") {
  net::io_context context;
  net::cancellation_signal signal;
  int attempts = 0;
  StopReason reason = StopReason::succeeded;
  auto body = [&]() -> net::awaitable<void> {
    const auto result = co_await try_retry_with_backoff(&fail, patient);
    attempts = result.stats.attempts;
    reason = result.stats.stop_reason;
  };
  net::co_spawn(context, body(), net::bind_cancellation_slot(signal.slot(), net::detached));
  net::steady_timer canceller{context, 2ms};
  canceller.async_wait([&](Code) { signal.emit(net::cancellation_type::terminal); });
  run(context);
  CHECK(attempts == 1);
  CHECK(reason == StopReason::cancelled);
}

TEST_CASE("A11 a coroutine that was cancelled before its wait does not wait", "[A11][A7]") {
  net::io_context context;
  net::cancellation_signal signal;
  StopReason reason = StopReason::succeeded;
  auto op = [&]() -> net::awaitable<int> {
    signal.emit(net::cancellation_type::terminal);  // op overlooks it
    throw unavailable();
    co_return 0;
  };
  auto body = [&]() -> net::awaitable<void> {
    const auto result = co_await try_retry_with_backoff(op, patient);
    reason = result.stats.stop_reason;
  };
  net::co_spawn(context, body(), net::bind_cancellation_slot(signal.slot(), net::detached));
  run(context);
  CHECK(reason == StopReason::cancelled);
}

TEST_CASE("A14 a timeout cancels an op that takes nothing, and the coroutine around goes on", "[A14]") {
  net::io_context context;
  int calls = 0;
  int cancelled = 0;
  auto op = [&]() -> net::awaitable<int> {
    if (++calls == 2) co_return 7;
    try {
      co_await wait(60s);
    } catch (const SystemError& error) {
      if (error.code() == net::error::operation_aborted) ++cancelled;
      throw;
    }
    co_return 0;
  };
  auto pipeline = compose(retry(twice), attempt_timeout(5ms));
  CHECK(run(context, pipeline.execute(op)) == 7);
  CHECK(calls == 2);
  CHECK(cancelled == 1);

  calls = 0;
  CHECK_THROWS_AS(run(context, with_timeout(5ms, op)), TimeoutError);
  CHECK(cancelled == 2);
}

TEST_CASE("A7 parallel operations that a timeout cancelled are one cancellation", "[A7][A14]") {
  using namespace net::experimental::awaitable_operators;
  net::io_context context;
  int calls = 0;
  auto op = [&]() -> net::awaitable<int> {
    ++calls;
    co_await (wait(60s) && wait(60s));
    co_return 0;
  };
  CircuitBreaker<> breaker{"b"};
  CHECK_THROWS_AS(run(context, compose(attempt_timeout(5ms), breaker).execute(op)), TimeoutError);
  CHECK(calls == 1);
  CHECK(breaker.stats().ignored_count == 1);
}

TEST_CASE("A14 an op of a timeout that gives no value, or one without a default constructor", "[A14]") {
  struct Value {
    explicit Value(int given) : number{given} {}
    int number;
  };
  net::io_context context;
  int nothing = 0;
  auto body = [&]() -> net::awaitable<int> {
    auto gives_nothing = [&]() -> net::awaitable<void> {
      ++nothing;
      co_return;
    };
    auto gives_value = []() -> net::awaitable<Value> { co_return Value{5}; };
    co_await with_timeout(10s, gives_nothing);
    const Value value = co_await with_timeout(10s, gives_value);
    co_return value.number;
  };
  CHECK(run(context, body()) == 5);
  CHECK(nothing == 1);
}

TEST_CASE("A14 the cancellation of a coroutine reaches an op within a timeout", "[A14][A7]") {
  net::io_context context;
  net::cancellation_signal signal;
  CircuitBreaker<> breaker{"b", {.failure_threshold = 1}};
  Code code;
  auto op = [&]() -> net::awaitable<int> {
    co_await wait(60s);
    co_return 1;
  };
  auto pipeline = compose(retry(twice), breaker, attempt_timeout(50s));
  auto body = [&]() -> net::awaitable<void> {
    try {
      co_await pipeline.execute(op);
    } catch (const SystemError& error) {
      code = error.code();
    }
  };
  net::co_spawn(context, body(), net::bind_cancellation_slot(signal.slot(), net::detached));
  net::steady_timer canceller{context, 2ms};
  canceller.async_wait([&](Code) { signal.emit(net::cancellation_type::terminal); });
  run(context);
  CHECK(code == net::error::operation_aborted);
  CHECK(breaker.stats().failure_count == 0);
}

TEST_CASE("A14 a coroutine that is destroyed within a timeout leaves nothing behind", "[A14][A8]") {
  const auto kept = std::make_shared<int>(1);
  {
    net::io_context context;
    auto op = [kept]() -> net::awaitable<int> {
      const auto own = kept;
      co_await wait(60s);
      co_return *own;
    };
    net::co_spawn(context, with_timeout(50s, op), net::detached);
    context.run_for(2ms);
  }
  CHECK(kept.use_count() == 1);
}

#endif
