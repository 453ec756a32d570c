#include <fusebox/call.hpp>
#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

namespace {

struct Told {
  std::string name;
  Outcome outcome;
  std::chrono::nanoseconds duration;
  std::string failure;
  friend bool operator==(const Told&, const Told&) = default;
};

template <class P>
Subscription record(P& policy, std::vector<Told>& told) {
  return policy.on_call([&told](const CallEvent& event) {
    told.push_back({event.name, event.outcome, event.duration.value(),
                    event.failure != nullptr ? event.failure->message() : "none"});
  });
}

}  // namespace

TEST_CASE("M5 a bulkhead tells how its calls end", "[M5]") {
  const FakeClock clock;
  Bulkhead<FakeClock> bulkhead{"h", {.max_concurrent = 1}, clock};
  std::vector<Told> told;
  bulkhead.execute([] {});  // nobody listens
  {
    const Subscription subscription = record(bulkhead, told);
    bulkhead.execute([&] {
      clock.advance(2s);
      CHECK_THROWS_AS(bulkhead.execute([] {}), BulkheadFullError);  // rejected: none
    });
    CHECK_THROWS_AS(bulkhead.execute([] { throw std::runtime_error{"boom"}; }), std::runtime_error);
    CHECK_THROWS_AS(bulkhead.execute([] { throw CancelledError{}; }), CancelledError);
    {
      const Permit permit = bulkhead.try_acquire();
    }  // by hand: none
  }
  bulkhead.execute([] {});
  CHECK(told == std::vector<Told>{{"h", Outcome::success, 2s, "none"},
                                  {"h", Outcome::failure, 0s, "boom"},
                                  {"h", Outcome::ignored, 0s, "cancelled"}});
}

TEST_CASE("M5 a call that waited is told from its admission on", "[M5]") {
  const FakeClock clock;
  RateLimiter<FakeClock> limiter{"l", {.permits = 1, .per = 1s, .max_wait = 5s}, clock};
  std::vector<Told> told;
  const Subscription subscription = record(limiter, told);
  limiter.execute([] {});
  limiter.execute([&] { clock.advance(3s); });  // sleeps for a second first
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{1s});
  CHECK(told == std::vector<Told>{{"l", Outcome::success, 0s, "none"}, {"l", Outcome::success, 3s, "none"}});
}

TEST_CASE("M5 a wait that is cancelled was never admitted", "[M5]") {
  const FakeClock clock = FakeClock::manual();
  RateLimiter<FakeClock> limiter{"l", {.permits = 1, .per = 1s, .max_wait = 5s}, clock};
  std::vector<Told> told;
  const Subscription subscription = record(limiter, told);
  REQUIRE(limiter.try_acquire());
  std::stop_source stop;
  auto pipeline = compose(limiter);
  auto run = pipeline.start<int>(stop.get_token());
  REQUIRE(run.next().kind == Step::Kind::wait);
  stop.request_stop();
  run.waited(false);
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(told.empty());
}

TEST_CASE("M5 all attempts of a retry are one call, which ends as the last one", "[M5]") {
  const FakeClock clock;
  auto policy = retry({.max_retries = 2, .base_delay = 1s, .jitter = Jitter::none}, clock);
  std::vector<Told> told;
  const Subscription subscription = record(policy, told);
  int calls = 0;
  CHECK(policy.execute([&] {
    if (++calls < 3) throw support::unavailable();
    return calls;
  }) == 3);
  CHECK_THROWS_AS(policy.execute([] { throw support::unavailable(); }), ApiError);
  CHECK(told == std::vector<Told>{{"", Outcome::success, 3s, "none"},
                                  {"", Outcome::failure, 3s, support::unavailable().message()}});
}

TEST_CASE("M5 a cancelled wait of a retry ends its call as ignored", "[M5]") {
  const FakeClock clock;
  auto policy = retry({.base_delay = 1s, .jitter = Jitter::none}, clock);
  std::vector<Told> told;
  const Subscription subscription = record(policy, told);
  auto pipeline = compose(policy);
  auto run = pipeline.start<int>();
  REQUIRE(run.next().kind == Step::Kind::call);
  run.report(Failure{support::unavailable()});
  REQUIRE(run.next().kind == Step::Kind::wait);
  run.waited(false);
  REQUIRE(run.next().kind == Step::Kind::done);
  REQUIRE(told.size() == 1);
  CHECK(told[0].outcome == Outcome::ignored);
  CHECK(told[0].failure == "cancelled during the wait before the next attempt");
}

TEST_CASE("M5 a late value is told as a failure", "[M5]") {
  const FakeClock clock;
  auto limit = attempt_timeout(1s, clock);
  CircuitBreaker<FakeClock> breaker{"b", {}, clock};  // who tells a late value from another
  std::vector<Told> told;
  const Subscription subscription = record(limit, told);
  CHECK(compose(breaker, limit).execute([&] {
    clock.advance(2s);
    return 7;
  }) == 7);
  CHECK(told == std::vector<Told>{{"", Outcome::failure, 2s, "timed out"}});
}

TEST_CASE("M5 a rejection by a policy inside is ignored; an exception of a hook gives no event", "[M5]") {
  const FakeClock clock;
  Bulkhead<FakeClock> bulkhead{"h", {}, clock};
  CircuitBreaker<FakeClock> breaker{"b", {}, clock};
  breaker.force_open();
  std::vector<Told> told;
  const Subscription subscription = record(bulkhead, told);
  CHECK_THROWS_AS(compose(bulkhead, breaker).execute([] {}), CircuitOpenError);
  REQUIRE(told.size() == 1);
  CHECK(told[0].outcome == Outcome::ignored);
  CHECK(told[0].failure == "circuit breaker 'b' is forced open");

  const auto failing_hook = on_retry([](int, const Failure&, auto) { throw std::domain_error{"hook"}; });
  auto hooked = compose(bulkhead, retry(clock, failing_hook));
  CHECK_THROWS_AS(hooked.execute([] { throw support::unavailable(); }), std::domain_error);
  CHECK(told.size() == 1);
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("M5 what a callback throws is dropped, and a call that began before is none", "[M5]") {
  const FakeClock clock;
  Bulkhead<FakeClock> bulkhead{"h", {}, clock};
  std::optional<Subscription> late;
  int heard = 0;
  bulkhead.execute([&] { late.emplace(bulkhead.on_call([&](const CallEvent&) { ++heard; })); });
  CHECK(heard == 0);
  const Subscription throwing = bulkhead.on_call([](const CallEvent&) { throw 1; });
  bulkhead.execute([] {});
  CHECK(heard == 1);
}
