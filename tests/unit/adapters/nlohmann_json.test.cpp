#include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

std::string parse_error(const std::string& text, const JsonLimits& limits = {}) {
  try {
    (void)parse_json(text, limits);
    return "no error";
  } catch (const JsonError& error) {
    return error.what();
  }
}

template <class T>
std::string read_error(const char* text) {
  try {
    (void)json::parse(text).get<T>();
    return "no error";
  } catch (const JsonError& error) {
    return error.what();
  }
}

const std::chrono::system_clock::time_point noon =
    std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;

/// An error without a member that varies.
ApiError plain_error(ErrorCode code = ErrorCode::validation_error, std::string_view message = "Bad") {
  return ApiError{code, message}.with_timestamp(noon);
}

/// What an ApiError says; the document of one is in the order of the names then, as nlohmann::json has it.
std::string document(const ApiError& error) { return json::parse(to_json(error)).dump(); }

ApiError problem(const char* text, int status = 0) { return from_problem_json(json::parse(text), status); }

}  // namespace

TEST_CASE("H40 an error of a document has a path, and is no refused config", "[H40]") {
  const JsonError error{"a.b", "must be a text"};
  CHECK(std::string{error.what()} == "a.b: must be a text");
  CHECK(error.path() == "a.b");
  CHECK(std::string{JsonError{"", "must be a text"}.what()} == "must be a text");
  STATIC_REQUIRE_FALSE(std::is_base_of_v<ConfigError, JsonError>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<JsonError>);
}

TEST_CASE("H41 a text is parsed as nlohmann's parser does it", "[H41]") {
  for (const char* text :
       {"null", "true", "-5", "18446744073709551615", "1.5e-7", "\"a\\u00e9\\n\"", "[]", "{}",
        R"({"a": [1, {"b": [[], {}]}, "x"], "b": {"a": {"a": null}}})", " \t\r\n1 "}) {
    CAPTURE(text);
    CHECK(parse_json(text) == json::parse(text));
  }
}

