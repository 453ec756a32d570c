// fusebox/api_error/details.hpp: ErrorDetails, what an ApiError says beyond its message (E3).
//
// Absent, a text, an object of fields, or JSON from the caller's own JSON library. No JSON library is
// included here.
#pragma once
// IWYU pragma: private, include <fusebox/api_error.hpp>

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
/// A map, vector or array of pairs of strings.
template <class R>
concept FieldRange = !std::convertible_to<const R&, std::string_view> && requires(const R& range) {
  { range.begin()->first } -> std::convertible_to<std::string_view>;
  { range.begin()->second } -> std::convertible_to<std::string_view>;
  range.end();
};

/// A field of a braced list: a name and a text, or a pair of them. It is made from two whole arguments, never
/// from a list of its own, since a view over two pointers compiles and is wrong.
struct FieldView {
  template <std::convertible_to<std::string_view> Name, std::convertible_to<std::string_view> Text>
  FieldView(const Name& its_name, const Text& its_text) : name{its_name}, text{its_text} {}
  template <class Pair>
    requires requires(const Pair& pair) {
      { pair.first } -> std::convertible_to<std::string_view>;
      { pair.second } -> std::convertible_to<std::string_view>;
    }
  FieldView(const Pair& pair) : FieldView{pair.first, pair.second} {}  // NOLINT(*-explicit-*)

  std::string_view name;
  std::string_view text;
};
}  // namespace detail

/// `{}` is absent; any string is a text; `{{"email", "Invalid email format"}}`, or a map or vector of
/// such pairs, is an object of fields; `ErrorDetails::json(raw)` is any JSON value.
class ErrorDetails {
 public:
  using Field = std::pair<std::string, std::string>;
  enum class Kind : unsigned char { absent, text, fields, json };

  ErrorDetails() noexcept = default;

  template <std::convertible_to<std::string_view> S>
  ErrorDetails(const S& text) : kind_{Kind::text}, text_{std::string_view{text}} {}  // NOLINT(*-explicit-*)

  ErrorDetails(std::initializer_list<detail::FieldView> fields) : kind_{Kind::fields} {
    for (const auto& field : fields) fields_.emplace_back(field.name, field.text);
  }
  /// One pair of braces too many.
  ErrorDetails(std::initializer_list<std::initializer_list<detail::FieldView>>) = delete;

  template <detail::FieldRange R>
  ErrorDetails(const R& fields) : kind_{Kind::fields} {  // NOLINT(*-explicit-*)
    for (const auto& [name, text] : fields) {
      fields_.emplace_back(std::string_view{name}, std::string_view{text});
    }
  }

  /// `raw` should be one JSON value. Anything else is written as a JSON string, so that the document stays
  /// valid.
  [[nodiscard]] static ErrorDetails json(std::string_view raw) {
    ErrorDetails details;
    details.kind_ = Kind::json;
    details.text_ = raw;
    return details;
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_absent() const noexcept { return kind_ == Kind::absent; }
  /// The text or the raw JSON; empty for the other kinds.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// The fields in their given order; empty for the other kinds.
  [[nodiscard]] const std::vector<Field>& fields() const noexcept { return fields_; }

  friend bool operator==(const ErrorDetails&, const ErrorDetails&) = default;

 private:
  Kind kind_ = Kind::absent;
  std::string text_;
  std::vector<Field> fields_;
};

FUSEBOX_END_NAMESPACE
