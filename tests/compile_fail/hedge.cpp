// Hedges.
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry_budget.hpp>

#include <chrono>
#include <memory>
#include <stop_token>

using namespace fusebox;
using namespace std::chrono_literals;

int op() { return 1; }

// Copies of op run at once.
// expect: a hedge runs op on several threads at once, so op must be callable as const
void mutable_op() {
  auto policy = hedge();
#ifdef FUSEBOX_COMPILE_FAIL
  const int value = policy.execute([n = 0]() mutable { return ++n; });
#else
  const int value = policy.execute([n = 0] { return n; });
#endif
}

// A copy of op outlives the call.
// expect: a hedge copies op, since a copy that lost may outlive the call, and this op cannot be copied
void op_that_cannot_be_copied() {
  auto policy = hedge();
#ifdef FUSEBOX_COMPILE_FAIL
  const int value = policy.execute([p = std::make_unique<int>(1)] { return *p; });
#else
  const int value = policy.execute([p = std::make_shared<int>(1)] { return *p; });
#endif
}

// A stop token belongs to a call.
// expect: a std::stop_token and a Deadline belong to a call: give them to execute\(\), not to hedge\(\)
void token_in_the_wrong_place() {
#ifdef FUSEBOX_COMPILE_FAIL
  auto policy = hedge({.delay = 1s}, std::stop_token{});
#else
  auto policy = hedge({.delay = 1s});
#endif
}

// What is no option.
// expect: unknown option: hedge accepts.*a Clock, a retry budget, an executor
void unknown_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  auto policy = hedge({.delay = 1s}, 5);
#else
  auto policy = hedge({.delay = 1s}, [](HedgeTask task) { task(); });
#endif
}

// One option of each kind.
// expect: two options of one kind: hedge accepts at most one each
void two_clocks() {
#ifdef FUSEBOX_COMPILE_FAIL
  auto policy = hedge({.delay = 1s}, SystemClock{}, SystemClock{});
#else
  auto policy = hedge({.delay = 1s}, SystemClock{});
#endif
}

// A budget is shared by calls.
// expect: a budget is shared by calls: pass it as an lvalue or a std::shared_ptr
void temporary_budget() {
#ifdef FUSEBOX_COMPILE_FAIL
  auto policy = hedge({.delay = 1s}, RetryThrottle{});
#else
  RetryThrottle throttle;
  auto policy = hedge({.delay = 1s}, throttle);
#endif
}

// A run is one copy.
// expect: a hedge runs several copies of a call at once, and a run is one of them: drive the hedge by hand
void step_by_step() {
  const auto pipeline = compose(hedge());
#ifdef FUSEBOX_COMPILE_FAIL
  auto run = pipeline.start<int>();
#else
  auto run = hedge().start();
#endif
}

// An AnyPipeline refers to op.
// expect: a hedge copies op, and an AnyPipeline has only a reference to it
void forgotten_type() {
#ifdef FUSEBOX_COMPILE_FAIL
  const AnyPipeline<int> any = compose(hedge());
#else
  const auto any = compose(hedge());
#endif
}
