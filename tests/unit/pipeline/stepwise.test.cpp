#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <any>
#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"
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

/// Half-open at the first call after a failure and a second, with one slot that a hung probe keeps.
constexpr CircuitBreakerConfig probing{
    .failure_threshold = 1, .success_threshold = 1, .reset_timeout = 1s, .probe_timeout = 24h};

struct Bench {
  FakeClock clock;
  Breaker breaker{"b", probing, clock};
  Breaker lenient{"l", {}, clock};
  [[nodiscard]] auto retries(int count) const {
    return retry(RetryConfig{.max_retries = count, .jitter = Jitter::none}, clock);
  }
};

const std::exception_ptr busy = std::make_exception_ptr(unavailable());

}  // namespace

TEST_CASE("P1 a call driven by hand: call, report, done", "[P1]") {
  Bench bench;
  const auto call = compose(bench.lenient, bench.retries(2), bench.lenient);
  auto run = call.start<std::string>();
  CHECK(run.next().kind == Step::Kind::call);
  CHECK(run.next().kind == Step::Kind::call);  // the same until it is done
  const auto step = run.next();
  CHECK(step.kind == decltype(step.kind)::call);
  run.report(std::string{"value"});
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(run.result() == "value");
  CHECK(counts_of(bench.lenient) == Counts{2, 0, 0});
}

TEST_CASE("P1 a retry asks its driver to wait, and to call again", "[P1]") {
  Bench bench;
  const auto call = compose(bench.lenient, bench.retries(2), bench.lenient);
  auto run = call.start<int>();
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(run.call().attempt() == 1);
  const std::string key = run.call().idempotency_key();
  run.report(busy);
  auto step = run.next();
  CHECK(step.kind == Step::Kind::wait);
  CHECK(step.wait == 1s);
  CHECK(run.next().wait == 1s);
  CHECK_FALSE(run.wait_token().stop_requested());
  run.waited();
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(run.call().attempt() == 2);
  CHECK(run.call().idempotency_key() == key);
  run.report(Failure{NetworkErrc::connection_reset});
  step = run.next();
  CHECK(step.kind == Step::Kind::wait);
  CHECK(step.wait == 2s);
  run.waited(true);
  REQUIRE(run.next().kind == Step::Kind::call);
  run.report(7);
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(run.result() == 7);
  CHECK(counts_of(bench.lenient) == Counts{2, 2, 0});
  CHECK(bench.clock.sleeps().empty());
}

TEST_CASE("P4 result() throws the exception that was reported, as the same object", "[P4]") {
  Bench bench;
  const auto down = std::make_exception_ptr(std::runtime_error{"down"});
  const auto call = compose(bench.lenient, bench.retries(2));
  auto run = call.start<int>();
  REQUIRE(run.next().kind == Step::Kind::call);
  run.report(down);
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK(exception_of([&] { run.result(); }) == down);
  CHECK(counts_of(bench.lenient) == Counts{0, 1, 0});
}

TEST_CASE("P4 try_result() gives what try_execute() gives, and throws nothing", "[P4]") {
  Bench bench;
  const auto call = compose(bench.breaker, bench.retries(1));
  const auto run_once = [&]<class T>(T reported) {
    auto run = call.start<T>();
    for (Step step = run.next(); step.kind != Step::Kind::done; step = run.next()) {
      step.kind == Step::Kind::call ? run.report(reported) : run.waited();
    }
    return run.try_result();
  };
  const CallResult<std::string> value = run_once(std::string{"value"});
  REQUIRE(value.has_value());
  CHECK(value.value() == "value");

  const CallResult<Response> failed_value = run_once(Response{503});
  CHECK_FALSE(failed_value.has_value());
  CHECK(failed_value.error().status() == 503);
  CHECK(failed_value.value().status == 503);

  auto rejected = call.start<int>();  // the failure has opened the breaker
  REQUIRE(rejected.next().kind == Step::Kind::done);
  const CallResult<int> refused = rejected.try_result();
  CHECK_FALSE(refused.has_value());
  CHECK(refused.error().code() == make_error_code(PolicyErrc::circuit_open));

  auto thrown = compose(bench.lenient);
  auto run = thrown.start<void>();
  REQUIRE(run.next().kind == Step::Kind::call);
  const auto down = std::make_exception_ptr(std::runtime_error{"down"});
  run.report(down);
  REQUIRE(run.next().kind == Step::Kind::done);
  const CallResult<void> broken = run.try_result();
  CHECK_FALSE(broken.has_value());
  CHECK(exception_of([&] { broken.value(); }) == down);
}

