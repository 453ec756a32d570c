#include <fusebox/call_recorder.hpp>

#include <cstdint>
#include <limits>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using detail::CallRecord;
using detail::CallRing;

namespace {

CallRecord at(detail::Tick time) { return {time, 0, 0, 0, Outcome::success, false}; }

std::string times_of(const CallRing& ring) {
  auto calls = ring.by_end();
  detail::sort_by_time(calls);
  std::string text;
  for (const auto& record : calls) text += std::to_string(record.time) + " ";
  return text;
}

std::string written(detail::Tick time, detail::Tick unit, int digits) {
  std::string out;
  detail::append_time(out, time, unit, digits);
  return out;
}

std::string row(const CallRecord& record) {
  std::string out;
  detail::append_csv_row(out, record);
  return out;
}

}  // namespace

TEST_CASE("O2 a full ring drops the oldest", "[O2]") {
  CallRing ring{3};
  CHECK(times_of(ring).empty());
  for (int i = 1; i <= 3; ++i) ring.push(at(i));
  CHECK(times_of(ring) == "1 2 3 ");
  CHECK(ring.dropped() == 0);
  ring.push(at(4));
  ring.push(at(5));
  CHECK(times_of(ring) == "3 4 5 ");
  CHECK(ring.pushed() == 5);
  CHECK(ring.dropped() == 2);
  ring.clear();
  CHECK(times_of(ring).empty());
  CHECK(ring.pushed() == 0);
}

TEST_CASE("O3 calls are ordered by when they began", "[O3]") {
  CallRing ring{4};
  for (const int time : {7, 2, 9, 5, 3}) ring.push(at(time));
  CHECK(times_of(ring) == "2 3 5 9 ");  // 7 ended first
}

TEST_CASE("O3 times are written in decimals, and cut", "[O3]") {
  constexpr detail::Tick second = 1'000'000'000;
  CHECK(written(0, second, 6) == "0.000000");
  CHECK(written(1'234'567'899, second, 6) == "1.234567");
  CHECK(written(-1'250'000'000, second, 6) == "-1.250000");
  CHECK(written(1'999'999, 1'000'000, 3) == "1.999");
  CHECK(written(detail::tick_max, second, 6) == "9223372036.854775");
  CHECK(written(std::numeric_limits<detail::Tick>::min(), second, 6) == "-9223372036.854775");
}

TEST_CASE("O3 a row has the outcome and what is known of the failure", "[O3]") {
  CHECK(row({1'000'000'000, 2'500'000, 0, 0, Outcome::success, false}) == "1.000000,2.500,success,\n");
  CHECK(row({0, 0, 0, 503, Outcome::failure, false}) == "0.000000,0.000,failure,503\n");
  CHECK(row({0, 0, 0, 0, Outcome::failure, true}) == "0.000000,0.000,failure,network\n");
  CHECK(row({0, -1, 0, 0, Outcome::ignored, false}) == "0.000000,,ignored,\n");
}
