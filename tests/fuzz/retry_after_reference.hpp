// fuzz/retry_after_reference.hpp: what a Retry-After means, by the letter of RFC 9110 §10.2.3 and §5.6.7 and
// as plainly as possible: each form is a pattern of a fixed length, its time is counted by calendar.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "calendar.hpp"

namespace reference {

inline constexpr std::array<std::string_view, 7> day_names{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
inline constexpr std::array<std::string_view, 7> long_day_names{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                                "Friday", "Saturday", "Sunday"};
inline constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// d is a digit, _ a digit or a space, * anything, all else itself.
inline bool fits(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool fit = pattern[i] == 'd'   ? is_digit(text[i])
                     : pattern[i] == '_' ? is_digit(text[i]) || text[i] == ' '
                     : pattern[i] == '*' ? true
                                         : text[i] == pattern[i];
    if (!fit) return false;
  }
  return true;
}

inline std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  for (const char c : text) value = 10 * value + (c == ' ' ? 0 : c - '0');
  return value;
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// From 1; 0 where it is none.
inline std::int64_t month_number(std::string_view name) {
  const auto found = std::find(month_names.begin(), month_names.end(), name);
  return found == month_names.end() ? 0 : found - month_names.begin() + 1;
}

/// The year of two digits: a date that appears to be more than 50 years ahead is the latest one that is past.
inline std::int64_t full_year(Date date, std::int64_t now) {
  const auto order = [](const Date& d) {
    return std::tuple{d.year, d.month, d.day, d.hour, d.minute, d.second};
  };
  Date limit = date_of(now);
  limit.year += 50;
  date.year += limit.year / 100 * 100 + 100;
  while (order(date) > order(limit)) date.year -= 100;
  return date.year;
}

inline std::optional<Date> parse_date(std::string_view text, std::int64_t now) {
  Date date;
  const auto set_time = [&](std::string_view clock) {
    date.hour = number(clock.substr(0, 2));
    date.minute = number(clock.substr(3, 2));
    date.second = number(clock.substr(6, 2));
  };
  const auto comma = text.find(',');
  if (fits(text, "***, dd *** dddd dd:dd:dd GMT")) {
    if (!is_one_of(text.substr(0, 3), day_names)) return std::nullopt;
    date.day = number(text.substr(5, 2));
    date.month = month_number(text.substr(8, 3));
    date.year = number(text.substr(12, 4));
    set_time(text.substr(17, 8));
  } else if (fits(text, "*** *** _d dd:dd:dd dddd")) {
    if (!is_one_of(text.substr(0, 3), day_names)) return std::nullopt;
    date.month = month_number(text.substr(4, 3));
    date.day = number(text.substr(8, 2));
    set_time(text.substr(11, 8));
    date.year = number(text.substr(20, 4));
  } else if (comma != std::string_view::npos && fits(text.substr(comma), ", dd-***-dd dd:dd:dd GMT")) {
    if (!is_one_of(text.substr(0, comma), long_day_names)) return std::nullopt;
    text.remove_prefix(comma);
    date.day = number(text.substr(2, 2));
    date.month = month_number(text.substr(5, 3));
    date.year = number(text.substr(9, 2));
    set_time(text.substr(12, 8));
    date.year = full_year(date, now);
  } else {
    return std::nullopt;
  }
  const bool is_date = date.month >= 1 && date.day >= 1 && date.day <= days_of(date.year, date.month);
  const bool is_time = date.hour <= 23 && date.minute <= 59 && date.second <= 60;
  return is_date && is_time ? std::optional{date} : std::nullopt;
}

/// In seconds. White space around the value does not count, huge numbers saturate, a past date is 0 (H1).
inline std::optional<std::int64_t> parse_retry_after(std::string_view value,
                                                     std::chrono::system_clock::time_point now) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
  if (value.empty()) return std::nullopt;

  if (std::all_of(value.begin(), value.end(), is_digit)) {
    while (value.size() > 1 && value.front() == '0') value.remove_prefix(1);
    const std::string most = std::to_string(std::numeric_limits<std::int64_t>::max());
    const bool is_huge = value.size() > most.size() || (value.size() == most.size() && value > most);
    return is_huge ? std::numeric_limits<std::int64_t>::max() : number(value);
  }

  const auto since_1970 = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto date = parse_date(value, since_1970);
  if (!date) return std::nullopt;
  return std::max<std::int64_t>(0, unix_time(*date) - since_1970);
}

}  // namespace reference