TEST_CASE("H41 what is no document is refused, with its path if it has one", "[H41]") {
  CHECK(parse_error("").starts_with("this is no JSON: parse error at line 1, column 1"));
  CHECK(parse_error("{\"a\": 1").starts_with("this is no JSON: "));
  CHECK(parse_error("{} {}").starts_with("this is no JSON: "));
  CHECK(parse_error("[1e999]").starts_with("this is no JSON: number overflow"));
  CHECK(parse_error("[NaN]").starts_with("this is no JSON: "));
  CHECK(parse_error("\"\xff\"").starts_with("this is no JSON: "));
  CHECK(parse_error("\"\xed\xa0\x80\"").starts_with("this is no JSON: "));
  CHECK(parse_error("\"\\ud800\"").starts_with("this is no JSON: "));
  CHECK(parse_error(std::string{"{}\0x", 4}) == "this is no JSON: it has a byte that is 0");
  CHECK(parse_error("\"" + std::string(100'000, 'x') + "\x01").size() < 1000);

  CHECK(parse_error(R"({"a": 1, "a": 2})") == "a: is there twice");
  CHECK(parse_error(R"({"a": [0, {"b": {"c": {}, "d": 1, "c": 1}}]})") == "a[1].b.c: is there twice");
  CHECK(parse_error(R"([{"a": 1}, {"a": 2}, {"b": {"a": 3}, "a": 4}])") == "no error");
}

TEST_CASE("H41 size and depth have a limit", "[H41]") {
  CHECK(parse_error(std::string(1U << 20U, ' ')).starts_with("this is no JSON"));
  CHECK(parse_error(std::string((1U << 20U) + 1, ' ')) == "the document is larger than 1 MiB");
  CHECK(parse_error("[1]", {.max_size = 2}) == "the document is larger than 2 bytes");
  CHECK(parse_error(std::string(32, '[') + std::string(32, ']')) == "no error");
  CHECK(parse_error(std::string(33, '[') + std::string(33, ']')) == "the document is nested too deeply");
  CHECK(parse_error(R"({"a":{"b":1}})", {.max_depth = 1}) == "the document is nested too deeply");
  CHECK(parse_error("1", {.max_depth = 0}) == "no error");
  CHECK(parse_error("[]", {.max_depth = -1}) == "the document is nested too deeply");
  const std::string brackets(100'000'000, '[');
  CHECK(parse_error(brackets) == "the document is larger than 1 MiB");
  CHECK(parse_error(brackets, {.max_size = brackets.size()}) == "the document is nested too deeply");
}

TEST_CASE("H44 an ApiError is its own document, and reads back", "[H44]") {
  const std::vector<ErrorDetails> all_details = {
      {},
      "a text",
      {{"email", "Invalid"}, {"name", "Missing"}},
      {{"email", "Invalid"}, {"email", "Too long"}, {"name", "Missing"}},
      ErrorDetails::json(R"({"retries":[1,2],"deep":{"a":null}})"),
      ErrorDetails::json("5"),
  };
  for (const ErrorDetails& details : all_details) {
    const ApiError error = plain_error(ErrorCode::conflict, "Gr\xC3\xBC\xC3\x9F \"\n")
                               .with_category(ErrorCategory::internal)
                               .with_details(details)
                               .with_request_id("id")
                               .with_path("/a b");
    CAPTURE(to_json(error));
    CHECK(json(error) == json::parse(to_json(error)));
    CHECK(ordered_json(error).dump() == to_json(error));
    const auto read = json(error).get<ApiError>();
    CHECK(document(read) == document(error));
    CHECK(read.details().kind() == details.kind());
    CHECK(read.category() == ErrorCategory::internal);
    CHECK(read.reason() == make_error_code(ErrorCode::conflict));
    CHECK(document(ordered_json(error).get<ApiError>()) == document(error));
  }
  const json open = CircuitOpenError{"payments"};
  CHECK(open["error"]["code"] == 503);
  CHECK(open.get<ApiError>().category() == ErrorCategory::external_service);
  const json inside = {{"error", plain_error()}, {"n", 1}};
  CHECK(inside["error"]["success"] == false);
}

TEST_CASE("H44 details that nlohmann cannot hold are a text; details that it can stay what they are",
          "[H44]") {
  const ApiError huge = plain_error().with_details(ErrorDetails::json("[1e999]"));
  CHECK(json(huge)["error"]["details"] == "[1e999]");
  const ApiError deep =
      plain_error().with_details(ErrorDetails::json(std::string(200, '[') + std::string(200, ']')));
  CHECK(json(deep).get<ApiError>().details().text().size() == 400);
}

TEST_CASE("H44 a document of an ApiError with an error in it names the path", "[H44]") {
  const auto error_of = [](const char* body) {
    return read_error<ApiError>((std::string{R"({"success": false, "error": )"} + body + "}").c_str());
  };
  CHECK(error_of(R"({"code": 404, "message": "m"})") == "no error");
  CHECK(error_of("5") == "error: must be an object");
  CHECK(error_of(R"({"message": "m"})") == "error: needs the member \"code\"");
  CHECK(error_of(R"({"code": "404", "message": "m"})") == "error.code: must be a whole number");
  CHECK(error_of(R"({"code": 200, "message": "m"})") == "error.code: must be in [400, 599], got 200");
  CHECK(error_of(R"({"code": 404, "message": 5})") == "error.message: must be a text");
  CHECK(error_of(R"({"code": 404, "message": "m", "category": "odd"})")
            .starts_with("error.category: must be one of validation, "));
  CHECK(error_of(R"({"code": 404, "message": "m", "timestamp": "noon"})") ==
        "error.timestamp: must be a time, such as \"2025-01-07T12:00:00.000Z\"");
  CHECK(error_of(R"({"code": 404, "message": "m", "requestId": 5})") == "error.requestId: must be a text");
  CHECK(error_of(R"({"code": 404, "message": "m", "path": []})") == "error.path: must be a text");
  CHECK(read_error<ApiError>("[]") == "must be an object");
}

TEST_CASE("H44 times are RFC 3339", "[H44]") {
  const auto time = [](const std::string& text) {
    return json{{"error", {{"code", 400}, {"message", ""}, {"timestamp", text}}}}.get<ApiError>().timestamp();
  };
  CHECK(time("2025-01-07T12:00:00.000Z") == noon);
  CHECK(time("2025-01-07t12:00:00z") == noon);
  CHECK(time("2025-01-07T13:30:00+01:30") == noon);
  CHECK(time("2025-01-07T06:00:00.5-06:00") == noon + 500ms);
  CHECK(time("2025-01-07T12:00:00.123456789Z") == noon + 123ms);
  CHECK(time("2024-02-29T00:00:60Z") == std::chrono::sys_days{std::chrono::year{2024} / 2 / 29} + 1min);
  for (const char* bad :
       {"", "2025-01-07", "2025-01-07T12:00:00", "2025-13-07T12:00:00Z", "2025-02-29T12:00:00Z",
        "2025-01-07T24:00:00Z", "2025-01-07T12:60:00Z", "2025-01-07T12:00:61Z", "2025-01-07T12:00:00.Z",
        "2025-01-07T12:00:00Zx", "2025-01-07T12:00:00+1:00", "2025-01-07T12:00:00+24:00",
        "1677-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-025-01-07T12:00:00Z", "2025-01-07T-1:00:00Z"}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH(time(bad), Catch::StartsWith("error.timestamp: must be a time"));
  }
}

TEST_CASE("H45 a problem document of our own", "[H45]") {
  const ApiError error = plain_error(ErrorCode::not_found, "No such order")
                             .with_category(ErrorCategory::validation)
                             .with_details({{"id", "unknown"}})
                             .with_request_id("r1")
                             .with_path("/orders/5");
  json document_of_it;
  to_problem_json(document_of_it, error);
  CHECK(document_of_it == json::parse(to_problem_json(error)));
  CHECK(document(from_problem_json(document_of_it)) == document(error));
  CHECK(document(document_of_it.get<ApiError>()) == document(error));
  ordered_json in_order;
  to_problem_json(in_order, error);
  CHECK(in_order.dump() == to_problem_json(error));
  CHECK(document(from_problem_json(in_order)) == document(error));
}

TEST_CASE("H45 a problem document of another service", "[H45]") {
  const ApiError credit = problem(R"({"type": "https://example.com/probs/out-of-credit",
      "title": "You do not have enough credit.", "status": 403,
      "detail": "Your current balance is 30, but that costs 50.", "instance": "/account/12345/msgs/abc",
      "balance": 30, "accounts": ["/account/12345"]})");
  CHECK(credit.code() == ErrorCode::forbidden);
  CHECK(credit.category() == ErrorCategory::authorization);
  CHECK(credit.message() == "Your current balance is 30, but that costs 50.");
  CHECK(credit.path() == "/account/12345/msgs/abc");
  REQUIRE(credit.details().kind() == ErrorDetails::Kind::json);
  CHECK(json::parse(credit.details().text()) == json({{"type", "https://example.com/probs/out-of-credit"},
                                                      {"title", "You do not have enough credit."},
                                                      {"balance", 30},
                                                      {"accounts", {"/account/12345"}}}));

  CHECK(problem("{}").code() == ErrorCode::internal_server_error);
  CHECK(problem("{}").message() == "Internal Server Error");
  CHECK(problem("{}").details().is_absent());
  CHECK(problem("{}", 404).message() == "Not Found");
  CHECK(problem(R"({"title": "Gone away", "status": 410})").message() == "Gone away");
  CHECK(problem(R"({"status": 410})", 503).code() == ErrorCode::service_unavailable);
  CHECK(problem(R"({"status": 410})", 200).code() == ErrorCode::gone);
  CHECK(problem(R"({"title": "Not Found", "detail": "d", "status": 404})").details().is_absent());
  CHECK(problem(R"({"timestamp": "2025-01-07T12:00:00Z"})").timestamp() == noon);
}

TEST_CASE("H45 a member of a wrong type is as unknown as any other", "[H45]") {
  for (const char* status : {"200", "-1", "600", "404.5", "\"404\"", "null", "true", "[404]", "1e300",
                             "18446744073709551615", "-9223372036854775808"}) {
    CAPTURE(status);
    const ApiError error = problem((std::string{R"({"status": )"} + status + "}").c_str());
    CHECK(error.code() == ErrorCode::internal_server_error);
    CHECK(json::parse(error.details().text()) == json{{"status", json::parse(status)}});
  }
  const ApiError error =
      problem(R"({"type": 1, "title": [], "detail": {}, "instance": null, "category": "odd",
                                     "timestamp": 5, "requestId": 7, "details": {"a": 1}})",
              400);
  CHECK(error.message() == "Bad Request");
  CHECK(error.path().empty());
  CHECK(json::parse(error.details().text()).size() == 8);

  CHECK_THROWS_WITH(problem("[]"), "must be an object");
  CHECK_THROWS_WITH(problem("null"), "must be an object");
  json deep = json::object();
  for (int i = 0; i < 300; ++i) deep = json{{"x", std::move(deep)}};
  CHECK_THROWS_WITH(from_problem_json(deep), "is nested too deeply");
  const json bad_utf8 = {{"x", "\xff"}};
  CHECK(from_problem_json(bad_utf8).details().text() == "{\"x\":\"\xEF\xBF\xBD\"}");
}