TEST_CASE("P3 a value that is reported is judged as execute() would", "[P3]") {
  Bench bench;
  const auto call = compose(bench.lenient, bench.retries(1));
  {
    auto run = call.start<Response>();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(Response{503});
    REQUIRE(run.next().kind == Step::Kind::wait);
    run.waited();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(Response{500});
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK(run.result().status == 500);
    CHECK(counts_of(bench.lenient) == Counts{0, 1, 0});
  }
  int judged = 0;
  auto run = call.start<int>(failure_if([&](int n) {
    ++judged;
    return n == 7;
  }));
  REQUIRE(run.next().kind == Step::Kind::call);
  run.report(7);
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK(judged == 1);
  CHECK(run.result() == 7);
  CHECK(counts_of(bench.lenient) == Counts{0, 2, 0});
}

TEST_CASE("P4 an exception object that is reported is a failure, as if op had thrown it", "[P4]") {
  Bench bench;
  const auto call = compose(bench.lenient);
  {
    auto run = call.start<int>();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(ApiError{ErrorCode::service_unavailable, "down"});
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK_THROWS_AS(run.result(), ApiError);
  }
  {
    auto run = call.start<void>();
    REQUIRE(run.next().kind == Step::Kind::call);
    const std::out_of_range error{"far"};
    run.report(error);
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK_THROWS_AS(run.result(), std::out_of_range);
  }
  CHECK(counts_of(bench.lenient) == Counts{0, 2, 0});
  {
    auto run = call.start<std::any>();  // an exception is a value of this type
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(std::runtime_error{"kept"});
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK(std::any_cast<std::runtime_error>(run.result()).what() == std::string{"kept"});
  }
  CHECK(counts_of(bench.lenient) == Counts{1, 2, 0});
}

namespace {
template <class Run, class Reported>
concept Takes = requires(Run& run, Reported reported) { run.report(reported); };
using RunOfInt = decltype(std::declval<const Pipeline<>&>().start<int>());
using RunOfNothing = decltype(std::declval<const Pipeline<>&>().start<void>());
}  // namespace

TEST_CASE("P4 a report is what converts to T, or a failure", "[P4]") {
  STATIC_REQUIRE(Takes<RunOfInt, short>);
  STATIC_REQUIRE(Takes<RunOfInt, Failure>);
  STATIC_REQUIRE(Takes<RunOfInt, std::exception_ptr>);
  STATIC_REQUIRE(Takes<RunOfInt, std::bad_alloc>);
  STATIC_REQUIRE_FALSE(Takes<RunOfInt, std::string>);
  STATIC_REQUIRE(Takes<RunOfNothing, ApiError>);
  STATIC_REQUIRE_FALSE(Takes<RunOfNothing, int>);
}

TEST_CASE("P11 a value whose failure_if throws is dropped, and the run can go on", "[P11]") {
  struct Broken {};
  Bench bench;
  const auto call = compose(bench.lenient);
  const auto value = std::make_shared<int>(1);
  const auto throws_once = [throws = std::make_shared<bool>(true)](const std::shared_ptr<int>&) {
    if (std::exchange(*throws, false)) throw Broken{};
    return false;
  };
  {
    auto run = call.start<std::shared_ptr<int>>(failure_if(throws_once));
    REQUIRE(run.next().kind == Step::Kind::call);
    CHECK_THROWS_AS(run.report(value), Broken);
    CHECK(value.use_count() == 1);
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(value);
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK(run.result() == value);
  }
  CHECK(value.use_count() == 1);
  {
    auto run = call.start<std::shared_ptr<int>>(
        failure_if([](const std::shared_ptr<int>&) -> bool { throw Broken{}; }));
    REQUIRE(run.next().kind == Step::Kind::call);
    CHECK_THROWS_AS(run.report(value), Broken);
    run.report(busy);
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK(exception_of([&] { run.result(); }) == busy);
  }
  CHECK(value.use_count() == 1);
}

