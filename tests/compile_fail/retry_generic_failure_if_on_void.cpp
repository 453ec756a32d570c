// A predicate that takes anything finds nothing to judge where op returns none.
// expect: failure_if judges the value of op, and this op returns none
#include <fusebox/retry.hpp>

inline bool is_up() { return true; }
inline const auto rule = fusebox::failure_if([](const auto&) { return true; });

#ifdef FUSEBOX_COMPILE_FAIL
inline void call() {
  fusebox::retry_with_backoff([] { is_up(); }, rule);
}
#else
inline auto call() { return fusebox::retry_with_backoff(is_up, rule); }
#endif
