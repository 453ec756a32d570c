#include "storm/simulation.hpp"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "play.hpp"
#include "storm/random.hpp"

using namespace std::chrono_literals;

namespace {

using fusebox::Jitter;
using Kind = storm::Disturbance::Kind;
using storm::PipelineResult;
using storm::Second;
using namespace storm_test;

fusebox::CircuitBreakerConfig breaker() {
  return {.failure_threshold = 0,
          .success_threshold = 1,
          .reset_timeout = 2s,
          .failure_rate =
              fusebox::FailureRate{.threshold = 0.5, .minimum_calls = 10, .window = fusebox::within(10s)}};
}

}  // namespace

// S1, S2: what plays, and that it always plays the same.

TEST_CASE("S2 the same seed gives the same result, however the time is divided", "[S2]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].disturbances = {disturbance(Kind::outage, 20s, 25s)};
  scenario.dependencies[0].disturbances[0].hangs = true;
  const std::vector<storm::PolicySpec> policies{
      fusebox::BulkheadConfig{.max_concurrent = 10, .max_waiting = 50, .max_wait = 1s}, total_limit(5s),
      retrying(3, 100ms), breaker(), attempt_limit(500ms)};
  const auto first = play(scenario, policies, 7);

  storm::Simulation steps{scenario, pipeline(policies), 7};
  for (auto time = 0ms; steps.run_until(time); time += 137ms) {
  }
  const auto second = steps.result();
  CHECK(first.summary == second.summary);
  CHECK(first.seconds == second.seconds);
  CHECK(first.summary.events > 10'000);

  CHECK_FALSE(play(scenario, policies, 8).seconds == first.seconds);
}

TEST_CASE("S1 each process has policies of its own", "[S1]") {
  storm::Scenario scenario = calm();
  scenario.clients.instances = 3;
  scenario.dependencies[0].disturbances = {disturbance(Kind::outage, 20s, 26s)};
  fusebox::CircuitBreakerConfig config = breaker();
  config.reset_timeout = 8s;
  config.failure_rate->window = fusebox::within(4s);
  storm::Simulation simulation{scenario, pipeline({config}), 1};
  CHECK(simulation.live().breakers == std::vector<int>{0, 0, 0});
  simulation.run_until(25s);
  CHECK(simulation.live().breakers == std::vector<int>{1, 1, 1});
  CHECK(simulation.live().disturbed);
  simulation.run_until(40s);
  CHECK(simulation.live().breakers == std::vector<int>{0, 0, 0});
  CHECK_FALSE(simulation.live().disturbed);
  CHECK(simulation.live().now_s == 40);
  CHECK(simulation.result().seconds[24].open_breakers == 1);
  CHECK(simulation.result().seconds[39].open_breakers == 0);
}

// S3: nothing is lost, nothing counts twice.

TEST_CASE("S3 every call succeeds, fails or is under way, and every attempt ends somewhere", "[S3]") {
  storm::Scenario scenario = calm();
  scenario.clients.timeout = 2s;
  scenario.clients.surges = {{30s, 35s, 4}};
  storm::Dependency& service = scenario.dependencies[0];
  const bool hangs = GENERATE(false, true);
  const bool drops = GENERATE(false, true);
  service.drops_abandoned = drops;
  service.disturbances = {disturbance(Kind::outage, 15s, 18s), disturbance(Kind::slow, 22s, 26s),
                          disturbance(Kind::errors, 40s, 45s), disturbance(Kind::capacity, 48s, 52s)};
  service.disturbances[0].hangs = hangs;
  service.disturbances[1].factor = 10;
  service.disturbances[2].rate = 0.5;
  service.disturbances[3].factor = 0.2;
  fusebox::RetryPart retries = retrying(2, 50ms);
  retries.budget = fusebox::RetryBudgetConfig{.ratio = 0.5};
  fusebox::HedgePart hedge{{.delay = 100ms}, fusebox::RetryBudgetConfig{}};
  const std::vector<storm::PolicySpec> policies{
      fusebox::RateLimiterConfig{.permits = 40, .max_wait = 100ms},
      fusebox::BulkheadConfig{.max_concurrent = 20, .max_waiting = 30, .max_wait = 500ms},
      total_limit(1500ms),
      retries,
      hedge,
      fusebox::BulkheadConfig{.max_concurrent = 10, .max_waiting = 5},
      breaker(),
      attempt_limit(300ms)};
  storm::Simulation simulation{scenario, pipeline(policies), 3};
  std::uint64_t begun = 0;
  std::uint64_t ended = 0;
  for (auto now = 1s; now <= 60s; now += 1s) {
    simulation.run_until(now);
    const auto result = simulation.result();
    REQUIRE(result.seconds.size() == static_cast<std::size_t>(now.count()));
    const Second& second = result.seconds.back();
    begun += second.calls;
    ended += second.succeeded + second.failed;
    REQUIRE(begun - ended == static_cast<std::uint64_t>(simulation.live().in_flight));
    REQUIRE(second.in_flight == simulation.live().in_flight);
    REQUIRE(second.rejected <= second.failed);
    REQUIRE(second.retries + second.hedges <= 2 * second.attempts);
    REQUIRE(second.wasted <= second.served);
  }
  const auto result = simulation.result();
  CHECK(sum(result, &Second::served) <= sum(result, &Second::attempts));
  // What was served and not in vain is what clients got.
  CHECK(sum(result, &Second::served) - sum(result, &Second::wasted) >= sum(result, &Second::succeeded));
  CHECK(sum(result, &Second::retries) > 0);
  CHECK(sum(result, &Second::hedges) > 0);
  CHECK(sum(result, &Second::rejected) > 0);
  CHECK((sum(result, &Second::wasted) > 0) == !drops);
}

// S4: the queue behaves as queues do.

TEST_CASE("S4 a queue without policies is that of Erlang's formulas", "[S4]") {
  // M/M/10 with 100 calls a second of 80 ms: 8 of 10 busy on average. By Erlang's C a call waits with
  // probability C = 0.409; P(T > t) = e^(-mt) (1 + C (1 - e^(-mt (c - 1 - a))) / (c - 1 - a)), where
  // c - 1 - a is 1.
  storm::Scenario scenario = calm();
  scenario.duration = 1800s;
  scenario.clients.timeout = 300s;
  storm::Dependency& service = scenario.dependencies[0];
  service.capacity = 10;
  service.queue = 1'000'000;
  service.service.kind = storm::ServiceTime::Kind::exponential;
  service.service.median = std::chrono::nanoseconds{static_cast<std::int64_t>(80e6 * storm::ln(2))};
  const auto result = play(scenario);

  const double waits = 0.409;
  const auto longer_than = [&](double ms) {
    const double decay = storm::exp(-ms / 80);
    return decay * (1 + waits * (1 - decay));
  };
  const auto quantile = [&](double share) {
    double low = 0;
    double high = 10'000;
    for (int i = 0; i < 60; ++i) (longer_than((low + high) / 2) > share ? low : high) = (low + high) / 2;
    return low;
  };
  CHECK(result.summary.success_ratio == 1);
  CHECK(result.summary.p50_ms == Approx(quantile(0.5)).epsilon(0.02));
  CHECK(result.summary.p99_ms == Approx(quantile(0.01)).epsilon(0.03));
  const double n = static_cast<double>(result.seconds.size());
  CHECK(sum(result, &Second::busy) / n == Approx(8).epsilon(0.02));
  CHECK(sum(result, &Second::queued) / n == Approx(waits * 4).epsilon(0.2));  // C a / (c - a)
}

TEST_CASE("S4 a lognormal service has the median and the 99th percentile that it was given", "[S4]") {
  storm::Scenario scenario = calm();
  scenario.duration = 600s;
  scenario.dependencies[0].capacity = 1000;
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::lognormal, 40ms, 5};
  const auto result = play(scenario);
  CHECK(result.summary.p50_ms == Approx(40).epsilon(0.02));
  CHECK(result.summary.p99_ms == Approx(200).epsilon(0.05));
}

