// The documents of errors, of any texts, details and times: valid JSON that says what was put in.
#include <fusebox/error_response.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calendar.hpp"
#include "input.hpp"
#include "json.hpp"

namespace {

using namespace fusebox;
using fuzz::Json;
using fuzz::printable;

constexpr std::size_t deepest_json = 256;  // of what a caller hands over as JSON

ErrorDetails any_details(fuzz::Input& input) {
  switch (input.below(4)) {
    case 0: return {};
    case 1: return input.text();
    case 2: {
      std::vector<std::pair<std::string, std::string>> fields(input.below(5));
      for (auto& [name, text] : fields) {
        name = input.text();
        text = input.text();
      }
      return fields;
    }
    default: return ErrorDetails::json(input.rest());
  }
}

/// A policy's own text has U+FFFD for each control character of its name (E8).
std::string without_controls(const std::string& name) {
  std::string shown;
  for (const char c : printable(name)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      shown += "\xEF\xBF\xBD";
    } else if (byte >= 0x80 && byte < 0xa0 && shown.ends_with('\xc2')) {  // C1
      shown.pop_back();
      shown += "\xEF\xBF\xBD";
    } else {
      shown += c;
    }
  }
  return shown;
}

ApiError any_error(fuzz::Input& input, std::string& message) {
  message = input.text();
  std::optional<std::chrono::milliseconds> retry_after;
  if (input.flag()) retry_after = std::chrono::milliseconds{input.integer<std::int64_t>()};
  if (input.flag()) {
    const CircuitOpenError error{message, retry_after};
    message =
        "circuit breaker" + (message.empty() ? "" : " '" + without_controls(message) + "'") + " is open";
    return error;
  }
  const auto code =
      input.flag()
          ? input.one_of({ErrorCode::validation_error, ErrorCode::rate_limit_exceeded,
                          ErrorCode::service_unavailable, ErrorCode{399}, ErrorCode{599}, ErrorCode{600}})
          : static_cast<ErrorCode>(input.integer<int>());
  ApiError error{code, message};
  if (retry_after) error = error.with_retry_after(*retry_after);
  if (input.flag()) error = error.with_category(static_cast<ErrorCategory>(1 + input.below(8)));
  return error;
}

/// What becomes of the message: what() ends at a NUL, so none is in it.
std::string shown_message(const std::string& message) {
  std::string shown;
  for (const char c : message) shown += c == '\0' ? std::string{"\xEF\xBF\xBD"} : std::string(1, c);
  return printable(shown);
}

/// A number that no double holds is JSON, but not for the parser.
bool has_huge_number(const std::string& text) {
  try {
    [[maybe_unused]] const Json parsed = Json::parse(text);
  } catch (const Json::out_of_range&) {
    return true;
  } catch (const Json::exception&) {
  }
  return false;
}

/// Nothing where it cannot be told.
std::optional<Json> details_json(const ErrorDetails& details) {
  switch (details.kind()) {
    case ErrorDetails::Kind::absent: break;
    case ErrorDetails::Kind::text: return printable(details.text());
    case ErrorDetails::Kind::fields: {
      Json object = Json::object();
      for (const auto& [name, text] : details.fields()) {
        Json& member = object[printable(name)];
        if (member.is_null()) {
          member = printable(text);
        } else {
          if (!member.is_array()) member = Json::array({member});
          member.push_back(printable(text));
        }
      }
      return object;
    }
    case ErrorDetails::Kind::json: {
      Json json = fuzz::parse(details.text());
      if (!json.is_discarded() && fuzz::depth(json) <= deepest_json) return json;
      if (json.is_discarded() && has_huge_number(details.text())) return std::nullopt;
      return printable(details.text());
    }
  }
  return Json{};
}

void add(Json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = printable(text);
}

struct Wanted {
  int status;
  std::string message;
  std::string category;
  std::string timestamp;
  bool has_details;
  Json details;

