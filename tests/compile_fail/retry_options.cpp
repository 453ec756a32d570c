// The options of retry_with_backoff and try_retry_with_backoff.
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <exception>
#include <random>
#include <string>

using namespace fusebox;

int op() { return 1; }
bool is_up() { return true; }
bool is_zero(int value) { return value == 0; }
void hook(int, const Failure&, std::chrono::nanoseconds) {}

struct Budget {
  bool try_withdraw() { return true; }
};
Budget first;
Budget second;

// A number is no option of a retry: the number of retries goes into a RetryConfig.
// expect: unknown option: retry_with_backoff accepts.*with_random and a retry budget
void unknown_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, 5);
#else
  const auto result = retry_with_backoff(op, {.max_retries = 5});
#endif
}

// try_retry_with_backoff takes the options of retry_with_backoff and no others.
// expect: unknown option: retry_with_backoff accepts.*a Clock, a std::stop_token, on_retry
void unknown_option_of_try_retry() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = try_retry_with_backoff(op, {.max_retries = 5}, std::chrono::seconds{10});
#else
  const auto result =
      try_retry_with_backoff(op, {.max_retries = 5, .total_timeout = std::chrono::seconds{10}});
#endif
}

// A callable is no option by itself: on_retry says which hook it is.
// expect: unknown option: retry_with_backoff accepts.*on_retry, on_give_up, retry_if, failure_if
void bare_hook() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, hook);
#else
  const auto result = retry_with_backoff(op, on_retry(hook));
#endif
}

// The config of a retry comes first, before its other options.
// expect: unknown option: retry_with_backoff accepts, after op and an optional RetryConfig
void config_not_first() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, on_retry(hook), RetryConfig{});
#else
  const auto result = retry_with_backoff(op, RetryConfig{}, on_retry(hook));
#endif
}

// A call of a retry has one config.
// expect: unknown option: retry_with_backoff accepts, after op and an optional RetryConfig
void two_configs() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, retry_presets::quick, RetryConfig{.max_retries = 5});
#else
  const auto result = retry_with_backoff(op, retry_presets::quick);
#endif
}

// A retry has one clock.
// expect: two options of one kind: retry_with_backoff accepts at most one each of a Clock
void two_clocks() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, SystemClock{}, test::FakeClock{});
#else
  const auto result = retry_with_backoff(op, test::FakeClock{});
#endif
}

// A retry has one hook of a kind, even if the callables are of different types.
// expect: two options of one kind: retry_with_backoff accepts at most one each of .*on_give_up
void two_hooks() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result =
      retry_with_backoff(op, {}, on_give_up([](const auto&) {}), on_give_up([](const RetryStats&) {}));
#else
  const auto result = retry_with_backoff(op, {}, on_give_up([](const auto&) {}));
#endif
}

// A retry has one budget.
// expect: two options of one kind: retry_with_backoff accepts at most one each of .* and a retry budget
void two_budgets() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, first, second);
#else
  const auto result = retry_with_backoff(op, first);
#endif
}

// A budget made for one call limits nothing.
// expect: retry budget is shared.*lvalue
void budget_rvalue() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, Budget{});
#else
  const auto result = retry_with_backoff(op, first);
#endif
}

// on_retry receives three things.
// expect: on_retry takes f.int attempt, const Failure& failure, std::chrono::nanoseconds wait.
void on_retry_wrong_callable() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto option = on_retry([](const Failure&) {});
#else
  const auto option = on_retry([](int, const Failure&, std::chrono::nanoseconds) {});
#endif
}

// on_give_up receives the stats.
// expect: on_give_up takes f.const RetryStats& stats.
void on_give_up_wrong_callable() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto option = on_give_up([](const Failure&) {});
#else
  const auto option = on_give_up([](const RetryStats&) {});
#endif
}

// retry_if judges a Failure, not an exception.
// expect: retry_if takes bool f.const Failure&.
void retry_if_wrong_callable() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto option = retry_if([](const std::exception&) { return true; });
#else
  const auto option = retry_if([](const Failure& failure) { return failure.is_transient(); });
#endif
}

// retry_if returns an answer.
// expect: retry_if takes bool f.const Failure&.
void retry_if_returns_nothing() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto option = retry_if([](const Failure&) {});
#else
  const auto option = retry_if([](const Failure&) { return true; });
