// fusebox/detail/iso_time.hpp: a time as ISO 8601 text.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <string>

#include <fmt/format.h>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// 2025-01-07T12:00:00.000Z: ISO 8601, in UTC, with milliseconds, rounded down. A time outside the years 0 to
/// 9999 gives their first or last millisecond.
template <class Duration>
[[nodiscard]] std::string iso_time(std::chrono::sys_time<Duration> time) {
  using std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> first = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
  const std::chrono::sys_time<milliseconds> last =
      std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} + std::chrono::days{1} - milliseconds{1};
  auto shown = std::chrono::floor<milliseconds>(time);
  if (shown < first) shown = first;
  if (shown > last) shown = last;
  const auto day = std::chrono::floor<std::chrono::days>(shown);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{shown - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
