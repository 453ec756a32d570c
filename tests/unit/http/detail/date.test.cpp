#include <fusebox/http/detail/date.hpp>

#include <chrono>
#include <optional>
#include <string_view>

#include "catch.hpp"

using namespace std::chrono_literals;

namespace {

using Date = std::optional<std::chrono::sys_seconds>;

// Sunday, 6 November 1994, 08:49:37 UTC: the sample of RFC 9110.
constexpr std::chrono::sys_seconds sample = std::chrono::sys_days{1994y / 11 / 6} + 8h + 49min + 37s;

constexpr Date parse(std::string_view text, std::chrono::sys_seconds now = sample - 30s) {
  return fusebox::detail::parse_http_date(text, now);
}

constexpr Date midnight(std::chrono::year_month_day date) { return std::chrono::sys_days{date}; }

}  // namespace

TEST_CASE("H1 a date has one of three formats", "[H1]") {
  STATIC_REQUIRE(parse("Sun, 06 Nov 1994 08:49:37 GMT") == sample);
  STATIC_REQUIRE(parse("Sunday, 06-Nov-94 08:49:37 GMT") == sample);
  STATIC_REQUIRE(parse("Sun Nov  6 08:49:37 1994") == sample);
  STATIC_REQUIRE(parse("Wed Nov 16 08:49:37 1994") == sample + 240h);
}

TEST_CASE("H1 a date in any other format is absent", "[H1]") {
  STATIC_REQUIRE(!parse("Sun, 06 Nov 1994 08:49:37"));
  STATIC_REQUIRE(!parse("Sun, 06 Nov 1994 08:49:37 gmt"));
  STATIC_REQUIRE(!parse("Sun, 06 Nov 1994 08:49:37 UTC"));
  STATIC_REQUIRE(!parse("Sun, 06 Nov 1994 08:49:37 GMT+1"));
  STATIC_REQUIRE(!parse("Sun,  06 Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun, 6 Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun, 1/ Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun, 0: Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun, 06 nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun, 06 Nov 94 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun, 06 Nov 1994 8:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun 06 Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sunday, 06-Nov-1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sunday, 06 Nov 94 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun Nov 6 08:49:37 1994"));
  STATIC_REQUIRE(!parse("Sun Nov  6 08:49:37 94"));
  STATIC_REQUIRE(!parse("Sun Nov  6 08:49:37 1994 GMT"));
  STATIC_REQUIRE(!parse("") && !parse(",") && !parse("Sun,") && !parse("Sun, ") && !parse("Sun, 06"));
}

TEST_CASE("H1 a date without its weekday or its month is absent", "[H1]") {
  STATIC_REQUIRE(!parse(", 06-Nov-94 08:49:37 GMT"));
  STATIC_REQUIRE(!parse(", 06 Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sunday, 06--94 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun, 06  1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse(" Nov  6 08:49:37 1994"));
  STATIC_REQUIRE(!parse("Sun   6 08:49:37 1994"));
}

TEST_CASE("H1 a weekday need not fit its date, but must be one", "[H1]") {
  STATIC_REQUIRE(parse("Mon, 06 Nov 1994 08:49:37 GMT") == sample);
  STATIC_REQUIRE(parse("Friday, 06-Nov-94 08:49:37 GMT") == sample);
  STATIC_REQUIRE(!parse("Xyz, 06 Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("sun, 06 Nov 1994 08:49:37 GMT"));
}

TEST_CASE("H1 a day must exist, and a leap day exists in leap years only", "[H1]") {
  STATIC_REQUIRE(!parse("Sun, 00 Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Sun, 31 Nov 1994 08:49:37 GMT"));
  STATIC_REQUIRE(parse("Tue, 29 Feb 2000 00:00:00 GMT") == midnight(2000y / 2 / 29));
  STATIC_REQUIRE(parse("Sat, 29 Feb 1996 00:00:00 GMT") == midnight(1996y / 2 / 29));
  STATIC_REQUIRE(!parse("Wed, 29 Feb 1995 08:49:37 GMT"));
  STATIC_REQUIRE(!parse("Thu, 29 Feb 1900 00:00:00 GMT"));
}

TEST_CASE("H1 a time must exist, and second 60 does", "[H1]") {
  STATIC_REQUIRE(!parse("Sun, 06 Nov 1994 24:00:00 GMT"));
  STATIC_REQUIRE(!parse("Sun, 06 Nov 1994 08:60:00 GMT"));
  STATIC_REQUIRE(parse("Sun, 06 Nov 1994 08:49:60 GMT") == sample + 23s);
  STATIC_REQUIRE(!parse("Sun, 06 Nov 1994 08:49:61 GMT"));
}

TEST_CASE("H1 a year of two digits is the latest one that puts the date at most 50 years ahead", "[H1]") {
  STATIC_REQUIRE(parse("Sunday, 06-Nov-05 00:00:00 GMT") == midnight(2005y / 11 / 6));
  STATIC_REQUIRE(parse("Sunday, 06-Nov-45 00:00:00 GMT") == midnight(1945y / 11 / 6));
  constexpr std::chrono::sys_seconds in_2026 = std::chrono::sys_days{2026y / 1 / 1};
  STATIC_REQUIRE(parse("Sunday, 06-Nov-94 08:49:37 GMT", in_2026) == sample);
  STATIC_REQUIRE(parse("Thursday, 01-Jan-26 00:00:05 GMT", in_2026) == in_2026 + 5s);
  // The sample less 30 seconds is 08:49:07.
  STATIC_REQUIRE(parse("Sunday, 06-Nov-44 08:49:07 GMT") > sample);
  STATIC_REQUIRE(parse("Sunday, 05-Nov-44 23:59:60 GMT") > sample);
  STATIC_REQUIRE(parse("Sunday, 31-Oct-44 23:59:59 GMT") > sample);
  STATIC_REQUIRE(parse("Sunday, 06-Nov-44 08:49:08 GMT") < sample);
  STATIC_REQUIRE(parse("Sunday, 07-Nov-44 00:00:00 GMT") == midnight(1944y / 11 / 7));
  STATIC_REQUIRE(parse("Sunday, 01-Dec-44 00:00:00 GMT") == midnight(1944y / 12 / 1));
}
