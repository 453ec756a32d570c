#include <fusebox/error_response/detail/json_check.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include "catch.hpp"

namespace {
constexpr bool is_json(std::string_view text) { return fusebox::detail::JsonChecker::is_value(text); }
}  // namespace

TEST_CASE("E3 one JSON value, with white space around it", "[E3]") {
  STATIC_REQUIRE(is_json("{}") && is_json("[]") && is_json(" \t\r\n[ 1 , 2 ] ") && is_json("null"));
  STATIC_REQUIRE(is_json("true") && is_json("false") && is_json(R"({"a":{"b":[{}]}})"));
  STATIC_REQUIRE(is_json(R"({ "a" : 1 , "b" : [ ] })"));
  STATIC_REQUIRE(!is_json("") && !is_json(" ") && !is_json("1 2") && !is_json("{},") &&
                 !is_json("\xef\xbb\xbf{}"));
  STATIC_REQUIRE(!is_json("tru") && !is_json("nul") && !is_json("NaN") && !is_json("'a'"));
}

TEST_CASE("E3 an array and an object end where they must", "[E3]") {
  STATIC_REQUIRE(!is_json("{") && !is_json("}") && !is_json("[[[") && !is_json("[1,]") && !is_json("[1 2]"));
  STATIC_REQUIRE(!is_json(R"({"a":})") && !is_json(R"({"a" 1})") && !is_json("{a:1}") &&
                 !is_json(R"({a":1})"));
  STATIC_REQUIRE(!is_json(R"({"a":1,})") && !is_json("[1}") && !is_json(R"({"a":1])"));
  STATIC_REQUIRE(!is_json("[1") && !is_json("{:1}") && !is_json(R"({"a")"));
}

TEST_CASE("E3 a number has digits wherever it must", "[E3]") {
  STATIC_REQUIRE(is_json("-0") && is_json("0.5") && is_json("1E+2") && is_json("2.5e-3") && is_json("10"));
  STATIC_REQUIRE(!is_json("01") && !is_json("-") && !is_json("1.") && !is_json(".5") && !is_json("1e"));
  STATIC_REQUIRE(!is_json("1e+-1") && !is_json("+1"));
}

TEST_CASE("E3 a string is UTF-8 without control characters", "[E3]") {
  STATIC_REQUIRE(is_json("\"\xc3\xa9 \x7f\"") && is_json("\"\""));
  STATIC_REQUIRE(!is_json("\"a") && !is_json("\"\n\"") && !is_json("\"\n") && !is_json("\"\x1f\"") &&
                 !is_json("\"\xff\""));
}

TEST_CASE("E3 an escape is one that RFC 8259 knows, and a surrogate has its other half", "[E3]") {
  STATIC_REQUIRE(is_json(R"("\"\\\/\b\f\n\r\t")") && is_json(R"("\u0000\u0041\uabcd\uABCD\ue000")"));
  STATIC_REQUIRE(is_json(R"("\ud800\udc00")") && is_json(R"("\uDBFF\uDFFF")"));
  STATIC_REQUIRE(!is_json(R"("\)") && !is_json(R"("\")") && !is_json(R"("\x")"));
  STATIC_REQUIRE(!is_json(R"("\u12")") && !is_json(R"("\u12g4")"));
  STATIC_REQUIRE(!is_json(R"("\ud800")") && !is_json(R"("\uD800")") && !is_json(R"("\ud800\n")"));
  STATIC_REQUIRE(!is_json(R"("\ud800dc00")"));
  STATIC_REQUIRE(!is_json(R"("\ud800\u0041")") && !is_json(R"("\ud800\ue000")"));
  STATIC_REQUIRE(!is_json(R"("\ud800\udbff")") && !is_json(R"("\ud800\u12g4")"));
  STATIC_REQUIRE(!is_json(R"("\udc00")") && !is_json(R"("\udfff")") && !is_json(R"("\udc00\udc00")"));
}

TEST_CASE("E3 arrays may be nested 257 deep", "[E3]") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(is_json(nested(257)));
  CHECK_FALSE(is_json(nested(258)));
  CHECK_FALSE(is_json(nested(100'000)));
}
