// The composition table: policies within policies, each row through every flow. row.hpp explains the words.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>

#include <string_view>
#include <vector>

#include "catch.hpp"
#include "composition/bench.hpp"
#include "composition/flows.hpp"
#include "composition/row.hpp"

using namespace composition;
using fusebox::FailureRate;
using fusebox::last_calls;
using fusebox::SlowCalls;

namespace {

/// `fits` is asked with the name of each flow.
template <class Fits>
void check(const std::vector<Row>& rows, Fits fits) {
  for (const Row& row : rows) {
    for (const Flow& flow : flows) {
      if (!flow.fits(row) || !fits(std::string_view{flow.name})) continue;
      CAPTURE(flow.name, shape_of(row), row.answers, row.sees);
      Bench bench{row};
      Words seen;
      for (const std::string& word : words_of(row.sees))
        seen.push_back(bench.act(word) ? word : flow.call(bench));
      CHECK(joined(seen) == row.sees);
      CHECK(bench.answers() == row.answers);
      CHECK(bench.retries() == row.retries);
      CHECK(bench.waits() == row.waits);
      CHECK(bench.breakers() == row.breakers);
    }
  }
}

void check(const std::vector<Row>& rows) {
  check(rows, [](std::string_view) { return true; });
}

bool passes_results(std::string_view flow) { return flow == "try_retry"; }
bool passes_errors(std::string_view flow) { return !passes_results(flow); }
bool is_pipeline(std::string_view flow) { return flow.starts_with("pipeline"); }
bool throws_errors(std::string_view flow) {
  return flow == "throwing" || flow == "by hand" || flow == "coroutines" || is_pipeline(flow);
}
bool unwraps_values(std::string_view flow) { return flow == "expected"; }

const fusebox::RetryConfig unsafe{.idempotent = false};
const fusebox::RetryConfig impatient{.max_retries = 1, .max_delay = 10s};
const fusebox::CircuitBreakerConfig one_probe{.failure_threshold = 1, .success_threshold = 1};
const fusebox::CircuitBreakerConfig soon{.failure_threshold = 1, .reset_timeout = 1s};
const fusebox::CircuitBreakerConfig by_rate{
    .failure_threshold = 0, .failure_rate = FailureRate{.minimum_calls = 4, .window = last_calls(4)}};
fusebox::CircuitBreakerConfig by_slowness(int failure_threshold) {
  return {.failure_threshold = failure_threshold,
          .slow_calls = SlowCalls{.slower_than = 5s, .minimum_calls = 2, .window = last_calls(2)}};
}

}  // namespace

TEST_CASE("B10 R2 a breaker within a retry counts attempts, a breaker around one counts calls", "[B10][R2]") {
  // policies, answers of the dependency, what the caller sees, retries, waits, breakers
  check({
      row({retry(2), breaker()}, "503 503 200", "200", "3:ok", "1 2", "closed 1/2/0/0"),
      row({breaker(), retry(2)}, "503 503 200", "200", "3:ok", "1 2", "closed 1/0/0/0"),
      row({retry(2), breaker()}, "503 503 503", "503", "3:spent", "1 2", "closed 0/3/0/0"),
      row({breaker(), retry(2)}, "503 503 503", "503", "3:spent", "1 2", "closed 0/1/0/0"),
      row({retry(1), breaker()}, "timeout 200", "200", "2:ok", "1", "closed 1/1/0/0"),
      row({breaker(2), retry(1)}, "503 503 503 503", "503 503 open:a+60", "2:spent 2:spent", "1 1",
          "open 0/2/0/1"),
      row({retry(1), breaker(3), retry(1)}, "503 503 503 503", "503", "2:spent 2:spent 2:spent", "1 1 1",
          "closed 0/2/0/0"),
      row({breaker(1), breaker(2)}, "503", "503 open:a+60", "", "", "open 0/1/0/1, closed 0/1/0/0"),
  });
}

