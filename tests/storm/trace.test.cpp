#include "storm/trace.hpp"

#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <string>

#include "catch.hpp"

using namespace std::chrono_literals;
using fusebox::Outcome;
using storm::Answer;
using storm::parse_trace;
using storm::Trace;

namespace {

std::string problem(const std::string& csv) {
  try {
    static_cast<void>(parse_trace(csv));
  } catch (const storm::TraceError& error) {
    return error.what();
  }
  return {};
}

const std::string header = "time_s,latency_ms,outcome,code\n";

}  // namespace

TEST_CASE("O4 a trace is read from the four columns", "[O4]") {
  const Trace trace = parse_trace(header +
                                  "10.5,20,success,\n"
                                  "10.75,0.5,failure,503\n"
                                  "11,,failure,network\n"
                                  "12.000000001,1,failure,\n"
                                  "13,1,ignored,499\n");
  REQUIRE(trace.calls.size() == 5);
  CHECK(trace.calls[0].time == 0ns);
  CHECK(trace.calls[0].latency == 20ms);
  CHECK(trace.calls[0].outcome == Outcome::success);
  CHECK(trace.calls[0].answer.kind == Answer::Kind::good);
  CHECK(trace.calls[1].time == 250ms);
  CHECK(trace.calls[1].latency == 500us);
  CHECK(trace.calls[1].outcome == Outcome::failure);
  CHECK(trace.calls[1].answer.kind == Answer::Kind::status);
  CHECK(trace.calls[1].answer.status == 503);
  CHECK(trace.calls[2].latency == 0ns);
  CHECK(trace.calls[2].answer.kind == Answer::Kind::network);
  CHECK(trace.calls[3].time == 1500ms + 1ns);
  CHECK(trace.calls[3].answer.kind == Answer::Kind::unknown);
  CHECK(trace.calls[4].outcome == Outcome::ignored);
  CHECK(trace.duration() == 2500ms);
}

TEST_CASE("O3 O4 what a recorder writes is read back", "[O3][O4]") {
  const fusebox::test::FakeClock clock;
  fusebox::CallRecorder recorder{{}, clock};
  clock.advance(1s);
  recorder.record({.name = "a", .outcome = Outcome::success, .duration = 1500us});
  const fusebox::Failure failure = fusebox::Failure::from_status(429);
  recorder.record({.name = "a", .outcome = Outcome::failure, .duration = 4s, .failure = &failure});
  const Trace trace = parse_trace(recorder.to_csv());
  REQUIRE(trace.calls.size() == 2);
  CHECK(trace.calls[0].answer.status == 429);
  CHECK(trace.calls[0].latency == 4s);
  CHECK(trace.calls[1].time == 4s - 1500us);
  CHECK(trace.calls[1].latency == 1500us);
}

TEST_CASE("O3 O4 each status that a recorder writes is read back", "[O3][O4]") {
  for (const int status : {100, 599, 600, 999}) {
    CAPTURE(status);
    const fusebox::test::FakeClock clock;
    fusebox::CallRecorder recorder{{}, clock};
    const fusebox::Failure failure = fusebox::Failure::from_status(status);
    recorder.record({.name = "a", .outcome = Outcome::failure, .duration = 1ms, .failure = &failure});
    const Trace trace = parse_trace(recorder.to_csv());
    CHECK(trace.calls[0].answer.kind == Answer::Kind::status);
    CHECK(trace.calls[0].answer.status == status);
  }
}

TEST_CASE("O4 columns may be in any order, and among others; lines too", "[O4]") {
  const Trace trace = parse_trace(
      "\xEF\xBB\xBFhost,outcome,latency_ms,time_s\r\n"
      "\"a,\"\"b\"\"\nc\",success,1,1700000002.5\r\n"
      "\r\n"
      "d,failure,2,1700000001.25\r\n");
  REQUIRE(trace.calls.size() == 2);
  CHECK(trace.calls[0].outcome == Outcome::failure);
  CHECK(trace.calls[0].answer.status == 503);  // there is no column code
  CHECK(trace.calls[1].time == 1250ms);
}

TEST_CASE("O4 an error names line and column", "[O4]") {
  CHECK(problem("") == "line 1: there is no header");
  CHECK(problem("time_s,outcome\n") == "line 1: there is no column latency_ms");
  CHECK(problem("time_s,latency_ms,outcome,time_s\n") == "line 1: two columns time_s");
  CHECK(problem(header) == "line 2: there is no call");
  CHECK(problem(header + "1,1,success,\n1,1,success\n") == "line 3: 3 fields instead of 4");
  CHECK(problem(header + "1,1,success,\n\nx,1,success,\n") ==
        "line 4, column time_s: must be a decimal number of seconds, got 'x'");
  for (const char* bad : {"", "-", "1e3", "1.2.3", ".5", " 1", "inf", "4000000001", "99999999999999999999"})
    CHECK(problem(header + bad + ",1,success,\n").starts_with("line 2, column time_s: must be"));
  CHECK(problem(header + "1,-2,success,\n") == "line 2, column latency_ms: must be at least 0, got '-2'");
  CHECK(problem(header + "1,31622400000.001,success,\n") ==
        "line 2, column latency_ms: must be at most a year, got '31622400000.001'");
  CHECK(problem(header + "1,31622400000,success,\n").empty());
  CHECK(problem(header + "-4000000000,1,success,\n4000000000,1,success,\n") ==
        "column time_s: the first and the last call are more than a century apart");
  CHECK(problem(header + "1,fast,success,\n") ==
        "line 2, column latency_ms: must be a decimal number of milliseconds, at least 0, or empty, got "
        "'fast'");
  CHECK(problem(header + "1,2,ok,\n") ==
        "line 2, column outcome: must be success, failure or ignored, got 'ok'");
  CHECK(problem(header + "1,2,failure,99\n") ==
        "line 2, column code: must be a status in [100, 999], 'network' or empty, got '99'");
  CHECK_FALSE(problem(header + "1,2,failure,1000\n").empty());
  CHECK_FALSE(problem(header + "1,2,failure,5x\n").empty());
  CHECK(
      problem(header + "1,2," + std::string{"\x1b]0;a\0b", 7} + ",\n").ends_with("got '\uFFFD]0;a\uFFFDb'"));
  const std::string endless(1'000'000, 'x');
  CHECK(problem(header + endless + ",2,success,\n").ends_with("got '" + endless.substr(0, 160) + "…'"));
  CHECK(problem(header + "1,2,success,\n" + std::string(4095, ',')) == "line 3: 4096 fields instead of 4");
  CHECK(problem(header + "1,2,success,\n" + std::string(4096, ',')) == "line 3: more than 4096 fields");
  CHECK(problem(header + "1\r0,1,success,\n") == "line 2: a carriage return without a line feed");
  CHECK(problem(header + "1,1,success,\r\r\n") == "line 2: a carriage return without a line feed");
  CHECK(problem(header + "1,1,success,\r").empty());
  CHECK(problem(header + "1,2,\"success,\n") == "line 2: a quoted field has no end");
  CHECK(problem(header + "-0.5,2,success,x\n").empty());  // the code of a success says nothing
}
