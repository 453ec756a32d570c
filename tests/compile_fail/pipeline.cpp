// Pipelines: parts, orders, clocks, options, ops.
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::FakeClock;

CircuitBreaker<> breaker{"b"};
CircuitBreaker<FakeClock> fake_breaker{"b"};
const CircuitBreaker<> const_breaker{"b"};
int op() { return 1; }
int fetch(const char* url) { return url[0]; }
std::future<int> start_future();
std::stop_token token;
struct OfTheProgram {
  template <class Op>
  auto execute(Op&& call) {
    return call();
  }
};
const auto pipeline = compose(breaker);
const auto of_the_program = compose(OfTheProgram{}, breaker);
struct Discarding {
  template <class Op>
  void execute(Op&& call) {
    static_cast<void>(call());
  }
};

// What is no policy: the message has its type and its place.
// expect: this part of compose\(\) is no policy
void not_a_policy() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(breaker, 42));
#else
  static_cast<void>(compose(breaker));
#endif
}

// The type and the place of what is no policy.
// expect: (check_part|is_policy_at_place).*string.*2
void type_and_place() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(breaker, std::string{"b"}));
#else
  static_cast<void>(compose(breaker));
#endif
}

// A config is no policy.
// expect: this part of compose\(\) is no policy
void config_as_policy() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(RetryConfig{}, breaker));
#else
  static_cast<void>(compose(retry(RetryConfig{}), breaker));
#endif
}

// execute() of a policy of one's own gives what op gives.
// expect: this part of compose\(\) is no policy
void policy_without_result() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(Discarding{}));
#else
  static_cast<void>(compose(OfTheProgram{}));
#endif
}

// A breaker cannot be moved.
// expect: this one can be neither moved nor copied: pass an lvalue
void rvalue_breaker() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(CircuitBreaker<>{"b"}));
#else
  static_cast<void>(compose(std::make_shared<CircuitBreaker<>>("b")));
#endif
}

// A bulkhead cannot be moved either.
// expect: this one can be neither moved nor copied: pass an lvalue
void rvalue_bulkhead() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(Bulkhead<>{"b"}));
#else
  static_cast<void>(compose(std::make_shared<Bulkhead<>>("b")));
#endif
}

// A call changes what a breaker counts.
// expect: a part that is given as a const lvalue.*this one cannot be copied: pass an lvalue that is not const
void const_part() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(const_breaker));
#else
  static_cast<void>(compose(breaker));
#endif
}

// An attempt_timeout outside a retry.
// expect: an attempt_timeout outside a retry limits all attempts together.*in_this_order
void attempt_timeout_outside() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(attempt_timeout(1s), retry()));
#else
  static_cast<void>(compose(in_this_order(attempt_timeout(1s), retry())));
#endif
}

// Between them stands a breaker, and the retry is in a pipeline.
// expect: an attempt_timeout outside a retry limits all attempts together
void attempt_timeout_far_outside() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(attempt_timeout(1s), breaker, compose(retry())));
#else
  static_cast<void>(compose(total_timeout(1s), breaker, compose(retry())));
#endif
}

// A total_timeout inside a retry.
// expect: a total_timeout inside a retry limits each attempt alone.*in_this_order
void total_timeout_inside() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(retry(), total_timeout(1s)));
#else
  static_cast<void>(compose(in_this_order(retry(), total_timeout(1s))));
#endif
}

// A fallback inside a retry.
// expect: a fallback inside a retry turns every failure into a success.*in_this_order
void fallback_inside() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(retry(), fallback([] { return 1; })));
#else
  static_cast<void>(compose(in_this_order(retry(), fallback([] { return 1; }))));
#endif
}

// What in_this_order means does not reach beyond it.
// expect: a fallback inside a retry turns every failure into a success
void fallback_inside_order() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(in_this_order(retry(), breaker), fallback([] { return 1; })));
#else
  static_cast<void>(compose(in_this_order(retry(), breaker, fallback([] { return 1; }))));
#endif
}

// Clocks of two types.
// expect: all parts of a pipeline that have a clock need clocks of one type
void two_clocks() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(retry(), fake_breaker));
#else
  static_cast<void>(compose(retry(FakeClock{}), fake_breaker));
#endif
}

// execute() knows a few options.
// expect: unknown option: execute accepts, after op, a std::stop_token, a Deadline, failure_if
void unknown_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  compose(breaker).execute(op, 42);
#else
  compose(breaker).execute(op, token);
#endif
}

// A fallback is a part, not an option.
// expect: unknown option: execute accepts, after op, a std::stop_token, a Deadline, failure_if
void fallback_as_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  compose(breaker).execute(op, [] { return 1; });
#else
  compose(fallback([] { return 1; }), breaker).execute(op);
#endif
}

// Each option at most once.
// expect: two options of one kind: execute accepts at most one each
void doubled_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(breaker).try_execute(op, token, token));
#else
  static_cast<void>(compose(breaker).try_execute(op, token, Deadline::never()));
#endif
}

// op takes one of five things, or nothing.
// expect: op must be callable without arguments, or with a const Call&
void op_with_argument() {
#ifdef FUSEBOX_COMPILE_FAIL
  compose(breaker).execute(fetch);
#else
  compose(breaker).execute([] { return fetch("/"); });
#endif
}

