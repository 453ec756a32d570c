// on_retry is told three things.
// expect: on_retry takes f.int attempt, const Failure& failure, std::chrono::nanoseconds delay.
#include <fusebox/retry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
const auto hook = fusebox::on_retry([](const fusebox::Failure&) {});
#else
const auto hook = fusebox::on_retry([](int, const fusebox::Failure&, std::chrono::nanoseconds) {});
#endif
