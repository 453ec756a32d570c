// fusebox/detail/slots/config.hpp: how many calls a policy with slots lets through at once, by priority.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <cstdint>
#include <string>

#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/number_text.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a SlotCore is made with; the config of its policy has checked it.
struct SlotConfig {
  std::uint32_t limit = 1;  // slots in all, at first
  int max_waiting = 0;
  std::chrono::nanoseconds max_wait = no_timeout;  // of one call
  double headroom = 0;  // the share of the slots that each step of priority below critical leaves free
};

[[nodiscard]] constexpr Problem check_limit(const char* field, int limit) noexcept {
  if (is_positive_count(limit)) return {};
  return problem(field, positive_count_rule, static_cast<long long>(limit));
}
[[nodiscard]] constexpr Problem check_max_waiting(int max_waiting) noexcept {
  if (is_count(max_waiting)) return {};
  return problem("max_waiting", count_rule, static_cast<long long>(max_waiting));
}
[[nodiscard]] constexpr Problem check_max_wait(std::chrono::nanoseconds max_wait) noexcept {
  if (is_duration(max_wait)) return {};
  return problem("max_wait", "at least 0", max_wait);
}
[[nodiscard]] constexpr Problem check_headroom(double headroom) noexcept {
  if (headroom >= 0 && headroom <= 0.3) return {};
  return problem("headroom", "in [0, 0.3]", headroom);
}

/// Of `limit` slots, those that calls of a priority may take (P18): what they leave free is rounded up, and
/// one slot is everybody's.
[[nodiscard]] constexpr std::uint32_t slots_for(Priority priority, std::uint32_t limit,
                                                double headroom) noexcept {
  const double share = headroom * static_cast<double>(priority) * limit;
  auto left_free = static_cast<std::uint32_t>(share);
  constexpr double rounding = 1e-6;  // 0.1 x 3 x 10 is a little more than 3
  if (share - left_free > rounding) ++left_free;
  return left_free < limit ? limit - left_free : 1;
}

/// What Pipeline::explain() says of the queue and of the headroom, as the end of a line.
template <class Explanation>
void explain_queue(const SlotConfig& config, std::string& line, Explanation& text) {
  if (config.max_waiting == 0) {
    line.append("a full one rejects at once");
  } else {
    line.append(std::to_string(config.max_waiting)).append(" more wait");
    if (config.max_wait != no_timeout)
      line.append(", at most ").append(duration_text(config.max_wait)).append(" each");
    text.delay(config.max_wait);
  }
  if (config.headroom > 0) {
    line.append("; each step of priority below critical leaves ");
    append_number(line, 100 * config.headroom);
    line.append(" % of the slots free");
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
