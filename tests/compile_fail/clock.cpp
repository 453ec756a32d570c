// Half a clock is refused. Each use has a type of its own, since a class is refused only once.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>

using namespace fusebox;
using fusebox::test::FakeClock;

template <int Use>
struct HalfClock {
  std::chrono::steady_clock::time_point now() const { return {}; }
};

int op() { return 1; }

// A Deadline is set and read by a TimeSource.
// expect: Deadline::after takes a TimeSource
void deadline_with_no_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto deadline = Deadline::after(std::chrono::seconds{1}, std::chrono::steady_clock{});
#else
  const auto deadline = Deadline::after(std::chrono::seconds{1}, SystemClock{});
#endif
}

// A breaker needs all of a TimeSource.
// expect: CircuitBreaker<C> needs a C that models fusebox::TimeSource
void breaker_of_no_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  CircuitBreaker<HalfClock<1>> breaker{"name", {}, HalfClock<1>{}};
#else
  CircuitBreaker<FakeClock> breaker{"name", {}, FakeClock{}};
#endif
}

// A registry needs all of a TimeSource.
// expect: CircuitBreakerRegistry<C> needs a C that models fusebox::TimeSource
void registry_of_no_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  CircuitBreakerRegistry<HalfClock<2>> registry;
#else
  CircuitBreakerRegistry<FakeClock> registry;
#endif
}

// Half a clock is no option of a retry.
// expect: unknown option: retry_with_backoff accepts.*a Clock
void retry_with_no_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto result = retry_with_backoff(op, HalfClock<3>{});
#else
  const auto result = retry_with_backoff(op, FakeClock{});
#endif
}

// A Deadline refers to its clock, which must outlive it.
// expect: a Deadline refers to its clock: pass one that outlives it, not a temporary
void deadline_of_a_temporary() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto deadline = Deadline::after(std::chrono::seconds{1}, test::FakeClock{});
#else
  const test::FakeClock clock;
  const auto deadline = Deadline::after(std::chrono::seconds{1}, clock);
#endif
}

// The same for a point in time.
// expect: a Deadline refers to its clock: pass one that outlives it, not a temporary
void deadline_at_of_a_temporary() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto deadline = Deadline::at({}, test::FakeClock{});
#else
  const auto deadline = Deadline::at({}, SystemClock{});
#endif
}
