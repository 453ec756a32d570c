// fusebox/detail/json_writer.hpp: writes JSON strings, numbers and objects (RFC 8259).
//
// Every writer appends to a std::string. The output is valid JSON in valid UTF-8 for any input but a number
// that is infinite or NaN.
#pragma once
// IWYU pragma: private

#include <cstddef>
#include <exception>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <fusebox/detail/number_text.hpp>
#include <fusebox/detail/utf8.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// "text" in quotes, escaped (RFC 8259 §7).
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

/// Writes a JSON object: `{` when it is made, its members one by one, and `}` when it goes out of scope.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_{out} { out_.push_back('{'); }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;
  ~JsonObject() noexcept(false) {
    if (std::uncaught_exceptions() == exceptions_) out_.push_back('}');
  }

  /// Writes the name and its colon. The caller appends the value to the result.
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

}  // namespace detail

FUSEBOX_END_NAMESPACE
