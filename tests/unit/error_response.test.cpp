#include <fusebox/error_response.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <exception>
#include <limits>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// cpp-httplib's shape.
struct Response {
  int status = 0;
  std::string body;
  std::string content_type;
  std::map<std::string, std::string> headers;

  void set_content(const std::string& text, const char* type) {
    body = text;
    content_type = type;
  }
  void set_header(const std::string& name, const std::string& value) { headers[name] = value; }

  [[nodiscard]] json error() const { return json::parse(body).at("error"); }
};

}  // namespace

TEST_CASE("H2 H3 the guide's rate limit error is written as the guide has it", "[H2][H3]") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  Response response;
  send_rate_limit_error(response, 60s, {.request_id = "req_def456"});
  CHECK(response.body ==
        R"({"success":false,"error":{"code":429,"message":"Too many requests","category":"rate_limit",)"
        R"("details":"Please wait 60 seconds before making another request",)"
        R"("timestamp":"2025-01-07T12:00:00.000Z","requestId":"req_def456"}})");
  CHECK(response.status == 429);
  CHECK(response.headers["Retry-After"] == "60");
}

TEST_CASE("H3 each send function answers with its status, its category and its message", "[H3]") {
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

TEST_CASE("H3 messages and request info may be left out", "[H3]") {
  Response response;
  send_not_found_error(response);
  CHECK(response.status == 404);
  CHECK_FALSE(response.error().contains("requestId"));
  CHECK_FALSE(response.error().contains("path"));
}

TEST_CASE("H3 a rate limit rounds up to whole seconds and says 1 second in the singular", "[H3]") {
  Response response;
  send_rate_limit_error(response, 1500ms);
  CHECK(response.headers["Retry-After"] == "2");
  CHECK(response.error()["details"] == "Please wait 2 seconds before making another request");
  for (const auto wait : {1ms, 1000ms, 0ms, -5000ms}) {
    send_rate_limit_error(response, wait);
    CHECK(response.headers["Retry-After"] == "1");
    CHECK(response.error()["details"] == "Please wait 1 second before making another request");
  }
}

TEST_CASE("H3 E7 a rate limit is capped at 24 hours, and a NaN is 1 second", "[H3][E7]") {
  const auto retry_after = [](auto wait) {
    Response response;
    send_rate_limit_error(response, wait);
    return response.headers["Retry-After"];
  };
  CHECK(retry_after(std::chrono::duration<double>{1e300}) == "86400");
  CHECK(retry_after(std::chrono::duration<double>{std::numeric_limits<double>::infinity()}) == "86400");
  CHECK(retry_after(std::chrono::hours{3'000'000'000'000'000}) == "86400");
  CHECK(retry_after(24h) == "86400");
  CHECK(retry_after(24h - 1ms) == "86400");
  CHECK(retry_after(24h - 1s) == "86399");
  CHECK(retry_after(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}) == "1");
  CHECK(retry_after(std::chrono::duration<double>{-1e300}) == "1");
  CHECK(retry_after(std::chrono::duration<double>{1.25}) == "2");
}

TEST_CASE("H4 send_exception answers with the error that the client may see", "[H4]") {
  Response response;
  send_exception(response, std::make_exception_ptr(ApiError{ErrorCode::conflict, "That name is taken"}),
                 {.request_id = "r"});
  CHECK(response.status == 409);
  CHECK(response.error()["message"] == "That name is taken");
  CHECK(response.error()["requestId"] == "r");
  send_exception(response, std::make_exception_ptr(CircuitOpenError{"secret", 30s}));
  CHECK(response.status == 503);
  CHECK(response.headers["Retry-After"] == "30");
  CHECK(response.body.find("secret") == std::string::npos);
}
