// fusebox/retry.hpp: retry_with_backoff, which retries an operation that failed with a transient error.
//
//   retry_with_backoff       returns op's value, or throws its last error unchanged
//   try_retry_with_backoff   returns the value or the error
//   retry/config.hpp         RetryConfig: how often, how long; retry_presets, exponential_delay
//   retry/options.hpp        on_retry, on_give_up, retry_if, backoff, linear, with_random, RetryBudgetLike
//   retry/attempt.hpp        Attempt, which op may take: its number, deadline, idempotency key
//   retry/result.hpp         RetryResult, RetryStats, StopReason
//   retry/counts.hpp         RetryCounts, RetryCountsStats: the attempts of pipelines, for metrics
//   retry/policy.hpp         retry, RetryPolicy: a retry as a part of a pipeline
//   retry/state.hpp          RetryState: the rules without a loop, for a retry driven by hand
#pragma once

#include <utility>

#include <fusebox/backoff.hpp>        // IWYU pragma: export
#include <fusebox/retry/attempt.hpp>  // IWYU pragma: export
#include <fusebox/retry/config.hpp>   // IWYU pragma: export
#include <fusebox/retry/counts.hpp>   // IWYU pragma: export
#include <fusebox/retry/detail/layer.hpp>
#include <fusebox/retry/detail/plan.hpp>
#include <fusebox/retry/options.hpp>  // IWYU pragma: export
#include <fusebox/retry/policy.hpp>   // IWYU pragma: export
#include <fusebox/retry/result.hpp>   // IWYU pragma: export
#include <fusebox/retry/state.hpp>    // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// Calls op until it succeeds, fails with an error that is not retried, or the config says stop (R1 to R10).
/// Returns op's value with stats. Throws op's last exception unchanged, or CancelledError if a stop was
/// requested before the first attempt. A failed value (an expected, an error code, a value that failure_if
/// rejects) is not thrown: the last one is in the result, whose has_value() is then false.
///
///     auto order = retry_with_backoff(fetch_order, {.max_retries = 2, .base_delay = 100ms},
///                                     on_retry([](int n, const Failure& f, auto wait) { … }));
///
/// op takes nothing or a `const Attempt&`. A config and options follow, each option at most once, in any
/// order: a Clock, a std::stop_token, on_retry, on_give_up, retry_if, failure_if, with_random, a retry budget
/// (R17).
///
/// Waits on the calling thread. Thread-safe: concurrent calls share only what the caller passes to both.
/// Throws ConfigError for an invalid config, before anything else.
template <class Op, class... Options>
FUSEBOX_DETAIL_INLINE auto retry_with_backoff(Op&& op, const RetryConfig& config, Options&&... options) {
  detail::check_retry_options<Options...>();
  return detail::RetryDrive::call<true>(std::forward<Op>(op), config, std::forward<Options>(options)...);
}

template <class Op, class... Options>
  requires(!detail::starts_with_config<Options..., void>)
FUSEBOX_DETAIL_INLINE auto retry_with_backoff(Op&& op, Options&&... options) {
  detail::check_retry_options<Options...>();
  return detail::RetryDrive::call<true>(std::forward<Op>(op), detail::default_retry_config,
                                        std::forward<Options>(options)...);
}

/// As retry_with_backoff, but throws nothing of op's: has_value() and error() say how it ended.
template <class Op, class... Options>
[[nodiscard]] FUSEBOX_DETAIL_INLINE auto try_retry_with_backoff(Op&& op, const RetryConfig& config,
                                                                Options&&... options) {
  detail::check_retry_options<Options...>();
  return detail::RetryDrive::call<false>(std::forward<Op>(op), config, std::forward<Options>(options)...);
}

template <class Op, class... Options>
  requires(!detail::starts_with_config<Options..., void>)
[[nodiscard]] FUSEBOX_DETAIL_INLINE auto try_retry_with_backoff(Op&& op, Options&&... options) {
  detail::check_retry_options<Options...>();
  return detail::RetryDrive::call<false>(std::forward<Op>(op), detail::default_retry_config,
                                         std::forward<Options>(options)...);
}

FUSEBOX_END_NAMESPACE