TEST_CASE("V2 V6 a throttle within a retry counts attempts, around one it counts calls", "[V2][V6]") {
  check({
      row({retry(2), throttle()}, "503 503 200", "200", "3:ok", "1 2", "1/2/0"),
      row({throttle(), retry(2)}, "503 503 200", "200", "3:ok", "1 2", "1/0/0"),
      row({retry(2), throttle()}, "503 404", "404", "2:no", "1", "1/1/0"),
      row({throttle(), retry(1)}, "503 503", "503", "2:spent", "1", "0/1/0"),
      row({retry(2), throttle()}, "throw", "throw", "1:no", "", "0/1/0"),
      row({throttle(), retry(2)}, "cancel", "cancel", "1:cancelled", "", "0/0/0"),
      row({retry(2), throttle()}, "full", "full", "1:no", "", "0/0/0"),
      row({retry(2), throttle()}, "503 200", "shed shed:b +600s 200", "1:no 2:ok", "1", "1/1/1"),
      row({throttle(), retry(2)}, "503 200", "shed shed:a +600s 200", "2:ok", "1", "1/0/1"),
      row({retry(2).of_everything(), throttle()}, "", "shed shed:b", "3:spent", "1 2", "0/0/3"),
      row({retry(1), throttle(), retry(1)}, "503 503 503 200", "200", "2:spent 2:ok 2:ok", "1 1 1", "1/1/0"),
      row({throttle(), throttle()}, "503 200", "503 200 shed shed:a", "", "", "1/1/1, 1/1/0"),
  });
}

TEST_CASE("V2 V6 P5 a throttle and a breaker, in both orders", "[V2][V6][P5]") {
  check({
      row({breaker(), throttle()}, "503 200 404", "503 200 404", "", "", "closed 2/1/0/0, 2/1/0"),
      row({throttle(), breaker()}, "503 200 404", "503 200 404", "", "", "2/1/0, closed 2/1/0/0"),
      // Who rejects is ignored by who is around, and who is inside sees nothing of it.
      row({breaker(1), throttle()}, "", "shed shed:b shed:b", "", "", "closed 0/0/2/0, 0/0/2"),
      row({throttle(), breaker(1)}, "", "shed shed:a", "", "", "0/0/1, closed 0/0/0/0"),
      row({throttle(), breaker(1)}, "503", "503 open:b+60 open:b+60", "", "", "0/1/0, open 0/1/0/2"),
      row({breaker(1), throttle()}, "503", "503 open:a+60", "", "", "open 0/1/0/1, 0/1/0"),
      // A probe that the throttle rejects gives its slot back.
      row({breaker(one_probe), throttle()}, "503 200", "503 +60s shed shed:b +600s 200", "", "",
          "closed 1/1/1/0, 1/1/1"),
      row({breaker(1).with_fallback(), throttle()}, "", "shed a(shed:b)", "", "", "closed 0/0/1/0, 0/0/1"),
      row({throttle(), breaker(1).with_fallback()}, "503", "b(503) b(open:b+60)", "", "",
          "2/0/0, open 0/1/0/1"),
      row({retry(2), breaker(2), throttle()}, "503 503", "open:b+58", "3:no", "1 2", "open 0/2/0/1, 0/2/0"),
      row({retry(2), throttle(), breaker(2)}, "503 503", "open:c+58", "3:no", "1 2", "0/2/0, open 0/2/0/1"),
  });
}

TEST_CASE("R2 every attempt of a retry around a retry is a whole retry", "[R2][F1]") {
  check({
      row({retry(1), retry(2)}, "503 503 503 503 503 503", "503", "3:spent 3:spent 2:spent", "1 2 1 1 2", ""),
      row({retry(1), retry(1)}, "503 503 503 200", "200", "2:spent 2:ok 2:ok", "1 1 1", ""),
      row({retry(2), retry(2)}, "503 404", "404", "2:no 1:no", "1", ""),
      row({retry(1).of_everything(), retry(2)}, "404 200", "200", "1:no 1:ok 2:ok", "1", ""),
      row({retry(1), breaker(), retry(0), breaker()}, "503 200", "200", "1:spent 1:ok 2:ok", "1",
          "closed 1/1/0/0, closed 1/1/0/0"),
  });
}

