#include "storm/replay.hpp"

#include <chrono>
#include <cstddef>
#include <ctime>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace std::chrono_literals;
using fusebox::Jitter;
using fusebox::Outcome;
using fusebox::State;
using storm::Answer;
using storm::PipelineSpec;
using storm::replay;
using storm::ReplayResult;
using storm::Trace;
using storm::TracedCall;

namespace {

TracedCall good(storm::Duration time, storm::Duration latency) {
  return {time, latency, Outcome::success, {}};
}
TracedCall bad(storm::Duration time, storm::Duration latency, int status = 503) {
  return {time, latency, Outcome::failure, {Answer::Kind::status, status}};
}

/// A call each 100 ms for a minute. From 20 s to 40 s they fail within 5 ms, else they take 10 ms.
Trace outage() {
  Trace trace;
  for (int i = 0; i < 600; ++i) {
    const auto time = i * 100ms;
    trace.calls.push_back(time >= 20s && time < 40s ? bad(time, 5ms) : good(time, 10ms));
  }
  return trace;
}

const PipelineSpec no_policy{"no_policy", "", {}};
const PipelineSpec breaker{
    "breaker",
    "",
    {fusebox::CircuitBreakerConfig{.failure_threshold = 5, .success_threshold = 1, .reset_timeout = 5s}}};
const PipelineSpec retry{
    "retry",
    "",
    {fusebox::RetryPart{
        .config = {.max_retries = 2, .base_delay = 0s, .max_delay = 0s, .jitter = Jitter::none},
        .budget = {}}}};

std::string text_of(const std::vector<storm::ReplayedChange>& changes) {
  std::string text;
  for (const auto& change : changes) {
    text += std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(change.time).count()) + " " +
            std::string{to_string(change.to)} + "; ";
  }
  return text;
}

/// Without the alignment.
std::string single_spaced(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter != ' ' || !out.ends_with(' ')) out += letter;
  }
  return out;
}

}  // namespace

TEST_CASE("O5 without a policy each call ends as it did", "[O5]") {
  const ReplayResult result = replay(outage(), no_policy, 1);
  CHECK(result.calls == 600);
  CHECK(result.attempts == 600);
  CHECK(result.succeeded == 400);
  CHECK(result.rejected == 0);
  CHECK(result.retries == 0);
  CHECK(result.rescued + result.cut_short == 0);
  CHECK(result.changes.empty());
  CHECK(result.opened() == 0);
  CHECK(result.first_opened_s() < 0);
  CHECK(result.p50_ms == 10);
  CHECK(result.p99_ms == 10);
}

TEST_CASE("O5 a breaker opens with the fifth failure, probes each five seconds, and closes", "[O5]") {
  const ReplayResult result = replay(outage(), breaker, 1);
  // The fifth failure began at 20.4 s. A probe is the first call five seconds after the last failure.
  CHECK(text_of(result.changes) ==
        "20405 open; 25500 half-open; 25505 open; 30600 half-open; 30605 open; 35700 half-open; 35705 open; "
        "40800 half-open; 40810 closed; ");
  CHECK(result.opened() == 4);
  CHECK(result.first_opened_s() == Approx(20.405));
  // 205 calls before it opens, 4 probes, 191 calls from 40.9 s on.
  CHECK(result.attempts == 205 + 4 + 191);
  CHECK(result.rejected == 200);
  CHECK(result.doomed_saved == 200 - 5 - 3);
  CHECK(result.good_rejected == 8);  // from 40.0 s to 40.7 s
  CHECK(result.succeeded == 200 + 1 + 191);
  CHECK(result.retries == 0);
}

TEST_CASE("O5 a retry gets the answer of the next call that began", "[O5]") {
  const ReplayResult result = replay(outage(), retry, 1);
  // Each of the 199 calls up to 39.8 s fails three times. That of 39.9 s fails at 39.905 s; its retry gets
  // the answer of the call of 40 s.
  CHECK(result.succeeded == 401);
  CHECK(result.rescued == 1);
  CHECK(result.attempts == 400 + 199 * 3 + 2);
  CHECK(result.retries == 199 * 2 + 1);
  CHECK(result.p99_ms == 10);
}

TEST_CASE("O5 the last answer holds after the trace", "[O5]") {
  const ReplayResult result = replay(Trace{{good(0s, 1ms), bad(1s, 1ms)}}, retry, 1);
  CHECK(result.attempts == 1 + 3);
  CHECK(result.succeeded == 1);
}