#endif
}

// failure_if says whether the value is a failure.
// expect: failure_if needs a predicate over .const T&.
void failure_if_returns_nothing() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, failure_if([](int) {}));
#else
  const auto result = retry_with_backoff(op, failure_if([](int) { return false; }));
#endif
}

// failure_if takes the value that op returns.
// expect: failure_if needs a predicate over .const T&.
void failure_if_of_another_type() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result =
      retry_with_backoff(op, failure_if([](const std::string& text) { return text.empty(); }));
#else
  const auto result = retry_with_backoff(op, failure_if([](int value) { return value == 0; }));
#endif
}

// failure_if judges a value, and this op returns void.
// expect: failure_if judges the value of op
void failure_if_on_void() {
#ifdef FUSEBOX_COMPILE_FAIL
  retry_with_backoff([] {}, failure_if(is_zero));
#else
  const auto result = retry_with_backoff([] { return 1; }, failure_if(is_zero));
#endif
}

// A predicate that takes anything has nothing to judge if op returns void.
// expect: failure_if judges the value of op
void generic_failure_if_on_void() {
  const auto rule = failure_if([](const auto&) { return true; });
#ifdef FUSEBOX_COMPILE_FAIL
  retry_with_backoff([] { is_up(); }, rule);
#else
  const auto result = retry_with_backoff(is_up, rule);
#endif
}

// A plain function has no range of random numbers.
// expect: with_random takes a UniformRandomBitGenerator
void with_random_wrong_generator() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto option = with_random([] { return 4u; });
#else
  const auto option = with_random(std::mt19937{});
#endif
}

// backoff gives a duration in whole units.
// expect: backoff takes a list of durations, or a function of .int attempt, const Failure& failure.
void backoff_of_seconds_as_double() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto option = backoff([](int, const Failure&) { return std::chrono::duration<double>{0.5}; });
#else
  const auto option = backoff([](int, const Failure&) { return std::chrono::milliseconds{500}; });
#endif
}

// backoff receives the number of the failed attempt and its failure.
// expect: backoff takes a list of durations, or a function of .int attempt, const Failure& failure.
void backoff_wrong_callable() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto option = backoff([](const Failure&) { return std::chrono::seconds{1}; });
#else
  const auto option = backoff([](int attempt, const Failure&) { return std::chrono::seconds{attempt}; });
#endif
}

// A retry has one source of delays.
// expect: two options of one kind: retry_with_backoff accepts at most one each of .*backoff, a Deadline
void two_backoffs() {
  const auto step = linear(std::chrono::seconds{1});
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, step, backoff({std::chrono::seconds{1}}));
#else
  const auto result = retry_with_backoff(op, step);
#endif
}

// A retry has one deadline beside total_timeout.
// expect: two options of one kind: retry_with_backoff accepts at most one each of .*backoff, a Deadline
void two_deadlines() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, Deadline::never(), Deadline::never());
#else
  const auto result = retry_with_backoff(op, earliest(Deadline::never(), Deadline::never()));
#endif
}

// A hook that changes itself cannot be called through a const option.
// expect: this callable changes itself, so the option that holds it must not be const
void hook_that_changes_itself_in_a_const_option() {
  auto counting = on_give_up([calls = 0](const RetryStats&) mutable { ++calls; });
#ifdef FUSEBOX_COMPILE_FAIL
  const auto constant = counting;
  const auto result = retry_with_backoff(op, constant);
#else
  const auto result = retry_with_backoff(op, counting);
#endif
}

// A RetryState sees failures, not values.
// expect: RetryState sees failures, not values
void state_with_failure_if() {
#ifdef FUSEBOX_COMPILE_FAIL
  RetryState state{RetryConfig{}, failure_if(is_zero)};
#else
  RetryState state{RetryConfig{}, retry_if(&Failure::is_transient)};
#endif
}

// A RetryState takes the options of a retry and no others.
// expect: unknown option: retry_with_backoff accepts
void state_with_an_unknown_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  RetryState state{RetryConfig{}, 5};
#else
  RetryState state{RetryConfig{.max_retries = 5}};
#endif
}