TEST_CASE("B9 F3 a retry does not repeat a rejection, and a breaker around ignores it", "[B9][F2][F3]") {
  check({
      row({retry(3), breaker(1)}, "503", "open:b+59 open:b+59", "2:no 1:no", "1", "open 0/1/0/2"),
      row({retry(2), breaker(2)}, "503 503", "open:b+58", "3:no", "1 2", "open 0/2/0/1"),
      row({breaker(1), retry(2), breaker(2)}, "503 503", "open:c+58", "3:no", "1 2",
          "closed 0/0/1/0, open 0/2/0/1"),
      row({retry(2), breaker(1), retry(1)}, "503 503", "open:b+59", "2:spent 2:no", "1 1", "open 0/1/0/1"),
      row({breaker(2), breaker(1)}, "503", "503 open:b+60 open:b+60", "", "", "closed 0/1/2/0, open 0/1/0/2"),
      row({retry(3), breaker(1)}, "full", "full", "1:no", "", "closed 0/0/1/0"),
      row({breaker(1), retry(3)}, "503 full", "full", "2:no", "1", "closed 0/0/1/0"),
  });
}

TEST_CASE("R2 R5 retry_if may accept a rejection, whose retry_after the retry then waits", "[R2][R5][R7]") {
  const fusebox::CircuitBreakerConfig config{.failure_threshold = 1, .reset_timeout = 3s};
  const fusebox::RetryConfig twice{.max_retries = 2, .idempotent = false};
  check({
      // The second wait is drawn as 2 s; the rejection asks for 2 s and up to 1 s more.
      row({retry(2).of_everything(), breaker(config)}, "503 200", "200", "3:ok", "1 3", "half-open 1/1/0/1"),
      row({retry(2), breaker(config)}, "503", "open:b+2", "2:no", "1", "open 0/1/0/1"),
      row({retry(twice).of_everything(), breaker(config)}, "refused 200", "200", "3:ok", "1 3",
          "half-open 1/1/0/1"),
      row({retry(2).of_everything(), breaker(1)}, "503", "open:b+59", "2:later", "1", "open 0/1/0/1"),
  });
}

TEST_CASE("B10 a fallback hides what failed from the policies around it", "[B10]") {
  check({
      row({breaker(2).with_fallback(), retry(1)}, "503 503", "a(503)", "2:spent", "1", "closed 0/1/0/0"),
      row({breaker(1).with_fallback(), retry(3)}, "404", "a(404)", "1:no", "", "closed 1/0/0/0"),
      row({breaker(1).with_fallback(), retry(0)}, "503", "a(503) a(open:a+60)", "1:spent", "",
          "open 0/1/0/1"),
      row({retry(2), breaker(1).with_fallback()}, "503", "b(503) b(open:b+60)", "1:ok 1:ok", "",
          "open 0/1/0/1"),
      row({breaker(1).with_fallback(), retry(2), breaker(1).with_fallback()}, "503", "c(503) c(open:c+60)",
          "1:ok 1:ok", "", "closed 2/0/0/0, open 0/1/0/1"),
      row({breaker(1).with_fallback(), retry(2), breaker(1)}, "503", "a(open:c+59) a(open:c+59)", "2:no 1:no",
          "1", "closed 0/0/2/0, open 0/1/0/2"),
      row({breaker(1).with_fallback(), breaker(1)}, "503", "a(503) a(open:a+60)", "", "",
          "open 0/1/0/1, open 0/1/0/0"),
      row({retry(1), breaker(1).with_fallback(), retry(1)}, "503 503", "b(503)", "2:spent 1:ok", "1",
          "open 0/1/0/0"),
      row({breaker().with_fallback(), retry(3)}, "cancel", "cancel", "1:cancelled", "", "closed 0/0/1/0"),
      row({breaker().with_fallback(), retry(3)}, "", "stop cancel", "0:cancelled", "", "closed 0/0/1/0"),
  });
}

