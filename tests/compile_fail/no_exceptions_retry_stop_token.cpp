// A call that is cancelled before its first attempt has a CancelledError to throw.
// flags: -fno-exceptions
// expect: without exceptions retry_with_backoff cannot throw CancelledError
#include <fusebox/retry.hpp>

inline std::error_code ping() { return {}; }
#ifdef FUSEBOX_COMPILE_FAIL

inline bool call(const std::stop_token& token) {
  return fusebox::retry_with_backoff(ping, token).has_value();
}
#else

inline bool call(const std::stop_token& token) {
  return fusebox::try_retry_with_backoff(ping, token).has_value();
}
#endif
