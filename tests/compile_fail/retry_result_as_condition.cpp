// A result is asked has_value(): as a condition it could mean two things.
// expect: (use of|to use a) deleted function
#include <fusebox/retry.hpp>

inline int op() { return 0; }

#ifdef FUSEBOX_COMPILE_FAIL
inline bool call() { return fusebox::try_retry_with_backoff(op) ? true : false; }
#else
inline bool call() { return fusebox::try_retry_with_backoff(op).has_value() ? true : false; }
#endif
