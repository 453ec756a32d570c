// failure_if takes what op returns.
// expect: failure_if needs a predicate over .const T&., T being what op returns
#include <fusebox/retry.hpp>

#include <string>

inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
inline auto call() {
  return fusebox::retry_with_backoff(
      op, fusebox::failure_if([](const std::string& text) { return text.empty(); }));
}
#else
inline auto call() {
  return fusebox::retry_with_backoff(op, fusebox::failure_if([](int value) { return value == 0; }));
}
#endif
