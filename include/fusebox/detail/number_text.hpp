// fusebox/detail/number_text.hpp: numbers as text, in the shortest way that reads back as the same number.
//
// std::to_chars does it where the standard library has it for floating-point numbers. libc++ before 14, Apple
// before macOS 13.3 and Emscripten 3.1.6 have not: there append_shortest() writes the same text (L1). Not by
// fmt: fmt 9 in a header writes two thirds as 0.7 with clang 14 in C++23. No locale has a say in any of it.
#pragma once
// IWYU pragma: private

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// d.ddd × 10^exponent: `count` digits, the last of which is no zero unless it is the only one.
struct DecimalDigits {
  static constexpr int most = std::numeric_limits<double>::max_digits10;
  char digits[most + 1] = {};  // one more for a carry
  int count = 0;
  int exponent = 0;

  void drop_zeros() noexcept {
    while (count > 1 && digits[count - 1] == '0') --count;
  }
  /// To the next larger number of as many digits.
  void step_up() noexcept {
    int at = count - 1;
    for (; at >= 0 && digits[at] == '9'; --at) digits[at] = '0';
    if (at >= 0) {
      ++digits[at];
    } else {
      digits[0] = '1';  // 99 became 100
      ++exponent;
    }
  }
  [[nodiscard]] bool reads_back_as(double value) const noexcept {
    char text[32];  // without a point, since that is the locale's
    std::snprintf(text, sizeof text, "%.*se%d", count, digits, exponent - (count - 1));
    return std::strtod(text, nullptr) == value;
  }
};

/// `value`, positive and finite, rounded to `count` digits.
[[nodiscard]] inline DecimalDigits round_to_digits(double value, int count) noexcept {
  char text[48];  // room for a point of several bytes
  std::snprintf(text, sizeof text, "%.*e", count - 1, value);
  DecimalDigits rounded;
  const char* c = text;
  for (; *c != '\0' && *c != 'e'; ++c) {
    if (*c >= '0' && *c <= '9') rounded.digits[rounded.count++] = *c;
  }
  if (*c == 'e') rounded.exponent = static_cast<int>(std::strtol(c + 1, nullptr, 10));
  return rounded;
}

/// The fewest digits that read back as `value`, which is positive and finite; of those, the nearest to it.
[[nodiscard]] inline DecimalDigits shortest_digits(double value) noexcept {
  // Every number of up to 15 digits is the rounding of its double to 15 digits, if that double is normal.
  constexpr int safe = std::numeric_limits<double>::digits10;
  for (int count = value < std::numeric_limits<double>::min() ? 1 : safe; count < DecimalDigits::most;
       ++count) {
    DecimalDigits digits = detail::round_to_digits(value, count);
    bool same = digits.reads_back_as(value);
    if (!same) {
      // Numbers above a power of two lie twice as far apart as those below: the nearest decimal below may be
      // too far, and one that is farther above be near enough.
      digits.step_up();
      same = digits.reads_back_as(value);
    }
    if (same) {
      digits.drop_zeros();
      return digits;
    }
  }
  DecimalDigits digits = detail::round_to_digits(value, DecimalDigits::most);
  digits.drop_zeros();
  return digits;
}

/// What std::to_chars(first, last, value) writes, for a standard library without it: the shorter of 0.001 and
/// 1e-03, the one without an exponent if both are of one length.
inline void append_shortest(std::string& out, double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);  // such libraries have no std::bit_cast either
  if (bits >> 63U != 0) {                   // also of -0.0
    out.push_back('-');
    value = -value;
  }
  if (!(value <= std::numeric_limits<double>::max())) {
    out.append(value > 0 ? "inf" : "nan");
    return;
  }
  if (value == 0) {
    out.push_back('0');
    return;
  }
  const DecimalDigits shortest = detail::shortest_digits(value);
  const int count = shortest.count;
  const int exponent = shortest.exponent;
  const int with_point = count > 1 ? count + 1 : count;
  const int fixed = exponent < 0 ? 1 - exponent + count : exponent >= count - 1 ? exponent + 1 : with_point;
  constexpr int exponent_part = 4;  // e-05; a longer one is that of a number much too long without it
  if (fixed > with_point + exponent_part) {
    out.push_back(shortest.digits[0]);
    if (count > 1) out.append(1, '.').append(shortest.digits + 1, static_cast<std::size_t>(count - 1));
    char text[8];
    std::snprintf(text, sizeof text, "e%+03d", exponent);
    out.append(text);
  } else if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0');
    out.append(shortest.digits, static_cast<std::size_t>(count));
  } else if (exponent >= count - 1) {
    char text[32];  // a whole number, all digits of it
    std::snprintf(text, sizeof text, "%.0f", value);
    out.append(text);
  } else {
    out.append(shortest.digits, static_cast<std::size_t>(exponent + 1)).push_back('.');
    out.append(shortest.digits + exponent + 1, static_cast<std::size_t>(count - exponent - 1));
  }
}

template <std::integral T>
void append_number(std::string& out, T value) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}
inline void append_number(std::string& out, double value) {
#if FUSEBOX_DETAIL_TO_CHARS
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
#else
  detail::append_shortest(out, value);
#endif
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
