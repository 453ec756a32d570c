#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/breaker_states.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::FakeClock;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::unavailable;

namespace {
int seven() { return 7; }
struct Bench {
  FakeClock clock;
  Breaker breaker{"b", {}, clock};
  [[nodiscard]] auto retries(int count) const { return retry(RetryConfig{.max_retries = count}, clock); }
};
}  // namespace

TEST_CASE("P1 an AnyPipeline runs the pipeline that it was made of; copies share it", "[P1]") {
  Bench bench;
  const auto call = compose(bench.retries(1), bench.breaker);
  AnyPipeline<int> stored = call;
  const AnyPipeline<int> copy = stored;
  CHECK(stored.execute(seven) == 7);
  CHECK(copy.execute(seven) == 7);
  CHECK(counts_of(bench.breaker) == Counts{2, 0, 0});
  stored = compose(fallback([] { return 1; }));
  CHECK(stored.execute([]() -> int { throw unavailable(); }) == 1);
  CHECK_THROWS_AS(copy.execute([]() -> int { throw unavailable(); }), ApiError);
  CHECK(counts_of(bench.breaker) == Counts{2, 2, 0});
  std::map<std::string, AnyPipeline<int>> all{{"a", copy}, {"b", stored}};
  CHECK(all.at("a").execute(seven) == 7);

  auto shared = std::make_shared<Breaker>("s", CircuitBreakerConfig{}, bench.clock);
  const std::weak_ptr<Breaker> watched = shared;
  {
    const AnyPipeline<int> keeping{compose(std::move(shared))};
    CHECK(keeping.execute(seven) == 7);
    CHECK_FALSE(watched.expired());
  }
  CHECK(watched.expired());
}

TEST_CASE("P2 an AnyPipeline's op takes what a pipeline's may take", "[P2]") {
  Bench bench;
  const AnyPipeline<int> call = compose(bench.retries(2), bench.breaker);
  std::stop_source source;
  const auto deadline = Deadline::after(9s, bench.clock);
  const auto token = source.get_token();
  int calls = 0;
  CHECK(call.execute([&](const Call& c) { return ++calls < 3 ? throw unavailable() : c.attempt(); }) == 3);
  calls = 0;
  CHECK(call.execute([&](const Attempt& a) { return ++calls < 2 ? throw unavailable() : a.number; }) == 2);
  CHECK(
      call.execute([&](const Call& c) { return c.deadline() == deadline && c.stop_token() == token ? 1 : 0; },
                   token, deadline) == 1);
  CHECK(call.execute([&](const std::stop_token& given) { return given == token ? 1 : 0; }, token) == 1);
  CHECK(call.execute([&](const Deadline& given) { return given == deadline ? 1 : 0; }, deadline) == 1);
  CHECK(call.execute([](const Call& c) { return static_cast<int>(c.idempotency_key().size()); }) == 36);
  CHECK(call.execute([](auto&&...) { return 4; }) == 4);
  CHECK(call.execute(seven) == 7);
  CHECK(call.execute(&seven) == 7);
  const std::function<int()> function = seven;
  CHECK(call.execute(function) == 7);
  CHECK(call.execute([n = 1]() mutable { return ++n; }) == 2);
  CHECK(call.execute([] { return short{3}; }) == 3);
  CHECK(call.try_execute(seven).value() == 7);
  CHECK(call.try_execute([](const Call&) { return 2; }).value() == 2);
}

TEST_CASE("P7 P8 a token and a Deadline reach the policies of an AnyPipeline", "[P7][P8]") {
  Bench bench;
  const AnyPipeline<int> call = compose(bench.retries(5), bench.breaker);
  std::stop_source source;
  source.request_stop();
  CHECK_THROWS_AS(call.execute(seven, source.get_token()), CancelledError);
  CHECK(call.try_execute(seven, source.get_token()).error().is_cancellation());
  CHECK(counts_of(bench.breaker) == Counts{0, 0, 0});
  CHECK_THROWS_AS(call.execute([]() -> int { throw unavailable(); }, Deadline::after(100ms, bench.clock)),
                  ApiError);
  CHECK(counts_of(bench.breaker) == Counts{0, 1, 0});
}

TEST_CASE("P4 an AnyPipeline passes the original exception, and allocates nothing", "[P4]") {
  Bench bench;
  const AnyPipeline<int> call =
      compose(fallback_when_rejected([] { return 1; }), bench.retries(1), bench.breaker);
  const auto down = std::make_exception_ptr(std::runtime_error{"down"});
  try {
    call.execute([&]() -> int { std::rethrow_exception(down); });
    FAIL("nothing was thrown");
  } catch (...) {
    CHECK(std::current_exception() == down);
  }
  CHECK(call.try_execute([&]() -> int { std::rethrow_exception(down); }).error().exception() == down);
  int sum = 0;
  CHECK(support::allocations_of([&] {
          sum += call.execute(seven);
          sum += call.execute([](const Call& c) { return c.attempt(); });
          bench.breaker.force_open();
          sum += call.execute(seven);
          sum += call.execute([](const Call& c) { return c.attempt(); });
        }) == 0);
  CHECK(sum == 10);
}

TEST_CASE("P13 an AnyPipeline of void, of references, of move-only types, and whose fallback converts",
          "[P13]") {
  Bench bench;
  int target = 0;
  const AnyPipeline<void> nothing = compose(bench.retries(1), bench.breaker);
  nothing.execute([&] { ++target; });
  CHECK(nothing.try_execute([&] { ++target; }).has_value());
  nothing.execute([&] { return ++target; });  // the value is dropped
  CHECK(target == 3);
  const AnyPipeline<int&> reference = compose(bench.breaker);
  CHECK(&reference.execute([&]() -> int& { return target; }) == &target);
  CHECK(&reference.try_execute([&]() -> int& { return target; }).value() == &target);
  const AnyPipeline<std::unique_ptr<int>> only = compose(bench.breaker);
  CHECK(*only.execute([] { return std::make_unique<int>(5); }) == 5);
  CHECK(*only.try_execute([] { return std::make_unique<int>(6); }).value() == 6);
  const AnyPipeline<std::string> texts = compose(fallback([] { return "none"; }), bench.breaker);
  CHECK(texts.execute([]() -> std::string { throw unavailable(); }) == "none");
  CHECK(texts.execute([] { return "literal"; }) == "literal");
  CHECK(texts.try_execute([]() -> std::string { throw unavailable(); }).value() == "none");
  // A result that is not a T, but converts.
  const AnyPipeline<int> rounded = compose(fallback([] { return 2.5; }), bench.breaker);
  CHECK(rounded.execute([]() -> int { throw unavailable(); }) == 2);
  CHECK(rounded.try_execute([]() -> int { throw unavailable(); }).value() == 2);
  CHECK(rounded.try_execute(seven).value() == 7);
}
