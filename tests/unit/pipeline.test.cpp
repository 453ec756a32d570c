#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"
#include "support/threads.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::FakeClock;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::exception_of;
using support::Response;
using support::unavailable;
using Expected = support::Expected<int, std::error_code>;

namespace {

int seven() { return 7; }

/// A breaker and what retries need, on one clock.
struct Bench {
  FakeClock clock;
  Breaker breaker{"b", support::brittle, clock};
  Breaker lenient{"l", {}, clock};

  [[nodiscard]] auto retries(int count) const {
    return retry(RetryConfig{.max_retries = count, .jitter = Jitter::none}, clock);
  }
};

/// Fails `failures` times with a 503, then gives 7.
struct Recovering {
  int failures;
  int calls = 0;
  int operator()() {
    if (++calls <= failures) throw unavailable();
    return 7;
  }
};

template <class F>
std::error_code code_of(F f) {
  const std::exception_ptr exception = exception_of(f);
  return exception ? Failure::from_exception(exception).code() : std::error_code{};
}

}  // namespace

// P1: parts.

TEST_CASE("P1 the first part is the outermost", "[P1]") {
  const Bench bench;
  Breaker breaker{"b", {.failure_threshold = 10}, bench.clock};
  auto inside = compose(bench.retries(2), breaker);
  CHECK(code_of([&] { inside.execute([]() -> int { throw unavailable(); }); }) ==
        ErrorCode::service_unavailable);
  CHECK(counts_of(breaker) == Counts{0, 3, 0});

  breaker.reset();
  Breaker outer{"o", {.failure_threshold = 10}, bench.clock};
  auto outside = compose(outer, bench.retries(2));
  CHECK(code_of([&] { outside.execute([]() -> int { throw unavailable(); }); }) ==
        ErrorCode::service_unavailable);
  CHECK(counts_of(outer) == Counts{0, 1, 0});
}

TEST_CASE("P1 an lvalue is held by reference, an rvalue is owned, a handle keeps its policy alive", "[P1]") {
  Bench bench;
  auto shared = std::make_shared<Breaker>("s", CircuitBreakerConfig{}, bench.clock);
  const std::weak_ptr<Breaker> watched = shared;
  {
    auto call = compose(bench.retries(1), bench.lenient, shared);
    shared.reset();
    CHECK_FALSE(watched.expired());
    CHECK(call.execute(seven) == 7);
    CHECK(counts_of(bench.lenient) == Counts{1, 0, 0});
    CHECK(counts_of(*watched.lock()) == Counts{1, 0, 0});
    const auto copy = call;
    CHECK(copy.execute(seven) == 7);
    CHECK(counts_of(bench.lenient) == Counts{2, 0, 0});
    auto moved = std::move(call);
    CHECK(moved.execute(seven) == 7);
    CHECK(counts_of(*watched.lock()) == Counts{3, 0, 0});
  }
  CHECK(watched.expired());
}

TEST_CASE("P1 a const policy is copied", "[P1]") {
  const Bench bench;
  const auto twice = bench.retries(1);
  auto call = compose(twice);
  Recovering op{1};
  CHECK(call.execute(op) == 7);
  CHECK(op.calls == 2);
}

TEST_CASE("P1 a pipeline as a part is its parts: by reference, owned, or by a handle", "[P1]") {
  Bench bench;
  Recovering op{2};
  SECTION("an lvalue") {
    auto inner = compose(bench.retries(2), bench.lenient);
    auto call = compose(fallback([] { return 1; }), inner);
    CHECK(call.execute(op) == 7);
  }
  SECTION("a const lvalue") {
    const auto inner = compose(bench.retries(2), bench.lenient);
    auto call = compose(fallback([] { return 1; }), inner);
    CHECK(call.execute(op) == 7);
  }
  SECTION("an rvalue") {
    auto call = compose(fallback([] { return 1; }), compose(bench.retries(2), compose(bench.lenient)));
    CHECK(call.execute(op) == 7);
  }
  SECTION("a moved const one, which is copied") {
    const auto inner =
        compose(retry(RetryConfig{.max_retries = 2}, bench.clock,
                      on_retry([text = std::string(100, 'x')](int, const Failure&, std::chrono::nanoseconds) {
                        CHECK(text.size() == 100);
                      })),
                bench.lenient);
    auto call = compose(std::move(inner));  // NOLINT(*-move-const-arg)
    CHECK(call.execute(Recovering{1}) == 7);
    CHECK(inner.execute(Recovering{1}) == 7);
    CHECK(call.execute(op) == 7);
  }
  SECTION("a handle") {
    auto inner = std::make_shared<decltype(compose(bench.retries(2), bench.lenient))>(
        compose(bench.retries(2), bench.lenient));
    auto call = compose(fallback([] { return 1; }), inner);
    CHECK(inner.use_count() > 1);
    inner.reset();
    CHECK(call.execute(op) == 7);
  }
  SECTION("a handle to a const one") {
    auto inner = std::make_shared<const decltype(compose(bench.retries(2), bench.lenient))>(
        compose(bench.retries(2), bench.lenient));
    auto call = compose(fallback([] { return 1; }), inner);
    CHECK(call.execute(op) == 7);
  }
  CHECK(op.calls == 3);
  CHECK(counts_of(bench.lenient).failure >= 2);
}

