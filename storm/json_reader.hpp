// storm/json_reader.hpp: reads JSON values by rules, with errors that name their path.
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storm {

using Json = nlohmann::json;

/// A document that cannot be used. what() begins with the path: "pipelines[2].policies[0].base_delay: …".
class JsonError : public std::runtime_error {
 public:
  JsonError(const std::string& path, const std::string& text)
      : std::runtime_error{path.empty() ? text : path + ": " + text} {}
};

/// "250ms", "1.5s", "30s", "2min", "1h"; also us and ns. At most a year. Throws JsonError for any other text.
[[nodiscard]] std::chrono::nanoseconds parse_duration(std::string_view text, const std::string& path);
/// The same backwards, in the largest unit that divides it.
[[nodiscard]] std::string to_text(std::chrono::nanoseconds duration);

/// Parses a document of at most 1 MiB.
[[nodiscard]] Json parse_json(std::string_view text);

/// One value and its path.
class JsonValue {
 public:
  JsonValue(const Json& value, std::string path) : value_{value}, path_{std::move(path)} {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const Json& value() const noexcept { return value_; }
  [[noreturn]] void fail(const std::string& text) const { throw JsonError{path_, text}; }

  void read(std::string& out) const {
    if (!value_.is_string()) fail("must be a text");
    out = value_.get<std::string>();
  }
  void read(bool& out) const {
    if (!value_.is_boolean()) fail("must be true or false");
    out = value_.get<bool>();
  }
  void read(double& out) const {
    if (!value_.is_number()) fail("must be a number");
    out = value_.get<double>();
  }
  void read(int& out) const {
    constexpr int low = std::numeric_limits<int>::min();
    constexpr int high = std::numeric_limits<int>::max();
    if (value_.is_number_unsigned()) {
      if (value_.get<std::uint64_t>() > static_cast<std::uint64_t>(high)) fail("is too large");
    } else if (value_.is_number_integer()) {
      if (value_.get<std::int64_t>() < low) fail("is too small");
    } else {
      fail("must be a whole number");
    }
    out = value_.get<int>();
  }
  void read(std::chrono::nanoseconds& out) const {
    if (!value_.is_string()) fail("must be a duration, such as \"250ms\", \"30s\" or \"2min\"");
    out = parse_duration(value_.get_ref<const std::string&>(), path_);
  }

  /// One of the names, in the order of the enumerators.
  template <class E>
  void read_name(E& out, std::initializer_list<std::string_view> names) const {
    std::string text;
    read(text);
    int i = 0;
    for (const std::string_view name : names) {
      if (name == text) {
        out = static_cast<E>(i);
        return;
      }
      ++i;
    }
    std::string message = "must be one of";
    for (const std::string_view name : names)
      message.append(name == *names.begin() ? " " : ", ").append(name);
    fail(message);
  }

  /// Calls use(value) for each element.
  template <class Use>
  void each(Use use) const {
    if (!value_.is_array()) fail("must be a list");
    for (std::size_t i = 0; i < value_.size(); ++i)
      use(JsonValue{value_[i], path_ + "[" + std::to_string(i) + "]"});
  }

 private:
  const Json& value_;
  std::string path_;
};

/// The members of an object. Say end() after the last one: it refuses those that nobody asked for.
class JsonMembers {
 public:
  explicit JsonMembers(JsonValue object) : object_{std::move(object)} {
    if (!object_.value().is_object()) object_.fail("must be an object");
  }

  /// Calls use(value) if there is such a member.
  template <class Use>
    requires std::invocable<Use, const JsonValue&>
  bool read(const std::string& name, Use use) {
    known_.push_back(name);
    const auto found = object_.value().find(name);
    if (found == object_.value().end()) return false;
    use(JsonValue{*found, path_of(name)});
    return true;
  }
  /// Keeps what `out` is if there is no such member.
  template <class T>
    requires(!std::invocable<T, const JsonValue&>)
  bool read(const std::string& name, T& out) {
    return read(name, [&](const JsonValue& value) { value.read(out); });
  }
  template <class E>
  bool read_name(const std::string& name, E& out, std::initializer_list<std::string_view> names) {
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
      throw JsonError{path_of(name), message};
    }
  }

  [[nodiscard]] const JsonValue& object() const noexcept { return object_; }
  [[nodiscard]] std::string path_of(const std::string& name) const {
    return object_.path().empty() ? name : object_.path() + "." + name;
  }

 private:
  JsonValue object_;
  std::vector<std::string> known_;
};

}  // namespace storm