TEST_CASE("F2 R2 a breaker judges the last error of the retry within", "[F2][R2][R3]") {
  const fusebox::RetryConfig three_seconds{.total_timeout = 3s};
  const fusebox::RetryConfig four_seconds{.total_timeout = 4s};
  check({
      row({breaker(1), retry(2)}, "503 404", "404", "2:no", "1", "closed 1/0/0/0"),
      row({breaker(1), retry(2)}, "404", "404", "1:no", "", "closed 1/0/0/0"),
      row({breaker(1), retry(2)}, "throw", "throw", "1:no", "", "open 0/1/0/0"),
      row({breaker(1), retry(three_seconds)}, "503 503", "503", "2:deadline", "1", "open 0/1/0/0"),
      row({retry(1), retry(three_seconds)}, "503 503 503 503", "503", "2:deadline 2:deadline 2:spent",
          "1 1 1", ""),
      row({retry(four_seconds), retry(1)}, "503 503 503 503", "503", "2:spent 2:spent 2:deadline", "1 1 1",
          ""),
  });
}

TEST_CASE("R4 F2 a cancellation ends every retry around it, and no breaker counts it", "[R4][F2]") {
  check({
      row({breaker(1), retry(3)}, "cancel", "cancel", "1:cancelled", "", "closed 0/0/1/0"),
      row({retry(3), breaker(1)}, "cancel", "cancel", "1:cancelled", "", "closed 0/0/1/0"),
      row({retry(3).of_everything(), breaker(1)}, "cancel", "cancel", "1:cancelled", "", "closed 0/0/1/0"),
      row({retry(2), retry(2)}, "503 cancel", "cancel", "2:cancelled 1:cancelled", "1", ""),
      row({retry(3), breaker(1)}, "", "stop cancel", "0:cancelled", "", "closed 0/0/0/0"),
      row({breaker(1), retry(3)}, "", "stop cancel", "0:cancelled", "", "closed 0/0/1/0"),
      // The probe's slot is free again.
      row({breaker(1), retry(0)}, "503 cancel 200", "503 +60s cancel 200", "1:spent 1:cancelled 1:ok", "",
          "half-open 1/1/1/0"),
  });
}

TEST_CASE("R4 F7 a stop during a wait is a cancellation for every policy around the retry", "[R4][F7]") {
  const auto rows = [](const char* sees) {
    return std::vector{
        row({retry(3), breaker()}, "503~", sees, "1:cancelled", "1", "closed 0/1/0/0"),
        row({retry(2), retry(2)}, "503~", sees, "1:cancelled 1:cancelled", "1", ""),
        row({breaker(1), retry(3)}, "503~", sees, "1:cancelled", "1", "closed 0/0/1/0"),
        row({breaker(1), breaker(1), retry(3)}, "503 503~", sees, "2:cancelled", "1 2",
            "closed 0/0/1/0, closed 0/0/1/0"),
    };
  };
  check(rows("cancel"), throws_errors);
  check({row({breaker(1).with_fallback(), retry(3)}, "503~", "cancel", "1:cancelled", "1", "closed 0/0/1/0")},
        [](std::string_view flow) { return !unwraps_values(flow); });
  check(rows("503"), passes_results);
  // This flow unwraps the last value itself, and judges it.
  check({row({breaker(1), retry(3)}, "503~", "503", "1:cancelled", "1", "open 0/1/0/0")}, unwraps_values);
}

TEST_CASE("R4 a stop during a call leaves its error, which breakers judge", "[R4][R2]") {
  check({row({breaker(1), retry(3)}, "503 200!", "200", "2:ok", "1", "closed 1/0/0/0")});
  check(
      {
          row({breaker(1), retry(3)}, "503!", "503", "1:cancelled", "", "open 0/1/0/0"),
          row({retry(3), breaker(1), retry(3)}, "503 503!", "503", "2:cancelled 1:cancelled", "1",
              "open 0/1/0/0"),
      },
      passes_errors);
}

TEST_CASE("F7 a result that says it was cancelled is a cancellation for the breaker around it", "[F7]") {
  check(
      {
          row({breaker(1), retry(3)}, "503!", "503", "1:cancelled", "", "closed 0/0/1/0"),
          row({retry(3), breaker(1), retry(3)}, "503 503!", "503", "2:cancelled 1:cancelled", "1",
              "closed 0/0/1/0"),
      },
      passes_results);
}

