// retry_if answers.
// expect: retry_if takes bool f.const Failure&.
#include <fusebox/retry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
const auto rule = fusebox::retry_if([](const fusebox::Failure&) {});
#else
const auto rule = fusebox::retry_if([](const fusebox::Failure&) { return true; });
#endif
