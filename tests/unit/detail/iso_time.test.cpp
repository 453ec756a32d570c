#include <fusebox/detail/iso_time.hpp>

#include <chrono>

#include "catch.hpp"

using fusebox::detail::iso_time;
using fusebox::detail::IsoTime;
using namespace std::chrono_literals;
using std::chrono::sys_days;

TEST_CASE("H2 a time is ISO 8601 in UTC with milliseconds, rounded down", "[H2]") {
  constexpr auto noon = sys_days{2025y / 1 / 7} + 12h;
  CHECK(iso_time(noon) == "2025-01-07T12:00:00.000Z");
  CHECK(iso_time(noon + 1ms) == "2025-01-07T12:00:00.001Z");
  CHECK(iso_time(noon + 34min + 56s + 999'999us) == "2025-01-07T12:34:56.999Z");
  CHECK(iso_time(sys_days{1969y / 12 / 31} + 23h + 59min + 59s + 999ms) == "1969-12-31T23:59:59.999Z");
  CHECK(iso_time(sys_days{2024y / 2 / 29}) == "2024-02-29T00:00:00.000Z");
}

TEST_CASE("H2 a time outside the years 0 to 9999 is shown as their end", "[H2]") {
  const std::chrono::sys_time<std::chrono::milliseconds> first = sys_days{0y / 1 / 1};
  CHECK(iso_time(first) == "0000-01-01T00:00:00.000Z");
  CHECK(iso_time(first + 1ms) == "0000-01-01T00:00:00.001Z");
  CHECK(iso_time(first - 1ms) == "0000-01-01T00:00:00.000Z");
  const std::chrono::sys_time<std::chrono::milliseconds> end = sys_days{10000y / 1 / 1};
  CHECK(iso_time(end - 2ms) == "9999-12-31T23:59:59.998Z");
  CHECK(iso_time(end - 1ms) == "9999-12-31T23:59:59.999Z");
  CHECK(iso_time(end) == "9999-12-31T23:59:59.999Z");
  CHECK(iso_time(std::chrono::system_clock::time_point::max()).size() == 24);
  CHECK(iso_time(std::chrono::system_clock::time_point::min()).size() == 24);
}

TEST_CASE("H2 every digit of a time is in its place", "[H2]") {
  STATIC_REQUIRE(IsoTime{sys_days{1234y / 10 / 29} + 23h + 45min + 58s + 967ms}.text() ==
                 "1234-10-29T23:45:58.967Z");
  STATIC_REQUIRE(IsoTime{sys_days{9876y / 1 / 30} + 1h + 2min + 3s + 54ms}.text() ==
                 "9876-01-30T01:02:03.054Z");
}
