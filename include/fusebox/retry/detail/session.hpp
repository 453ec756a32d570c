// fusebox/retry/detail/session.hpp: the rules of a retry (R1 to R7), without the loop that follows them.
//
// A session begins with the first failure of a call. After each failure it decides whether to stop, or how
// long to wait. It never waits itself, so that a loop of another kind can use it.
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include <fusebox/backoff.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry/config.hpp>
#include <fusebox/retry/result.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The rules for one call, used by one thread.
class RetrySession {
 public:
  RetrySession(const RetryConfig& config, RetryStats& stats, Deadline deadline) noexcept
      : config_{config}, stats_{stats}, deadline_{deadline}, previous_{config.base_delay} {}

  /// How long to wait before the next attempt. Nothing if the retry ends: its reason, the first that holds in
  /// the order of R2, is then in the stats.
  template <class C, class Accepts, class G, class Budget>
  [[nodiscard]] std::optional<std::chrono::nanoseconds> next_wait(const Failure& failure, const C& clock,
                                                                  const StopToken& token, Accepts& accepts,
                                                                  G& generator, Budget& budget) {
    if (token.stop_requested() || failure.is_cancellation()) return stop(StopReason::cancelled);
    if (!(config_.idempotent || surely_not_processed(failure)) || !accepts.accepts(failure)) {
      return stop(StopReason::not_retryable);
    }
    if (stats_.attempts > config_.max_retries) return stop(StopReason::retries_exhausted);
    const auto asked = asked_wait(failure);
    if (asked && *asked > config_.max_delay) return stop(StopReason::retry_after_too_long);
    const auto wait = draw_wait(asked, generator);
    if (!deadline_.is_never() && wait >= deadline_.remaining(clock)) return stop(StopReason::deadline);
    if (!budget.try_withdraw()) return stop(StopReason::budget_exhausted);
    return wait;
  }

  void record_error(Failure failure) { stats_.errors.push_back(std::move(failure)); }

  /// After a wait; false if a stop cut it short.
  [[nodiscard]] bool finish_wait(std::chrono::nanoseconds wait, bool to_its_end) {
    if (!to_its_end) {
      stats_.stop_reason = StopReason::cancelled;
      return false;
    }
    stats_.total_delay = std::chrono::nanoseconds{saturating_add(ticks(stats_.total_delay), ticks(wait))};
    return true;
  }

 private:
  std::nullopt_t stop(StopReason reason) {
    stats_.stop_reason = reason;
    return std::nullopt;
  }

  /// R7: what cannot have reached the dependency, or was rejected by it before it did anything.
  [[nodiscard]] static bool surely_not_processed(const Failure& failure) noexcept {
    const std::error_code code = failure.code();
    return code == std::errc::connection_refused || code == NetworkErrc::host_not_found ||
           is_foreign_host_not_found(code) || failure.status() == 429 ||
           (failure.status() == 503 && failure.retry_after());
  }

  /// The wait that the failure asks for, if it is to be honoured (R5).
  [[nodiscard]] std::optional<std::chrono::nanoseconds> asked_wait(const Failure& failure) const noexcept {
    if (!config_.honor_retry_after || !failure.retry_after()) return std::nullopt;
    const auto asked = to_nanoseconds(*failure.retry_after());
    return asked < std::chrono::nanoseconds::zero() ? std::chrono::nanoseconds::zero() : asked;
  }

  /// The delay (R1), or the wait that was asked for with its share of jitter, whichever is longer (R5).
  template <class G>
  [[nodiscard]] std::chrono::nanoseconds draw_wait(std::optional<std::chrono::nanoseconds> asked,
                                                   G& generator) {
    const auto retry = static_cast<std::uint32_t>(stats_.attempts - 1);
    const auto delay = exponential_delay(config_, retry);
    previous_ =
        detail::spread(delay, config_.jitter, config_.base_delay, config_.max_delay, previous_, generator);
    if (!asked) return previous_;
    auto wait = *asked;
    if (config_.jitter != Jitter::none) {
      const auto room = config_.max_delay - wait;
      const auto added = room < config_.base_delay ? room : config_.base_delay;
      wait += std::chrono::nanoseconds{detail::uniform(generator, 0, added.count())};
    }
    return wait < previous_ ? previous_ : wait;
  }

  const RetryConfig& config_;
  RetryStats& stats_;
  Deadline deadline_;
  std::chrono::nanoseconds previous_;  // the delay drawn last; base_delay before the first
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
