// on_give_up is told the stats.
// expect: on_give_up takes f.const RetryStats& stats.
#include <fusebox/retry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
const auto hook = fusebox::on_give_up([](const fusebox::Failure&) {});
#else
const auto hook = fusebox::on_give_up([](const fusebox::RetryStats&) {});
#endif
