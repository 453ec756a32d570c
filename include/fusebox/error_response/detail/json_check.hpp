// fusebox/error_response/detail/json_check.hpp: is a text one JSON value (RFC 8259) in valid UTF-8?
//
// The JSON of a caller is checked before it becomes part of a document. The check refuses half of a surrogate
// pair, and a value inside more than 256 arrays and objects, since it recurses into each.
#pragma once
// IWYU pragma: private, include <fusebox/error_response.hpp>

#include <string_view>

#include <fusebox/detail/utf8.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Reads a text from front to back; each function skips what it accepts.
class JsonChecker {
 public:
  [[nodiscard]] static constexpr bool is_value(std::string_view text) noexcept {
    JsonChecker checker{text};
    checker.white_space();
    if (!checker.value(0)) return false;
    checker.white_space();
    return checker.rest_.empty();
  }

 private:
  explicit constexpr JsonChecker(std::string_view text) noexcept : rest_{text} {}

  constexpr bool next_is(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }
  constexpr bool take(char c) noexcept {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  constexpr bool take(std::string_view word) noexcept {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  constexpr void white_space() noexcept {
    const auto end = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  constexpr bool value(int depth) noexcept {
    if (depth > 256 || rest_.empty()) return false;
    switch (rest_.front()) {
      case '{': return members('{', '}', depth, true);
      case '[': return members('[', ']', depth, false);
      case '"': return string();
      case 't': return take("true");
      case 'f': return take("false");
      case 'n': return take("null");
      default: return number();
    }
  }

  constexpr bool members(char open, char close, int depth, bool named) noexcept {
    take(open);
    white_space();
    if (take(close)) return true;
    for (;;) {
      white_space();
      if (named) {
        if (!string()) return false;
        white_space();
        if (!take(':')) return false;
        white_space();
      }
      if (!value(depth + 1)) return false;
      white_space();
      if (take(close)) return true;
      if (!take(',')) return false;
    }
  }

  constexpr bool string() noexcept {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      if (take('"')) return true;
      if (take('\\')) {
        if (!escape()) return false;
        continue;
      }
      const Utf8Step step = utf8_step(rest_);
      if (!step.valid || static_cast<unsigned char>(rest_.front()) < 0x20) return false;
      rest_.remove_prefix(step.size);
    }
    return false;
  }

  constexpr bool escape() noexcept {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != 'u') return std::string_view{"\"\\/bfnrt"}.find(c) != std::string_view::npos;
    const int unit = hex4();
    if (unit >= 0xd800 && unit <= 0xdbff) {
      if (!take("\\u")) return false;
      const int low = hex4();
      return low >= 0xdc00 && low <= 0xdfff;
    }
    return unit >= 0 && !(unit >= 0xdc00 && unit <= 0xdfff);
  }

  /// The value of four hexadecimal digits, or -1.
  constexpr int hex4() noexcept {
    constexpr std::string_view digits = "0123456789abcdef0123456789ABCDEF";
    if (rest_.size() < 4) return -1;
    int unit = 0;
    for (int i = 0; i < 4; ++i) {
      const auto digit = digits.find(rest_.front());
      if (digit == std::string_view::npos) return -1;
      unit = 16 * unit + static_cast<int>(digit % 16);
      rest_.remove_prefix(1);
    }
    return unit;
  }

  constexpr bool digits() noexcept {
    const auto end = rest_.find_first_not_of("0123456789");
    const auto count = end == std::string_view::npos ? rest_.size() : end;
    rest_.remove_prefix(count);
    return count > 0;
  }

  constexpr bool number() noexcept {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  std::string_view rest_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
