// A retry asks one budget.
// expect: two options of one kind: retry_with_backoff accepts at most one each of .* and a retry budget
#include <fusebox/retry.hpp>

inline int op() { return 1; }
struct Budget {
  bool try_withdraw() { return true; }
};
inline Budget first;
inline Budget second;

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(op, first, second);
#else
const auto result = fusebox::retry_with_backoff(op, first);
#endif