// S5: calm.

TEST_CASE("S5 without a disturbance each call is one attempt, and none is wasted", "[S5]") {
  const auto arrivals = GENERATE(storm::Arrivals::poisson, storm::Arrivals::steady, storm::Arrivals::closed);
  storm::Scenario scenario = calm();
  scenario.clients.arrivals = arrivals;
  scenario.clients.think_time = 10s;
  scenario.dependencies[0].service.kind = storm::ServiceTime::Kind::constant;
  const auto result = play(scenario, {fusebox::BulkheadConfig{}, total_limit(5s), retrying(3, 100ms),
                                      breaker(), attempt_limit(1s)});
  CHECK(result.summary.success_ratio == 1);
  CHECK(result.summary.amplification == 1);
  CHECK(result.summary.wasted_ratio == Approx(0).margin(0.003));  // the last ones are under way
  CHECK(result.summary.recovery_s == 0);
  CHECK(result.summary.p50_ms == Approx(50).epsilon(0.01));
  CHECK(static_cast<double>(sum(result, &Second::calls)) == Approx(6000).epsilon(0.05));
  CHECK(result.explanation.find("bulkhead") != std::string::npos);
}

TEST_CASE("S5 steady arrivals are at equal distances, and surges multiply them", "[S5]") {
  storm::Scenario scenario = calm();
  scenario.clients.arrivals = storm::Arrivals::steady;
  scenario.clients.surges = {{20s, 30s, 3}, {25s, 30s, 0}};
  const auto result = play(scenario);
  for (std::size_t i = 1; i < 60; ++i) {
    CAPTURE(i);
    const double expected = i < 20 || i >= 30 ? 100 : i < 25 ? 300 : 0;
    CHECK(static_cast<double>(result.seconds[i].calls) == Approx(expected).margin(1));
  }
}

