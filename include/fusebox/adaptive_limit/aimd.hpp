// fusebox/adaptive_limit/aimd.hpp: Aimd, one more after a good window, a tenth fewer after a bad one.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <chrono>
#include <string>

#include <fusebox/adaptive_limit/rule.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Additive increase, multiplicative decrease: the rule and the defaults of Netflix's concurrency-limits
/// (W7). It sees no queue, only calls that are dropped or take longer than `timeout`: a limit that is always
/// used grows to `max`.
struct Aimd {
  int initial = 20;      ///< in [min, max]
  int min = 20;          ///< in [1, 65535]
  int max = 200;         ///< in [min, 65535]
  double backoff = 0.9;  ///< what a bad window leaves of the limit, in [0.5, 1)
  std::chrono::nanoseconds timeout = std::chrono::seconds{5};  ///< a mean latency above it is bad; above 0
  std::chrono::nanoseconds window = std::chrono::seconds{1};   ///< above 0
  int min_samples = 10;                                        ///< of a window, in [1, 1000]
  friend bool operator==(const Aimd&, const Aimd&) = default;

  class State {
   public:
    explicit constexpr State(const Aimd& rule) noexcept : limit_{rule.initial} {}

    [[nodiscard]] constexpr AdaptiveStep next(const Aimd& rule, const AdaptiveWindow& seen) noexcept {
      if (seen.dropped > 0 || seen.latency > rule.timeout) {
        limit_ = static_cast<int>(limit_ * rule.backoff);
      } else if (detail::is_half_used(seen, limit_)) {
        ++limit_;
      }
      limit_ = std::clamp(limit_, rule.min, rule.max);
      return {limit_, false};
    }

   private:
    int limit_;
  };
};

namespace detail {

template <>
inline constexpr const char* rule_type<Aimd> = "Aimd";

[[nodiscard]] constexpr Problem check(const Aimd& rule) noexcept {
  if (const auto wrong = check_common(rule)) return wrong;
  if (!(rule.backoff >= 0.5 && rule.backoff < 1)) return problem("backoff", "in [0.5, 1)", rule.backoff);
  if (!is_positive_duration(rule.timeout)) return problem("timeout", positive_duration_rule, rule.timeout);
  return {};
}

}  // namespace detail

/// Empty if the rule is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const Aimd& rule) {
  return detail::to_text("Aimd", detail::check(rule));
}

FUSEBOX_END_NAMESPACE