  [[nodiscard]] Json guide(const std::string& id, const std::string& path) const {
    Json error{{"code", status}, {"message", message}, {"category", category}};
    if (has_details) error["details"] = details;
    error["timestamp"] = timestamp;
    add(error, "requestId", id);
    add(error, "path", path);
    return {{"success", false}, {"error", error}};
  }
  [[nodiscard]] Json problem(const std::string& id, const std::string& path,
                             const std::string& instance) const {
    Json document{
        {"type", "about:blank"}, {"title", reason_phrase(status)}, {"status", status}, {"detail", message}};
    if (!path.empty()) document["instance"] = instance;
    document["category"] = category;
    document["timestamp"] = timestamp;
    add(document, "requestId", id);
    if (has_details) document["details"] = details;
    return document;
  }
};

void check_response(const ApiError& error, int status, const HttpResponse& response) {
  fuzz::check(response.status == status, "status", response.body);
  const bool must = status == 429 || error.reason() == PolicyErrc::circuit_open;
  fuzz::check(response.retry_after.has_value() == (must || error.retry_after()), "Retry-After",
              response.body);
  if (!response.retry_after) return;
  const auto asked = error.retry_after().value_or(std::chrono::seconds{1});
  const auto least =
      std::clamp<std::chrono::milliseconds>(asked, std::chrono::seconds{1}, std::chrono::hours{24});
  fuzz::check(*response.retry_after == std::chrono::ceil<std::chrono::seconds>(least), "its value",
              response.body);
}

/// The bytes of a text with its %XX decoded, and nothing else.
std::string decoded(const std::string& text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    int byte = 0;
    const char* const digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2 && byte >= 0 && *digits != '-') {
      bytes += static_cast<char>(byte);
      at += 2;
    } else {
      bytes += text[at];
    }
  }
  return bytes;
}

/// A URI reference of this host (RFC 3986 §4.2) that stands for the bytes of the path (H10).
void check_instance(const std::string& instance, const std::string& path) {
  fuzz::check(instance.empty() == path.empty(), "instance", instance);
  for (const char c : instance) {
    const bool is_allowed =
        c > ' ' && c < '\x7f' && std::string_view{"\"<>\\^`{|}#[]"}.find(c) == std::string::npos;
    fuzz::check(is_allowed, "no character of a path", instance);
  }
  fuzz::check(!instance.starts_with("//"), "another host", instance);
  fuzz::check(instance.find(':') >= instance.find_first_of("/?"), "a scheme", instance);
  fuzz::check(decoded(instance) == decoded(path), "another path", instance);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, size};
  std::string message;
  ApiError error = any_error(input, message);
  const auto time = input.wall_time();
  const std::string id = input.text();
  const std::string path = input.text();
  const RequestInfo request{input.text(), input.text()};
  const ErrorDetails details = any_details(input);
  error = error.with_timestamp(time).with_request_id(id).with_path(path).with_details(details);

  const int code = static_cast<int>(error.code());
  const int status = code >= 400 && code < 600 ? code : 500;
  const HttpResponse response = to_response(error, request);
  check_response(error, status, response);

  const auto shown_details = details_json(details);
  if (!shown_details) return 0;
  const Wanted wanted{status,
                      shown_message(message),
                      std::string{to_string(error.category())},
                      reference::iso_time(time),
                      !details.is_absent(),
                      *shown_details};
  fuzz::check_document(to_json(error), wanted.guide(id, path));
  const std::string problem = to_problem_json(error);
  const Json parsed = fuzz::parse(problem);
  const std::string instance = parsed.is_object() ? parsed.value("instance", std::string{}) : std::string{};
  check_instance(instance, path);
  fuzz::check_document(problem, wanted.problem(id, path, instance));
  fuzz::check_document(
      response.body, wanted.guide(id.empty() ? request.request_id : id, path.empty() ? request.path : path));
  return 0;
}