// S6: the dependency.

TEST_CASE("S6 what finds no room is turned away with 503 after a round trip", "[S6]") {
  storm::Scenario scenario = calm();
  storm::Dependency& service = scenario.dependencies[0];
  service.capacity = 2;
  service.queue = 1;
  const auto result = play(scenario);
  for (const Second& second : result.seconds) {
    REQUIRE(second.busy <= 2);
    REQUIRE(second.queued <= 1);
  }
  const double rate = static_cast<double>(sum(result, &Second::served)) / 60;
  CHECK(rate == Approx(2 / 0.0597).epsilon(0.1));  // the mean of the service time
  CHECK(result.summary.success_ratio < 0.4);
  CHECK(result.summary.amplification == 1);
}

TEST_CASE("S6 an outage refuses after a round trip, or hangs until somebody gives up", "[S6]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].disturbances = {disturbance(Kind::outage, 20s, 30s)};
  const auto refusing = play(scenario);
  CHECK(sum(refusing, &Second::failed, 0, 20) == 0);
  CHECK(sum(refusing, &Second::succeeded, 20, 30) == 0);
  CHECK(refusing.seconds[25].failed == Approx(100).margin(50));
  CHECK(refusing.seconds[25].in_flight <= 2);
  CHECK(sum(refusing, &Second::failed, 31, 60) == 0);

  scenario.dependencies[0].disturbances[0].hangs = true;
  const auto hanging = play(scenario);
  CHECK(sum(hanging, &Second::failed, 20, 29) == 0);  // the clients wait for 10 s
  CHECK(hanging.seconds[29].in_flight == Approx(1000).epsilon(0.15));
  CHECK(sum(hanging, &Second::failed, 30, 41) == Approx(1000).epsilon(0.15));

  const auto limited = play(scenario, {attempt_limit(1s)});
  CHECK(limited.seconds[29].in_flight == Approx(100).margin(40));
}

TEST_CASE("S6 what is in progress when an outage begins is lost", "[S6]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::constant, 5s, 1};
  scenario.dependencies[0].capacity = 1000;
  scenario.dependencies[0].disturbances = {disturbance(Kind::outage, 20s, 21s)};
  const auto result = play(scenario);
  // 5 s of calls under way, and one second of refused ones.
  CHECK(sum(result, &Second::failed, 20, 21) == Approx(600).epsilon(0.15));
  CHECK(result.seconds[20].busy == 0);
  CHECK(sum(result, &Second::succeeded, 20, 26) == 0);
}

TEST_CASE("S6 a slow dependency is slower by its factor", "[S6]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].service.kind = storm::ServiceTime::Kind::constant;
  scenario.dependencies[0].disturbances = {disturbance(Kind::slow, 20s, 30s)};
  scenario.dependencies[0].disturbances[0].factor = 3;
  const auto result = play(scenario);
  CHECK(result.seconds[15].p50_ms == 50);
  CHECK(result.seconds[25].p50_ms == 150);
  CHECK(result.seconds[35].p50_ms == 50);
}

