// A result is asked has_value(): as a condition it could mean two things.
// expect: (could not convert|cannot convert|no viable conversion|not contextually convertible)
#include <fusebox/retry.hpp>

#include <string>

inline std::string op() { return "text"; }

#ifdef FUSEBOX_COMPILE_FAIL
inline bool call() { return fusebox::try_retry_with_backoff(op) ? true : false; }
#else
inline bool call() { return fusebox::try_retry_with_backoff(op).has_value() ? true : false; }
#endif
