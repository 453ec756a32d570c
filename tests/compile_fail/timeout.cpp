// Timeouts.
#include <fusebox/timeout.hpp>

#include <chrono>
#include <future>
#include <stop_token>

using namespace fusebox;
using namespace std::chrono_literals;

int op() { return 1; }
int stoppable(std::stop_token) { return 1; }

/// A clock that cannot stop what runs too long.
struct PlainClock {
  static std::chrono::steady_clock::time_point now() { return {}; }
  static std::chrono::system_clock::time_point wall_now() { return {}; }
  static bool sleep_for(std::chrono::nanoseconds, const StopToken&) { return true; }
};

// A limit has a unit.
// expect: could not convert|cannot convert|no known conversion|no viable conversion|no matching function
void limit_without_unit() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto timeout = total_timeout(30);
#else
  const auto timeout = total_timeout(30s);
#endif
}

// with_timeout takes the options of execute, and a clock.
// expect: unknown option: with_timeout accepts.*a clock, a std::stop_token, a Deadline
void unknown_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  const int value = with_timeout(30s, op, 5);
#else
  const int value = with_timeout(30s, op, SystemClock{});
#endif
}

// One option of each kind.
// expect: two options of one kind: with_timeout accepts at most one each
void two_deadlines() {
#ifdef FUSEBOX_COMPILE_FAIL
  const int value = with_timeout(30s, op, Deadline{}, Deadline{});
#else
  const int value = with_timeout(30s, op, Deadline{});
#endif
}

// A policy has its clock; a call of it takes no other.
// expect: unknown option: execute accepts, after op, a std::stop_token, a Deadline, failure_if
void unknown_option_of_execute() {
  auto timeout = attempt_timeout(30s);
#ifdef FUSEBOX_COMPILE_FAIL
  const int value = timeout.execute(op, SystemClock{});
#else
  const int value = timeout.execute(op, std::stop_token{});
#endif
}

// A stop needs a clock that can cause one.
// expect: this clock cannot stop an op that takes a std::stop_token
void clock_without_timers() {
#ifdef FUSEBOX_COMPILE_FAIL
  const int value = with_timeout(30s, stoppable, PlainClock{});
#else
  const int value = with_timeout(30s, op, PlainClock{});
#endif
}

// A future would be judged before it is ready.
// expect: op returns a future
void unfinished_op() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto value = with_timeout(30s, [] { return std::async(op); });
#else
  const auto value = with_timeout(30s, [] { return std::async(op).get(); });
#endif
}

// op takes what the policies can give.
// expect: op must be callable without arguments, or with a const Call&
void op_takes_something_else() {
#ifdef FUSEBOX_COMPILE_FAIL
  const int value = with_timeout(30s, [](int number) { return number; });
#else
  const int value = with_timeout(30s, [](Deadline) { return 1; });
#endif
}
