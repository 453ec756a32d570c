// A number is no ErrorCode.
// expect: (no matching function|no matching constructor|could not convert|cannot convert)
#include <fusebox/api_error.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
inline const fusebox::ApiError error{404, "no such order"};
#else
inline const fusebox::ApiError error{fusebox::ErrorCode::not_found, "no such order"};
#endif
