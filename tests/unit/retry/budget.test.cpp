#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Flaky;
using support::unavailable;

namespace {

/// Counts what is asked of it.
struct Purse {
  int tokens = 10;
  int given_back = 0;
  bool try_withdraw() { return tokens > 0 && tokens-- > 0; }
  void give_back() {
    ++tokens;
    ++given_back;
  }
};

/// A sleep that throws, or is cut short.
struct BadClock : test::FakeClock {
  bool throws = false;
  bool sleep_for(std::chrono::nanoseconds, const StopToken&) const {
    if (throws) throw std::runtime_error{"sleep"};
    return false;
  }
};

}  // namespace

TEST_CASE("R13 a budget sees the failure if it asks for it", "[R13]") {
  struct Judge {
    std::vector<std::string> seen;
    bool try_withdraw(const Failure& failure) {
      seen.push_back(failure.message());
      return failure.message() != "2";
    }
  };
  Judge budget;
  const auto result = try_retry_with_backoff(
      [](const Attempt& attempt) -> int { throw unavailable(std::to_string(attempt.number)); },
      test::FakeClock{}, budget);
  CHECK(budget.seen == std::vector<std::string>{"1", "2"});
  CHECK(result.stats.stop_reason == StopReason::budget_exhausted);
  CHECK(result.error().message() == "2");
}

TEST_CASE("R13 a budget with both forms is asked with the failure", "[R13]") {
  struct Both {
    int with_failure = 0;
    int without = 0;
    bool try_withdraw(const Failure&) { return ++with_failure > 0; }
    bool try_withdraw() { return ++without > 0; }
  };
  Both budget;
  (void)try_retry_with_backoff(Flaky{}, test::FakeClock{}, budget);
  CHECK(budget.with_failure == 3);
  CHECK(budget.without == 0);
}

TEST_CASE("R13 a retry that happens is paid for, whether it succeeds, fails or throws", "[R13]") {
  Purse budget;
  CHECK(retry_with_backoff(Flaky{.failures = 2}, test::FakeClock{}, budget).has_value());
  CHECK(budget.tokens == 8);
  (void)try_retry_with_backoff(Flaky{}, test::FakeClock{}, budget);
  CHECK(budget.tokens == 5);
  CHECK_THROWS(retry_with_backoff([] { throw unavailable(); }, test::FakeClock{}, budget));
  CHECK(budget.tokens == 2);
  CHECK(budget.given_back == 0);
}

TEST_CASE("R13 the token is given back if the wait is cancelled", "[R13][R4]") {
  Purse budget;
  std::stop_source stop;
  const auto stopping = on_retry([&](int, const Failure&, std::chrono::nanoseconds) { stop.request_stop(); });
  const auto result = try_retry_with_backoff(Flaky{}, test::FakeClock{}, stop.get_token(), budget, stopping);
  CHECK(result.stats.stop_reason == StopReason::cancelled);
  CHECK(budget.tokens == 10);
  CHECK(budget.given_back == 1);
  CHECK_FALSE(try_retry_with_backoff(Flaky{}, BadClock{}, budget).has_value());
  CHECK(budget.tokens == 10);
  CHECK(budget.given_back == 2);
}

TEST_CASE("R13 the token is given back if on_retry throws", "[R13][R10]") {
  Purse budget;
  for (const int thrower : {1, 2}) {
    const auto hook = on_retry([&](int attempt, const Failure&, std::chrono::nanoseconds) {
      if (attempt == thrower) throw std::logic_error{"hook"};
    });
    CHECK_THROWS_AS(try_retry_with_backoff(Flaky{}, test::FakeClock{}, budget, hook), std::logic_error);
  }
  CHECK(budget.given_back == 2);
  CHECK(budget.tokens == 9);  // the first retry of the second call took place
}

TEST_CASE("R13 the token is given back if the wait ends by an exception", "[R13]") {
  Purse budget;
  BadClock clock;
  clock.throws = true;
  CHECK_THROWS_AS(try_retry_with_backoff(Flaky{}, clock, budget), std::runtime_error);
  CHECK(budget.tokens == 10);
  CHECK(budget.given_back == 1);
}

TEST_CASE("R13 what is thrown after the retry began gives nothing back", "[R13][R10]") {
  Purse budget;
  int judged = 0;
  const auto rule = failure_if([&](int) -> bool {
    if (++judged == 2) throw std::logic_error{"failure_if"};
    return true;
  });
  const auto all = retry_if([](const Failure&) { return true; });
  CHECK_THROWS_AS(try_retry_with_backoff([] { return 1; }, test::FakeClock{}, budget, rule, all),
                  std::logic_error);
  CHECK(budget.tokens == 9);
  CHECK(budget.given_back == 0);
}

