// Where nothing is caught there is no current exception.
// flags: -fno-exceptions
// expect: Failure::from_current_exception needs exceptions
#include <fusebox/failure.hpp>

#ifdef FUSEBOX_COMPILE_FAIL

inline fusebox::Failure failure() { return fusebox::Failure::from_current_exception(); }
#else

inline fusebox::Failure failure() { return fusebox::Failure::from_status(503); }
#endif