TEST_CASE("P1 a pipeline of nothing calls op", "[P1]") {
  const auto call = compose();
  CHECK(call.execute(seven) == 7);
  CHECK(call.try_execute(seven).value() == 7);
  CHECK(code_of([&] { call.execute([]() -> int { throw unavailable(); }); }) ==
        ErrorCode::service_unavailable);
}

// P2: what op takes.

TEST_CASE("P2 op takes a Call, an Attempt, a stop token, a Deadline or nothing", "[P2]") {
  Bench bench;
  std::stop_source source;
  const auto deadline = Deadline::after(5s, bench.clock);
  auto call = compose(bench.retries(1), bench.lenient);
  const auto run = [&](auto op) { return call.execute(op, source.get_token(), deadline); };
  CHECK(run([&](const Call& c) {
    return c.deadline() == deadline && c.stop_token() == source.get_token() && c.attempt() == 1;
  }));
  CHECK(run([&](Call c) { return c.deadline() == deadline; }));
  CHECK(run([&](const Attempt& a) {
    return a.deadline == deadline && a.stop_token == source.get_token() && a.number == 1;
  }));
  CHECK(run([&](const std::stop_token& token) { return token == source.get_token(); }));
  CHECK(run(
      [&](std::stop_token token) { return token == source.get_token(); }));  // NOLINT(*-unnecessary-value-*)
  CHECK(run([&](const Deadline& d) { return d == deadline; }));
  CHECK(run([&](Deadline d) { return d == deadline; }));
  CHECK(run([] { return true; }));
}

TEST_CASE("P2 of several ways op is called by the first", "[P2]") {
  Bench bench;
  const auto call = compose(bench.lenient);
  struct All {
    std::string operator()(const Call&) const { return "call"; }
    std::string operator()(const Attempt&) const { return "attempt"; }
    std::string operator()(const std::stop_token&) const { return "token"; }
    std::string operator()(const Deadline&) const { return "deadline"; }
    std::string operator()() const { return "nothing"; }
  };
  CHECK(call.execute(All{}) == "call");
  struct AllButCall {
    std::string operator()(const Attempt&) const { return "attempt"; }
    std::string operator()(const std::stop_token&) const { return "token"; }
    std::string operator()(const Deadline&) const { return "deadline"; }
  };
  CHECK(call.execute(AllButCall{}) == "attempt");
  struct TokenOrDeadline {
    std::string operator()(const std::stop_token&) const { return "token"; }
    std::string operator()(const Deadline&) const { return "deadline"; }
    std::string operator()() const { return "nothing"; }
  };
  CHECK(call.execute(TokenOrDeadline{}) == "token");
  CHECK(call.execute([](auto&& given) { return std::is_same_v<decltype(given), const Call&>; }));
  CHECK(call.execute([](auto&&... given) { return sizeof...(given) == 1; }));
}

TEST_CASE("P2 op may be a function, a pointer, a member, const, mutable, move-only, or a std::function",
          "[P2]") {
  Bench bench;
  const auto call = compose(bench.retries(1), bench.lenient);
  CHECK(call.execute(seven) == 7);
  CHECK(call.execute(&seven) == 7);
  int (*pointer)() = seven;
  CHECK(call.execute(pointer) == 7);
  const std::function<int(const Call&)> stored = [](const Call& c) { return c.attempt(); };
  CHECK(call.execute(stored) == 1);
  CHECK(call.execute([n = 0]() mutable { return ++n; }) == 1);
  CHECK(call.execute([box = std::make_unique<int>(4)] { return *box; }) == 4);
  const auto constant = [] { return 5; };
  CHECK(call.execute(constant) == 5);
  CHECK(call.execute(std::bind_front([](int n) { return n; }, 6)) == 6);
}