TEST_CASE("O5 a failure is judged by its code", "[O5]") {
  CHECK(replay(Trace{{bad(0s, 1ms, 404), bad(1s, 1ms, 503)}}, retry, 1).attempts == 1 + 3);
  CHECK(replay(Trace{{bad(0s, 1ms, 999)}}, retry, 1).attempts == 1);  // no status that a retry repeats
  const TracedCall unknown{0s, 1ms, Outcome::failure, {Answer::Kind::unknown, 0}};
  CHECK(replay(Trace{{unknown}}, retry, 1).attempts == 1);
  const TracedCall network{0s, 1ms, Outcome::failure, {Answer::Kind::network, 0}};
  CHECK(replay(Trace{{network}}, retry, 1).attempts == 3);
}

TEST_CASE("O5 a timeout cuts short what took longer", "[O5]") {
  const PipelineSpec limited{
      "limited", "", {fusebox::TimeoutPart{.kind = fusebox::TimeoutKind::attempt, .limit = 50ms}}};
  const ReplayResult result = replay(Trace{{good(0s, 80ms), good(1s, 40ms), good(2s, 50ms)}}, limited, 1);
  CHECK(result.succeeded == 1);
  CHECK(result.cut_short == 2);
  CHECK(result.rejected == 0);
  CHECK(result.p50_ms == 40);
}

TEST_CASE("O5 a call waits in the queue of a bulkhead until a slot comes back", "[O5]") {
  const PipelineSpec limited{
      "limited", "", {fusebox::BulkheadConfig{.max_concurrent = 1, .max_waiting = 1, .max_wait = 150ms}}};
  const ReplayResult result =
      replay(Trace{{good(0s, 100ms), good(10ms, 100ms), good(20ms, 100ms)}}, limited, 1);
  CHECK(result.attempts == 2);
  CHECK(result.good_rejected == 1);
  CHECK(result.succeeded == 2);
  CHECK(result.p99_ms == 190);  // from 10 ms to 200 ms
}

TEST_CASE("O5 calls in the queues of two bulkheads go on in turn", "[O5]") {
  // Until 100 ms the outer bulkhead has three calls, of which the inner one lets one through.
  const PipelineSpec limited{
      "limited",
      "",
      {fusebox::BulkheadConfig{.max_concurrent = 3, .max_waiting = 9}, fusebox::CircuitBreakerConfig{},
       fusebox::BulkheadConfig{.max_concurrent = 1, .max_waiting = 9}}};
  Trace trace;
  for (int i = 0; i < 6; ++i) trace.calls.push_back(good(i * 1ms, 100ms));
  const ReplayResult result = replay(trace, limited, 1);
  CHECK(result.succeeded == 6);
  CHECK(result.p99_ms == 595);
  CHECK(result.p50_ms == 397);
}

TEST_CASE("O5 a call that has left the queue at its deadline is passed over", "[O5]") {
  const PipelineSpec limited{
      "limited", "", {fusebox::BulkheadConfig{.max_concurrent = 1, .max_waiting = 9, .max_wait = 150ms}}};
  const ReplayResult result =
      replay(Trace{{good(0s, 200ms), good(10ms, 5ms), good(100ms, 5ms), good(120ms, 5ms)}}, limited, 1);
  CHECK(result.good_rejected == 1);
  CHECK(result.succeeded == 3);
  CHECK(result.p50_ms == 105);  // from 100 ms to 205 ms
}