TEST_CASE("P7 a loop may ask whether a wait is over before its time", "[P7]") {
  Bench bench;
  Bulkhead slot{"s", {.max_concurrent = 1, .max_waiting = 2, .max_wait = 1s}, bench.clock};
  const auto call = compose(slot);
  auto first = call.start<int>();
  auto second = call.start<int>();
  CHECK_FALSE(first.wait_is_over());
  REQUIRE(first.next().kind == Step::Kind::call);
  CHECK_FALSE(first.wait_is_over());
  REQUIRE(second.next().kind == Step::Kind::wait);
  CHECK_FALSE(second.wait_is_over());
  first.report(1);
  REQUIRE(first.next().kind == Step::Kind::done);  // hands its slot over
  CHECK(second.wait_is_over());
  second.waited(false);
  REQUIRE(second.next().kind == Step::Kind::call);
  CHECK_FALSE(second.wait_is_over());
  second.report(2);
  REQUIRE(second.next().kind == Step::Kind::done);

  // A policy without a queue: its wait ends early by the token alone.
  const auto retried = compose(bench.retries(1));
  std::stop_source source;
  auto waiting = retried.start<int>(source.get_token());
  REQUIRE(waiting.next().kind == Step::Kind::call);
  waiting.report(busy);
  REQUIRE(waiting.next().kind == Step::Kind::wait);
  CHECK_FALSE(waiting.wait_is_over());
  source.request_stop();
  CHECK(waiting.wait_is_over());
}

TEST_CASE("P1 a loop keeps a run that cannot be moved", "[P1]") {
  Bench bench;
  const auto call = compose(bench.lenient);
  using Run = decltype(call.start<int>());
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<Run>);
  struct Going {
    Run run;
  };
  Going member{call.start<int>()};
  const std::unique_ptr<Run> owned{new Run(call.start<int>())};
  for (Run* run : {&member.run, owned.get()}) {
    REQUIRE(run->next().kind == Step::Kind::call);
    run->report(2);
    REQUIRE(run->next().kind == Step::Kind::done);
    CHECK(run->result() == 2);
  }
}

TEST_CASE("P12 P13 results of every kind, carried errors, and fallbacks", "[P12][P13]") {
  Bench bench;
  const auto call = compose(bench.breaker);
  {
    auto run = call.start<void>();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report();
    REQUIRE(run.next().kind == Step::Kind::done);
    run.result();
  }
  {
    auto run = call.start<std::unique_ptr<int>>();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(std::make_unique<int>(5));
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK(*run.result() == 5);
  }
  {
    int target = 0;
    auto run = call.start<int&>();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(target);
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK(&run.result() == &target);
  }
  {
    auto run = call.start<std::string>();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report("converted");
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK(run.result() == "converted");
  }
  bench.breaker.force_open();
  {
    auto run = call.start<Expected>();
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK(run.result().error() == PolicyErrc::circuit_open);
  }
  {
    auto run = call.start<int>();
    REQUIRE(run.next().kind == Step::Kind::done);
    CHECK_THROWS_AS(run.result(), CircuitOpenError);
  }
  const auto guarded = compose(
      fallback([](const Failure& failure) { return failure.is_rejection() ? 2.5 : 1.5; }), bench.breaker);
  auto run = guarded.start<int>();
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK(run.result() == 2.5);
}

