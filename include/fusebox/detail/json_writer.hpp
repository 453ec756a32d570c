// fusebox/detail/json_writer.hpp: text that machines read: UTF-8, JSON, times.
//
// Every writer appends to a std::string and gives valid output for any input.
#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <fusebox/fwd.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

/// One step through UTF-8: how many bytes, and whether they are a character. What is none is taken as
/// the Unicode standard says (§3.9, "substitution of maximal subparts").
struct Utf8Step {
  std::size_t size;
  bool valid;
};

[[nodiscard]] constexpr Utf8Step utf8_step(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  const std::size_t size = lead >= 0xc2 && lead <= 0xdf   ? 2
                           : (lead & 0xf0U) == 0xe0       ? 3
                           : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                          : 1;
  if (size == 1) return {1, false};
  // The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (text.size() < 2 || byte(1) < low || byte(1) > high) return {1, false};
  for (std::size_t i = 2; i < size; ++i) {
    if (i >= text.size() || (byte(i) & 0xc0U) != 0x80) return {i, false};
  }
  return {size, true};
}

/// Calls f for each character; U+FFFD stands in for what is none.
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

/// Values by names that can be shown: U+FFFD stands in for what is no character. Names that are alike
/// then are numbered, since two members, or two samples, of one name would be no document.
template <class T>
[[nodiscard]] std::map<std::string, T> with_printable_names(std::map<std::string, T> by_name) {
  std::map<std::string, int> last_number;  // by printable name
  for (auto next = by_name.begin(); next != by_name.end();) {
    const auto current = next++;
    if (is_utf8(current->first)) continue;
    auto node = by_name.extract(current);
    std::string printable;
    for_each_character(node.key(), [&](std::string_view character) { printable.append(character); });
    node.key() = printable;
    for (int& number = last_number.try_emplace(printable, 1).first->second; by_name.contains(node.key());) {
      node.key() = fmt::format("{} ({})", printable, ++number);
    }
    by_name.insert(std::move(node));
  }
  return by_name;
}

/// How much of the text, from its beginning, are printable ASCII characters other than quote and backslash:
/// what stands for itself wherever the library writes it.
[[nodiscard]] constexpr std::size_t plain_length(std::string_view text) noexcept {
  std::size_t length = 0;
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') break;
    ++length;
  }
  return length;
}

/// "text", escaped (RFC 8259 §7).
inline void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  const std::size_t plain = plain_length(text);
  out.append(text.substr(0, plain));
  for_each_character(text.substr(plain), [&](std::string_view character) {
    switch (const char c = character.front()) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\b': out.append("\\b"); break;
      case '\f': out.append("\\f"); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out.append(character);
        }
    }
  });
  out.push_back('"');
}

/// The shortest text that reads back as the same number. (fmt 9 in a header writes two thirds as 0.7 with
/// clang 14 in C++23.)
template <class T>
  requires std::integral<T> || std::floating_point<T>
void append_number(std::string& out, T value) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

/// Writes the members of a JSON object, from its `{` to its `}`.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_{out} { out_.push_back('{'); }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;
  ~JsonObject() noexcept(false) {
    if (std::uncaught_exceptions() == exceptions_) out_.push_back('}');
  }

  /// The name and its colon; the caller writes the value into what it returns.
  std::string& member(std::string_view name) {
    if (!first_) out_.push_back(',');
    first_ = false;
    append_json_string(out_, name);
    out_.push_back(':');
    return out_;
  }
  void text(std::string_view name, std::string_view value) { append_json_string(member(name), value); }
  template <class T>
  void number(std::string_view name, T value) {
    append_number(member(name), value);
  }

 private:
  std::string& out_;
  bool first_ = true;
  int exceptions_ = std::uncaught_exceptions();
};

/// 2025-01-07T12:00:00.000Z: ISO 8601, UTC, milliseconds. What lies outside the years 0 to 9999 is shown
/// as their end.
[[nodiscard]] inline std::string iso_time(std::chrono::system_clock::time_point time) {
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

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