TEST_CASE("S6 errors hit their share of the calls, and carry their status", "[S6]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].disturbances = {disturbance(Kind::errors, 20s, 40s)};
  storm::Disturbance& errors = scenario.dependencies[0].disturbances[0];
  errors.rate = 0.25;
  const auto result = play(scenario);
  CHECK(sum(result, &Second::failed, 20, 40) == Approx(500).epsilon(0.15));
  CHECK(sum(result, &Second::failed, 0, 20) == 0);

  // A 400 is nobody's to retry, a 503 is.
  errors.status = 400;
  CHECK(sum(play(scenario, {retrying(3, 10ms)}), &Second::retries) == 0);
  errors.status = 503;
  const auto retried = play(scenario, {retrying(3, 10ms)});
  CHECK(sum(retried, &Second::retries) > 300);
  CHECK(retried.summary.success_ratio > 0.99);

  // Retry-After is waited for.
  errors.retry_after = 3s;
  errors.rate = 1;
  errors.to = 22s;
  CHECK(play(scenario, {retrying(1, 10ms, Jitter::none)}).summary.p99_ms == Approx(3100).epsilon(0.05));
}

TEST_CASE("S6 capacity that is lost comes back", "[S6]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].disturbances = {disturbance(Kind::capacity, 20s, 30s)};
  scenario.dependencies[0].disturbances[0].factor = 0.1;
  storm::Simulation simulation{scenario, pipeline({}), 1};
  simulation.run_until(25s);
  CHECK(simulation.live().capacity == 2);
  CHECK(simulation.live().busy == 2);
  CHECK(simulation.live().queued > 40);
  simulation.run_until(32s);
  CHECK(simulation.live().capacity == 20);
  CHECK(simulation.live().queued == 0);
}

TEST_CASE("S6 capacities that multiply each other end at a million", "[S6]") {
  storm::Scenario scenario = calm();
  auto more = disturbance(Kind::capacity, 20s, 30s);
  more.factor = 1000;
  scenario.dependencies[0].disturbances.assign(100, more);
  storm::Simulation simulation{scenario, pipeline({}), 1};
  simulation.run_until(25s);
  CHECK(simulation.live().capacity == 1'000'000);
  simulation.run_until(32s);
  CHECK(simulation.live().capacity == 20);
}

TEST_CASE("S6 a shard fails alone, for the clients that are its own", "[S6]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].shards = 10;
  scenario.dependencies[0].capacity = 5;
  scenario.dependencies[0].disturbances = {disturbance(Kind::outage, 20s, 40s)};
  scenario.dependencies[0].disturbances[0].shard = 3;
  const auto result = play(scenario);
  CHECK(sum(result, &Second::failed, 20, 40) == Approx(200).epsilon(0.4));
  CHECK(sum(result, &Second::failed, 0, 20) == 0);
}

TEST_CASE("S6 a server's limit answers 429, with Retry-After if it says so", "[S6]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].limit = {60, true};
  const auto result = play(scenario, {});
  for (std::size_t i = 1; i < 60; ++i) REQUIRE(result.seconds[i].served <= 75);  // some of the second before
  CHECK(result.summary.success_ratio == Approx(0.6).epsilon(0.05));
  const auto waiting = play(scenario, {retrying(1, 1ms, Jitter::none)});
  CHECK(waiting.summary.p99_ms > 1000);
  scenario.dependencies[0].limit.retry_after = false;
  const auto blind = play(scenario, {retrying(1, 1ms, Jitter::none)});
  CHECK(blind.summary.p99_ms < 1000);
}

TEST_CASE("S6 work goes on after its caller has left, unless the dependency notices", "[S6]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::constant, 500ms, 1};
  scenario.dependencies[0].capacity = 100;
  const auto result = play(scenario, {attempt_limit(200ms)});
  CHECK(result.summary.success_ratio == 0);
  CHECK(sum(result, &Second::served) == sum(result, &Second::wasted));
  CHECK(result.seconds[30].busy == Approx(50).epsilon(0.4));

  scenario.dependencies[0].drops_abandoned = true;
  const auto dropped = play(scenario, {attempt_limit(200ms)});
  CHECK(sum(dropped, &Second::served) == 0);
  CHECK(dropped.seconds[30].busy == Approx(20).epsilon(0.5));
}

// S7: limits.

TEST_CASE("S7 a client that has waited long enough leaves, and its call ends", "[S7]") {
  storm::Scenario scenario = calm();
  scenario.clients.timeout = 300ms;
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::constant, 1s, 1};
  scenario.dependencies[0].capacity = 1000;
  const auto result = play(scenario, {fusebox::BulkheadConfig{.max_concurrent = 25}});
  CHECK(result.summary.success_ratio == 0);
  CHECK(result.seconds[30].in_flight == Approx(30).epsilon(0.6));
  // Its slot came back: 4 processes with 25 slots each, taken for 300 ms.
  CHECK(static_cast<double>(sum(result, &Second::attempts)) == Approx(6000).epsilon(0.1));
}

