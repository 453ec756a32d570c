// fusebox/adapters/nlohmann_json/detail/duration.hpp: durations as text with a unit, and times as ISO 8601.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fusebox/clock.hpp>
#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

struct DurationUnit {
  std::string_view name;
  std::int64_t size;  // ns
};
inline constexpr DurationUnit duration_units[] = {
    {"h", 3'600'000'000'000}, {"min", 60'000'000'000}, {"s", 1'000'000'000},
    {"ms", 1'000'000},        {"us", 1'000},           {"ns", 1}};
inline constexpr std::string_view no_timeout_text = "no_timeout";

/// The digits at the front, which it takes off; none if there are more than 19, which may not fit into 64
/// bits.
[[nodiscard]] constexpr std::string_view take_digits(std::string_view& text) noexcept {
  constexpr std::size_t most = 19;
  std::size_t end = 0;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits.size() > most ? std::string_view{} : digits;
}

/// "250ms", "1.5s", "30s", "2min", "1h", also us and ns; and "no_timeout". A fraction has at most nine
/// digits; what is below a nanosecond is dropped. std::nullopt for anything else, and for what is longer than
/// `longest`.
[[nodiscard]] constexpr std::optional<std::chrono::nanoseconds> parse_duration(
    std::string_view text, std::chrono::nanoseconds longest = no_timeout) noexcept {
  if (text == no_timeout_text) return no_timeout;
  const std::string_view digits = detail::take_digits(text);
  if (digits.empty()) return std::nullopt;
  std::uint64_t whole = 0;
  for (const char digit : digits) whole = whole * 10 + static_cast<std::uint64_t>(digit - '0');
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = detail::take_digits(text);
    if (fraction.empty() || fraction.size() > 9) return std::nullopt;
  }
  for (const DurationUnit& unit : duration_units) {
    if (unit.name != text) continue;
    if (whole > static_cast<std::uint64_t>(longest.count() / unit.size)) return std::nullopt;
    std::int64_t part = 0;
    std::int64_t size = unit.size;
    for (const char digit : fraction) {
      size /= 10;
      part += (digit - '0') * size;
    }
    const std::int64_t time = static_cast<std::int64_t>(whole) * unit.size;
    if (part > longest.count() - time) return std::nullopt;
    return std::chrono::nanoseconds{time + part};
  }
  return std::nullopt;
}

/// The same backwards, in the largest unit that divides it.
[[nodiscard]] inline std::string duration_to_json(std::chrono::nanoseconds duration) {
  if (duration == no_timeout) return std::string{no_timeout_text};
  if (duration.count() == 0) return "0s";
  for (const DurationUnit& unit : duration_units) {
    if (duration.count() % unit.size == 0)
      return std::to_string(duration.count() / unit.size).append(unit.name);
  }
  return {};
}

/// A number of exactly `count` digits, or -1.
[[nodiscard]] constexpr int fixed_number(std::string_view text, std::size_t at, std::size_t count) noexcept {
  if (text.size() < at + count) return -1;
  int number = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

/// A time of RFC 3339: "2025-01-07T12:00:00.000Z", "2025-01-07T13:00:00+01:00". Digits below a millisecond do
/// not count. std::nullopt for anything else, and for a time that system_clock may not have (1678 to 2261).
[[nodiscard]] constexpr std::optional<std::chrono::system_clock::time_point> parse_time(
    std::string_view text) noexcept {
  using namespace std::chrono;
  const auto is = [&](std::size_t at, std::string_view any) {
    return at < text.size() && any.find(text[at]) != std::string_view::npos;
  };
  const year_month_day date{year{detail::fixed_number(text, 0, 4)},
                            month{static_cast<unsigned>(detail::fixed_number(text, 5, 2))},
                            day{static_cast<unsigned>(detail::fixed_number(text, 8, 2))}};
  const int of_hour = detail::fixed_number(text, 11, 2);
  const int of_minute = detail::fixed_number(text, 14, 2);
  const int of_second = detail::fixed_number(text, 17, 2);
  const bool is_clock =
      of_hour >= 0 && of_hour < 24 && of_minute >= 0 && of_minute < 60 && of_second >= 0 && of_second <= 60;
  if (!is(4, "-") || !is(7, "-") || !is(10, "Tt ") || !is(13, ":") || !is(16, ":") || !is_clock ||
      !date.ok() || date.year() < year{1678} || date.year() > year{2261})
    return std::nullopt;
  std::chrono::milliseconds fraction{0};
  std::size_t at = 19;
  if (is(at, ".")) {
    int scale = 100;
    const std::size_t first = ++at;
    for (; is(at, "0123456789"); ++at, scale /= 10)
      fraction += std::chrono::milliseconds{(text[at] - '0') * scale};
    if (at == first) return std::nullopt;
  }
  std::chrono::minutes offset{0};
  if (is(at, "+-")) {
    const int hours = detail::fixed_number(text, at + 1, 2);
    const int rest = detail::fixed_number(text, at + 4, 2);
    if (!is(at + 3, ":") || hours < 0 || hours > 23 || rest < 0 || rest > 59) return std::nullopt;
    offset = std::chrono::minutes{hours * 60 + rest} * (text[at] == '-' ? -1 : 1);
    at += 6;
  } else if (is(at, "Zz")) {
    ++at;
  } else {
    return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  const auto time =
      sys_days{date} + hours{of_hour} + minutes{of_minute} + seconds{of_second} + fraction - offset;
  return time_point_cast<system_clock::duration>(time);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
