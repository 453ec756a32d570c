#include <fusebox/http.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

// Sunday, 6 November 1994, 08:49:37 UTC: the sample of RFC 9110.
constexpr std::chrono::system_clock::time_point sample =
    std::chrono::sys_days{std::chrono::year{1994} / 11 / 6} + 8h + 49min + 37s;

constexpr std::optional<std::chrono::seconds> parse(std::string_view value,
                                                    std::chrono::system_clock::time_point now = sample -
                                                                                                30s) {
  return http::parse_retry_after(value, now);
}

}  // namespace

TEST_CASE("H1 digits are seconds", "[H1]") {
  STATIC_REQUIRE(parse("0") == 0s);
  STATIC_REQUIRE(parse("120") == 120s);
  STATIC_REQUIRE(parse("007") == 7s);
}

TEST_CASE("H1 huge numbers saturate", "[H1]") {
  STATIC_REQUIRE(parse("9223372036854775800") == std::chrono::seconds{9'223'372'036'854'775'800});
  STATIC_REQUIRE(parse("9223372036854775807") == std::chrono::seconds::max());
  STATIC_REQUIRE(parse("9223372036854775808") == std::chrono::seconds::max());
  CHECK(parse(std::string(5000, '9')) == std::chrono::seconds::max());
}

TEST_CASE("H1 the three formats of a date give the same", "[H1]") {
  STATIC_REQUIRE(parse("Sun, 06 Nov 1994 08:49:37 GMT") == 30s);
  STATIC_REQUIRE(parse("Sunday, 06-Nov-94 08:49:37 GMT") == 30s);
  STATIC_REQUIRE(parse("Sun Nov  6 08:49:37 1994") == 30s);
}

TEST_CASE("H1 surrounding spaces and tabs do not count", "[H1]") {
  STATIC_REQUIRE(parse(" \t120 \t") == 120s);
  STATIC_REQUIRE(parse("\tSun, 06 Nov 1994 08:49:37 GMT ") == 30s);
  STATIC_REQUIRE(!parse("\n120"));
}

TEST_CASE("H1 a date in the past is 0", "[H1]") {
  STATIC_REQUIRE(parse("Sun, 06 Nov 1994 08:49:37 GMT", sample) == 0s);
  STATIC_REQUIRE(parse("Sun, 06 Nov 1994 08:49:37 GMT", sample + 1s) == 0s);
  STATIC_REQUIRE(parse("Thu, 01 Jan 1970 00:00:00 GMT") == 0s);
}

TEST_CASE("H1 the fraction of a second until a date is rounded up", "[H1]") {
  STATIC_REQUIRE(parse("Sun, 06 Nov 1994 08:49:37 GMT", sample - 1500ms) == 2s);
  STATIC_REQUIRE(parse("Sun, 06 Nov 1994 08:49:37 GMT", sample - 1ms) == 1s);
}

TEST_CASE("H1 anything else is absent", "[H1]") {
  STATIC_REQUIRE(!parse("") && !parse(" ") && !parse("-1") && !parse("+1") && !parse("1.5") && !parse("1e3"));
  STATIC_REQUIRE(!parse("0x10") && !parse("1 2") && !parse("120s") && !parse("120,") && !parse("１２"));
  STATIC_REQUIRE(!parse("soon") && !parse("1994-11-06T08:49:37Z"));
}

TEST_CASE("H1 every prefix of a date and every date with one byte changed is handled", "[H1]") {
  for (const std::string date :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    CAPTURE(date);
    for (std::size_t size = 0; size < date.size(); ++size) CHECK_FALSE(parse(date.substr(0, size)));
    for (std::size_t i = 0; i < date.size(); ++i) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = date;
        changed[i] = static_cast<char>(byte);
        const auto wait = parse(changed);
        if (wait) CHECK(*wait >= 0s);
      }
    }
  }
}

TEST_CASE("H1 parsing never throws", "[H1]") {
  STATIC_REQUIRE(noexcept(http::parse_retry_after(std::string_view{}, sample)));
}

TEST_CASE("H1 the idempotent methods are those of RFC 9110", "[H1]") {
  using http::is_idempotent;
  STATIC_REQUIRE(is_idempotent("GET") && is_idempotent("HEAD") && is_idempotent("OPTIONS"));
  STATIC_REQUIRE(is_idempotent("TRACE") && is_idempotent("PUT") && is_idempotent("DELETE"));
  STATIC_REQUIRE(!is_idempotent("POST") && !is_idempotent("PATCH") && !is_idempotent("CONNECT"));
  STATIC_REQUIRE(!is_idempotent("QUERY") && !is_idempotent("get") && !is_idempotent("GET "));
  STATIC_REQUIRE(!is_idempotent(""));
}