TEST_CASE("P7 the token and the Deadline of a run reach op and the policies", "[P7]") {
  Bench bench;
  std::stop_source source;
  const auto deadline = Deadline::after(1500ms, bench.clock);
  const auto call = compose(bench.retries(5));
  auto run = call.start<int>(source.get_token(), deadline);
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(run.call().deadline() == deadline);
  CHECK(run.call().stop_token() == source.get_token());
  run.report(busy);
  REQUIRE(run.next().kind == Step::Kind::wait);
  CHECK(run.wait_token() == source.get_token());
  run.waited();
  REQUIRE(run.next().kind == Step::Kind::call);
  run.report(busy);
  CHECK(run.next().kind == Step::Kind::done);  // the next wait would reach the deadline
  CHECK(exception_of([&] { run.result(); }) == busy);
}

TEST_CASE("P8 a run whose token is stopped already is done, and nobody counts a call", "[P8]") {
  Bench bench;
  std::stop_source source;
  source.request_stop();
  int fallbacks = 0;
  const auto call = compose(fallback([&] { return ++fallbacks; }), bench.lenient, bench.retries(1));
  auto run = call.start<int>(source.get_token());
  CHECK(run.next().kind == Step::Kind::done);
  CHECK_THROWS_AS(run.result(), CancelledError);
  CHECK(fallbacks == 0);
  CHECK(counts_of(bench.lenient) == Counts{0, 0, 0});
}

TEST_CASE("P7 a wait that was cut short ends the call as cancelled", "[P7]") {
  Bench bench;
  const auto call = compose(bench.lenient, bench.retries(3));
  auto run = call.start<int>();
  REQUIRE(run.next().kind == Step::Kind::call);
  run.report(busy);
  REQUIRE(run.next().kind == Step::Kind::wait);
  run.waited(false);
  CHECK(run.next().kind == Step::Kind::done);
  CHECK_THROWS_AS(run.result(), CancelledError);
  CHECK(counts_of(bench.lenient) == Counts{0, 0, 1});
}

TEST_CASE("P1 a report or a wait that answers no step is dropped", "[P1]") {
  Bench bench;
  const auto call = compose(bench.lenient, bench.retries(2));
  auto run = call.start<int>();
  run.report(1);
  run.waited();
  REQUIRE(run.next().kind == Step::Kind::call);
  run.waited(false);
  run.report(busy);
  run.report(2);
  REQUIRE(run.next().kind == Step::Kind::wait);
  run.report(3);
  run.waited();
  run.waited(false);
  REQUIRE(run.next().kind == Step::Kind::call);
  run.report(4);
  run.report(5);
  REQUIRE(run.next().kind == Step::Kind::done);
  run.report(6);
  run.waited();
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(run.result() == 4);
  CHECK(counts_of(bench.lenient) == Counts{1, 0, 0});
}

TEST_CASE("P11 a run that is destroyed at any step gives back what its policies hold", "[P11]") {
  for (int steps = 0; steps <= 7; ++steps) {
    CAPTURE(steps);
    Bench bench;
    support::trip_and_wait(bench.breaker);
    const auto before = counts_of(bench.breaker);
    int budget_left = 0;
    struct Counting {
      int& left;
      bool try_withdraw() const { return --left, true; }
      void give_back() const { ++left; }
    } budget{budget_left};
    const auto call =
        compose(bench.breaker, retry(RetryConfig{.max_retries = 2}, bench.clock, budget), bench.lenient);
    {
      auto run = call.start<std::string>();
      int step = 0;
      const auto go_on = [&] { return step++ < steps; };
      if (go_on()) static_cast<void>(run.next());
      if (go_on()) run.report(busy);
      if (go_on()) static_cast<void>(run.next());
      if (go_on()) run.waited();
      if (go_on()) static_cast<void>(run.next());
      if (go_on()) run.report(std::string(100, 'x'));
      if (go_on()) static_cast<void>(run.next());
      CHECK((steps == 0 || steps == 7) == support::admits(bench.breaker));
    }
    const auto after = counts_of(bench.breaker);
    if (steps == 7) {
      CHECK(bench.breaker.state() == State::closed);
    } else {
      CHECK(after.success == before.success);
      CHECK(after.failure == before.failure);
      CHECK(support::admits(bench.breaker));  // the probe's slot came back
      CHECK(bench.breaker.state() == State::half_open);
    }
    // A withdrawn token is spent once the wait was done; before that it came back.
    CHECK(budget_left == (steps > 3 ? -1 : 0));
    const auto inner = counts_of(bench.lenient);
    CHECK(inner.failure == (steps >= 3 ? 1 : 0));
    CHECK(inner.success == (steps == 7 ? 1 : 0));
    CHECK(inner.ignored == (steps == 1 || steps == 2 || steps == 5 || steps == 6 ? 1 : 0));
  }
}