TEST_CASE("H46 a failure as JSON", "[H46]") {
  const auto check_reads_back = [](const Failure& failure) {
    const json written = failure;
    CAPTURE(written.dump());
    const auto read = written.get<Failure>();
    CHECK(read.message() == failure.message());
    CHECK(read.category() == failure.category());
    CHECK(read.code() == failure.code());
    CHECK(read.status() == failure.status());
    CHECK(read.retry_after() == failure.retry_after());
    CHECK(read.is_transient() == failure.is_transient());
    CHECK(json(read) == written);
  };
  check_reads_back(Failure::from_status(503, 1500ms));
  check_reads_back(Failure::from_status(503, -1ms));
  check_reads_back(Failure::from_status(404));
  check_reads_back(Failure::from_status(999, 1500ms));
  check_reads_back(Failure{make_error_code(NetworkErrc::timed_out)});
  check_reads_back(Failure{make_error_code(PolicyErrc::circuit_open)});
  check_reads_back(Failure{std::make_error_code(std::errc::invalid_argument)});
  check_reads_back(Failure{std::error_code{}});
  check_reads_back(Failure{CircuitOpenError{"payments"}.with_retry_after(3s)});
  check_reads_back(Failure{plain_error(ErrorCode::conflict, "m").with_category(ErrorCategory::network)});
  check_reads_back(Failure::from_exception(std::make_exception_ptr(std::runtime_error{"boom"})));

  CHECK(ordered_json(Failure::from_status(503, 1500ms)).dump() ==
        R"-({"message":"HTTP status 503 (service_unavailable)","category":"external_service",)-"
        R"-("code":{"category":"fusebox.http","value":503},"status":503,"retryAfterMs":1500})-");
  const auto foreign = json::parse(R"({"message": "m", "category": "network",
                                       "code": {"category": "curl", "value": 7}, "status": 502})")
                           .get<Failure>();
  CHECK_FALSE(foreign.code());
  CHECK(foreign.message() == "m");
  CHECK(foreign.category() == ErrorCategory::network);
  CHECK(read_error<Failure>("{}") == "needs the member \"message\"");
  CHECK(read_error<Failure>(R"({"message": "m", "code": {"category": 5}})") ==
        "code.category: must be a text");
  CHECK(read_error<Failure>(R"({"message": "m", "retryAfterMs": 1e30})") != "");
  for (const std::string status : {"-1", "200", "399", "600", "99999"}) {
    CHECK(read_error<Failure>((R"({"message": "m", "status": )" + status + "}").c_str()) ==
          "status: must be in [400, 599], got " + status);
  }
}
