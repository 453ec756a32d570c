// What is half a clock is no option of a retry.
// expect: unknown option: retry_with_backoff accepts.*a Clock
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

inline int op() { return 1; }
struct NoClock {
  std::chrono::steady_clock::time_point now() const;
};

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(op, NoClock{});
#else
const auto result = fusebox::retry_with_backoff(op, fusebox::test::FakeClock{});
#endif
