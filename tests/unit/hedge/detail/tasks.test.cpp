#include <fusebox/coro.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/task.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Task;
using test::AsyncFakeClock;

TEST_CASE("J12 a hedge inside a hedge", "[J12][J9]") {
  const AsyncFakeClock clock;
  auto pipeline = compose(hedge({.delay = 4s}, clock), hedge({.delay = 2s}, clock));
  const auto copies = std::make_shared<int>(0);
  const auto op = [copies, clock](std::stop_token token) -> Task<int> {
    const int copy = (*copies)++;
    const bool to_its_end = co_await clock.sleep_for(copy == 3 ? 1s : 60s, token);
    co_return to_its_end ? copy : -1;
  };
  auto call = pipeline.execute(op);
  call.start();
  clock.advance(2s);
  CHECK(*copies == 2);
  clock.advance(2s);
  CHECK(*copies == 3);
  clock.advance(2s);
  CHECK(*copies == 4);
  clock.advance(1s);
  REQUIRE(call.is_done());
  CHECK(call.result() == 3);
}

TEST_CASE("J4 a retry inside a hedge of coroutines keeps the key of the call", "[J4][J12]") {
  const AsyncFakeClock clock;
  auto pipeline = compose(hedge({.delay = 0s}, clock), retry({.max_retries = 1}, clock));
  const auto keys = std::make_shared<std::vector<std::string>>();
  const auto op = [keys, clock](const Call& call) -> Task<int> {
    keys->push_back(call.idempotency_key());
    co_await clock.sleep_for(1s, call.stop_token());
    co_return 1;
  };
  auto call = pipeline.execute(op);
  call.start();
  clock.advance(1s);
  REQUIRE(call.is_done());
  REQUIRE(keys->size() == 2);
  CHECK(keys->front() == keys->back());
}

TEST_CASE("J4 every copy of a coroutine has the key and the deadline of the call", "[J4][J12]") {
  const AsyncFakeClock clock;
  auto policy = hedge({.delay = 0s}, clock);
  const auto keys = std::make_shared<std::vector<std::string>>();
  const auto op = [keys, clock](const Call& call) -> Task<int> {
    keys->push_back(call.idempotency_key());
    CHECK(call.deadline().remaining() == 5s);
    co_await clock.sleep_for(1s, call.stop_token());
    co_return 1;
  };
  auto call = policy.execute(op, Deadline::after(5s, clock));
  call.start();
  clock.advance(1s);
  REQUIRE(call.is_done());
  REQUIRE(keys->size() == 2);
  CHECK(keys->front() == keys->back());
}