TEST_CASE("P2 the attempt and the key are of the innermost retry, else of the call", "[P2]") {
  Bench bench;
  std::vector<std::string> seen;
  std::vector<std::string> keys;
  const auto op = [&](const Call& c) -> int {
    seen.push_back(std::to_string(c.attempt()));
    keys.push_back(c.idempotency_key());
    CHECK(c.idempotency_key() == keys.back());
    throw unavailable();
  };
  CHECK(code_of([&] { compose(bench.retries(2)).execute(op); }) == ErrorCode::service_unavailable);
  CHECK(seen == std::vector<std::string>{"1", "2", "3"});
  CHECK(keys[0] == keys[1]);
  CHECK(keys[0] == keys[2]);

  seen.clear();
  keys.clear();
  CHECK(code_of([&] { compose(bench.retries(1), bench.retries(1)).execute(op); }) ==
        ErrorCode::service_unavailable);
  CHECK(seen == std::vector<std::string>{"1", "2", "1", "2"});
  CHECK(keys[0] == keys[1]);
  CHECK(keys[2] == keys[3]);
  CHECK(keys[0] != keys[2]);

  seen.clear();
  keys.clear();
  const auto call = compose(bench.lenient);
  CHECK(code_of([&] { call.execute(op); }) == ErrorCode::service_unavailable);
  CHECK(code_of([&] { call.execute(op); }) == ErrorCode::service_unavailable);
  CHECK(seen == std::vector<std::string>{"1", "1"});
  CHECK(keys[0].size() == 36);
  CHECK(keys[0] != keys[1]);
}

// P3, P4, P5.

TEST_CASE("P3 op's value is judged once, whatever is around it", "[P3]") {
  Bench bench;
  int judged = 0;
  const auto call =
      compose(fallback([] { return 1; }), bench.lenient, bench.retries(2), bench.breaker, bench.lenient);
  CHECK(call.execute(seven, failure_if([&](int) {
                       ++judged;
                       return false;
                     })) == 7);
  CHECK(judged == 1);
  judged = 0;
  CHECK(call.execute(seven, failure_if([&](int n) {
                       ++judged;
                       return n == 7;
                     })) == 1);
  CHECK(judged == 1);  // a failure without a code is not retried
  CHECK(counts_of(bench.breaker) == Counts{1, 1, 0});
}

TEST_CASE("P3 a failed value is what the pipeline returns, and every layer sees its failure", "[P3]") {
  Bench bench;
  Breaker inner{"i", {}, bench.clock};
  const auto call = compose(bench.lenient, bench.retries(2), inner);
  int calls = 0;
  CHECK(call.execute([&] {
              ++calls;
              return Response{503};
            })
            .status == 503);
  CHECK(calls == 3);
  CHECK(counts_of(inner) == Counts{0, 3, 0});
  CHECK(counts_of(bench.lenient) == Counts{0, 1, 0});
  CHECK(call.execute([&] { return calls++ < 4 ? Response{503} : Response{200}; }).status == 200);
}

TEST_CASE("P4 op's exception comes out as the same object, through every kind of layer", "[P4]") {
  Bench bench;
  std::exception_ptr last;
  const auto op = [&]() -> int {
    last = std::make_exception_ptr(std::runtime_error{"down"});
    std::rethrow_exception(last);
  };
  const auto rejected_only = fallback_when_rejected([] { return 1; });
  const auto call = compose(rejected_only, bench.lenient, bench.retries(2), bench.lenient);
  CHECK(exception_of([&] { call.execute(op); }) == last);
  CHECK(exception_of([&] { call.try_execute(op).value(); }) == last);
  CHECK(call.try_execute(op).error().exception() == last);
}

TEST_CASE("P4 a non-standard exception is a failure too", "[P4]") {
  Bench bench;
  const auto call = compose(bench.retries(2), bench.lenient);
  CHECK_THROWS_AS(call.execute([]() -> int { throw 42; }), int);
  CHECK(counts_of(bench.lenient) == Counts{0, 1, 0});
}

