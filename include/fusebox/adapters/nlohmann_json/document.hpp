// fusebox/adapters/nlohmann_json/document.hpp: JsonError, and parse_json, which parses a document that nobody
// has looked at yet.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/utf8.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// A document that cannot be used (H40). what() begins with the path of the value that is wrong:
/// "pipeline.retry.max_retries: must be in [0, 65535], got -1". Copying it never throws.
class FUSEBOX_API JsonError : public std::runtime_error {
 public:
  /// `path`: empty for the whole document.
  JsonError(const std::string& path, const std::string& text)
      : std::runtime_error{path.empty() ? text : path + ": " + text},
        path_{std::make_shared<const std::string>(path)} {}

  /// "pipeline.retry.max_retries", "policies[2].limit"; empty for the whole document.
  [[nodiscard]] const std::string& path() const noexcept { return *path_; }

 private:
  std::shared_ptr<const std::string> path_;
};

/// What parse_json() refuses. With the defaults a document takes at most some 50 MB of memory.
struct JsonLimits {
  std::size_t max_size = std::size_t{1} << 20U;  ///< bytes of the text
  int max_depth = 32;                            ///< arrays and objects inside each other
};

namespace detail {

/// "outer.name"
[[nodiscard]] inline std::string path_of_member(const std::string& outer, std::string_view name) {
  const std::string shown = short_text(name);
  return outer.empty() ? shown : outer + "." + shown;
}
/// "outer[2]"
[[nodiscard]] inline std::string path_of_element(const std::string& outer, std::size_t index) {
  return outer + "[" + std::to_string(index) + "]";
}

/// Builds a document from the events of the parser, and stops at the first thing that it refuses.
class FUSEBOX_API DocumentBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit DocumentBuilder(int max_depth)
      : max_depth_{max_depth < 0 ? 0U : static_cast<unsigned>(max_depth)} {}

  [[nodiscard]] nlohmann::json take() noexcept { return std::move(document_); }
  [[noreturn]] void fail() const { throw_error(JsonError{error_path_, error_}); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return refuse("has bytes, which are no JSON"); }
  bool start_object(std::size_t /*elements*/) override { return open(nlohmann::json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(nlohmann::json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    Open& object = open_.back();
    if (object.value->contains(name)) {
      error_path_ = detail::path_of_member(path(), name);
      return refuse("is there twice");
    }
    object.key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& error) override {
    std::string_view text = error.what();
    if (const auto end = text.find("] "); text.starts_with('[') && end != std::string_view::npos)
      text.remove_prefix(end + 2);
    return refuse("this is no JSON: " + short_text(text));
  }

 private:
  /// An array or object that has no end yet.
  struct Open {
    nlohmann::json* value;
    std::string key;  // of the member that is being read
  };

  [[nodiscard]] std::string path() const {
    std::string path;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      const Open& outer = open_[i];
      path = outer.value->is_array() ? detail::path_of_element(path, outer.value->size() - 1)
                                     : detail::path_of_member(path, outer.key);
    }
    return path;
  }
  bool refuse(std::string text) {
    error_ = std::move(text);
    return false;
  }
  bool add(nlohmann::json value) {
    place(std::move(value));
    return true;
  }
  nlohmann::json& place(nlohmann::json value) {
    if (open_.empty()) return document_ = std::move(value);
    Open& outer = open_.back();
    if (outer.value->is_object()) return (*outer.value)[outer.key] = std::move(value);
    outer.value->push_back(std::move(value));
    return outer.value->back();
  }
  bool open(nlohmann::json value) {
    if (open_.size() >= max_depth_) return refuse("the document is nested too deeply");
    open_.push_back({&place(std::move(value)), {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t max_depth_;
  nlohmann::json document_;
  std::vector<Open> open_;
  std::string error_;
  std::string error_path_;
};

}  // namespace detail

/// Parses a text (H41). Throws JsonError for anything but one JSON document in UTF-8, for one that is larger
/// or deeper than `limits`, and for an object with two members of one name, of which nlohmann's own parser
/// drops one. Takes a bounded amount of stack and memory, whatever the text.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view text, const JsonLimits& limits = {}) {
  const auto refuse = [](const char* why) { detail::throw_error(JsonError{"", why}); };
  if (text.size() > limits.max_size) {
    if (limits.max_size == JsonLimits{}.max_size) refuse("the document is larger than 1 MiB");
    detail::throw_error(
        JsonError{"", "the document is larger than " + std::to_string(limits.max_size) + " bytes"});
  }
  // The parser takes one for the end of the text.
  if (text.find('\0') != std::string_view::npos) refuse("this is no JSON: it has a byte that is 0");
  detail::DocumentBuilder builder{limits.max_depth};
  if (!nlohmann::json::sax_parse(text, &builder)) builder.fail();
  return builder.take();
}

FUSEBOX_END_NAMESPACE
