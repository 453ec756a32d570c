// Without exceptions a failure is read, not thrown.
// flags: -fno-exceptions
// expect: Failure::rethrow needs exceptions
#include <fusebox/failure.hpp>

#ifdef FUSEBOX_COMPILE_FAIL

inline void tell(const fusebox::Failure& failure) { failure.rethrow(); }
#else

inline std::string tell(const fusebox::Failure& failure) { return failure.message(); }
#endif
