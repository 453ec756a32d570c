// fusebox/adapters/nlohmann_json/detail/value.hpp: reads JSON values by rules, with errors that name their
// path.
//
// JsonValue is one value and its path, JsonMembers the members of an object.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fusebox/adapters/nlohmann_json/detail/duration.hpp>
#include <fusebox/adapters/nlohmann_json/detail/members.hpp>
#include <fusebox/adapters/nlohmann_json/document.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/window.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// One value and its path. The document must outlive it.
class JsonValue {
 public:
  /// No duration in it may be longer than `longest`, but "no_timeout" may be in it.
  JsonValue(const nlohmann::json& value, std::string path, std::chrono::nanoseconds longest = no_timeout)
      : value_{&value}, path_{std::move(path)}, longest_{longest} {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const nlohmann::json& value() const noexcept { return *value_; }
  [[noreturn]] void fail(const std::string& text) const { throw_error(JsonError{path_, text}); }

  [[nodiscard]] JsonValue element(std::size_t index) const {
    return {(*value_)[index], detail::path_of_element(path_, index), longest_};
  }
  [[nodiscard]] JsonValue member(const nlohmann::json& value, std::string_view name) const {
    return {value, detail::path_of_member(path_, name), longest_};
  }

  void read(std::string& out) const {
    if (!value_->is_string()) fail("must be a text");
    out = value_->get_ref<const std::string&>();
  }
  void read(bool& out) const {
    if (!value_->is_boolean()) fail("must be true or false");
    out = value_->get<bool>();
  }
  void read(double& out) const {
    if (!value_->is_number()) fail("must be a number");
    out = value_->get<double>();
  }
  void read(int& out) const {
    out = static_cast<int>(whole_number(std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
  }
  void read(std::uint64_t& out) const {
    if (!value_->is_number_unsigned()) {
      (void)whole_number(0, std::numeric_limits<std::int64_t>::max());
    }
    out = value_->get<std::uint64_t>();
  }
  void read(std::chrono::nanoseconds& out) const {
    if (value_->is_string()) {
      if (const auto time = parse_duration(value_->get_ref<const std::string&>(), longest_)) {
        out = *time;
        return;
      }
    }
    std::string text = "must be a duration";
    if (longest_ != no_timeout && value_->is_string())
      text.append(" of at most ").append(duration_to_json(longest_)).append(", such as");
    else
      text.append(", such as");
    fail(text + " \"250ms\", \"30s\" or \"2min\"");
  }
  void read(std::chrono::system_clock::time_point& out) const {
    std::string text;
    read(text);
    const auto time = parse_time(text);
    if (!time) fail("must be a time, such as \"2025-01-07T12:00:00.000Z\"");
    out = *time;
  }
  void read(Window& out) const;

  /// One of the names, as its index.
  [[nodiscard]] int read_name(const EnumNames& names) const {
    int number = names.first;
    if (value_->is_string()) {
      for (const std::string_view name : names.names) {
        if (name == value_->get_ref<const std::string&>()) return number;
        ++number;
      }
    } else {
      fail("must be a text");
    }
    std::string message = "must be one of";
    for (const std::string_view name : names.names)
      message.append(name == *names.names.begin() ? " " : ", ").append(name);
    fail(message);
  }
  /// One of the names, in the order of the enumerators from 0 on.
  template <class E>
  void read_name(E& out, std::initializer_list<std::string_view> names) const {
    out = static_cast<E>(read_name({0, names}));
  }

  /// In [low, high].
  [[nodiscard]] std::int64_t whole_number(std::int64_t low, std::int64_t high) const {
    if (value_->is_number_unsigned()) {
      if (value_->get<std::uint64_t>() > static_cast<std::uint64_t>(high)) fail("is too large");
    } else if (!value_->is_number_integer()) {
      fail("must be a whole number");
    }
    const auto number = value_->get<std::int64_t>();
    if (number < low) fail("is too small");
    if (number > high) fail("is too large");
    return number;
  }

  /// Calls use(value) for each element.
  template <class Use>
  void each(Use use) const {
    if (!value_->is_array()) fail("must be a list");
    for (std::size_t i = 0; i < value_->size(); ++i) use(element(i));
  }

 private:
  const nlohmann::json* value_;
  std::string path_;
  std::chrono::nanoseconds longest_;
};

/// The members of an object. Say end() after the last one: it refuses those that nobody asked for.
class JsonMembers {
 public:
  explicit JsonMembers(JsonValue object) : object_{std::move(object)} {
    if (!object_.value().is_object()) object_.fail("must be an object");
  }

  /// The member, if there is one.
  [[nodiscard]] std::optional<JsonValue> find(std::string_view name) {
    known_.emplace_back(name);
    const auto found = object_.value().find(known_.back());
    if (found == object_.value().end()) return std::nullopt;
    return object_.member(*found, name);
  }
  /// Calls use(value) if there is such a member.
  template <class Use>
    requires std::invocable<Use, const JsonValue&>
  bool read(std::string_view name, Use use) {
    const std::optional<JsonValue> value = find(name);
    if (value) use(*value);
    return value.has_value();
  }
  /// Keeps what `out` is if there is no such member.
  template <class T>
    requires(!std::invocable<T, const JsonValue&>)
  bool read(std::string_view name, T& out) {
    const std::optional<JsonValue> value = find(name);
    if (value) value->read(out);
    return value.has_value();
  }
  template <class E>
  bool read_name(std::string_view name, E& out, std::initializer_list<std::string_view> names) {
    return read(name, [&](const JsonValue& value) { value.read_name(out, names); });
  }
  template <class T>
  void require(const std::string& name, T&& out) {
    if (!read(name, std::forward<T>(out))) object_.fail("needs the member \"" + name + "\"");
  }

  void end() const {
    for (const auto& [name, value] : object_.value().items()) {
      bool is_known = false;
      for (const std::string& known : known_) is_known = is_known || known == name;
      if (is_known) continue;
      std::string message = "unknown member; known ones are";
      for (const std::string& known : known_)
        message.append(&known == &known_.front() ? " " : ", ").append(known);
      throw_error(JsonError{path_of(name), message});
    }
  }

  [[nodiscard]] const JsonValue& object() const noexcept { return object_; }
  [[nodiscard]] std::string path_of(std::string_view name) const {
    return detail::path_of_member(object_.path(), name);
  }

 private:
  JsonValue object_;
  std::vector<std::string> known_;
};

inline void JsonValue::read(Window& out) const {
  JsonMembers members{*this};
  int calls = 0;
  std::chrono::nanoseconds length{};
  const bool has_calls = members.read("last_calls", calls);
  const bool has_length = members.read("within", length);
  members.end();
  if (has_calls == has_length) fail("must have either \"last_calls\" or \"within\"");
  out = has_calls ? last_calls(calls) : within(length);
}

/// Throws what the check of a config has found.
inline void throw_if(const JsonMembers& members, const Problem& problem) {
  if (!problem) return;
  // "x.field must be …, got …" without the "x.".
  const std::string text = to_text("x", problem).substr(2);
  const std::string field = problem.field;
  std::string path = members.object().path();
  throw_error(
      JsonError{path.empty() ? field : path.append(".").append(field), text.substr(field.size() + 1)});
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
