// fuzz/input.hpp: makes numbers, choices and texts of a fuzzer's bytes, and says what went wrong.
//
// Input is total: when the bytes are used up it gives zeros and empty texts, so that any prefix of an input
// is one. Its layout is part of the corpora: who changes it makes old crashes replay as something else.
#pragma once

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

namespace fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_{data}, left_{size} {}

  [[nodiscard]] bool empty() const { return left_ == 0; }

  std::uint8_t byte() {
    if (empty()) return 0;
    --left_;
    return *data_++;
  }
  bool flag() { return byte() % 2 != 0; }
  /// One of 0, 1, …, count - 1; count is at most 256.
  unsigned below(unsigned count) { return byte() % count; }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[below(static_cast<unsigned>(choices.size()))];
  }

  /// Of all values of T, the highest byte first.
  template <class T>
  T integer() {
    std::make_unsigned_t<T> bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bits = static_cast<std::make_unsigned_t<T>>((static_cast<std::uint64_t>(bits) << 8U) | byte());
    }
    return static_cast<T>(bits);
  }
  /// Any bits, NaN and the infinities too.
  double real() { return std::bit_cast<double>(integer<std::uint64_t>()); }
  std::chrono::nanoseconds duration() { return std::chrono::nanoseconds{integer<std::int64_t>()}; }
  std::chrono::system_clock::time_point wall_time() {
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(duration())};
  }

  /// A text of fewer than 256 bytes, of any values, its length told by the first.
  std::string text() { return take(byte()); }
  std::string rest() { return take(left_); }

 private:
  std::string take(std::size_t size) {
    if (size > left_) size = left_;
    std::string taken(reinterpret_cast<const char*>(data_), size);
    data_ += size;
    left_ -= size;
    return taken;
  }

  const std::uint8_t* data_;
  std::size_t left_;
};

/// A text as it would be written in C++, whatever is in it.
inline std::string escaped(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      out += c;
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\%03o", byte);  // octal ends after three digits, \x does not
      out += escape;
    }
  }
  return out + "\"";
}

/// Ends the program as a crash, which is what a fuzzer looks for.
[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}

/// `about` is only looked at where the check fails.
inline void check(bool holds, std::string_view what, std::string_view about) {
  if (!holds) fail(std::string{what} + ": " + escaped(about));
}

}  // namespace fuzz
