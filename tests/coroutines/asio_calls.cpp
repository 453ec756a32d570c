// 1,000 calls under way on one thread of Asio: what they take beyond their ops or waits, and how many threads
// there are (A10, A11).
#define ASIO_DISABLE_STD_ALIGNED_ALLOC 1  // so that Asio's memory is counted too

#include <fusebox/adapters/asio.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>

#include <asio.hpp>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/failures.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::size_t calls = 1'000;
constexpr std::size_t limit = 2'048;  // bytes of one call

constexpr fusebox::RetryConfig patient{
    .max_retries = 1, .base_delay = 1h, .max_delay = 1h, .jitter = fusebox::Jitter::none};

/// What ops wait for: until it is opened, or for an hour.
struct Gate {
  asio::io_context context{1};
  asio::steady_timer timer{context, asio::steady_timer::time_point::max()};
  std::size_t done = 0;

  asio::awaitable<std::string> pass() {
    asio::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    co_return "passed";
  }
  static asio::awaitable<std::string> sleep() {
    co_await fusebox::AsioClock{}.sleep_for(1h);
    co_return "slept";
  }
};

template <class Make>
asio::awaitable<void> run(Gate& gate, Make make) {
  const std::string text = co_await make();
  if (text == "passed") ++gate.done;
}

struct Cost {
  std::size_t bytes = 0;  // of each call
  std::ptrdiff_t threads = 0;
};

/// 0 if the system does not say.
std::ptrdiff_t count_threads() {
  const std::filesystem::path tasks{"/proc/self/task"};
  if (!std::filesystem::exists(tasks)) return 0;
  return std::distance(std::filesystem::directory_iterator{tasks}, {});
}

/// Begins 1,000 calls and measures them while all are suspended.
template <class Make>
Cost cost_of(Gate& gate, Make make) {
  const std::ptrdiff_t threads = count_threads();
  const std::size_t before = support::live_bytes();
  for (std::size_t i = 0; i < calls; ++i) co_spawn(gate.context, run(gate, make), asio::detached);
  gate.context.poll();
  const Cost cost{(support::live_bytes() - before) / calls, count_threads() - threads};
  CHECK(gate.done == 0);
  return cost;
}

/// The calls come to their end.
void open(Gate& gate) {
  gate.timer.cancel();
  gate.context.run();
  CHECK(gate.done == calls);
}

template <class MakePipeline>
void check(MakePipeline make) {
  fusebox::CircuitBreaker breaker{"b", {.failure_threshold = 60'000}};
  const auto pipeline = make(breaker);
  static_cast<void>(fusebox::with_timeout(1h, [](std::stop_token) { return 1; }));  // the thread for limits

  Gate alone;
  const Cost op = cost_of(alone, [&] { return alone.pass(); });
  open(alone);

  Gate guarded;
  const auto pass = [&](std::stop_token) { return guarded.pass(); };
  const Cost call = cost_of(guarded, [&] { return pipeline.execute(pass); });
  open(guarded);

  Gate sleeping;
  const Cost sleep = cost_of(sleeping, [] { return Gate::sleep(); });
  Gate waiting;
  const auto fail = [](std::stop_token) -> asio::awaitable<std::string> {
    throw support::unavailable();
    co_return "";
  };
  const Cost wait = cost_of(waiting, [&] { return pipeline.execute(fail); });

  CAPTURE(op.bytes, call.bytes, sleep.bytes, wait.bytes);
  CHECK(call.bytes - op.bytes <= limit);
  CHECK(wait.bytes - sleep.bytes <= limit);  // between two attempts
  CHECK(call.threads == 0);
  CHECK(wait.threads == 0);
}

}  // namespace

TEST_CASE("A10 1,000 calls through three policies on one thread take at most 2 KiB each beyond op", "[A10]") {
  check(
      [](auto& breaker) { return compose(fusebox::retry(patient), breaker, fusebox::attempt_timeout(2h)); });
}

TEST_CASE("A10 1,000 calls through five policies on one thread take at most 2 KiB each beyond op", "[A10]") {
  check([](auto& breaker) {
    return compose(fusebox::fallback([] { return std::string{"none"}; }), fusebox::total_timeout(9h),
                   fusebox::retry(patient), breaker, fusebox::attempt_timeout(2h));
  });
}