TEST_CASE("P4 a success and a rejection that is caught or carried allocate nothing", "[P4]") {
  Bench bench;
  const auto call = compose(fallback([] { return 1; }), bench.lenient, bench.retries(2), bench.breaker);
  const auto carrying = compose(bench.retries(2), bench.breaker);
  int sum = 0;
  CHECK(support::allocations_of([&] {
          sum += call.execute(seven);
          sum += call.execute([](const Call& c) { return c.attempt(); });
          sum += call.try_execute(seven).value();
        }) == 0);
  CHECK(sum == 15);
  bench.breaker.force_open();
  CHECK(support::allocations_of([&] {
          sum += call.execute(seven);
          sum += carrying.execute([] { return Expected{7}; }).has_value() ? 100 : 1;
        }) == 0);
  CHECK(sum == 17);
}

TEST_CASE("P5 a rejection is neutral to every breaker outside, and to a retry without retry_if", "[P5]") {
  Bench bench;
  bench.breaker.force_open();
  std::vector<std::chrono::nanoseconds> waits;
  const auto call = compose(bench.lenient, bench.retries(3), bench.breaker);
  CHECK(code_of([&] { call.execute(seven); }) == PolicyErrc::circuit_open);
  CHECK(counts_of(bench.lenient) == Counts{0, 0, 1});
  CHECK(bench.clock.sleeps().empty());
  // An accepted one is retried.
  int asked = 0;
  const auto eager =
      compose(retry(RetryConfig{.max_retries = 2}, bench.clock, retry_if([&](const Failure& failure) {
                      ++asked;
                      return failure.is_rejection();
                    })),
              bench.breaker);
  CHECK(code_of([&] { eager.execute(seven); }) == PolicyErrc::circuit_open);
  CHECK(asked == 3);
  CHECK(bench.clock.sleeps().size() == 2);
}

TEST_CASE("P5 a cancellation is neutral to a breaker, is never retried and gets no fallback", "[P5]") {
  Bench bench;
  int calls = 0;
  int fallbacks = 0;
  const auto op = [&]() -> int {
    ++calls;
    throw CancelledError{};
  };
  const auto call = compose(fallback([&] { return ++fallbacks; }), bench.breaker,
                            retry(RetryConfig{}, bench.clock, retry_if([](const Failure&) { return true; })));
  CHECK(code_of([&] { call.execute(op); }) == PolicyErrc::cancelled);
  CHECK(calls == 1);
  CHECK(fallbacks == 0);
  CHECK(counts_of(bench.breaker) == Counts{0, 0, 1});
}

TEST_CASE("P5 a ConfigError of op is nobody's failure", "[P5][E6]") {
  Bench bench;
  const auto call = compose(fallback([] { return 1; }), bench.breaker,
                            retry(RetryConfig{}, bench.clock, retry_if([](const Failure&) { return true; })));
  CHECK_THROWS_AS(call.execute([]() -> int { throw ConfigError{"X.y must be 1"}; }), ConfigError);
  CHECK(counts_of(bench.breaker) == Counts{0, 0, 1});
}

// P7, P8.

TEST_CASE("P7 the total_timeout of a retry reaches op and every policy inside", "[P7]") {
  Bench bench;
  const auto total = Deadline::after(5s, bench.clock);
  const auto call =
      compose(retry(RetryConfig{.max_retries = 5, .jitter = Jitter::none, .total_timeout = 5s}, bench.clock),
              bench.lenient, bench.retries(9));
  int calls = 0;
  const auto op = [&](const Call& c) -> int {
    ++calls;
    CHECK(c.deadline() == total);
    throw unavailable();
  };
  const auto begin = bench.clock.now();
  CHECK(code_of([&] { call.execute(op); }) == ErrorCode::service_unavailable);
  // The inner retry waits 1 s and 2 s; 4 s more would reach the deadline. The outer one waits 1 s, and then
  // no wait fits.
  CHECK(bench.clock.sleeps() == std::vector<std::chrono::nanoseconds>{1s, 2s, 1s});
  CHECK(bench.clock.now() - begin == 4s);
  CHECK(calls == 4);
}