TEST_CASE("S7 an attempt ends at its limit, and is retried", "[S7]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::constant, 1s, 1};
  scenario.dependencies[0].capacity = 10'000;
  const auto result = play(scenario, {retrying(2, 0ms), attempt_limit(200ms)});
  CHECK(result.summary.success_ratio == 0);
  CHECK(result.summary.amplification == Approx(3).epsilon(0.02));
  // Three attempts of 200 ms.
  CHECK(result.seconds[30].in_flight == Approx(60).epsilon(0.4));
  const auto total_too = play(scenario, {total_limit(300ms), retrying(2, 0ms), attempt_limit(200ms)});
  CHECK(total_too.summary.amplification == Approx(2).epsilon(0.02));
  CHECK(total_too.seconds[30].in_flight == Approx(30).epsilon(0.5));
}

TEST_CASE("S7 calls wait in a bulkhead's queue, and those behind get what comes free", "[S7]") {
  storm::Scenario scenario = calm();
  scenario.clients.instances = 1;
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::constant, 50ms, 1};
  scenario.dependencies[0].capacity = 1000;
  // 100 calls a second, and room for 60.
  const auto result =
      play(scenario, {fusebox::BulkheadConfig{.max_concurrent = 3, .max_waiting = 1000, .max_wait = 500ms}});
  CHECK(static_cast<double>(sum(result, &Second::succeeded, 10, 60)) == Approx(60 * 50).epsilon(0.02));
  CHECK(result.summary.p50_ms == Approx(550).epsilon(0.1));
  CHECK(result.summary.p99_ms <= 555);
  // Two queues in one pipeline.
  const auto both =
      play(scenario, {fusebox::BulkheadConfig{.max_concurrent = 6, .max_waiting = 1000, .max_wait = 500ms},
                      retrying(1, 1ms),
                      fusebox::BulkheadConfig{.max_concurrent = 3, .max_waiting = 1000, .max_wait = 500ms}});
  CHECK(static_cast<double>(sum(both, &Second::succeeded, 10, 60)) == Approx(60 * 50).epsilon(0.02));
}

TEST_CASE("S7 calls wait for a permit of a rate limiter", "[S7]") {
  storm::Scenario scenario = calm();
  scenario.clients.instances = 1;
  const auto result =
      play(scenario, {fusebox::RateLimiterConfig{.permits = 50, .per = 1s, .burst = 1, .max_wait = 1s}});
  CHECK(static_cast<double>(sum(result, &Second::attempts, 10, 60)) == Approx(50 * 50).epsilon(0.02));
  CHECK(result.summary.rejected_ratio == Approx(0.5).epsilon(0.05));
}

// S8: tiers.

TEST_CASE("S8 each tier retries, so attempts multiply", "[S8]") {
  storm::Scenario scenario = calm();
  scenario.clients.calls_per_minute = 1;
  storm::Dependency tier;
  tier.service = {storm::ServiceTime::Kind::constant, 1ms, 1};
  tier.capacity = 10'000;
  tier.shards = 2;
  scenario.dependencies = {tier, tier, tier};
  scenario.dependencies[2].disturbances = {disturbance(Kind::errors, 0s, 60s)};
  const auto result = play(scenario, {retrying(3, 0ms)});
  CHECK(result.summary.success_ratio == 0);
  CHECK(result.summary.amplification == Approx(64).epsilon(0.02));
  CHECK(result.summary.wasted_ratio == 1);
  // All but one attempt of each call.
  CHECK(static_cast<double>(sum(result, &Second::retries)) ==
        Approx(static_cast<double>(sum(result, &Second::attempts)) * 63 / 64).epsilon(0.01));

  scenario.dependencies[2].disturbances.clear();
  const auto calm_result = play(scenario, {retrying(3, 0ms)});
  CHECK(calm_result.summary.success_ratio == 1);
  CHECK(calm_result.summary.amplification == 1);
  CHECK(calm_result.summary.p50_ms == Approx(3).epsilon(0.01));
}

TEST_CASE("S8 a tier holds its slot until the next one has answered", "[S8]") {
  storm::Scenario scenario = calm();
  storm::Dependency front;
  front.service = {storm::ServiceTime::Kind::constant, 1ms, 1};
  front.capacity = 5;
  front.queue = 0;
  storm::Dependency back = front;
  back.service.median = 100ms;
  back.capacity = 1000;
  scenario.dependencies = {front, back};
  // 5 slots of 101 ms: about 49 of 100 calls a second.
  const auto result = play(scenario);
  CHECK(static_cast<double>(sum(result, &Second::attempts, 10, 60)) < 50 * 50);
  CHECK(result.seconds[30].busy <= 5);
}

