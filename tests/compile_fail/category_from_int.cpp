// An int is no ErrorCategory: the status of an answer has to go through category_of.
// expect: (cannot convert|cannot initialize).*ErrorCategory
#include <fusebox/error_code.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
constexpr fusebox::ErrorCategory category = 404;
#else
constexpr fusebox::ErrorCategory category = fusebox::category_of(404);
#endif

static_assert(fusebox::http_status(category) == 404);