TEST_CASE("O5 a burst of calls takes time in proportion to their number", "[O5]") {
  const PipelineSpec limited{
      "limited", "", {fusebox::BulkheadConfig{.max_concurrent = 10, .max_waiting = 65535}}};
  const auto replay_burst = [&](std::size_t calls) {
    Trace trace;
    trace.calls.assign(calls, good(0s, 1ms));
    const std::clock_t begin = std::clock();  // no wall time, so that a busy machine does not count
    CHECK(replay(trace, limited, 1).succeeded == calls);
    return std::clock() - begin;
  };
  // 8 times the calls take 64 times as long if each event looks at all that wait.
  const std::clock_t noise = CLOCKS_PER_SEC / 10;
  const std::clock_t few = replay_burst(5000);
  CHECK(replay_burst(40'000) < 30 * few + noise);
}

TEST_CASE("O5 a hedge gets the answer of the next call, and wins by it", "[O5]") {
  const PipelineSpec hedged{
      "hedged", "", {fusebox::HedgePart{.config = {.delay = 100ms, .max_hedges = 1}, .budget = {}}}};
  const ReplayResult result = replay(Trace{{good(0s, 500ms), good(100ms, 20ms)}}, hedged, 1);
  CHECK(result.attempts == 3);
  CHECK(result.hedges == 1);
  CHECK(result.retries == 0);
  CHECK(result.succeeded == 2);
  CHECK(result.p99_ms == 120);  // the hedge begins at 100 ms and takes 20 ms
}

TEST_CASE("O5 a limit around a hedge ends all its copies", "[O5]") {
  const PipelineSpec hedged{"hedged",
                            "",
                            {fusebox::TimeoutPart{.kind = fusebox::TimeoutKind::total, .limit = 300ms},
                             fusebox::HedgePart{.config = {.delay = 100ms, .max_hedges = 1}, .budget = {}}}};
  const ReplayResult result = replay(Trace{{good(0s, 1s), good(100ms, 1s), good(5s, 1ms)}}, hedged, 1);
  CHECK(result.attempts == 5);
  CHECK(result.hedges == 2);
  CHECK(result.cut_short == 1);
  CHECK(result.succeeded == 2);
  CHECK(result.p99_ms == 101);  // the second call's hedge, at 200 ms, gets the answer of the third
}

TEST_CASE("O5 a wait for a permit is part of the latency", "[O5]") {
  const PipelineSpec limited{
      "limited", "", {fusebox::RateLimiterConfig{.permits = 1, .per = 1s, .max_wait = 2s}}};
  const ReplayResult result =
      replay(Trace{{good(0s, 10ms), good(0s, 10ms), bad(100ms, 10ms), bad(200ms, 10ms)}}, limited, 1);
  CHECK(result.rejected == 1);
  CHECK(result.doomed_saved == 1);
  // The second waits until 1 s, after the trace: it gets the last answer.
  CHECK(result.succeeded == 1);
  CHECK(result.cut_short == 1);
}

TEST_CASE("O5 an ignored call gets the answer of the next one", "[O5]") {
  const TracedCall ignored{0s, 3ms, Outcome::ignored, {}};
  CHECK(replay(Trace{{ignored, bad(1s, 1ms)}}, no_policy, 1).succeeded == 0);
  CHECK(replay(Trace{{ignored, good(1s, 1ms)}}, no_policy, 1).succeeded == 2);
  CHECK(replay(Trace{{ignored}}, no_policy, 1).succeeded == 1);  // nobody has answered
}

TEST_CASE("O5 the same trace, pipeline and seed give the same result", "[O5]") {
  PipelineSpec jittered = retry;
  std::get<fusebox::RetryPart>(jittered.policies[0]).config = {.max_retries = 3, .base_delay = 500ms};
  const auto text = [&](std::uint64_t seed) {
    return replay_csv(outage(), {replay(outage(), jittered, seed)});
  };
  CHECK(text(7) == text(7));
  CHECK(text(7) != text(8));
}

TEST_CASE("O5 a pipeline that cannot be made is refused", "[O5]") {
  PipelineSpec wrong = breaker;
  std::get<fusebox::CircuitBreakerConfig>(wrong.policies[0]).success_threshold = 0;
  CHECK_THROWS_AS(replay(outage(), wrong, 1), std::exception);
}

TEST_CASE("O6 the table shows the trace, the pipelines and each change", "[O6]") {
  const Trace trace = outage();
  const std::string text =
      single_spaced(replay_table(trace, {replay(trace, no_policy, 1), replay(trace, breaker, 1)}));
  CHECK(text.starts_with(
      "The trace: 600 calls in 59.900 s, 400 succeeded (66.67 %), 200 failed, 0 ignored.\n"));
  CHECK(text.find("\nbreaker 65.33 % 4 20.405 s 200 192 8 0 0 400 0 0 10.0 ms 10.0 ms\n") !=
        std::string::npos);
  CHECK(text.find("\nno_policy 66.67 % 0 never 0 0 0 0 0 600 0 0 10.0 ms 10.0 ms\n") != std::string::npos);
  CHECK(text.find("\nThe breaker of breaker:\n 20.405 s closed -> open\n") != std::string::npos);
  CHECK(text.find("The breaker of no_policy") == std::string::npos);
}

TEST_CASE("O6 the CSV has a row for each pipeline, and one for each change", "[O6]") {
  const Trace trace = outage();
  PipelineSpec quoted = no_policy;
  quoted.name = "a,\"b\"";
  const std::vector<ReplayResult> results{replay(trace, breaker, 1), replay(trace, quoted, 1)};
  const std::string ratio = "0.6666666666666666";
  CHECK(replay_csv(trace, results) ==
        "pipeline,recorded_success_ratio,success_ratio,opened,first_opened_s,rejected,doomed_saved,good_"
        "rejected,"
        "rescued,cut_short,attempts,retries,hedges,calls,p50_ms,p99_ms\r\n"
        "breaker," +
            ratio +
            ",0.6533333333333333,4,20.405,200,192,8,0,0,400,0,0,600,10,10\r\n"
            "\"a,\"\"b\"\"\"," +
            ratio + "," + ratio + ",0,,0,0,0,0,0,600,0,0,600,10,10\r\n");
  const std::string changes = replay_changes_csv(results);
  CHECK(changes.starts_with(
      "pipeline,time_s,from,to\r\nbreaker,20.405,closed,open\r\nbreaker,25.5,open,half-open\r\n"));
}