TEST_CASE("R13 a budget that refuses, or is not asked, is given nothing back", "[R13]") {
  Purse budget{.tokens = 0};
  (void)try_retry_with_backoff(Flaky{}, test::FakeClock{}, budget);
  (void)try_retry_with_backoff([] { throw 42; }, test::FakeClock{}, budget);
  const auto giving_up = on_give_up([](const RetryStats&) { throw std::logic_error{"hook"}; });
  CHECK_THROWS(try_retry_with_backoff(Flaky{}, test::FakeClock{}, budget, giving_up));
  CHECK(budget.given_back == 0);
}

TEST_CASE("R13 a budget needs no give_back()", "[R13]") {
  support::Budget budget{.tokens = 3};
  CHECK_FALSE(try_retry_with_backoff(Flaky{}, BadClock{}, budget).has_value());
  CHECK(budget.tokens == 2);
}

namespace {

/// Writes down what it is told.
struct Diary {
  std::string told;
  bool permits = true;
  void on_call() { told += "call "; }
  void on_failure(const Failure& failure) { told += "failed:" + failure.message() + " "; }
  bool try_withdraw() {
    told += permits ? "paid " : "refused ";
    return permits;
  }
  void deposit() { told += "deposit "; }
};

}  // namespace

TEST_CASE("U5 a budget hears of the call, then of each failed attempt before it is asked", "[U5]") {
  Diary budget;
  const auto fail = [](const Attempt& attempt) -> int { throw unavailable(std::to_string(attempt.number)); };
  const RetryConfig one_retry{.max_retries = 1};
  (void)try_retry_with_backoff(fail, one_retry, test::FakeClock{}, budget);
  CHECK(budget.told == "call failed:1 paid failed:2 ");
  budget = {"", false};
  (void)try_retry_with_backoff(fail, one_retry, test::FakeClock{}, budget);
  CHECK(budget.told == "call failed:1 refused ");
  budget = {};
  CHECK(retry_with_backoff(Flaky{.failures = 1, .code = NetworkErrc::timed_out}, one_retry, test::FakeClock{},
                           budget)
            .has_value());
  CHECK(budget.told ==
        "call failed:" + Failure{make_error_code(NetworkErrc::timed_out)}.message() + " paid deposit ");
  budget = {};
  (void)retry_with_backoff([] { return 1; }, test::FakeClock{}, budget);
  CHECK(budget.told == "call deposit ");
}

TEST_CASE("U5 a budget hears of failures that are transient, or that retry_if accepts", "[U5]") {
  const auto permanent = [] { return make_error_code(ErrorCode::not_found); };
  const std::string failed = "failed:" + Failure{permanent()}.message() + " ";
  const RetryConfig one_retry{.max_retries = 1};
  Diary budget;
  (void)try_retry_with_backoff(permanent, one_retry, test::FakeClock{}, budget);
  CHECK(budget.told == "call ");
  budget = {};
  const auto all = retry_if([](const Failure&) { return true; });
  (void)try_retry_with_backoff(permanent, one_retry, test::FakeClock{}, budget, all);
  CHECK(budget.told == "call " + failed + "paid " + failed);
  budget = {};
  const auto none = retry_if([](const Failure&) { return false; });
  (void)try_retry_with_backoff([]() -> int { throw unavailable("503"); }, one_retry, test::FakeClock{},
                               budget, none);
  CHECK(budget.told == "call failed:503 ");
}

TEST_CASE("U5 a call that is cancelled before its first attempt is none to a budget", "[U5][R4]") {
  Diary budget;
  std::stop_source stop;
  stop.request_stop();
  (void)try_retry_with_backoff(Flaky{}, test::FakeClock{}, stop.get_token(), budget);
  CHECK(budget.told.empty());
  const RetryState stopped{{}, budget, stop.get_token()};
  CHECK(budget.told.empty());
}

TEST_CASE("U5 R14 a retry by hand tells its budget the same", "[U5][R14]") {
  Diary budget;
  RetryState state{{.max_retries = 1}, budget, test::FakeClock{}};
  CHECK(budget.told == "call ");
  CHECK(state.next(Failure{unavailable("1")}));
  CHECK_FALSE(state.next(Failure{unavailable("2")}));
  CHECK(budget.told == "call failed:1 paid failed:2 ");
}

TEST_CASE("U5 what a budget throws goes through", "[U5][R10]") {
  struct Thrower : Diary {
    void on_failure(const Failure&) { throw std::logic_error{"budget"}; }
  };
  Thrower budget;
  CHECK_THROWS_AS(try_retry_with_backoff(Flaky{}, test::FakeClock{}, budget), std::logic_error);
}
