#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <system_error>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Budget;
using support::Delays;
using support::Largest;
using support::Script;
using support::Smallest;
using support::unavailable;

namespace {

const Failure reset{make_error_code(NetworkErrc::connection_reset)};
constexpr RetryConfig exact{.jitter = Jitter::none};

struct Purse {
  int tokens = 5;
  int deposits = 0;
  bool try_withdraw() { return tokens > 0 && tokens-- > 0; }
  void deposit() { ++deposits; }
  void give_back() { ++tokens; }
};

}  // namespace

TEST_CASE("R14 next() gives the waits, and nothing once the retry has ended", "[R14]") {
  RetryState state{exact};
  CHECK(state.next(reset) == 1s);
  CHECK(state.next(reset) == 2s);
  CHECK(state.next(reset) == 4s);
  CHECK(state.next(reset) == std::nullopt);
  CHECK(state.stop_reason() == StopReason::retries_exhausted);
  CHECK(state.stats().attempts == 4);
  CHECK(state.stats().errors.size() == 4);
  CHECK(state.stats().total_delay == 7s);
}

TEST_CASE("R14 a success ends the retry and counts its attempt", "[R14]") {
  RetryState state{exact};
  CHECK(state.next(reset) == 1s);
  state.begin_attempt();
  CHECK(state.stats().total_delay == 1s);
  state.succeed();
  CHECK(state.stop_reason() == StopReason::succeeded);
  CHECK(state.stats().attempts == 2);
  CHECK(state.stats().total_delay == 1s);
  CHECK(state.stats().errors.size() == 1);

  RetryState at_once;
  at_once.succeed();
  CHECK(at_once.stats().attempts == 1);
  CHECK(at_once.stats().total_delay == 0s);
}

TEST_CASE("R14 every reason to stop is the loop's", "[R14][R2]") {
  const auto stops = [](RetryState state, const Failure& failure) {
    CHECK(state.next(failure) == std::nullopt);
    CHECK(state.stats().attempts == 1);
    return state.stop_reason();
  };
  std::stop_source stop;
  stop.request_stop();
  Budget empty;
  const test::FakeClock clock;
  CHECK(stops(RetryState{exact, stop.get_token()}, reset) == StopReason::cancelled);
  CHECK(stops(RetryState{exact}, Failure{make_error_code(PolicyErrc::cancelled)}) == StopReason::cancelled);
  CHECK(stops(RetryState{exact}, Failure{std::error_code{}}) == StopReason::not_retryable);
  CHECK(stops(RetryState{exact, retry_if([](const Failure&) { return false; })}, reset) ==
        StopReason::not_retryable);
  CHECK(stops(RetryState{{.idempotent = false}}, reset) == StopReason::not_retryable);
  CHECK(stops(RetryState{{.max_retries = 0}}, reset) == StopReason::retries_exhausted);
  CHECK(stops(RetryState{exact}, Failure::from_status(503, 31s)) == StopReason::retry_after_too_long);
  CHECK(stops(RetryState{{.jitter = Jitter::none, .total_timeout = 1s}, clock}, reset) ==
        StopReason::deadline);
  CHECK(stops(RetryState{exact, clock, Deadline::after(1s, clock)}, reset) == StopReason::deadline);
  CHECK(stops(RetryState{exact, empty}, reset) == StopReason::budget_exhausted);
}

TEST_CASE("R14 the waits and stats are those of retry_with_backoff, whatever the options", "[R14]") {
  const auto all_of = [](const RetryConfig& config, auto... options) {
    const test::FakeClock looped;
    const auto result =
        try_retry_with_backoff([] { throw unavailable().with_retry_after(3s); }, config, looped, options...);
    const test::FakeClock by_hand;
    RetryState state{config, by_hand, options...};
    while (const auto wait = state.next(Failure{unavailable().with_retry_after(3s)}))
      by_hand.sleep_for(*wait);
    CHECK(by_hand.sleeps() == looped.sleeps());
    CHECK(state.stop_reason() == result.stats.stop_reason);
    CHECK(state.stats().attempts == result.stats.attempts);
    CHECK(state.stats().total_delay == result.stats.total_delay);
    CHECK(state.stats().errors.size() == result.stats.errors.size());
  };
  all_of({.jitter = Jitter::none});
  all_of({.max_retries = 9}, with_random(std::mt19937_64{7}));
  all_of({.max_retries = 9, .jitter = Jitter::decorrelated, .total_timeout = 40s}, with_random(Largest{}));
  all_of({.max_retries = 9, .honor_retry_after = false}, backoff({1s, 7s}), with_random(Smallest{}));
  all_of({.max_retries = 2}, linear(5s), retry_if(&Failure::is_transient), with_random(Smallest{}));
}

