// A retry has one hook of a kind, though the callables are of different types.
// expect: two options of one kind: retry_with_backoff accepts at most one each of .*on_give_up
#include <fusebox/retry.hpp>

inline int op() { return 1; }

#ifdef FUSEBOX_COMPILE_FAIL
const auto result = fusebox::retry_with_backoff(op, {}, fusebox::on_give_up([](const auto&) {}),
                                                fusebox::on_give_up([](const fusebox::RetryStats&) {}));
#else
const auto result = fusebox::retry_with_backoff(op, {}, fusebox::on_give_up([](const auto&) {}));
#endif