// op that is no function.
// expect: op must be callable without arguments, or with a const Call&
void op_is_a_value() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(breaker).try_execute(42));
#else
  static_cast<void>(compose(breaker).try_execute([] { return 42; }));
#endif
}

// A future fails after the policies have recorded a success.
// expect: op returns a future
void op_gives_future() {
#ifdef FUSEBOX_COMPILE_FAIL
  compose(breaker).execute(start_future);
#else
  compose(breaker).execute([] { return start_future().get(); });
#endif
}

// failure_if judges a value.
// expect: failure_if judges the value of op, and this op returns none
void failure_if_of_void() {
#ifdef FUSEBOX_COMPILE_FAIL
  compose(breaker).execute([] {}, failure_if([](int) { return true; }));
#else
  compose(breaker).execute(op, failure_if([](int) { return true; }));
#endif
}

// A policy of one's own calls op itself.
// expect: a policy of your own calls op itself, so its pipeline cannot be driven step by step
void start_with_policy_of_the_program() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(of_the_program.start<int>());
#else
  static_cast<void>(pipeline.start<int>());
#endif
}

// A run refers to its pipeline.
// expect: a run refers to its pipeline, and this one is a temporary: keep the pipeline in a variable
void start_of_temporary() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(compose(breaker, retry()).start<int>());
#else
  static_cast<void>(pipeline.start<int>());
#endif
}

// So does a run of a pipeline that is moved from.
// expect: a run refers to its pipeline, and this one is a temporary: keep the pipeline in a variable
void start_of_moved() {
  auto own = compose(breaker);
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(std::move(own).start<long>());
#else
  static_cast<void>(own.start<long>());
#endif
}

// start() takes the options of execute().
// expect: unknown option: execute accepts, after op, a std::stop_token, a Deadline, failure_if
void start_with_unknown_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(pipeline.start<int>(42));
#else
  static_cast<void>(pipeline.start<int>(token));
#endif
}

// A call driven by hand cannot hold a future either.
// expect: op returns a future
void start_of_future() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(pipeline.start<std::future<int>>());
#else
  static_cast<void>(pipeline.start<int>());
#endif
}

// The options of a call do not belong to retry().
// expect: belong to a call: give them to execute\(\), not to retry\(\)
void token_of_retry() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(retry(RetryConfig{}, token));
#else
  static_cast<void>(compose(retry(RetryConfig{})).execute(op, token));
#endif
}

// retry() knows a few options.
// expect: unknown option: retry accepts, after an optional RetryConfig, a Clock
void unknown_option_of_retry() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(retry(RetryConfig{}, 42));
#else
  static_cast<void>(retry(RetryConfig{}, SystemClock{}));
#endif
}

// Each at most once.
// expect: two options of one kind: retry accepts at most one each
void doubled_option_of_retry() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(retry(SystemClock{}, SystemClock{}));
#else
  static_cast<void>(retry(SystemClock{}));
#endif
}

// A budget is shared.
// expect: a retry budget is shared by calls: pass it as an lvalue or a std::shared_ptr
void rvalue_budget() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(retry(RetryBudget<>{}));
#else
  static_cast<void>(retry(std::make_shared<RetryBudget<>>()));
#endif
}

// AnyPipeline judges op's value by its type alone.
// expect: unknown option: AnyPipeline accepts, after op, a std::stop_token, a Deadline and a
void unknown_option_of_any() {
  const AnyPipeline<int> any = compose(breaker);
#ifdef FUSEBOX_COMPILE_FAIL
  any.execute(op, failure_if([](int) { return true; }));
#else
  any.execute(op, token);
#endif
}

// Each of its options at most once.
// expect: two options of one kind: AnyPipeline accepts at most one each
void doubled_option_of_any() {
  const AnyPipeline<int> any = compose(breaker);
#ifdef FUSEBOX_COMPILE_FAIL
  any.execute(op, token, token);
#else
  any.execute(op, token, Deadline::never());
#endif
}

// op of an AnyPipeline<int> gives an int.
// expect: op of an AnyPipeline<T> must give a T
void other_type_of_any() {
  const AnyPipeline<int> any = compose(breaker);
#ifdef FUSEBOX_COMPILE_FAIL
  any.execute([] { return std::string{"1"}; });
#else
  any.execute([] { return 1; });
#endif
}

// A fallback is called with nothing or with the failure.
// expect: the fallback must be callable with nothing or with a const Failure&
void fallback_with_argument() {
#ifdef FUSEBOX_COMPILE_FAIL
  static_cast<void>(fallback(fetch));
#else
  static_cast<void>(fallback([] { return fetch("/"); }));
#endif
}

// The last good value is a copy.
// expect: fallback_to_last_good keeps a copy of each value, so the result type must be copyable
void last_good_of_move_only() {
#ifdef FUSEBOX_COMPILE_FAIL
  compose(fallback_to_last_good(1s)).execute([] { return std::make_unique<int>(1); });
#else
  compose(fallback_to_last_good(1s)).execute([] { return std::make_shared<int>(1); });
#endif
}