TEST_CASE("P7 the earlier of an outer and an inner limit holds", "[P7]") {
  Bench bench;
  const auto limited = [&](std::chrono::nanoseconds time) {
    return retry(RetryConfig{.total_timeout = time}, bench.clock);
  };
  const auto left = [](const Call& c) { return c.deadline().remaining(); };
  CHECK(compose(limited(5s), limited(9s)).execute(left) == 5s);
  CHECK(compose(limited(9s), limited(5s)).execute(left) == 5s);
  CHECK(compose(limited(9s)).execute(left, Deadline::after(3s, bench.clock)) == 3s);
  CHECK(compose(limited(9s)).execute(left, Deadline::after(30s, bench.clock)) == 9s);
}

TEST_CASE("P7 a Deadline of another clock counts by the pipeline's", "[P7][T6]") {
  Bench bench;
  const auto call = compose(bench.retries(3));
  const auto left = call.execute([](const Deadline& d) { return d.remaining(); }, Deadline::after(10s));
  CHECK(left <= 10s);
  CHECK(left > 5s);
  CHECK(code_of([&] { call.execute([&]() -> int { throw unavailable(); }, Deadline::after(500ms)); }) ==
        ErrorCode::service_unavailable);
  CHECK(bench.clock.sleeps().empty());
}

TEST_CASE("P7 a stop during a wait ends the call as cancelled", "[P7]") {
  Bench bench;
  std::stop_source source;
  int fallbacks = 0;
  const auto stopping =
      retry(RetryConfig{}, bench.clock,
            on_retry([&](int, const Failure&, std::chrono::nanoseconds) { source.request_stop(); }));
  const auto call = compose(fallback([&] { return ++fallbacks; }), bench.breaker, stopping);
  int calls = 0;
  CHECK(code_of([&] {
          call.execute(
              [&]() -> int {
                ++calls;
                throw unavailable();
              },
              source.get_token());
        }) == PolicyErrc::cancelled);
  CHECK(calls == 1);
  CHECK(fallbacks == 0);
  CHECK(counts_of(bench.breaker) == Counts{0, 0, 1});
}

TEST_CASE("P8 a token that is stopped already: op is not called, and nobody counts a call", "[P8]") {
  Bench bench;
  std::stop_source source;
  source.request_stop();
  int hooks = 0;
  support::Budget budget;
  const auto call =
      compose(fallback([&] { return ++hooks; }), bench.breaker,
              retry(RetryConfig{}, bench.clock, budget, on_give_up([&](const RetryStats&) { ++hooks; })),
              bench.lenient);
  const auto op = [&](const Call&) { return ++hooks; };
  CHECK_THROWS_AS(call.execute(op, source.get_token()), CancelledError);
  const auto result = call.try_execute(op, source.get_token());
  CHECK(result.error().is_cancellation());
  CHECK(compose(bench.lenient).execute([] { return Expected{7}; }, source.get_token()).error() ==
        PolicyErrc::cancelled);
  CHECK(hooks == 0);
  CHECK(counts_of(bench.breaker) == Counts{0, 0, 0});
  CHECK(counts_of(bench.lenient) == Counts{0, 0, 0});
  CHECK(bench.breaker.stats().rejected_count == 0);
  CHECK(budget.deposits == 0);
}

// P11: exceptions of what the program gives to policies.

TEST_CASE("P11 what a hook throws goes through everything, and every layer gives back what it holds",
          "[P11]") {
  Bench bench;
  struct Broken {};
  Breaker outer{"o", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 1s}, bench.clock};
  int fallbacks = 0;
  bool broken = true;
  const auto throwing = [&](auto&&...) {
    if (broken) throw Broken{};
  };
  const auto check = [&](const auto& policy) {
    support::bring_to(outer, State::half_open);
    const auto before = counts_of(outer);
    const auto call = compose(fallback([&] { return ++fallbacks; }), outer, policy);
    CHECK_THROWS_AS(call.execute([]() -> int { throw unavailable(); }), Broken);
    CHECK_THROWS_AS(call.try_execute([]() -> int { throw unavailable(); }), Broken);
    CHECK(counts_of(outer) == Counts{before.success, before.failure, before.ignored + 2});
    CHECK(outer.state() == State::half_open);
    broken = false;
    CHECK(call.execute(seven) == 7);
    broken = true;
    CHECK(outer.state() == State::closed);
    outer.reset();
  };
  check(retry(RetryConfig{}, bench.clock, on_retry(throwing)));
  check(retry(RetryConfig{.max_retries = 0}, bench.clock, on_give_up(throwing)));
  check(retry(RetryConfig{}, bench.clock, retry_if([&](const Failure&) -> bool { throw Broken{}; })));
  check(retry(RetryConfig{}, bench.clock,
              backoff([&](int, const Failure&) -> std::chrono::nanoseconds { throw Broken{}; })));
  CHECK(fallbacks == 0);
}

