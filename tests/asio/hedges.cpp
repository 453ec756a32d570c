// J12: hedged coroutines of Asio and Boost.Asio, in real time.
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "net.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using support::run;
namespace net = support::net;

namespace {

struct Seen {
  std::atomic<int> copies{0};
  std::atomic<int> cancelled{0};
  std::atomic<int> ended{0};
};

/// Copy 0 takes a minute, others 5 ms. Only its cancellation slot ends it.
net::awaitable<int> fetch(std::shared_ptr<Seen> seen) {
  const int copy = seen->copies++;
  net::steady_timer timer{co_await net::this_coro::executor};
  timer.expires_after(copy == 0 ? std::chrono::nanoseconds{60s} : std::chrono::nanoseconds{5ms});
  try {
    co_await timer.async_wait(net::use_awaitable);
  } catch (...) {
    ++seen->cancelled;
    throw;
  }
  ++seen->ended;
  co_return copy;
}

}  // namespace

TEST_CASE("J12 copies run on the executor of the call, and no clock need be named", "[J12][A11]") {
  net::io_context context;
  const auto strand = net::make_strand(context);
  const auto is_on_strand = std::make_shared<std::atomic<bool>>(true);
  auto policy = hedge({.delay = 1ms, .max_hedges = 2});
  auto op = [strand, is_on_strand, n = std::make_shared<int>(0)]() -> net::awaitable<int> {
    *is_on_strand = *is_on_strand && strand.running_in_this_thread();
    const int copy = (*n)++;
    net::steady_timer timer{co_await net::this_coro::executor};
    timer.expires_after(copy == 2 ? 1ms : 50ms);
    co_await timer.async_wait(net::use_awaitable);
    *is_on_strand = *is_on_strand && strand.running_in_this_thread();
    co_return copy;
  };
  int won = -1;
  auto body = [&]() -> net::awaitable<void> { won = co_await policy.execute(op); };
  net::co_spawn(strand, body(), net::detached);
  run(context);
  CHECK(won == 2);
  CHECK(*is_on_strand);
  CHECK(policy.stats() == HedgeStats{.started = 2, .won_by_hedge = 1, .calls = 1});
}

TEST_CASE("J12 a copy that fails starts the next one, and the first failure is thrown", "[J12][J2]") {
  net::io_context context;
  auto policy = hedge({.delay = no_timeout, .max_hedges = 1});
  auto op = [n = std::make_shared<int>(0)]() -> net::awaitable<int> {
    throw std::runtime_error{"copy " + std::to_string((*n)++)};
    co_return 0;
  };
  CHECK_THROWS_WITH(run(context, policy.execute(op)), "copy 0");
  CHECK(policy.stats().started == 1);
}

TEST_CASE("J12 the stop of the caller ends the call", "[J12][J4]") {
  net::io_context context;
  std::stop_source source;
  auto policy = hedge({.delay = 1ms});
  auto op = [](std::stop_token token) -> net::awaitable<int> {
    const support::adapter::AsioClock clock;
    const bool to_its_end = co_await clock.sleep_for(60s, token);
    if (!to_its_end) throw CancelledError{};
    co_return 1;
  };
  std::jthread stopper{[&] {
    std::this_thread::sleep_for(5ms);
    source.request_stop();
  }};
  CHECK_THROWS_AS(run(context, policy.execute(op, source.get_token())), CancelledError);
}

TEST_CASE("J12 many calls on several threads, each on a strand", "[J12]") {
  net::io_context context;
  auto policy = hedge({.delay = 100us});
  std::atomic<int> sum{0};
  auto op = [n = std::make_shared<std::atomic<int>>(0)]() -> net::awaitable<int> {
    const int copy = (*n)++;
    net::steady_timer timer{co_await net::this_coro::executor};
    timer.expires_after(copy % 2 == 0 ? 300us : 50us);
    co_await timer.async_wait(net::use_awaitable);
    co_return 1;
  };
  auto body = [&]() -> net::awaitable<void> { sum += co_await policy.execute(op); };
  for (int i = 0; i < 200; ++i) net::co_spawn(net::make_strand(context), body(), net::detached);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { context.run_for(10s); });
  }
  CHECK(sum == 200);
  const auto stats = policy.stats();
  CHECK(stats.won_by_primary + stats.won_by_hedge == 200);
}

#if FUSEBOX_TEST_BOOST_ASIO
constexpr bool cancels = fusebox::detail::BoostAsio::cancels;
#else
constexpr bool cancels = true;
#endif

TEST_CASE("J12 a loser that takes no token is cancelled", "[J12][A14]") {
  if (!cancels) return;  // Boost before 1.77 knows no cancellation slots
  net::io_context context;
  const auto seen = std::make_shared<Seen>();
  auto policy = hedge({.delay = 2ms});
  auto op = [seen]() { return fetch(seen); };
  CHECK(run(context, policy.execute(op)) == 1);
  CHECK(seen->cancelled == 1);
  CHECK(seen->ended == 1);
}
