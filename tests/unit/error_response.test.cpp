#include <fusebox/error_response.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <cctype>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;

/// cpp-httplib's shape.
struct Response {
  int status = 0;
  std::string body;
  std::string content_type;
  std::multimap<std::string, std::string> headers;
  void set_content(const std::string& text, const char* type) {
    body = text;
    content_type = type;
  }
  void set_header(const std::string& name, const std::string& value) { headers.emplace(name, value); }

  [[nodiscard]] json error() const { return json::parse(body).at("error"); }
  [[nodiscard]] std::string retry_after() const {
    return headers.count("Retry-After") == 1 ? headers.find("Retry-After")->second : "none";
  }
};

/// Boost.Beast's shape.
class BeastResponse {
 public:
  void result(unsigned status) { status_ = status; }
  void set(std::string_view name, const std::string& value) { fields[std::string{name}] = value; }
  std::string& body() { return body_; }
  void prepare_payload() { fields["Content-Length"] = std::to_string(body_.size()); }
  [[nodiscard]] unsigned status() const { return status_; }
  std::map<std::string, std::string> fields;

 private:
  unsigned status_ = 0;
  std::string body_;
};

template <class E>
Response sent(const E& error) {
  Response response;
  send_exception(response, std::make_exception_ptr(error));
  return response;
}

}  // namespace

namespace elsewhere {
struct OwnResponse {  // looks like cpp-httplib's, but its own function comes first
  int status = 0;
  void set_content(const std::string&, const char*) { status = -1; }
  void set_header(const std::string&, const std::string&) { status = -1; }
  HttpResponse written;
};
void write_response(OwnResponse& own, const HttpResponse& response) { own.written = response; }
}  // namespace elsewhere

TEST_CASE("H2 the guide's validation error is written as the guide has it") {
  const auto error = ApiError{ErrorCode::validation_error, "Invalid request parameters"}
                         .with_details({{"email", "Invalid email format"},
                                        {"password", "Password must be at least 8 characters"}})
                         .with_timestamp(noon)
                         .with_request_id("req_abc123")
                         .with_path("/api/auth/register");
  CHECK(
      to_json(error) ==
      R"({"success":false,"error":{"code":400,"message":"Invalid request parameters","category":"validation",)"
      R"("details":{"email":"Invalid email format","password":"Password must be at least 8 characters"},)"
      R"("timestamp":"2025-01-07T12:00:00.000Z","requestId":"req_abc123","path":"/api/auth/register"}})");
}

TEST_CASE("H2 and H3 the guide's rate limit error is written as the guide has it") {
  test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  Response response;
  send_rate_limit_error(response, 60s, {.request_id = "req_def456"});
  CHECK(response.body ==
        R"({"success":false,"error":{"code":429,"message":"Too many requests","category":"rate_limit",)"
        R"("details":"Please wait 60 seconds before making another request",)"
        R"("timestamp":"2025-01-07T12:00:00.000Z","requestId":"req_def456"}})");
  CHECK(response.status == 429);
  CHECK(response.retry_after() == "60");
}

TEST_CASE("H2 optional members are left out") {
  const auto document = json::parse(to_json(ApiError{ErrorCode::gone, "gone"}));
  CHECK(document["success"] == false);
  CHECK(document.size() == 2);
  CHECK(document["error"].size() == 4);
}