TEST_CASE("P11 what classify or failure_if throws goes through everything", "[P11]") {
  Bench bench;
  struct Broken {};
  CircuitBreakerConfig config{.failure_threshold = 1};
  config.classify = [](const Failure&) -> Outcome { throw Broken{}; };
  Breaker inner{"i", config, bench.clock};
  const auto call = compose(fallback([] { return 1; }), bench.lenient, bench.retries(1), inner);
  CHECK_THROWS_AS(call.execute([]() -> int { throw unavailable(); }), Broken);
  CHECK(counts_of(inner) == Counts{0, 0, 1});
  CHECK(counts_of(bench.lenient) == Counts{0, 0, 1});
  CHECK_THROWS_AS(call.execute(seven, failure_if([](int) -> bool { throw Broken{}; })), Broken);
  CHECK(counts_of(inner) == Counts{0, 0, 2});
  CHECK(counts_of(bench.lenient) == Counts{0, 0, 2});
}

namespace {
struct BrokenClock : FakeClock {
  struct Broken {};
  std::shared_ptr<bool> is_broken = std::make_shared<bool>(false);
  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    if (*is_broken) throw Broken{};
    return FakeClock::now();
  }
  bool sleep_for(std::chrono::nanoseconds time, StopToken token = {}) const {
    if (*is_broken) throw Broken{};
    return FakeClock::sleep_for(time, std::move(token));
  }
};
}  // namespace

TEST_CASE("P11 what a clock throws goes through everything", "[P11]") {
  const BrokenClock clock;
  CircuitBreaker<BrokenClock> outer{"o", {}, clock};
  const auto call = compose(fallback([] { return 1; }), outer, retry(RetryConfig{}, clock));
  CHECK_THROWS_AS(call.execute([&]() -> int {
    *clock.is_broken = true;
    throw unavailable();
  }),
                  BrokenClock::Broken);
  *clock.is_broken = false;
  CHECK(outer.stats().ignored_count == 1);
}

TEST_CASE("P11 a fallback's exception replaces the failure, and is judged as op's own", "[P11]") {
  Bench bench;
  std::exception_ptr thrown;
  const auto failing = fallback([&]() -> int {
    thrown = std::make_exception_ptr(unavailable("fallback"));
    std::rethrow_exception(thrown);
  });
  const auto call = compose(bench.lenient, failing, bench.breaker);
  CHECK(exception_of([&] { call.execute([]() -> int { throw std::logic_error{"x"}; }); }) == thrown);
  CHECK(counts_of(bench.lenient) == Counts{0, 1, 0});
  const auto cancelling =
      compose(bench.lenient, fallback([]() -> int { throw CancelledError{}; }), bench.breaker);
  CHECK(code_of([&] { cancelling.execute(seven); }) == PolicyErrc::cancelled);
  CHECK(counts_of(bench.lenient) == Counts{0, 1, 1});
}

// P12, P13.

TEST_CASE("P12 the library's own errors are carried in a result that can carry them", "[P12]") {
  Bench bench;
  bench.breaker.force_open();
  const auto call = compose(bench.lenient, bench.retries(1), bench.breaker);
  const auto result = call.execute([] { return Expected{7}; });
  CHECK(result.error() == PolicyErrc::circuit_open);
  CHECK(call.execute([] { return std::error_code{}; }) == PolicyErrc::circuit_open);
  using Rich = support::Expected<std::string, Failure>;
  CHECK(call.execute([] { return Rich{"x"}; }).error().message().find("'b'") != std::string::npos);
  using Own = support::Expected<std::string, ApiError>;
  CHECK(call.execute([] { return Own{"x"}; }).error().reason() == PolicyErrc::circuit_open);

  std::stop_source source;
  const auto stopping =
      compose(retry(RetryConfig{}, bench.clock,
                    on_retry([&](int, const Failure&, std::chrono::nanoseconds) { source.request_stop(); })));
  const auto cancelled = stopping.execute(
      [] { return Expected{support::Unexpected{make_error_code(NetworkErrc::connection_reset)}}; },
      source.get_token());
  CHECK(cancelled.error() == PolicyErrc::cancelled);
}

