// fusebox/detail/iso_time.hpp: a time as ISO 8601 text.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <string>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// 2025-01-07T12:00:00.000Z: ISO 8601, in UTC, with milliseconds, rounded down. A time outside the years 0 to
/// 9999 gives their first or last millisecond. Allocates nothing.
class IsoTime {
 public:
  template <class Duration>
  constexpr explicit IsoTime(std::chrono::sys_time<Duration> time) noexcept {
    using std::chrono::milliseconds;
    constexpr std::chrono::sys_time<milliseconds> first = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
    constexpr std::chrono::sys_time<milliseconds> last =
        std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} + std::chrono::days{1} - milliseconds{1};
    auto shown = std::chrono::floor<milliseconds>(time);
    if (shown < first) shown = first;
    if (shown > last) shown = last;
    const auto day = std::chrono::floor<std::chrono::days>(shown);
    const std::chrono::year_month_day date{day};
    const auto of_day = static_cast<unsigned>((shown - day).count());  // milliseconds
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    write_pair(0, year / 100);
    write_pair(2, year % 100);
    write_pair(5, static_cast<unsigned>(date.month()));
    write_pair(8, static_cast<unsigned>(date.day()));
    write_pair(11, of_day / 3'600'000);
    write_pair(14, of_day / 60'000 % 60);
    write_pair(17, of_day / 1000 % 60);
    write_digit(20, of_day % 1000 / 100);
    write_pair(21, of_day % 100);
  }

  [[nodiscard]] constexpr std::string_view text() const noexcept { return {text_, sizeof text_ - 1}; }

 private:
  constexpr void write_digit(int at, unsigned digit) noexcept { text_[at] = static_cast<char>('0' + digit); }
  constexpr void write_pair(int at, unsigned number) noexcept {
    write_digit(at, number / 10);
    write_digit(at + 1, number % 10);
  }

  char text_[25] = "0000-00-00T00:00:00.000Z";
};

template <class Duration>
[[nodiscard]] std::string iso_time(std::chrono::sys_time<Duration> time) {
  return std::string{IsoTime{time}.text()};
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