TEST_CASE("P11 what a hook throws leaves next(); the run can then be destroyed", "[P11]") {
  struct Broken {};
  Bench bench;
  support::trip_and_wait(bench.breaker);
  const auto call = compose(
      bench.breaker, retry(RetryConfig{}, bench.clock,
                           on_retry([](int, const Failure&, std::chrono::nanoseconds) { throw Broken{}; })));
  {
    auto run = call.start<int>();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(busy);
    CHECK_THROWS_AS(run.next(), Broken);
    CHECK_FALSE(support::admits(bench.breaker));
  }
  CHECK(support::admits(bench.breaker));
  CHECK(bench.breaker.state() == State::half_open);

  CircuitBreakerConfig config = probing;
  config.classify = [](const Failure&) -> Outcome { throw Broken{}; };
  Breaker classifying{"c", config, bench.clock};
  const auto other = compose(bench.lenient, classifying);
  {
    auto run = other.start<int>();
    REQUIRE(run.next().kind == Step::Kind::call);
    run.report(busy);
    CHECK_THROWS_AS(run.next(), Broken);
  }
  CHECK(counts_of(classifying) == Counts{0, 0, 1});
  CHECK(counts_of(bench.lenient) == Counts{0, 0, 1});

  auto judged = other.start<int>(failure_if([](int) -> bool { throw Broken{}; }));
  REQUIRE(judged.next().kind == Step::Kind::call);
  CHECK_THROWS_AS(judged.report(1), Broken);
}

TEST_CASE("P1 a run may go from thread to thread, and several may run at once", "[P1]") {
  Bench bench;
  const auto call = compose(bench.lenient, bench.retries(2), bench.lenient);
  auto one = call.start<int>();
  auto two = call.start<int>();
  REQUIRE(one.next().kind == Step::Kind::call);
  REQUIRE(two.next().kind == Step::Kind::call);
  CHECK(one.call().idempotency_key() != two.call().idempotency_key());
  std::jthread{[&] { one.report(1); }}.join();
  two.report(busy);
  CHECK(one.next().kind == Step::Kind::done);
  CHECK(two.next().kind == Step::Kind::wait);
  CHECK(one.result() == 1);
  two.waited();
  CHECK(two.next().kind == Step::Kind::call);
}

TEST_CASE("P4 a run allocates nothing of its own", "[P4]") {
  Bench bench;
  const auto call = compose(fallback([] { return 1; }), bench.lenient, bench.retries(2), bench.breaker);
  int sum = 0;
  const auto allocated = support::allocations_of([&] {
    auto run = call.start<int>();
    if (run.next().kind == Step::Kind::call) run.report(7);
    if (run.next().kind == Step::Kind::done) sum += run.result();
  });
  CHECK(allocated == 0);
  CHECK(sum == 7);
}

TEST_CASE("P1 a run of a pipeline of nothing", "[P1]") {
  const auto call = compose();
  auto run = call.start<int>();
  REQUIRE(run.next().kind == Step::Kind::call);
  CHECK(run.call().attempt() == 1);
  CHECK(run.call().deadline().is_never());
  run.report(3);
  REQUIRE(run.next().kind == Step::Kind::done);
  CHECK(run.result() == 3);
}