TEST_CASE("P12 what op threw is thrown, whatever the result can carry", "[P12][P4]") {
  Bench bench;
  const auto call = compose(bench.lenient);
  CHECK_THROWS_AS(call.execute([]() -> Expected { throw unavailable(); }), ApiError);
}

TEST_CASE("P13 the result type is op's; each fallback makes it the common type", "[P13]") {
  Bench bench;
  const auto plain = compose(bench.lenient, bench.retries(1));
  int target = 3;
  STATIC_REQUIRE(std::is_same_v<decltype(plain.execute([&]() -> int& { return target; })), int&>);
  STATIC_REQUIRE(std::is_same_v<decltype(plain.execute([&]() -> const int& { return target; })), const int&>);
  STATIC_REQUIRE(
      std::is_same_v<decltype(plain.execute([]() -> const std::string { return {}; })), std::string>);
  STATIC_REQUIRE(std::is_void_v<decltype(plain.execute([] {}))>);
  CHECK(&plain.execute([&]() -> int& { return target; }) == &target);
  CHECK(*plain.execute([] { return std::make_unique<int>(5); }) == 5);
  int calls = 0;
  plain.execute([&] { ++calls; });
  CHECK(calls == 1);

  const auto texts = compose(fallback([] { return "none"; }), bench.lenient);
  STATIC_REQUIRE(std::is_same_v<decltype(texts.execute([] { return std::string{"x"}; })), std::string>);
  CHECK(texts.execute([]() -> std::string { throw unavailable(); }) == "none");
  CHECK(texts.execute([]() -> std::string { return "x"; }) == "x");
  const auto twice = compose(fallback([] { return 2.5; }), bench.lenient, fallback([] { return 2L; }));
  STATIC_REQUIRE(std::is_same_v<decltype(twice.execute(seven)), double>);
  CHECK(twice.execute([]() -> int { throw unavailable(); }) == 2.0);
  CHECK(twice.execute(seven) == 7.0);
  const auto referring = compose(fallback([&]() -> int& { return target; }), bench.lenient);
  STATIC_REQUIRE(std::is_same_v<decltype(referring.execute([&]() -> int& { return calls; })), int&>);
  CHECK(&referring.execute([]() -> int& { throw unavailable(); }) == &target);
}

// P16: orders.

TEST_CASE("P16 in_this_order owns its rvalues, as compose does", "[P16]") {
  Bench bench;
  std::string text(100, 'x');
  auto call = compose(in_this_order(bench.retries(2), fallback([text] { return text; })), bench.lenient);
  CHECK(call.execute([]() -> std::string { throw unavailable(); }) == text);
  auto order = in_this_order(bench.retries(2), fallback([text] { return text; }));
  auto by_reference = compose(bench.lenient, order);
  CHECK(by_reference.execute([]() -> std::string { throw unavailable(); }) == text);
  auto moved = compose(bench.lenient,
                       in_this_order(in_this_order(bench.retries(1)), fallback([text] { return text; })));
  CHECK(moved.execute([]() -> std::string { throw unavailable(); }) == text);
  CHECK(counts_of(bench.lenient).success == 2);
}

// All of it at once.

TEST_CASE("P5 a breaker outside a retry sees one outcome for each logical call", "[P5]") {
  Bench bench;
  const auto call = compose(bench.lenient, bench.retries(2));
  CHECK(call.execute(Recovering{2}) == 7);
  CHECK(counts_of(bench.lenient) == Counts{1, 0, 0});
}

TEST_CASE("P1 a pipeline may be used by several threads at once", "[P1]") {
  const Bench bench;
  Breaker breaker{"b", {.failure_threshold = 1000}, bench.clock};
  const auto call = compose(fallback([] { return 1; }), bench.retries(1), breaker);
  constexpr int threads = 4;
  constexpr int each = 500;
  std::atomic<int> sum{0};
  support::run_together(threads, [&](int number) {
    for (int i = 0; i < each; ++i)
      sum += call.execute([&](const Call& c) -> int {
        if (number % 2 == 0 && c.attempt() == 1) throw unavailable();
        return 2;
      });
  });
  CHECK(sum == threads * each * 2);
  const auto counts = counts_of(breaker);
  CHECK(counts.success == threads * each);
  CHECK(counts.failure == threads / 2 * each);
}

