// A retry has one clock.
// expect: two options of one kind: retry_with_backoff accepts at most one each of a Clock
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(op, fusebox::SystemClock{}, fusebox::test::FakeClock{});
#else
const auto result = fusebox::retry_with_backoff(op, fusebox::test::FakeClock{});
#endif
