// A result that has a name is not taken apart by a conversion: say *result.
// expect: (conversion from|no viable conversion|cannot convert).*RetryResult
#include <fusebox/retry.hpp>

#include <string>

inline std::string op() { return "text"; }
inline auto result = fusebox::retry_with_backoff(op);

#ifdef FUSEBOX_COMPILE_FAIL
inline std::string text = result;
#else
inline std::string text = *result;
#endif