TEST_CASE("R11 R12 other delays and a deadline, under breakers", "[R11][R12]") {
  check({
      row({breaker(), retry(3).with_step(2s)}, "503 503 503 200", "200", "4:ok", "2 4 6", "closed 1/0/0/0"),
      row({retry(3).with_step(50s), breaker()}, "503 200", "200", "2:ok", "30", "closed 1/1/0/0"),
      row({retry(3).with_step(1s), breaker()}, "503+7 200", "200", "2:ok", "8", "closed 1/1/0/0"),
      row({retry(3).with_deadline(4s), breaker()}, "503 503 503", "503", "3:deadline", "1 2",
          "closed 0/3/0/0"),
      row({retry(3).with_deadline(4s), breaker()}, "503 503@1", "503", "2:deadline", "1", "closed 0/2/0/0"),
      row({breaker(), retry(3).with_deadline(10s)}, "503 200 503", "200 +60s 503", "2:ok 1:deadline", "1",
          "closed 1/1/0/0"),
      row({breaker(), retry(3).with_deadline(10s)}, "200", "+60s 200", "1:ok", "", "closed 1/0/0/0"),
      row({retry(2).with_deadline(20s), retry(3).with_deadline(1s)}, "503 503 503", "503",
          "1:deadline 1:deadline 1:deadline 3:spent", "1 2", ""),
  });
}

TEST_CASE("B12 a late call fails for the breaker and is what it is for everything else", "[B12]") {
  const Policy ten = breaker(1).with_timeout(10s);
  check({
      // Attempts and waits are part of the call.
      row({ten, retry(2)}, "503 200@9", "200", "2:ok", "1", "closed 1/0/0/0"),
      row({ten, retry(2)}, "503 200@10", "200 open:a+60", "2:ok", "1", "open 0/1/0/1"),
      row({retry(2), breaker(2).with_timeout(10s)}, "503@9 200@9", "200", "2:ok", "1", "closed 1/1/0/0"),
      row({retry(2), ten}, "200@11", "200 open:b+60", "1:ok 1:no", "", "open 0/1/0/1"),
      row({breaker(1).with_timeout(20s), retry(1), breaker(2).with_timeout(10s)}, "503@10 200@10",
          "200 open:a+60", "2:ok", "1", "open 0/1/0/1, closed 1/1/0/0"),
      row({ten, retry(0)}, "404@10", "404", "1:no", "", "closed 1/0/0/0"),
      row({ten, retry(0)}, "404@11", "404", "1:no", "", "open 0/1/0/0"),
      row({ten.with_fallback(), retry(0)}, "200@11", "200", "1:ok", "", "open 0/1/0/0"),
      row({ten.with_fallback(), retry(0)}, "404@11", "a(404)", "1:no", "", "open 0/1/0/0"),
      row({ten.with_fallback(), retry(0)}, "cancel@11", "cancel", "1:cancelled", "", "closed 0/0/1/0"),
      row({ten, ten}, "full@11", "full", "", "", "closed 0/0/1/0, closed 0/0/1/0"),
  });
}

TEST_CASE("R7 a retry that is not idempotent repeats only what was surely not processed", "[R7]") {
  check({
      row({breaker(1), retry(unsafe)}, "503", "503", "1:no", "", "open 0/1/0/0"),
      row({retry(unsafe), breaker()}, "timeout", "timeout", "1:no", "", "closed 0/1/0/0"),
      row({retry(unsafe).of_everything(), breaker()}, "500", "500", "1:no", "", "closed 0/1/0/0"),
      row({retry(unsafe), breaker()}, "refused 429 503+2 200", "200", "4:ok", "1 2 4", "closed 1/3/0/0"),
      row({retry(unsafe), breaker(1)}, "refused", "open:b+59", "2:no", "1", "open 0/1/0/1"),
      row({retry(1), retry(unsafe)}, "503 200", "200", "1:no 1:ok 2:ok", "1", ""),
  });
}

