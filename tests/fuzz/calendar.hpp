// fuzz/calendar.hpp: dates and the seconds since 1970, counted by hand, to compare the library's with.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace reference {

struct Date {
  std::int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;  // month from 1
};

inline bool is_leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

inline std::int64_t days_of(std::int64_t year, std::int64_t month) {
  constexpr std::array<std::int64_t, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap(year) ? 1 : 0);
}

/// Seconds from the beginning of 1970; the year is at least 0.
inline std::int64_t unix_time(const Date& date) {
  const auto days_before = [](std::int64_t year) {  // since the beginning of the year 0, which is a leap year
    return 365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
  };
  std::int64_t days = days_before(date.year) - days_before(1970) + date.day - 1;
  for (std::int64_t month = 1; month < date.month; ++month) days += days_of(date.year, month);
  return ((days * 24 + date.hour) * 60 + date.minute) * 60 + date.second;
}

/// The date of a moment of the years 1 to 9999.
inline Date date_of(std::int64_t time) {
  Date date{.year = 1, .month = 1, .day = 1};
  date.year += (time - unix_time(date)) / (366 * 86'400);  // not too late; then step by step
  while (unix_time({.year = date.year + 1, .month = 1, .day = 1}) <= time) ++date.year;
  while (date.month < 12 && unix_time({date.year, date.month + 1, 1}) <= time) ++date.month;
  std::int64_t left = time - unix_time(date);
  date.day += left / 86'400;
  left %= 86'400;
  date.hour = left / 3600;
  date.minute = left / 60 % 60;
  date.second = left % 60;
  return date;
}

/// As the library's documents tell times: ISO 8601, UTC, milliseconds.
inline std::string iso_time(std::chrono::system_clock::time_point time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::int64_t fraction = (milliseconds % 1000 + 1000) % 1000;
  const Date date = date_of((milliseconds - fraction) / 1000);
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year),
                static_cast<int>(date.month), static_cast<int>(date.day), static_cast<int>(date.hour),
                static_cast<int>(date.minute), static_cast<int>(date.second), static_cast<int>(fraction));
  return text;
}

}  // namespace reference
