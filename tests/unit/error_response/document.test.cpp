#include <fusebox/error_response/document.hpp>

#include <chrono>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;

json error_of(const ApiError& error) { return json::parse(to_json(error)).at("error"); }
json with_details(ErrorDetails details) {
  return error_of(ApiError{ErrorCode::gone}.with_details(std::move(details)));
}

}  // namespace

TEST_CASE("H2 the guide's validation error is written as the guide has it", "[H2]") {
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

TEST_CASE("H2 details, requestId and path are left out if the error has none", "[H2]") {
  const auto document = json::parse(to_json(ApiError{ErrorCode::gone, "gone"}));
  CHECK(document["success"] == false);
  CHECK(document.size() == 2);
  CHECK(document["error"].size() == 4);
}

TEST_CASE("H2 details are absent, a text, an object or raw JSON", "[H2]") {
  CHECK_FALSE(with_details({}).contains("details"));
  CHECK(with_details("why")["details"] == "why");
  CHECK(with_details("")["details"] == "");
  CHECK(with_details({{"b", "2"}, {"a", "1"}})["details"]["b"] == "2");
  CHECK(with_details(std::vector<std::pair<std::string, std::string>>{})["details"] == json::object());
  CHECK(with_details(ErrorDetails::json("17"))["details"] == 17);
}

TEST_CASE("H2 E3 raw details that are JSON are kept to the letter", "[H2][E3]") {
  for (const std::string raw :
       {"{}", " [ 1 , 2 ] ", "1E+2", R"("\ud83d\ude00")", R"({"fields":[1,2.5e-3,null,true,"\u00e9"]})"}) {
    CAPTURE(raw);
    const std::string text = to_json(ApiError{ErrorCode::gone}.with_details(ErrorDetails::json(raw)));
    CHECK(text.find("\"details\":" + raw + ",") != std::string::npos);
    CHECK(json::accept(text));
  }
}

TEST_CASE("H2 E3 raw details that are no JSON value are written as a string", "[H2][E3]") {
  for (const std::string raw : {"", "{", "[1,]", "1.", "'a'", "1 2", "\"\n\"", R"("\u12")", R"("\ud800")"}) {
    CAPTURE(raw);
    CHECK(with_details(ErrorDetails::json(raw))["details"] == raw);
  }
  CHECK(with_details(ErrorDetails::json("\"\xff\""))["details"] == "\"\xef\xbf\xbd\"");
}

TEST_CASE("H2 any bytes anywhere give valid JSON", "[H2]") {
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

TEST_CASE("H2 problem+json has the members of RFC 9457", "[H2]") {
  const auto document = json::parse(to_problem_json(ApiError{ErrorCode::not_found, "No such order"}
                                                        .with_timestamp(noon)
                                                        .with_path("/orders/7")
                                                        .with_request_id("r1")
                                                        .with_details("deleted")));
  CHECK(document == json::parse(R"({"type": "about:blank", "title": "Not Found", "status": 404,
      "detail": "No such order", "instance": "/orders/7", "category": "not_found",
      "timestamp": "2025-01-07T12:00:00.000Z", "requestId": "r1", "details": "deleted"})"));
}

TEST_CASE("H2 problem+json leaves out what the error does not have", "[H2]") {
  const auto document = json::parse(to_problem_json(ApiError{ErrorCode::gone, "gone"}));
  CHECK(document.size() == 6);
  for (const char* const absent : {"instance", "requestId", "details"})
    CHECK_FALSE(document.contains(absent));
}

TEST_CASE("H2 a code that is no HTTP error status is written as 500", "[H2]") {
  for (const int code : {0, 200, 399, 600, -1}) {
    CAPTURE(code);
    const auto response = to_response(ApiError{static_cast<ErrorCode>(code), "odd"});
    CHECK(response.status == 500);
    CHECK(json::parse(response.body)["error"]["code"] == 500);
  }
  CHECK(HttpResponse{}.status == 500);
  for (const int code : {400, 599}) CHECK(to_response(ApiError{static_cast<ErrorCode>(code)}).status == code);
}

TEST_CASE("H3 an error's own request id and path come before the request's", "[H3]") {
  const auto response =
      to_response(ApiError{ErrorCode::gone}.with_path("/own"), {.request_id = "r", .path = "/other"});
  const auto error = json::parse(response.body)["error"];
  CHECK(error["path"] == "/own");
  CHECK(error["requestId"] == "r");
}

TEST_CASE("H5 an open breaker's 503 and every 429 have Retry-After, at least 1", "[H5]") {
  const auto retry_after = [](const ApiError& error) { return to_response(error).retry_after; };
  CHECK(retry_after(CircuitOpenError{"b", 30s}) == 30s);
  CHECK(retry_after(CircuitOpenError{"b", 0s}) == 1s);
  CHECK(retry_after(CircuitOpenError{"b"}) == 1s);
  CHECK(retry_after(ApiError{ErrorCode::rate_limit_exceeded}) == 1s);
  CHECK(retry_after(ApiError{ErrorCode::service_unavailable}.with_retry_after(-7s)) == 1s);
  CHECK_FALSE(retry_after(ApiError{ErrorCode::service_unavailable}));
}

TEST_CASE("H10 several messages for one field are one member with an array", "[H10]") {
  const auto details = [](ErrorDetails given) {
    return json::parse(
               to_json(ApiError{ErrorCode::bad_request}.with_details(std::move(given))))["error"]["details"]
        .dump();
  };
  CHECK(details({{"email", "too long"}, {"email", "no @"}}) == R"({"email":["too long","no @"]})");
  CHECK(details({{"b", "1"}, {"a", "2"}, {"b", "3"}, {"b", "4"}}) == R"({"a":"2","b":["1","3","4"]})");
  CHECK(details({{"a", "1"}}) == R"({"a":"1"})");
  CHECK(details({{"a\xff", "1"}, {"a\xfe", "2"}}) == "{\"a\xEF\xBF\xBD\":[\"1\",\"2\"]}");
  const auto text =
      to_json(ApiError{ErrorCode::bad_request}.with_details({{"z", "1"}, {"a", "\"2"}, {"z", "3"}}));
  CHECK(text.find(R"("details":{"z":["1","3"],"a":"\"2"})") != std::string::npos);
}

TEST_CASE("H10 the instance of a problem is a URI reference of this host", "[H10]") {
  const auto instance = [](const std::string& path) {
    return json::parse(to_problem_json(ApiError{ErrorCode::gone}.with_path(path)))["instance"]
        .get<std::string>();
  };
  CHECK(instance("/orders/7?full=1&x=a%20b") == "/orders/7?full=1&x=a%20b");
  CHECK(instance("/a b") == "/a%20b");
  CHECK(instance("//evil.example/x") == "/%2Fevil.example/x");
  CHECK(instance("///x") == "/%2F/x");
  CHECK(instance("/\\evil.example") == "/%5Cevil.example");
  CHECK(instance("https://evil.example/x") == "https%3A//evil.example/x");
  CHECK(instance("javascript:alert(1)") == "javascript%3Aalert(1)");
  CHECK(instance("/a:b") == "/a:b");
  CHECK(instance("a/b:c") == "a/b:c");
  CHECK(instance("/100%") == "/100%25");
  CHECK(instance("/%zz%4") == "/%25zz%254");
  CHECK(instance("/\xc3\xa9\xff\n#\"<>[]") == "/%C3%A9%FF%0A%23%22%3C%3E%5B%5D");
}

TEST_CASE("H10 the title of a problem is the phrase of IANA", "[H10]") {
  const auto title = [](int status) {
    return json::parse(to_problem_json(ApiError{static_cast<ErrorCode>(status), "text"}))["title"]
        .get<std::string>();
  };
  CHECK(title(402) == "Payment Required");
  CHECK(title(451) == "Unavailable For Legal Reasons");
  CHECK(title(508) == "Loop Detected");
  CHECK(title(404) == "Not Found");
  CHECK(title(418) == "Client Error");
}

TEST_CASE("H5 E7 Retry-After is sent in seconds, rounded up, and capped at 24 hours", "[H5][E7]") {
  const auto retry_after = [](auto wait) {
    return to_response(ApiError{ErrorCode::service_unavailable}.with_retry_after(wait)).retry_after;
  };
  CHECK(retry_after(1ms) == 1s);
  CHECK(retry_after(1001ms) == 2s);
  CHECK(retry_after(1500us) == 1s);
  CHECK(retry_after(2s) == 2s);
  CHECK(retry_after(24h) == 24h);
  CHECK(retry_after(24h - 1ms) == 24h);
  CHECK(retry_after(25h) == 24h);
  CHECK(retry_after(std::chrono::seconds::max()) == 24h);
  CHECK(retry_after(std::chrono::milliseconds::min()) == 1s);
  CHECK(to_response(CircuitOpenError{"b", 25h}).retry_after == 24h);
}