TEST_CASE("P5 F7 a stop that cuts a retry short is a cancellation to the policies outside", "[P5][F7]") {
  const test::FakeClock clock;
  CircuitBreaker<test::FakeClock> breaker{"b", {.failure_threshold = 1}, clock};
  int fallbacks = 0;
  const auto pipeline =
      compose(fallback([&] { return ++fallbacks; }), breaker, retry({.max_retries = 3}, clock));
  const auto stop_and_fail = [](std::stop_source& stop, ErrorCode code) {
    return [&stop, code]() -> int {
      stop.request_stop();
      throw ApiError{code, "failed"};
    };
  };

  std::stop_source first;
  const auto cut =
      pipeline.try_execute(stop_and_fail(first, ErrorCode::service_unavailable), first.get_token());
  CHECK(cut.error().is_cancellation());
  std::stop_source second;
  try {
    pipeline.execute(stop_and_fail(second, ErrorCode::service_unavailable), second.get_token());
    FAIL("not cancelled");
  } catch (const CancelledError& error) {
    REQUIRE(error.cause().has_value());
    CHECK(error.cause()->status() == 503);
  }
  CHECK(fallbacks == 0);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().ignored_count == 2);

  // What no retry would have followed goes on unchanged.
  std::stop_source third;
  CHECK(pipeline.execute(stop_and_fail(third, ErrorCode::not_found), third.get_token()) == 1);
  CHECK(breaker.stats().success_count == 1);
  for (const RetryConfig& config : {RetryConfig{.max_retries = 0}, RetryConfig{.idempotent = false}}) {
    std::stop_source stop;
    const auto last = compose(retry(config, clock));
    const auto result = last.try_execute(stop_and_fail(stop, ErrorCode::bad_gateway), stop.get_token());
    CHECK(result.error().status() == 502);
  }
}

TEST_CASE("P5 D2 after a limit the stop is the limit's, and another failure goes on unchanged", "[P5][D2]") {
  const test::FakeClock clock;
  const auto pipeline = compose(total_timeout(1s, clock), retry({.max_retries = 3}, clock));
  const auto result = pipeline.try_execute([&](std::stop_token stop) -> int {
    clock.advance(2s);
    CHECK(stop.stop_requested());
    throw ApiError{ErrorCode::service_unavailable, "failed"};
  });
  CHECK(result.error().status() == 503);
}

TEST_CASE("P6 a value is late to the policies outside the limit that is over, not to those inside", "[P6]") {
  const test::FakeClock clock;
  CircuitBreaker<test::FakeClock> breaker{"b", {.failure_threshold = 1}, clock};
  const auto two_seconds = [&] {
    clock.advance(2s);
    return 1;
  };
  CHECK(compose(total_timeout(1s, clock), breaker, attempt_timeout(10s, clock)).execute(two_seconds) == 1);
  CHECK(compose(breaker, attempt_timeout(10s, clock)).execute(two_seconds, Deadline::after(1s, clock)) == 1);
  CHECK(breaker.stats().failure_count == 0);
  CHECK(compose(breaker, attempt_timeout(1s, clock)).execute(two_seconds) == 1);
  CHECK(breaker.stats().failure_count == 1);
}

TEST_CASE("P9 a limiter's wait that the deadline ends is a rejection", "[P9]") {
  const test::FakeClock clock;
  RateLimiter<test::FakeClock> limiter{"l", {.permits = 1, .per = 1s, .max_wait = 5s}, clock};
  CircuitBreaker<test::FakeClock> breaker{"b", {.failure_threshold = 1}, clock};
  REQUIRE(limiter.try_acquire());
  const auto pipeline = compose(breaker, total_timeout(1001ms, clock), limiter);
  auto run = pipeline.start<int>();
  REQUIRE(run.next().kind == Step::Kind::wait);
  clock.advance(1100ms);
  CHECK(run.wait_token().stop_requested());
  run.waited(false);
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK_THROWS_AS(run.result(), RateLimitedError);
  CHECK(breaker.state() == State::closed);
  CHECK(limiter.stats().rejected == 1);
}