TEST_CASE("R5 a Retry-After is waited with up to base_delay more, or ends the retry", "[R5][R2]") {
  const fusebox::RetryConfig deaf{.max_retries = 1, .honor_retry_after = false};
  const fusebox::RetryConfig patient{.max_retries = 1, .max_delay = 60s};
  check({
      row({retry(impatient), breaker()}, "429+7 200", "200", "2:ok", "8", "closed 1/1/0/0"),
      row({breaker(1), retry(impatient)}, "503+10 200", "200", "2:ok", "10", "closed 1/0/0/0"),
      row({breaker(1), retry(impatient)}, "503+11", "503+11", "1:later", "", "open 0/1/0/0"),
      row({breaker(1), retry(0)}, "503+31", "503+31", "1:spent", "", "open 0/1/0/0"),
      row({retry(deaf), breaker()}, "503+31 200", "200", "2:ok", "1", "closed 1/1/0/0"),
      row({retry(patient), retry(impatient)}, "503+30 200", "200", "1:later 1:ok 2:ok", "31", ""),
  });
}

TEST_CASE("B4 a whole retry is one probe, and one attempt is one within a retry", "[B4][B5][B6][B8]") {
  const fusebox::CircuitBreakerConfig two_probes{
      .failure_threshold = 1, .success_threshold = 1, .half_open_max_calls = 2};
  const fusebox::CircuitBreakerConfig two_minutes{.failure_threshold = 1, .reset_timeout = 120s};
  const fusebox::CircuitBreakerConfig doubling{
      .failure_threshold = 1, .success_threshold = 1, .reset_backoff = 2.0};
  const fusebox::CircuitBreakerConfig half_seconds{.failure_threshold = 1, .reset_timeout = 1500ms};
  check({
      row({breaker(one_probe), retry(1)}, "503 503 503 200", "503 +60s 200", "2:spent 2:ok", "1 1",
          "closed 1/1/0/0"),
      row({breaker(1), retry(1)}, "503 503 503 503", "503 +60s 503 open:a+60", "2:spent 2:spent", "1 1",
          "open 0/2/0/1"),
      row({breaker(1), retry(1)}, "503 503 200 200", "503 +60s 200 200", "2:spent 1:ok 1:ok", "1",
          "closed 2/1/0/0"),
      row({breaker(one_probe), retry(0)}, "503 404", "503 +60s 404", "1:spent 1:no", "", "closed 1/1/0/0"),
      row({breaker(1), retry(0)}, "503", "503 +59s open:a+1", "1:spent", "", "open 0/1/0/1"),
      row({breaker(doubling), retry(0)}, "503 503 200 503", "503 +60s 503 +120s 200 503 open:a+60",
          "1:spent 1:spent 1:ok 1:spent", "", "open 1/3/0/1"),
      row({breaker(half_seconds), retry(0)}, "503", "503 open:a+2", "1:spent", "", "open 0/1/0/1"),
      row({retry(2), breaker(soon)}, "503 200", "200", "2:ok", "1", "half-open 1/1/0/0"),
      row({retry(2), breaker(soon)}, "503 503 200", "200", "3:ok", "1 2", "half-open 1/2/0/0"),
      row({retry(2), breaker(soon)}, "503 503 503", "503", "3:spent", "1 2", "open 0/3/0/0"),
      row({breaker(1), breaker(1)}, "503 200 200", "503 +60s 200 200", "", "",
          "closed 2/1/0/0, closed 2/1/0/0"),
      row({breaker(1), breaker(two_minutes)}, "503", "503 +60s open:b+60", "", "",
          "half-open 0/1/1/0, open 0/1/0/1"),
      // With the slot taken, with another one free, and taken for longer than probe_timeout.
      row({breaker(1), retry(0)}, "503", "503 +60s hold open:a+0", "1:spent", "", "half-open 0/1/0/1"),
      row({retry(2), breaker(1).with_fallback()}, "503", "b(503) +60s hold b(open:b+0)", "1:ok 1:ok", "",
          "half-open 0/1/0/1"),
      row({breaker(two_probes), retry(0)}, "503 200", "503 +60s hold 200", "1:spent 1:ok", "",
          "closed 1/1/0/0"),
      row({breaker(1), retry(0)}, "503 200", "503 +60s hold +60s 200", "1:spent 1:ok", "",
          "half-open 1/1/0/0"),
  });
}

