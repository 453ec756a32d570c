// fusebox/detail/utf8.hpp: reads UTF-8, one character at a time.
#pragma once
// IWYU pragma: private

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// One step through a text: a number of bytes, at least 1, and whether they are a character. Invalid bytes
/// are grouped by the Unicode standard (§3.9, "substitution of maximal subparts").
struct Utf8Step {
  std::size_t size;
  bool valid;
};

/// The text must not be empty.
[[nodiscard]] constexpr Utf8Step utf8_step(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  const std::size_t size = lead >= 0xc2 && lead <= 0xdf   ? 2
                           : (lead & 0xf0U) == 0xe0       ? 3
                           : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                          : 1;
  if (size == 1) return {1, false};
  // The range of the second byte excludes overlong forms, surrogates and values beyond U+10FFFF.
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (text.size() < 2 || byte(1) < low || byte(1) > high) return {1, false};
  for (std::size_t i = 2; i < size; ++i) {
    if (i >= text.size() || (byte(i) & 0xc0U) != 0x80) return {i, false};
  }
  return {size, true};
}

/// Calls f for each character, with U+FFFD for each invalid group of bytes.
template <std::invocable<std::string_view> F>
constexpr void for_each_character(std::string_view text, F f) {
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    f(step.valid ? text.substr(0, step.size) : std::string_view{"\xEF\xBF\xBD"});
    text.remove_prefix(step.size);
  }
}

[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (!step.valid) return false;
    text.remove_prefix(step.size);
  }
  return true;
}

/// How many characters at the beginning of the text are printable ASCII other than quote and backslash. These
/// need no escape in any format of the library.
[[nodiscard]] constexpr std::size_t plain_length(std::string_view text) noexcept {
  std::size_t length = 0;
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') break;
    ++length;
  }
  return length;
}

/// Is the character a control character: C0, DEL or C1?
[[nodiscard]] constexpr bool is_control(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character.front());
  return first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0);
}

/// The text for people and logs: U+FFFD for each control character and each invalid group of bytes, so that a
/// text from elsewhere forges no line of a log (E8).
[[nodiscard]] inline std::string shown_text(std::string_view text) {
  const std::size_t plain = plain_length(text);
  std::string shown{text.substr(0, plain)};
  for_each_character(text.substr(plain), [&](std::string_view character) {
    shown.append(is_control(character) ? std::string_view{"\xEF\xBF\xBD"} : character);
  });
  return shown;
}

/// A text of others for a message: without control characters, and not endless.
[[nodiscard]] inline std::string short_text(std::string_view text) {
  constexpr std::size_t most = 160;
  if (text.size() <= most) return shown_text(text);
  return shown_text(text.substr(0, most)) + "…";
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
