// A budget made for one call limits nothing.
// expect: a retry budget is shared by calls: pass it as an lvalue
#include <fusebox/retry.hpp>

inline int op() { return 1; }
struct Budget {
  bool try_withdraw() { return true; }
};
inline Budget budget;

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(op, Budget{});
#else
const auto result = fusebox::retry_with_backoff(op, budget);
#endif
