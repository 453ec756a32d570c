// What an exception says is only known to who can catch it.
// flags: -fno-exceptions
// expect: Failure::from_exception needs exceptions
#include <fusebox/failure.hpp>

#ifdef FUSEBOX_COMPILE_FAIL

inline fusebox::Failure failure(const std::exception_ptr& exception) {
  return fusebox::Failure::from_exception(exception);
}
#else

inline fusebox::Failure failure(std::error_code code) { return fusebox::Failure{code}; }
#endif
