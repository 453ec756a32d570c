// fusebox/error_response/document.hpp: the JSON documents of an ApiError, and the HttpResponse around one.
//
// Documents are compact, and valid JSON and UTF-8 for any input (H2). The functions may throw std::bad_alloc.
#pragma once
// IWYU pragma: private, include <fusebox/error_response.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/iso_time.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/detail/utf8.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/error_response/detail/json_check.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The request that is answered. The error's own request_id and path, if any, take precedence.
struct RequestInfo {
  std::string request_id = {};
  std::string path = {};
};

/// A response that belongs to no HTTP library.
struct HttpResponse {
  int status = 500;
  std::string content_type = "application/json";
  std::string body = {};
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  ///< the Retry-After field, if any
};

namespace detail {

/// An object of the fields. Several messages for one name become an array.
inline void append_fields(std::string& out, const std::vector<ErrorDetails::Field>& fields) {
  std::map<std::string, std::vector<std::string_view>> texts;  // by printable name
  std::vector<decltype(texts)::const_iterator> in_order;
  for (const auto& [name, text] : fields) {
    std::string printable;
    for_each_character(name, [&](std::string_view character) { printable.append(character); });
    const auto [place, is_new] = texts.try_emplace(std::move(printable));
    if (is_new) in_order.push_back(place);
    place->second.push_back(text);
  }
  JsonObject object{out};
  for (const auto& field : in_order) {
    const auto& [name, messages] = *field;
    if (messages.size() == 1) {
      object.text(name, messages.front());
      continue;
    }
    object.member(name).push_back('[');
    for (const std::string_view message : messages) {
      append_json_string(out, message);
      out.push_back(',');
    }
    out.back() = ']';
  }
}

/// The path as a URI reference of this host (RFC 3986 §4.2): what no path may contain is percent-encoded, and
/// so is what would make its beginning another host or a scheme.
[[nodiscard]] inline std::string uri_reference(std::string_view path) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?";
  constexpr std::string_view digits = "0123456789ABCDEFabcdef";
  const auto is_encoded = [&](std::size_t at) {
    return path[at] == '%' && at + 2 < path.size() && digits.find(path[at + 1]) != std::string_view::npos &&
           digits.find(path[at + 2]) != std::string_view::npos;
  };
  const std::size_t first_segment = path.starts_with('/') ? 0 : path.find_first_of("/?");
  std::string out;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    const bool misleads = (at == 1 && path.starts_with("//")) || (c == ':' && at < first_segment);
    if ((plain.find(c) != std::string_view::npos && !misleads) || is_encoded(at)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', digits[byte / 16U], digits[byte % 16U]});
    }
  }
  return out;
}

inline void append_details(std::string& out, const ErrorDetails& details) {
  switch (details.kind()) {
    case ErrorDetails::Kind::absent: out.append("null"); break;
    case ErrorDetails::Kind::text: append_json_string(out, details.text()); break;
    case ErrorDetails::Kind::fields: append_fields(out, details.fields()); break;
    case ErrorDetails::Kind::json:
      if (JsonChecker::is_value(details.text())) {
        out.append(details.text());
      } else {
        append_json_string(out, details.text());
      }
      break;
  }
}

/// The longest Retry-After that a client is sent (E7).
inline constexpr std::chrono::seconds longest_retry_after = std::chrono::hours{24};

/// The Retry-After field for a wait: whole seconds, rounded up, from 1 second to 24 hours.
[[nodiscard]] constexpr std::chrono::seconds retry_after_field(std::chrono::milliseconds wait) noexcept {
  if (wait >= longest_retry_after) return longest_retry_after;
  return wait <= std::chrono::seconds{1} ? std::chrono::seconds{1}
                                         : std::chrono::ceil<std::chrono::seconds>(wait);
}

/// The status of the answer: the error's code, or 500 if that is no HTTP error status.
[[nodiscard]] inline int response_status(const ApiError& error) noexcept {
  const int status = static_cast<int>(error.code());
  return status >= 400 && status <= 599 ? status : 500;
}

[[nodiscard]] inline const std::string& first_given(const std::string& own,
                                                    const std::string& other) noexcept {
  return own.empty() ? other : own;
}

[[nodiscard]] inline std::string to_json(const ApiError& error, const RequestInfo& request) {
  std::string out;
  {
    JsonObject document{out};
    document.member("success").append("false");
    JsonObject body{document.member("error")};
    body.number("code", response_status(error));
    body.text("message", error.message());
    body.text("category", to_string(error.category()));
    if (!error.details().is_absent()) append_details(body.member("details"), error.details());
    body.text("timestamp", iso_time(error.timestamp()));
    if (const auto& id = first_given(error.request_id(), request.request_id); !id.empty())
      body.text("requestId", id);
    if (const auto& path = first_given(error.path(), request.path); !path.empty()) body.text("path", path);
  }
  return out;
}

}  // namespace detail

/// The document of an API error: success, error.{code, message, category, details, timestamp, requestId,
/// path}; details, requestId and path only if the error has them. The timestamp is ISO 8601, in UTC, with
/// milliseconds.
[[nodiscard]] inline std::string to_json(const ApiError& error) { return detail::to_json(error, {}); }

/// The document of RFC 9457 (application/problem+json): type, title, status, detail, and instance, a URI
/// reference of this host, if the error has a path; and the extension members category, timestamp, and, if
/// the error has them, requestId and details.
[[nodiscard]] inline std::string to_problem_json(const ApiError& error) {
  std::string out;
  {
    const int status = detail::response_status(error);
    detail::JsonObject document{out};
    document.text("type", "about:blank");
    document.text("title", reason_phrase(status));
    document.number("status", status);
    document.text("detail", error.message());
    if (!error.path().empty()) document.text("instance", detail::uri_reference(error.path()));
    document.text("category", to_string(error.category()));
    document.text("timestamp", detail::iso_time(error.timestamp()));
    if (!error.request_id().empty()) document.text("requestId", error.request_id());
    if (!error.details().is_absent()) detail::append_details(document.member("details"), error.details());
  }
  return out;
}

/// The response for an error: its document by to_json, and Retry-After if the error has one. The 503 of an
/// open breaker and a 429 always have Retry-After. It is in seconds, rounded up, from 1 second to 24 hours
/// (H5).
[[nodiscard]] inline HttpResponse to_response(const ApiError& error, const RequestInfo& request = {}) {
  HttpResponse response{.status = detail::response_status(error), .body = detail::to_json(error, request)};
  if (error.retry_after() || response.status == 429 || error.reason() == PolicyErrc::circuit_open) {
    response.retry_after = detail::retry_after_field(error.retry_after().value_or(std::chrono::seconds{1}));
  }
  return response;
}

FUSEBOX_END_NAMESPACE
