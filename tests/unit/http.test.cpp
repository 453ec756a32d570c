#include <fusebox/http.hpp>

#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

// Sunday, 6 November 1994, 08:49:37 UTC: the sample of RFC 9110.
constexpr std::chrono::system_clock::time_point sample =
    std::chrono::sys_days{std::chrono::year{1994} / 11 / 6} + 8h + 49min + 37s;

std::optional<std::chrono::seconds> parse(std::string_view value,
                                          std::chrono::system_clock::time_point now = sample - 30s) {
  return http::parse_retry_after(value, now);
}

}  // namespace

TEST_CASE("H1 digits are seconds") {
  CHECK(parse("0") == 0s);
  CHECK(parse("120") == 120s);
  CHECK(parse("007") == 7s);
}

TEST_CASE("H1 the three formats of a date are read alike") {
  for (const auto* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    CAPTURE(text);
    CHECK(parse(text) == 30s);
  }
  CHECK(parse("Wed Nov 16 08:49:37 1994") == 30s + 240h);
}

TEST_CASE("H1 surrounding white space does not count, inner white space does") {
  CHECK(parse(" \t120 \t") == 120s);
  CHECK(parse("\tSun, 06 Nov 1994 08:49:37 GMT ") == 30s);
  CHECK_FALSE(parse("1 2"));
  CHECK_FALSE(parse("Sun,  06 Nov 1994 08:49:37 GMT"));
  CHECK_FALSE(parse("\n120"));
}

TEST_CASE("H1 a date in the past is 0") {
  CHECK(parse("Sun, 06 Nov 1994 08:49:37 GMT", sample) == 0s);
  CHECK(parse("Sun, 06 Nov 1994 08:49:37 GMT", sample + 1s) == 0s);
  CHECK(parse("Thu, 01 Jan 1970 00:00:00 GMT") == 0s);
}

TEST_CASE("H1 the fraction of a second until a date is rounded up") {
  CHECK(parse("Sun, 06 Nov 1994 08:49:37 GMT", sample - 1500ms) == 2s);
  CHECK(parse("Sun, 06 Nov 1994 08:49:37 GMT", sample - 1ms) == 1s);
}

TEST_CASE("H1 huge numbers saturate") {
  CHECK(parse("9223372036854775807") == std::chrono::seconds::max());
  CHECK(parse("9223372036854775808") == std::chrono::seconds::max());
  CHECK(parse(std::string(5000, '9')) == std::chrono::seconds::max());
}

TEST_CASE("H1 a weekday that does not fit its date is overlooked, a word that is none is not") {
  CHECK(parse("Mon, 06 Nov 1994 08:49:37 GMT") == 30s);
  CHECK(parse("Friday, 06-Nov-94 08:49:37 GMT") == 30s);
  CHECK_FALSE(parse("Xyz, 06 Nov 1994 08:49:37 GMT"));
  CHECK_FALSE(parse("sun, 06 Nov 1994 08:49:37 GMT"));
}

TEST_CASE("H1 a date without its weekday or its month is none") {
  for (const auto* text :
       {", 06-Nov-94 08:49:37 GMT", ", 06 Nov 1994 08:49:37 GMT", "Sunday, 06--94 08:49:37 GMT",
        "Sun, 06  1994 08:49:37 GMT", " Nov  6 08:49:37 1994", "Sun   6 08:49:37 1994"}) {
    CAPTURE(text);
    CHECK_FALSE(detail::parse_http_date(text, std::chrono::sys_days{1994y / 11 / 6}));
  }
}

TEST_CASE("H1 second 60 is accepted, 61 is not") {
  CHECK(parse("Sun, 06 Nov 1994 08:49:60 GMT") == 53s);
  CHECK_FALSE(parse("Sun, 06 Nov 1994 08:49:61 GMT"));
}