// S9: hedges.

TEST_CASE("S9 a hedge starts after its delay, and the first answer counts", "[S9]") {
  storm::Scenario scenario = calm();
  scenario.duration = 300s;
  scenario.dependencies[0].capacity = 1000;
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::lognormal, 50ms, 10};
  const auto plain = play(scenario);
  fusebox::HedgePart hedge;
  hedge.config.delay = 100ms;
  const auto hedged = play(scenario, {hedge});
  CHECK(plain.summary.p99_ms == Approx(500).epsilon(0.1));
  CHECK(hedged.summary.p99_ms < 0.6 * plain.summary.p99_ms);
  CHECK(hedged.summary.p50_ms == Approx(plain.summary.p50_ms).epsilon(0.03));
  CHECK(hedged.summary.success_ratio == 1);
  // As many hedges as calls that take longer than 100 ms: P(Z > ln 2 × 2.326 / ln 10) = 0.24.
  CHECK(hedged.summary.amplification == Approx(1.24).epsilon(0.03));
  CHECK(static_cast<double>(sum(hedged, &Second::hedges)) ==
        Approx(static_cast<double>(sum(hedged, &Second::attempts)) * 0.24 / 1.24).epsilon(0.05));
}

TEST_CASE("S9 a hedge's budget holds the load down if everything is slow", "[S9]") {
  storm::Scenario scenario = calm();
  scenario.duration = 120s;
  scenario.dependencies[0].capacity = 1000;
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::constant, 300ms, 1};
  fusebox::HedgePart hedge;
  hedge.config.delay = 100ms;
  hedge.budget = fusebox::RetryBudgetConfig{.ratio = 0.1, .min_per_second = 0, .capacity = 10, .reserve = 0};
  const auto result = play(scenario, {hedge});
  CHECK(result.summary.success_ratio == 1);
  CHECK(result.summary.amplification <= 1.1);
  CHECK(result.summary.amplification > 1.08);
}

TEST_CASE("S9 copies run through the policies inside a hedge, and stop when it ends", "[S9]") {
  storm::Scenario scenario = calm();
  scenario.dependencies[0].capacity = 1000;
  scenario.dependencies[0].service = {storm::ServiceTime::Kind::constant, 300ms, 1};
  scenario.dependencies[0].drops_abandoned = true;
  fusebox::HedgePart hedge;
  hedge.config.delay = 100ms;
  const auto result = play(scenario, {total_limit(2s), hedge, attempt_limit(1s)});
  CHECK(result.summary.success_ratio == 1);
  // The copy that lost was stopped after 200 ms.
  CHECK(sum(result, &Second::wasted) == 0);
  CHECK(result.seconds[30].busy == Approx(50).epsilon(0.5));
  // A copy whose attempt is too slow fails; the hedge then starts the next at once, and the total limit ends
  // them together.
  const auto hopeless = play(scenario, {total_limit(150ms), hedge, attempt_limit(100ms)});
  CHECK(hopeless.summary.success_ratio == 0);
  CHECK(hopeless.seconds[30].in_flight == Approx(15).margin(14));
}

// What cannot be played.

TEST_CASE("S10 a scenario that cannot be played is refused with its field", "[S10]") {
  const auto error_of = [](const storm::Scenario& scenario) -> std::string {
    try {
      const storm::Simulation simulation{scenario, pipeline({}), 1};
      return {};
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
  storm::Scenario scenario = calm();
  CHECK(error_of(scenario).empty());
  scenario.clients.count = 3;
  CHECK(error_of(scenario) == "clients.count must be in [10, 1000000], got 3");
  scenario = calm();
  scenario.dependencies.clear();
  CHECK(error_of(scenario) == "dependencies (their number) must be in [1, 10], got 0");
  scenario = calm();
  scenario.dependencies[0].disturbances = {disturbance(Kind::slow, 20s, 10s)};
  CHECK(error_of(scenario).starts_with("dependencies[0].disturbances[0].to must be in [20s, "));
  scenario = calm();
  scenario.duration = 1500ms;
  CHECK(error_of(scenario) == "duration must be a whole number of seconds, got 1.5s");
  scenario = calm();
  scenario.clients.arrivals = storm::Arrivals::closed;
  CHECK(error_of(scenario).starts_with("clients.think_time must be in [0.001s, "));
}
