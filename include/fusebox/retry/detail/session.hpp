// fusebox/retry/detail/session.hpp: the rules of a retry (R1 to R7), apart from the loop that runs them.
//
// RetryConfig and exponential_delay are here too, public through retry.hpp. A session begins with the first
// failure of a call of retry_with_backoff; it decides after each one whether to stop, or how long to wait,
// and never waits itself, so that a loop of another kind can use it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fusebox/backoff.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/retry/result.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

/// How often to call again, and how long to wait in between. `validate` says what is refused.
struct RetryConfig {
  int max_retries = 3;                                            ///< calls = 1 + max_retries; at most 65535
  std::chrono::nanoseconds base_delay = std::chrono::seconds{1};  ///< the first delay, before jitter
  std::chrono::nanoseconds max_delay = std::chrono::seconds{30};  ///< no delay is longer
  double multiplier = 2.0;  ///< each delay by the one before; at least 1
  Jitter jitter = Jitter::equal;
  std::chrono::nanoseconds total_timeout = no_timeout;  ///< from the first attempt
  bool honor_retry_after = true;                        ///< wait as long as the failure asks for
  bool idempotent = true;                               ///< false: retry only what was surely not processed
  friend bool operator==(const RetryConfig&, const RetryConfig&) = default;
};

/// min(max_delay, base_delay × multiplierⁿ) for n from 0: the delay before jitter (R1). Saturates.
[[nodiscard]] constexpr std::chrono::nanoseconds exponential_delay(const RetryConfig& config,
                                                                   std::uint32_t n) noexcept {
  return detail::exponential_delay(config.base_delay, config.max_delay, config.multiplier, n);
}

namespace detail {

[[nodiscard]] constexpr Problem check(const RetryConfig& config) noexcept {
  if (!is_count(config.max_retries))
    return problem("max_retries", count_rule, static_cast<long long>(config.max_retries));
  if (!is_duration(config.base_delay)) return problem("base_delay", "at least 0", config.base_delay);
  if (!is_duration(config.max_delay)) return problem("max_delay", "at least 0", config.max_delay);
  if (config.max_delay < config.base_delay)
    return problem("max_delay", "at least base_delay", config.max_delay);
  if (!is_multiplier(config.multiplier))
    return problem("multiplier", "finite and at least 1", config.multiplier);
  if (config.jitter > Jitter::decorrelated) {
    return problem("jitter", "one of none, full, equal, decorrelated", static_cast<long long>(config.jitter));
  }
  if (!is_positive_duration(config.total_timeout)) {
    return problem("total_timeout", positive_duration_rule, config.total_timeout);
  }
  return {};
}

}  // namespace detail

/// Empty where the config is good, else what is wrong: field, rule and value.
[[nodiscard]] inline std::string validate(const RetryConfig& config) {
  return detail::to_text("RetryConfig", detail::check(config));
}

namespace detail {

/// 32 hexadecimal digits in the shape of a random UUID (RFC 9562 §5.4).
[[nodiscard]] FUSEBOX_DETAIL_COLD inline std::string make_idempotency_key() {
  const EntropySource entropy;
  const std::uint64_t high = (entropy() & ~std::uint64_t{0xf000}) | 0x4000U;
  const std::uint64_t low = (entropy() & ~(std::uint64_t{0xc} << 60U)) | (std::uint64_t{0x8} << 60U);
  std::string key;
  key.reserve(36);
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) key.push_back('-');
    const std::uint64_t half = digit < 16 ? high : low;
    key.push_back("0123456789abcdef"[(half >> (60 - 4 * (digit % 16))) & 0xfU]);
  }
  return key;
}

}  // namespace detail

/// What op may take as a `const Attempt&`. Valid while op runs.
class Attempt {
 public:
  int number;                       ///< 1 for the first
  std::optional<int> resend_count;  ///< absent for the first, then 1, 2, …
  Deadline deadline;                ///< when total_timeout ends; never without one
  detail::StopToken stop_token;     ///< the std::stop_token given with the call

  /// A random UUID, made when first asked for, the same for every attempt of one call: send it as the
  /// Idempotency-Key, so that the receiver can tell a repetition.
  [[nodiscard]] const std::string& idempotency_key() const {
    if (!key_) key_.emplace(detail::make_idempotency_key());
    return *key_;
  }

 private:
  friend struct detail::RetryLoop;
  Attempt(int n, Deadline end, detail::StopToken token, std::optional<std::string>& key)
      : number{n}, deadline{end}, stop_token{std::move(token)}, key_{key} {
    if (n > 1) resend_count = n - 1;
  }
  std::optional<std::string>& key_;
};

namespace detail {

class RetrySession {
 public:
  RetrySession(const RetryConfig& config, RetryStats& stats, Deadline deadline) noexcept
      : config_{config}, stats_{stats}, deadline_{deadline}, previous_{config.base_delay} {}

  /// How long to wait before the next attempt; nothing where the retry ends, whose reason is then in
  /// the stats (R2 gives the order of the reasons).
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
    const auto wait = draw(asked, generator);
    if (!deadline_.is_never() && wait >= deadline_.remaining(clock)) return stop(StopReason::deadline);
    if (!budget.try_withdraw()) return stop(StopReason::budget_exhausted);
    return wait;
  }

  void keep(Failure failure) { stats_.errors.push_back(std::move(failure)); }

  /// After a wait; false where cancellation ended it.
  [[nodiscard]] bool waited(std::chrono::nanoseconds wait, bool to_its_end) {
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

  /// R7: what cannot have reached the dependency, or was turned away by it before it did anything.
  [[nodiscard]] static bool surely_not_processed(const Failure& failure) noexcept {
    const std::error_code code = failure.code();
    return code == std::errc::connection_refused || code == NetworkErrc::host_not_found ||
           is_foreign_host_not_found(code) || failure.status() == 429 ||
           (failure.status() == 503 && failure.retry_after());
  }

  [[nodiscard]] std::optional<std::chrono::nanoseconds> asked_wait(const Failure& failure) const noexcept {
    if (!config_.honor_retry_after || !failure.retry_after()) return std::nullopt;
    const auto asked = to_nanoseconds(*failure.retry_after());
    return asked < std::chrono::nanoseconds::zero() ? std::chrono::nanoseconds::zero() : asked;
  }

  template <class G>
  [[nodiscard]] std::chrono::nanoseconds draw(std::optional<std::chrono::nanoseconds> asked, G& generator) {
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
  std::chrono::nanoseconds previous_;
};

}  // namespace detail

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