TEST_CASE("H1 a two-digit year is the latest one not more than 50 years ahead") {
  CHECK(*parse("Sunday, 06-Nov-05 08:49:37 GMT") > 24h * 365 * 10);
  CHECK(*parse("Sunday, 06-Nov-44 08:49:07 GMT") > 24h * 365 * 49);
  CHECK(parse("Sunday, 06-Nov-45 08:49:37 GMT") == 0s);
  const auto in_2026 = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
  CHECK(parse("Sunday, 06-Nov-94 08:49:37 GMT", in_2026) == 0s);
  CHECK(parse("Thursday, 01-Jan-26 00:00:05 GMT", in_2026) == 5s);
}

TEST_CASE("H1 a two-digit year that puts the date more than 50 years ahead is the one 100 years before") {
  for (const auto* text : {"Sunday, 06-Nov-44 08:49:08 GMT", "Sunday, 07-Nov-44 00:00:00 GMT",
                           "Sunday, 01-Dec-44 00:00:00 GMT"}) {
    CAPTURE(text);
    CHECK(parse(text) == 0s);
  }
  for (const auto* text : {"Sunday, 06-Nov-44 08:49:07 GMT", "Sunday, 05-Nov-44 23:59:60 GMT",
                           "Sunday, 31-Oct-44 23:59:59 GMT"}) {
    CAPTURE(text);
    CHECK(*parse(text) > 24h * 365 * 49);
  }
}

TEST_CASE("H1 anything else is absent") {
  for (const auto* text : {
           "",
           " ",
           "-1",
           "+1",
           "1.5",
           "1e3",
           "0x10",
           "soon",
           "120s",
           "120,",
           "１２",
           "Sun, 06 Nov 1994 08:49:37",
           "Sun, 06 Nov 1994 08:49:37 gmt",
           "Sun, 06 Nov 1994 08:49:37 UTC",
           "Sun, 06 Nov 1994 08:49:37 GMT+1",
           "Sun, 6 Nov 1994 08:49:37 GMT",
           "Sun, 06 nov 1994 08:49:37 GMT",
           "Sun, 06 Nov 94 08:49:37 GMT",
           "Sun, 00 Nov 1994 08:49:37 GMT",
           "Sun, 31 Nov 1994 08:49:37 GMT",
           "Sun, 29 Feb 1995 08:49:37 GMT",
           "Sun, 06 Nov 1994 24:00:00 GMT",
           "Sun, 06 Nov 1994 08:60:00 GMT",
           "Sun, 06 Nov 1994 8:49:37 GMT",
           "Sun 06 Nov 1994 08:49:37 GMT",
           "Sunday, 06-Nov-1994 08:49:37 GMT",
           "Sunday, 06 Nov 94 08:49:37 GMT",
           "Sun Nov 6 08:49:37 1994",
           "Sun Nov  6 08:49:37 94",
           "Sun Nov  6 08:49:37 1994 GMT",
           ",",
           "Sun,",
           "Sun, ",
           "Sun, 06",
           "1994-11-06T08:49:37Z",
       }) {
    CAPTURE(text);
    CHECK_FALSE(parse(text));
  }
}

TEST_CASE("H1 every prefix of a date and every date with one byte changed is handled") {
  const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
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

TEST_CASE("H1 a leap day is a day in leap years only") {
  CHECK(parse("Tue, 29 Feb 2000 00:00:00 GMT"));
  CHECK(parse("Sat, 29 Feb 1996 00:00:00 GMT"));
  CHECK_FALSE(parse("Thu, 29 Feb 1900 00:00:00 GMT"));
}

TEST_CASE("H1 parsing happens at compile time where it can, and never throws") {
  static_assert(http::parse_retry_after("5", {}) == 5s);
  static_assert(!http::parse_retry_after("five", {}));
  constexpr std::string_view value = "5";
  static_assert(noexcept(http::parse_retry_after(value, sample)));
}

TEST_CASE("H1 the idempotent methods are those of RFC 9110") {
  for (const auto* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
    CHECK(http::is_idempotent(method));
  for (const auto* method : {"POST", "PATCH", "CONNECT", "get", "", "GET ", "QUERY"}) {
    CHECK_FALSE(http::is_idempotent(method));
  }
}
