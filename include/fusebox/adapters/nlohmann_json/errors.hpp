// fusebox/adapters/nlohmann_json/errors.hpp: ApiError, problem documents and Failure from JSON and back (H44
// to H46).
//
//     response.body = nlohmann::json(error).dump();              // the document of to_json(ApiError)
//     auto error = fusebox::from_problem_json(fusebox::parse_json(body), status);
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fusebox/adapters/nlohmann_json/configs.hpp>
#include <fusebox/adapters/nlohmann_json/detail/duration.hpp>
#include <fusebox/adapters/nlohmann_json/detail/failure.hpp>
#include <fusebox/adapters/nlohmann_json/detail/value.hpp>
#include <fusebox/adapters/nlohmann_json/document.hpp>
#include <fusebox/api_error.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/error_response/document.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What `write` says of the error. Details that are JSON, but none that the parser takes (1e999), are a text.
template <class J, class Write>
[[nodiscard]] J parsed_document(const ApiError& error, Write write) {
  J document = J::parse(write(error), nullptr, false);
  if (!document.is_discarded()) return document;
  return J::parse(write(error.with_details(error.details().text())));
}

[[nodiscard]] inline std::string dumped(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// A text, an object of texts or of lists of texts, or any other JSON.
[[nodiscard]] inline ErrorDetails read_details(const nlohmann::json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get_ref<const std::string&>();
  if (!value.is_object() || value.empty()) return ErrorDetails::json(dumped(value));
  std::vector<ErrorDetails::Field> fields;
  for (const auto& [name, its] : value.items()) {
    if (its.is_string()) {
      fields.emplace_back(name, its.get_ref<const std::string&>());
      continue;
    }
    if (!its.is_array() || its.size() < 2) return ErrorDetails::json(dumped(value));
    for (const auto& text : its) {
      if (!text.is_string()) return ErrorDetails::json(dumped(value));
      fields.emplace_back(name, text.get_ref<const std::string&>());
    }
  }
  return fields;
}

/// The document of to_json(ApiError).
[[nodiscard]] inline ApiError read_api_error(const JsonValue& value) {
  int code = 0;
  std::string message;
  std::optional<ApiError> error;
  JsonMembers{value}.require("error", [&](const JsonValue& body) {
    JsonMembers members{body};
    members.require("code", [&](const JsonValue& number) {
      number.read(code);
      if (!is_error_status(code)) number.fail("must be in [400, 599], got " + std::to_string(code));
    });
    members.require("message", message);
    error.emplace(static_cast<ErrorCode>(code), message);
    members.read("category", [&](const JsonValue& name) {
      error = error->with_category(static_cast<ErrorCategory>(name.read_name(enum_names<ErrorCategory>())));
    });
    members.read("details",
                 [&](const JsonValue& its) { error = error->with_details(read_details(its.value())); });
    members.read("timestamp", [&](const JsonValue& text) {
      std::chrono::system_clock::time_point time;
      text.read(time);
      error = error->with_timestamp(time);
    });
    std::string text;
    if (members.read("requestId", text)) error = error->with_request_id(text);
    if (members.read("path", text)) error = error->with_path(text);
  });
  return *error;
}

/// The members of a problem document. One of another type than it should have is no such member (RFC 9457
/// section 3.1).
class ProblemReader {
 public:
  explicit ProblemReader(const nlohmann::json& problem) : rest_(problem) {}

  /// Takes a text away.
  [[nodiscard]] std::optional<std::string> text(const char* name) {
    const auto found = rest_.find(name);
    if (found == rest_.end() || !found->is_string()) return std::nullopt;
    std::string text = std::move(found->template get_ref<std::string&>());
    rest_.erase(found);
    return text;
  }
  /// Takes an HTTP error status away.
  [[nodiscard]] std::optional<int> status() {
    const auto found = rest_.find("status");
    if (found == rest_.end() || !found->is_number_integer()) return std::nullopt;
    const auto number = found->is_number_unsigned() && found->template get<std::uint64_t>() > 599
                            ? 0
                            : found->template get<std::int64_t>();
    if (number < 400 || number > 599) return std::nullopt;
    rest_.erase(found);
    return static_cast<int>(number);
  }
  /// Takes a name of ErrorCategory away.
  [[nodiscard]] std::optional<ErrorCategory> category() {
    const auto found = rest_.find("category");
    if (found == rest_.end() || !found->is_string()) return std::nullopt;
    const EnumNames& all = enum_names<ErrorCategory>();
    for (std::size_t i = 0; i < all.names.size(); ++i) {
      if (all.names[i] != found->template get_ref<const std::string&>()) continue;
      rest_.erase(found);
      return static_cast<ErrorCategory>(all.first + static_cast<int>(i));
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> time() {
    const auto found = rest_.find("timestamp");
    if (found == rest_.end() || !found->is_string()) return std::nullopt;
    const auto time = parse_time(found->template get_ref<const std::string&>());
    if (time) rest_.erase(found);
    return time;
  }
  /// What nobody took away.
  [[nodiscard]] nlohmann::json& rest() noexcept { return rest_; }

 private:
  nlohmann::json rest_;
};

[[nodiscard]] inline ApiError read_problem(const nlohmann::json& problem, int status) {
  ProblemReader reader{problem};
  const std::optional<int> said = reader.status();
  if (!is_error_status(status)) status = said.value_or(500);
  const std::optional<std::string> type = reader.text("type");
  const std::optional<std::string> title = reader.text("title");
  const std::optional<std::string> detail = reader.text("detail");
  const std::string phrase{reason_phrase(status)};
  ApiError error{static_cast<ErrorCode>(status), detail ? *detail : title ? *title : phrase};
  if (const auto category = reader.category()) error = error.with_category(*category);
  if (const auto time = reader.time()) error = error.with_timestamp(*time);
  if (const auto id = reader.text("requestId")) error = error.with_request_id(*id);
  if (const auto path = reader.text("instance")) error = error.with_path(*path);
  nlohmann::json& rest = reader.rest();
  if (type && *type != "about:blank") rest["type"] = *type;
  if (title && detail && *title != phrase) rest["title"] = *title;
  if (rest.empty()) return error;
  if (rest.size() == 1 && rest.contains("details")) return error.with_details(read_details(rest["details"]));
  return error.with_details(ErrorDetails::json(dumped(rest)));
}

}  // namespace detail

/// The document of to_json(ApiError), as JSON.
template <detail::AnyJson J>
void to_json(J& out, const ApiError& error) {
  out = detail::parsed_document<J>(error, [](const ApiError& its) { return fusebox::to_json(its); });
}

/// The document of to_problem_json(ApiError), as JSON.
template <detail::AnyJson J>
void to_problem_json(J& out, const ApiError& error) {
  out = detail::parsed_document<J>(error, [](const ApiError& its) { return fusebox::to_problem_json(its); });
}

/// The error of a problem document of any service (RFC 9457). `status`: of the response, which counts more
/// than that of the document; 0 if unknown, and then 500 if the document has none.
///
/// The message is `detail`, else `title`, else the phrase of the status; `instance` is the path. The type,
/// unless it is about:blank, and all members that an ApiError has no place for become details. A member of a
/// wrong type counts as one of these. Throws JsonError if the document is no object, or deeper than 256.
template <detail::AnyJson J>
[[nodiscard]] ApiError from_problem_json(const J& problem, int status = 0) {
  if (!problem.is_object() || detail::is_too_deep(problem))
    detail::throw_error(JsonError{"", problem.is_object() ? "is nested too deeply" : "must be an object"});
  return detail::read_problem(detail::to_plain_json(problem, ""), status);
}

/// The failure for logs: message and category, and if there are any, code (category and value), status and
/// retryAfterMs.
template <detail::AnyJson J>
void to_json(J& out, const Failure& failure) {
  std::string text;
  detail::append_failure(text, failure);
  out = J::parse(text);
}

FUSEBOX_END_NAMESPACE

/// `get<fusebox::ApiError>()`: from its own document, or, if that has no member "error", from a problem
/// document. Throws JsonError.
template <>
struct nlohmann::adl_serializer<fusebox::ApiError> {
  template <class J>
  static void to_json(J& out, const fusebox::ApiError& error) {
    fusebox::to_json(out, error);
  }
  template <class J>
  [[nodiscard]] static fusebox::ApiError from_json(const J& value) {
    if (!value.is_object() || !value.contains("error") || fusebox::detail::is_too_deep(value))
      return fusebox::from_problem_json(value);
    return fusebox::detail::read_api_error({fusebox::detail::to_plain_json(value, ""), ""});
  }
};

/// `get<fusebox::Failure>()`: with the same message, category, status and wait. The code is there if its
/// category is one of fusebox's or of the standard library's. Throws JsonError.
template <>
struct nlohmann::adl_serializer<fusebox::Failure> {
  template <class J>
  static void to_json(J& out, const fusebox::Failure& failure) {
    fusebox::to_json(out, failure);
  }
  template <class J>
  [[nodiscard]] static fusebox::Failure from_json(const J& value) {
    return fusebox::detail::read_failure({fusebox::detail::to_plain_json(value, ""), ""});
  }
};