TEST_CASE("R14 total_timeout counts from the construction, on the clock of the state", "[R14][R3]") {
  const test::FakeClock clock;
  RetryState state{{.jitter = Jitter::none, .total_timeout = 10s}, clock};
  CHECK(state.deadline().remaining() == 10s);
  clock.advance(8s);
  CHECK(state.next(reset) == 1s);
  CHECK(state.next(reset) == std::nullopt);
  CHECK(state.stop_reason() == StopReason::deadline);
  CHECK(RetryState{exact}.deadline().is_never());
}

TEST_CASE("R14 hooks are called as by the loop", "[R14][R17]") {
  std::vector<int> retried;
  std::vector<StopReason> ended;
  const auto hook = on_retry([&](int attempt, const Failure& failure, std::chrono::nanoseconds wait) {
    CHECK(failure.code() == reset.code());
    CHECK(wait == (attempt == 1 ? 1s : 2s));
    retried.push_back(attempt);
  });
  const auto at_end = on_give_up([&](const RetryStats& stats) { ended.push_back(stats.stop_reason); });
  RetryState state{{.max_retries = 2, .jitter = Jitter::none}, hook, at_end};
  while (state.next(reset)) {
  }
  CHECK(retried == std::vector<int>{1, 2});
  CHECK(ended == std::vector<StopReason>{StopReason::retries_exhausted});
  RetryState successful{exact, at_end};
  (void)successful.next(reset);
  successful.succeed();
  CHECK(ended.size() == 1);
}

TEST_CASE("R14 R13 the token of a wait that does not end goes back", "[R14][R13]") {
  Purse budget;
  {
    RetryState cancelled{exact, budget};
    (void)cancelled.next(reset);
    CHECK(budget.tokens == 4);
    cancelled.cancel();
    CHECK(budget.tokens == 5);
    CHECK(cancelled.stop_reason() == StopReason::cancelled);
    CHECK(cancelled.stats().total_delay == 0s);
  }
  CHECK(budget.tokens == 5);
  {
    RetryState abandoned{exact, budget};
    (void)abandoned.next(reset);
  }
  CHECK(budget.tokens == 5);
  {
    RetryState begun{exact, budget};
    (void)begun.next(reset);
    begun.begin_attempt();
  }
  CHECK(budget.tokens == 4);
  RetryState moved_from{exact, budget};
  (void)moved_from.next(reset);
  {
    const RetryState moved{std::move(moved_from)};
    CHECK(moved.stats().attempts == 1);
    CHECK(budget.tokens == 3);
  }
  CHECK(budget.tokens == 4);
}

TEST_CASE("R14 R13 a hook that throws gives the token back at once", "[R14][R13]") {
  Purse budget;
  RetryState state{exact, budget, on_retry([](int, const Failure&, std::chrono::nanoseconds) {
                     throw std::logic_error{"hook"};
                   })};
  CHECK_THROWS_AS(state.next(reset), std::logic_error);
  CHECK(budget.tokens == 5);
}

TEST_CASE("R14 R6 a success deposits, a failure does not", "[R14][R6]") {
  Purse budget;
  RetryState state{exact, budget};
  (void)state.next(reset);
  CHECK(budget.deposits == 0);
  state.succeed();
  CHECK(budget.deposits == 1);
}

TEST_CASE("R14 options that are given by value are kept, budgets and lvalue generators are shared", "[R14]") {
  Script shared{{Script::largest}};
  std::optional<RetryState> state;
  {
    const auto factor = std::make_shared<int>(3);
    state.emplace(RetryConfig{.jitter = Jitter::full, .total_timeout = 1h}, test::FakeClock{},
                  with_random(shared),
                  backoff([factor](int, const Failure&) { return std::chrono::seconds{*factor}; }));
  }
  CHECK(state->next(reset) == 3s);
  CHECK(shared.draws() == 1);
  CHECK(state->deadline().remaining() == 1h);
  RetryState moved{*std::move(state)};
  state.reset();
  CHECK(moved.next(reset) == 3s);
}

TEST_CASE("R14 C2 a refused config throws, and nothing else happens", "[R14][C2]") {
  CHECK_THROWS_WITH((RetryState{{.max_retries = -1}}), validate(RetryConfig{.max_retries = -1}));
  int hooks = 0;
  CHECK_THROWS_AS((RetryState{{.jitter_factor = 2}, on_give_up([&](const RetryStats&) { ++hooks; })}),
                  std::invalid_argument);
  CHECK(hooks == 0);
}
