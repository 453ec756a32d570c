// fusebox/http/detail/date.hpp: reads the three formats of an HTTP date (RFC 9110 §5.6.7).
#pragma once
// IWYU pragma: private, include <fusebox/http.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Reads a date from front to back. After the first mismatch it is never done().
class DateReader {
 public:
  explicit constexpr DateReader(std::string_view text) noexcept : rest_{text} {}

  [[nodiscard]] constexpr bool done() const noexcept { return ok_ && rest_.empty(); }

  /// Skips `expected`, if it is next.
  constexpr bool literal(std::string_view expected) noexcept {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  /// Skips `expected`; a mismatch if anything else is next.
  constexpr void expect(std::string_view expected) noexcept { ok_ = literal(expected) && ok_; }

  /// A number of exactly that many digits.
  constexpr int number(std::size_t digits) noexcept {
    int value = 0;
    if (rest_.size() < digits) ok_ = false;
    for (std::size_t i = 0; ok_ && i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') ok_ = false;
      value = 10 * value + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(digits);
    return value;
  }

  /// The index of the name that is next.
  template <std::size_t N>
  constexpr int one_of(const std::array<std::string_view, N>& names) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
      if (literal(names[i])) return static_cast<int>(i);
    }
    ok_ = false;
    return 0;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

inline constexpr std::array<std::string_view, 7> weekdays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
inline constexpr std::array<std::string_view, 7> long_weekdays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                               "Friday", "Saturday", "Sunday"};
inline constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct DateParts {
  int year = 0;
  int month = 0;  // from 0
  int day = 0;
  std::chrono::seconds time{0};
};

/// "08:49:37"; second 60, a leap second, is valid.
constexpr std::chrono::seconds read_time(DateReader& reader, bool& in_range) noexcept {
  const int hour = reader.number(2);
  reader.expect(":");
  const int minute = reader.number(2);
  reader.expect(":");
  const int second = reader.number(2);
  in_range = in_range && hour < 24 && minute < 60 && second <= 60;
  return std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

/// The year that two digits stand for: the latest one that puts the date at most 50 years ahead of now
/// (RFC 9110 §5.6.7).
[[nodiscard]] constexpr int full_year(const DateParts& date, std::chrono::sys_seconds now) noexcept {
  const auto midnight = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day today{midnight};
  const int latest = static_cast<int>(today.year()) + 50;
  const int year = latest - ((latest - date.year) % 100 + 100) % 100;
  // For comparison only: every month has 31 days.
  const auto within_year = [](int month, int day, std::chrono::seconds time) {
    return std::chrono::days{31 * month + day} + time;
  };
  const auto limit = within_year(static_cast<int>(static_cast<unsigned>(today.month())) - 1,
                                 static_cast<int>(static_cast<unsigned>(today.day())), now - midnight);
  return year == latest && within_year(date.month, date.day, date.time) > limit ? year - 100 : year;
}

/// A date in any of the three formats; std::nullopt for any other text. The weekday need not fit the date.
[[nodiscard]] constexpr std::optional<std::chrono::sys_seconds> parse_http_date(
    std::string_view text, std::chrono::sys_seconds now) noexcept {
  DateParts date;
  bool in_range = true;
  const auto day_month_year = [&](DateReader& reader, std::string_view separator, std::size_t year_digits) {
    date.day = reader.number(2);
    reader.expect(separator);
    date.month = reader.one_of(months);
    reader.expect(separator);
    date.year = reader.number(year_digits);
    reader.expect(" ");
    date.time = read_time(reader, in_range);
    reader.expect(" GMT");
  };

  const bool has_comma = text.find(',') != std::string_view::npos;
  DateReader reader{text};
  if (has_comma && text.size() > 3 && text[3] == ',') {  // Sun, 06 Nov 1994 08:49:37 GMT
    reader.one_of(weekdays);
    reader.expect(", ");
    day_month_year(reader, " ", 4);
  } else if (has_comma) {  // Sunday, 06-Nov-94 08:49:37 GMT
    reader.one_of(long_weekdays);
    reader.expect(", ");
    day_month_year(reader, "-", 2);
    date.year = full_year(date, now);
  } else {  // Sun Nov  6 08:49:37 1994
    reader.one_of(weekdays);
    reader.expect(" ");
    date.month = reader.one_of(months);
    reader.expect(" ");
    date.day = reader.literal(" ") ? reader.number(1) : reader.number(2);
    reader.expect(" ");
    date.time = read_time(reader, in_range);
    reader.expect(" ");
    date.year = reader.number(4);
  }
  if (!reader.done() || !in_range) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year{date.year},
                                        std::chrono::month{static_cast<unsigned>(date.month + 1)},
                                        std::chrono::day{static_cast<unsigned>(date.day)}};
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days{day} + date.time;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
