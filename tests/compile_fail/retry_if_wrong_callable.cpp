// retry_if is asked about a Failure, not about an exception.
// expect: retry_if takes bool f.const Failure&.
#include <fusebox/retry.hpp>

#include <exception>

#ifdef FUSEBOX_COMPILE_FAIL
const auto rule = fusebox::retry_if([](const std::exception&) { return true; });
#else
const auto rule = fusebox::retry_if([](const fusebox::Failure& failure) { return failure.is_transient(); });
#endif
