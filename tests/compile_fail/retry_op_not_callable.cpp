// op takes nothing or a const Attempt&; what it needs it captures.
// expect: op must be callable without arguments or with a const Attempt&
#include <fusebox/retry.hpp>

inline int fetch(const char* url) { return url[0]; }

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(fetch);
#else
const auto result = fusebox::retry_with_backoff([] { return fetch("/"); });
#endif