TEST_CASE("B7 a call of the breaker within its own probe is part of the probe", "[B7][B6]") {
  check({
      row({breaker(), same_breaker()}, "200", "200", "", "", "closed 2/0/0/0"),
      row({breaker(one_probe), same_breaker()}, "503 200", "503 +60s 200", "", "", "closed 1/2/0/0"),
      row({breaker(one_probe), retry(1), same_breaker()}, "503 503 200", "open:a+59 +60s 200", "2:no 2:ok",
          "1 1", "closed 1/1/1/1"),
  });
}

TEST_CASE("B9 a breaker forced open rejects until reset, a disabled one only counts", "[B9][B13]") {
  check({
      row({retry(3), breaker()}, "", "force open:b+0 +600s open:b+0", "1:no 1:no", "", "forced-open 0/0/0/2"),
      row({retry(1).of_everything(), breaker()}, "", "force open:b+0", "2:spent", "1", "forced-open 0/0/0/2"),
      row({breaker().with_fallback(), retry(3)}, "", "force a(open:a+0)", "", "", "forced-open 0/0/0/1"),
      row({breaker(), breaker()}, "", "force open:a+0", "", "", "forced-open 0/0/0/1, closed 0/0/0/0"),
      row({breaker(1), retry(1)}, "503 503 503 503", "disable 503 503", "2:spent 2:spent", "1 1",
          "disabled 0/2/0/0"),
      row({breaker(by_rate), retry(0)}, "503 503 503 503", "disable 503 503 503 503",
          "1:spent 1:spent 1:spent 1:spent", "", "disabled 0/4/0/0"),
      row({retry(1), breaker(1)}, "503 200", "disable 200", "2:ok", "1", "disabled 1/1/0/0"),
      row({retry(1), breaker(1)}, "503 200", "open:b+59 reset 200", "2:no 1:ok", "1", "closed 1/0/0/0"),
  });
}

TEST_CASE("B3 a rate counts what its breaker sees: calls outside a retry, attempts inside", "[B3][B9]") {
  check({
      row({retry(1), breaker(by_rate)}, "503 200 503 200 503", "200 200 open:b+59", "2:ok 2:ok 2:no", "1 1 1",
          "open 2/3/0/1"),
      row({breaker(by_rate), retry(1)}, "503 200 503 200 503 200", "200 200 200", "2:ok 2:ok 2:ok", "1 1 1",
          "closed 3/0/0/0"),
      row({breaker(by_rate), retry(0)}, "503 full 503 404 cancel 200 503",
          "503 full 503 404 cancel 200 503 open:a+60", "1:spent 1:no 1:spent 1:no 1:cancelled 1:ok 1:spent",
          "", "open 2/3/2/1"),
      row({breaker(by_slowness(5)), retry(1)}, "503 200@4 200@6", "200 200", "2:ok 1:ok", "1",
          "closed 2/0/0/0"),
      row({breaker(by_slowness(5)), retry(1)}, "503 200@5 200@6", "200 200 open:a+60", "2:ok 1:ok", "1",
          "open 2/0/0/1"),
      row({retry(1), breaker(by_slowness(5))}, "503 200@5 200@6", "200 200", "2:ok 1:ok", "1",
          "closed 2/1/0/0"),
      row({retry(1), breaker(by_slowness(5))}, "200@6 503@6", "200 open:b+59", "1:ok 2:no", "1",
          "open 1/1/0/1"),
      row({breaker(by_slowness(5)), retry(0)}, "200@6 cancel@6 200", "200 cancel 200",
          "1:ok 1:cancelled 1:ok", "", "closed 2/0/1/0"),
      row({breaker(by_slowness(1)), retry(1)}, "503 503 503 200@5", "503 +60s 200", "2:spent 2:ok", "1 1",
          "open 1/1/0/0"),
  });
}