TEST_CASE("H2 the timestamp is UTC with milliseconds, rounded down") {
  const auto stamp = [](std::chrono::system_clock::time_point time) {
    return json::parse(to_json(ApiError{ErrorCode::gone}.with_timestamp(time)))["error"]["timestamp"]
        .get<std::string>();
  };
  CHECK(stamp(noon + 1ms) == "2025-01-07T12:00:00.001Z");
  CHECK(stamp(noon + 999'999us) == "2025-01-07T12:00:00.999Z");
  CHECK(stamp(std::chrono::sys_days{std::chrono::year{1969} / 12 / 31} + 23h + 59min + 59s + 999ms) ==
        "1969-12-31T23:59:59.999Z");
  CHECK(stamp(std::chrono::sys_days{std::chrono::year{2024} / 2 / 29}) == "2024-02-29T00:00:00.000Z");
  CHECK(stamp(std::chrono::system_clock::time_point::max()).size() == 24);
  CHECK(stamp(std::chrono::system_clock::time_point::min()).size() == 24);
}

TEST_CASE("H2 details are absent, a text, an object or raw JSON") {
  const auto details = [](ErrorDetails given) {
    return json::parse(to_json(ApiError{ErrorCode::gone}.with_details(std::move(given))))["error"];
  };
  CHECK_FALSE(details({}).contains("details"));
  CHECK(details("why")["details"] == "why");
  CHECK(details(std::string{})["details"] == "");
  CHECK(details(std::map<std::string, std::string>{{"b", "2"}, {"a", "1"}})["details"]["b"] == "2");
  CHECK(details(std::vector<std::pair<std::string, std::string>>{})["details"] == json::object());
  CHECK(details(ErrorDetails::json(R"({"fields":[1,2.5e-3,null,true,"\u00e9"]})"))["details"]["fields"][0] ==
        1);
  CHECK(details(ErrorDetails::json("17"))["details"] == 17);
}

TEST_CASE("H2 raw details that are no JSON value are written as a string") {
  for (const std::string raw : {"",
                                "{",
                                "}",
                                "{\"a\":}",
                                "[1,]",
                                "[1 2]",
                                "{\"a\" 1}",
                                "{a:1}",
                                "01",
                                "-",
                                "1.",
                                ".5",
                                "1e",
                                "1e+-1",
                                "+1",
                                "tru",
                                "nul",
                                "NaN",
                                "'a'",
                                "\"a",
                                "\"\\x\"",
                                "\"\\u12\"",
                                "\"\\ud800\"",
                                "\"\\uD800\"",
                                "\"\\uDC00\"",
                                "\"\\udc00\"",
                                "\"\\ud800\\u0041\"",
                                "\"\\udc00\\udc00\"",
                                "{a\":1}",
                                "\"\n\"",
                                "\"\xff\"",
                                "1 2",
                                "{},",
                                "\xef\xbb\xbf{}",
                                "[[[",
                                "{\"a\":1,}"}) {
    CAPTURE(raw);
    const auto document =
        json::parse(to_json(ApiError{ErrorCode::gone}.with_details(ErrorDetails::json(raw))));
    CHECK(document["error"]["details"].is_string());
  }
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK(json::parse(to_json(
            ApiError{ErrorCode::gone}.with_details(ErrorDetails::json(deep))))["error"]["details"] == deep);
}

TEST_CASE("H2 raw details that are JSON are kept to the letter") {
  for (const std::string raw : {"{}", "[]", " [ 1 , 2 ] ", "-0", "0.5", "1E+2", "\"\\ud83d\\ude00\"",
                                "\"\\ue000\"", "null", "{\"a\":{\"b\":[{}]}}", "\"\xc3\xa9\""}) {
    CAPTURE(raw);
    const std::string text = to_json(ApiError{ErrorCode::gone}.with_details(ErrorDetails::json(raw)));
    CHECK(text.find("\"details\":" + raw + ",") != std::string::npos);
    CHECK(json::accept(text));
  }
}

TEST_CASE("H2 raw details may be nested 257 deep") {
  for (const std::size_t depth : {257U, 258U}) {
    const std::string raw = std::string(depth, '[') + std::string(depth, ']');
    const auto document =
        json::parse(to_json(ApiError{ErrorCode::gone}.with_details(ErrorDetails::json(raw))));
    CHECK(document["error"]["details"].is_array() == (depth == 257));
  }
}

TEST_CASE("H2 control characters are escaped and invalid bytes become U+FFFD") {
  const auto message = [](const std::string& text) {
    return json::parse(to_json(ApiError{ErrorCode::gone, text}))["error"]["message"].get<std::string>();
  };
  CHECK(message("a\"b\\c/\b\f\n\r\t\x01\x1f") == "a\"b\\c/\b\f\n\r\t\x01\x1f");
  CHECK(message("\x7f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "\x7f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  // The first and the last character of each length, and those around the surrogates.
  for (const std::string good : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                 "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(good);
    CHECK(message(good) == good);
  }
  const std::string bad = "\xef\xbf\xbd";
  CHECK(message("\x80") == bad);
  CHECK(message("\xff\xfe") == bad + bad);
  CHECK(message("\xc0\xaf") == bad + bad);                      // overlong
  CHECK(message("\xed\xa0\x80") == bad + bad + bad);            // a surrogate
  CHECK(message("\xf4\x90\x80\x80") == bad + bad + bad + bad);  // beyond U+10FFFF
  CHECK(message("\xf5\x80\x80\x80") == bad + bad + bad + bad);
  CHECK(message("\xe2\x82") == bad);  // cut short: one maximal subpart
  CHECK(message("\xe2\x82z") == bad + "z");
  CHECK(message("\xf0\x9f\x98") == bad);
}

TEST_CASE("H2 any bytes anywhere give valid JSON") {
  std::mt19937 random{2};
  for (int round = 0; round < 3000; ++round) {
    const auto bytes = [&] {
      std::string text(random() % 24, ' ');
      for (char& c : text)
        c = random() % 3 == 0 ? static_cast<char>(random() % 256) : "{}[]\",:\\u0e-1d8"[random() % 15];
      return text;
    };
    const auto error =
        ApiError{static_cast<ErrorCode>(static_cast<int>(random() % 700)), bytes()}
            .with_details(random() % 2 == 0 ? ErrorDetails::json(bytes())
                                            : ErrorDetails{{bytes(), bytes()}, {bytes(), bytes()}})
            .with_request_id(bytes())
            .with_path(bytes())
            .with_category(static_cast<ErrorCategory>(static_cast<int>(random() % 12)));
    const std::string text = to_json(error);
    const std::string problem = to_problem_json(error);
    CAPTURE(text);
    REQUIRE(json::accept(text));
    REQUIRE(json::accept(problem));
  }
}

TEST_CASE("H2 problem+json has the members of RFC 9457") {
  const auto document = json::parse(to_problem_json(ApiError{ErrorCode::not_found, "No such order"}
                                                        .with_timestamp(noon)
                                                        .with_path("/orders/7")
                                                        .with_request_id("r1")
                                                        .with_details("deleted")));
  CHECK(document["type"] == "about:blank");
  CHECK(document["title"] == "Not Found");
  CHECK(document["status"] == 404);
  CHECK(document["detail"] == "No such order");
  CHECK(document["instance"] == "/orders/7");
  CHECK(document["category"] == "not_found");
  CHECK(document["requestId"] == "r1");
  CHECK(document["details"] == "deleted");
  CHECK(document["timestamp"] == "2025-01-07T12:00:00.000Z");
}

TEST_CASE("H2 problem+json leaves out what the error does not have") {
  const auto document = json::parse(to_problem_json(ApiError{ErrorCode::gone, "gone"}));
  CHECK(document.size() == 6);
  for (const char* const absent : {"instance", "requestId", "details"})
    CHECK_FALSE(document.contains(absent));
}

TEST_CASE("H3 each send function answers with its status, its category and its message") {
  Response response;
  const auto check = [&](int status, const char* category, const std::string& message) {
    CHECK(response.status == status);
    CHECK(response.content_type == "application/json");
    CHECK(response.error()["code"] == status);
    CHECK(response.error()["category"] == category);
    CHECK(response.error()["message"] == message);
    CHECK(response.error()["requestId"] == "r1");
    CHECK(response.error()["path"] == "/p");
  };
  const RequestInfo info{.request_id = "r1", .path = "/p"};
  send_bad_request_error(response, "Invalid email address", info);
  check(400, "validation", "Invalid email address");
  send_unauthorized_error(response, "Please log in to continue", info);
  check(401, "authentication", "Please log in to continue");
  send_forbidden_error(response, "Not yours", info);
  check(403, "authorization", "Not yours");
  send_not_found_error(response, "Resource not found", info);
  check(404, "not_found", "Resource not found");
  send_method_not_allowed_error(response, "POST only", info);
  check(405, "validation", "POST only");
  send_service_unavailable_error(response, "Back soon", info);
  check(503, "external_service", "Back soon");
  send_validation_error(response, {{"email", "Invalid email format"}}, info);
  check(400, "validation", "Invalid request parameters");
  CHECK(response.error()["details"]["email"] == "Invalid email format");
  send_api_error(response, ApiError{ErrorCode::conflict, "Taken"}, info);
  check(409, "validation", "Taken");
}

TEST_CASE("H3 messages and request info may be left out") {
  Response response;
  send_not_found_error(response);
  CHECK(response.status == 404);
  CHECK_FALSE(response.error().contains("requestId"));
  CHECK_FALSE(response.error().contains("path"));
}

TEST_CASE("H3 an error's own request id and path come before the request's") {
  Response response;
  send_api_error(response, ApiError{ErrorCode::gone}.with_path("/own"),
                 {.request_id = "r", .path = "/other"});
  CHECK(response.error()["path"] == "/own");
  CHECK(response.error()["requestId"] == "r");
}

TEST_CASE("H3 a rate limit rounds up to whole seconds and says 1 second in the singular") {
  Response response;
  send_rate_limit_error(response, 1500ms);
  CHECK(response.retry_after() == "2");
  CHECK(response.error()["details"] == "Please wait 2 seconds before making another request");
  for (const auto wait : {1ms, 1000ms, 0ms, -5000ms}) {
    send_rate_limit_error(response, wait);
    CHECK(response.retry_after() == "1");
    CHECK(response.error()["details"] == "Please wait 1 second before making another request");
  }
}

TEST_CASE("H4 an ApiError made for the client goes as it is") {
  const auto response = sent(ApiError{ErrorCode::conflict, "That name is taken"}.with_details("try another"));
  CHECK(response.status == 409);
  CHECK(response.error()["message"] == "That name is taken");
  CHECK(response.error()["details"] == "try another");
  CHECK(sent(ApiError{ErrorCode::request_timeout, "Send it again"}).status == 408);
}

TEST_CASE("H4 what lies behind us becomes a generic 502, 503 or 504") {
  const auto generic = [](const Response& response, int status) {
    CHECK(response.status == status);
    CHECK(response.error()["category"] == "external_service");
    CHECK_FALSE(response.error().contains("details"));
    CHECK(response.body.find("secret") == std::string::npos);
  };
  const auto upstream = [](ErrorCode code) {
    return ApiError{code, "secret"}.with_details("secret").from_upstream("secret-service");
  };
  generic(sent(upstream(ErrorCode::not_found)), 502);
  generic(sent(upstream(ErrorCode::unauthorized)), 502);
  generic(sent(upstream(ErrorCode::internal_server_error)), 502);
  generic(sent(upstream(ErrorCode::bad_gateway)), 502);
  generic(sent(upstream(ErrorCode::service_unavailable)), 503);
  generic(sent(upstream(ErrorCode::gateway_timeout)), 504);
  generic(sent(upstream(ErrorCode::request_timeout)), 504);
  generic(sent(upstream(ErrorCode::rate_limit_exceeded)), 503);
  generic(sent(ApiError{ErrorCode::bad_gateway, "secret"}.with_category(ErrorCategory::network)), 502);
  generic(sent(CircuitOpenError{"secret", 30s}), 503);
  generic(sent(BulkheadFullError{"secret"}), 503);
  generic(sent(RateLimitedError{"secret"}), 503);
  generic(sent(TimeoutError{"secret"}), 504);
  generic(sent(CancelledError{"secret"}), 503);
  generic(sent(std::system_error{std::make_error_code(std::errc::connection_refused), "secret"}), 502);
  generic(sent(std::system_error{make_error_code(NetworkErrc::host_not_found), "secret"}), 502);
  generic(sent(std::system_error{std::make_error_code(std::errc::timed_out), "secret"}), 504);
  generic(sent(ApiError{CircuitOpenError{"secret"}}), 503);
  generic(sent(std::system_error{make_error_code(PolicyErrc::circuit_open), "secret"}), 503);
  generic(sent(std::system_error{make_error_code(PolicyErrc::cancelled), "secret"}), 503);
  generic(sent(std::system_error{std::make_error_code(std::errc::operation_canceled), "secret"}), 503);
}

TEST_CASE("H4 anything else becomes a generic 500 and leaks nothing") {
  struct Mystery {};
  const auto generic = [](const Response& response) {
    CHECK(response.status == 500);
    CHECK(response.error()["message"] == "Internal server error");
    CHECK(response.error()["category"] == "internal");
    CHECK(response.body.find("secret") == std::string::npos);
  };
  generic(sent(std::runtime_error{"secret"}));
  generic(sent(std::system_error{std::make_error_code(std::errc::no_such_file_or_directory), "secret"}));
  generic(sent(42));
  generic(sent(Mystery{}));
  Response response;
  send_exception(response, nullptr);
  generic(response);
}

TEST_CASE("H5 an open breaker's 503 and every 429 carry Retry-After, at least 1") {
  CHECK(sent(CircuitOpenError{"b", 30s}).retry_after() == "30");
  CHECK(sent(CircuitOpenError{"b", 0s}).retry_after() == "1");
  CHECK(sent(CircuitOpenError{"b"}).retry_after() == "1");  // nothing is known of when
  Response response;
  send_api_error(response, CircuitOpenError{"b"});
  CHECK(response.retry_after() == "1");
  send_api_error(response, ApiError{ErrorCode::rate_limit_exceeded});
  CHECK(response.retry_after() == "1");
  send_api_error(response, ApiError{ErrorCode::service_unavailable}.with_retry_after(-7s));
  CHECK(response.retry_after() == "1");
  send_api_error(response, ApiError{ErrorCode::service_unavailable});
  CHECK(response.retry_after() == "none");
}

TEST_CASE("H5 a code that is no HTTP error is answered with 500") {
  for (const int code : {0, 200, 399, 600, -1}) {
    Response response;
    send_api_error(response, ApiError{static_cast<ErrorCode>(code), "odd"});
    CHECK(response.status == 500);
    CHECK(response.error()["code"] == 500);
  }
}

TEST_CASE("H5 Beast-like responses are known by shape") {
  BeastResponse response;
  send_rate_limit_error(response, 5s);
  CHECK(response.status() == 429);
  CHECK(response.fields["Retry-After"] == "5");
  CHECK(response.fields["Content-Type"] == "application/json");
  CHECK(response.fields["Content-Length"] == std::to_string(response.body().size()));
  CHECK(json::accept(response.body()));
}

TEST_CASE("H5 a write_response found by argument-dependent lookup comes before any shape") {
  elsewhere::OwnResponse response;
  send_rate_limit_error(response, 5s);
  CHECK(response.status == 0);
  CHECK(response.written.status == 429);
  CHECK(response.written.retry_after == 5s);
  CHECK(response.written.content_type == "application/json");
}

TEST_CASE(
    "H3 a rate limit that no integer of seconds holds saturates, and one that is no number is 1 second") {
  const auto told = [](auto wait) {
    Response response;
    send_rate_limit_error(response, wait);
    return response.retry_after();
  };
  CHECK(told(std::chrono::duration<double>{1e300}) == "9223372036");
  CHECK(told(std::chrono::duration<double>{std::numeric_limits<double>::infinity()}) == "9223372036");
  CHECK(told(std::chrono::hours{3'000'000'000'000'000}) == "9223372036");
  CHECK(told(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}) == "1");
  CHECK(told(std::chrono::duration<double>{-1e300}) == "1");
  CHECK(told(std::chrono::duration<double>{1.25}) == "2");
}
