#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/policy_registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBreaker;
using support::FakeBulkhead;
using support::FakeClock;
using support::Policies;

namespace {

constexpr StandardPipelineConfig standard;

[[noreturn]] void refuse() { throw std::system_error{std::make_error_code(std::errc::connection_refused)}; }

/// Without jitter, so that waits are known.
StandardPipelineConfig without_jitter() {
  StandardPipelineConfig config;
  config.retry.jitter = Jitter::none;
  return config;
}

}  // namespace

static_assert(standard.bulkhead.max_concurrent == 1000 && standard.bulkhead.max_waiting == 0);
static_assert(standard.total_timeout == 30s && standard.attempt_timeout == 10s);
static_assert(standard.retry.max_retries == 3 && standard.retry.base_delay == 2s &&
              standard.retry.multiplier == 2);
static_assert(standard.retry.jitter == Jitter::equal && standard.retry.honor_retry_after);
static_assert(standard.breaker.failure_threshold == 0 && standard.breaker.success_threshold == 1);
static_assert(standard.breaker.reset_timeout == 5s);
static_assert(*standard.breaker.failure_rate ==
              FailureRate{.threshold = 0.1, .minimum_calls = 100, .window = within(30s)});
static_assert(!detail::check(standard));
static_assert(standard == StandardPipelineConfig{});

TEST_CASE("M4 the config of a standard pipeline is refused with the name of its field", "[M4]") {
  CHECK(validate(standard).empty());
  CHECK(validate(StandardPipelineConfig{.bulkhead = {.max_concurrent = 0}}) ==
        "StandardPipelineConfig.bulkhead.max_concurrent must be in [1, 65535], got 0");
  CHECK(validate(StandardPipelineConfig{.retry = {.max_retries = -1}}) ==
        "StandardPipelineConfig.retry.max_retries must be in [0, 65535], got -1");
  CHECK(validate(StandardPipelineConfig{.breaker = {.success_threshold = 0}}) ==
        "StandardPipelineConfig.breaker.success_threshold must be in [1, 65535], got 0");
  CHECK(validate(StandardPipelineConfig{.total_timeout = 0s}) ==
        "StandardPipelineConfig.total_timeout must be above 0, got 0s");
  CHECK(validate(StandardPipelineConfig{.attempt_timeout = -1s}) ==
        "StandardPipelineConfig.attempt_timeout must be above 0, got -1s");
}

TEST_CASE("M4 an attempt may take as long as the whole call, but no longer", "[M4]") {
  StandardPipelineConfig config{.total_timeout = 14s, .attempt_timeout = 14s};
  CHECK(validate(config).empty());
  config.attempt_timeout = 14s + 1ns;
  CHECK(validate(config) ==
        "StandardPipelineConfig.attempt_timeout must be at most total_timeout, got 14000000001ns");
}

TEST_CASE("M4 the delays of the retry, before jitter, fit into the total timeout", "[M4]") {
  StandardPipelineConfig config{.total_timeout = 14s};  // 2 s, 4 s, 8 s
  CHECK(validate(config).empty());
  config.total_timeout = 14s - 1ns;
  CHECK(validate(config) ==
        "StandardPipelineConfig.retry.max_retries and retry.base_delay must be such that the delays fit into "
        "total_timeout, 13999999999ns, got 14s");
  config.total_timeout = 10s;
  CHECK(validate(config) ==
        "StandardPipelineConfig.retry.max_retries and retry.base_delay must be such that the delays fit into "
        "total_timeout, 10s, got 14s");
  config.retry.max_delay = 4s;  // 2 s, 4 s, 4 s
  config.total_timeout = 10s;
  CHECK(validate(config).empty());
  config.retry.max_retries = 4;
  CHECK_FALSE(validate(config).empty());
  config.retry = {.max_retries = 65'535, .base_delay = 10'000h, .max_delay = std::chrono::nanoseconds::max()};
  CHECK_FALSE(validate(config).empty());  // the sum saturates
  config.retry.max_retries = 0;
  CHECK(validate(config).empty());
}

TEST_CASE("M4 a window of time is at least twice as long as an attempt", "[M4]") {
  StandardPipelineConfig config{.attempt_timeout = 15s};
  CHECK(validate(config).empty());
  config.attempt_timeout = 15s + 1ns;
  CHECK(validate(config) ==
        "StandardPipelineConfig.breaker.failure_rate.window must be at least twice attempt_timeout, got 30s");
  config.breaker.failure_rate->window = last_calls(200);
  CHECK(validate(config).empty());
  config.breaker.slow_calls = SlowCalls{.window = within(30s)};
  CHECK(validate(config) ==
        "StandardPipelineConfig.breaker.slow_calls.window must be at least twice attempt_timeout, got 30s");
  config.breaker.slow_calls = std::nullopt;
  config.breaker.failure_rate = std::nullopt;
  CHECK(validate(config).empty());
}

TEST_CASE("M4 a refused config registers nothing", "[M4]") {
  Policies registry{{}, FakeClock{}};
  CHECK_THROWS_AS(standard_pipeline("orders", {.attempt_timeout = 31s}, registry), ConfigError);
  CHECK_THROWS_AS(standard_pipeline("orders", {.attempt_timeout = 31s}, FakeClock{}), ConfigError);
  CHECK(registry.size<FakeBulkhead>() == 0);
  CHECK(registry.size<FakeBreaker>() == 0);
  CHECK(registry.size<TimeoutCounts>() == 0);
}

TEST_CASE("M4 a refused name registers nothing", "[M4]") {
  Policies registry{{}, FakeClock{}};
  const auto refusal_of = [](const std::string& name, auto&& where) -> std::string {
    try {
      static_cast<void>(standard_pipeline(name, {}, where));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  const std::string too_long = "standard_pipeline.name must be at most 504 bytes, got 505";
  const std::string empty = "standard_pipeline.name must not be empty, got \"\"";
  CHECK(refusal_of(std::string(505, 'n'), registry).find(too_long) != std::string::npos);
  CHECK(refusal_of("", registry).find(empty) != std::string::npos);
  CHECK(refusal_of(std::string(505, 'n'), FakeClock{}).find(too_long) != std::string::npos);
  CHECK(refusal_of("", FakeClock{}).find(empty) != std::string::npos);
  CHECK(registry.size<FakeBulkhead>() == 0);
  CHECK(registry.size<FakeBreaker>() == 0);
  CHECK(registry.size<RetryCounts>() == 0);
  CHECK(registry.size<TimeoutCounts>() == 0);
  CHECK(refusal_of(std::string(504, 'n'), registry).empty());
  CHECK(registry.size<TimeoutCounts>() == 2);
}

TEST_CASE("M4 pipelines of one name share its bulkhead and its breaker, and count under it", "[M4]") {
  FakeClock clock;
  Policies registry{{}, clock};
  const auto one = standard_pipeline("orders", {.bulkhead = {.max_concurrent = 1}}, registry);
  const auto other = standard_pipeline("orders", {.bulkhead = {.max_concurrent = 1}}, registry);
  CHECK(registry.config_conflicts<FakeBulkhead>() == 0);
  CHECK(registry.config_conflicts<FakeBreaker>() == 0);
  CHECK(one.execute([&] {
    CHECK_THROWS_AS(other.execute([] { return 1; }), BulkheadFullError);
    return 2;
  }) == 2);
  CHECK(registry.stats<FakeBulkhead>()["orders"].rejected == 1);
  CHECK(registry.stats<RetryCounts>()["orders"].succeeded == 1);
  CHECK(registry.stats<TimeoutCounts>()["orders"].calls == 1);
  CHECK(registry.stats<TimeoutCounts>()["orders attempt"].calls == 1);
  registry.get<FakeBreaker>("orders")->force_open();
  CHECK_THROWS_AS(other.execute([] { return 1; }), CircuitOpenError);
}

TEST_CASE("M4 bulkhead, total timeout, retry, breaker, attempt timeout: the outermost first", "[M4]") {
  FakeClock clock;
  Policies registry{{}, clock};
  const auto call = standard_pipeline("orders", without_jitter(), registry);
  const auto bulkhead = registry.find<FakeBulkhead>("orders");

  std::vector<std::chrono::nanoseconds> began;
  const auto start = clock.now();
  CHECK_THROWS_AS(call.execute([&]() -> int {
    began.push_back(clock.now() - start);
    CHECK(bulkhead->stats().in_use == 1);  // also during the waits: it is outside the retry
    refuse();
  }),
                  std::system_error);
  CHECK(began == std::vector<std::chrono::nanoseconds>{0s, 2s, 6s, 14s});
  CHECK(bulkhead->stats().admitted == 1);
  CHECK(registry.find<FakeBreaker>("orders")->stats().failure_count == 4);  // each attempt: it is inside

  // An attempt that goes on beyond the total timeout is the last one.
  began.clear();
  CHECK_THROWS_AS(call.execute([&](std::stop_token stop) -> int {
    began.push_back(0s);
    clock.advance(1min);
    CHECK(stop.stop_requested());
    throw CancelledError{"stopped"};
  }),
                  TimeoutError);
  CHECK(began.size() == 1);
  CHECK(registry.stats<TimeoutCounts>()["orders attempt"].timed_out == 0);
  CHECK(registry.stats<TimeoutCounts>()["orders"].timed_out == 1);
}

TEST_CASE("M4 an attempt that hangs is stopped after 10 s, and retried", "[M4]") {
  FakeClock clock;
  Policies registry{{}, clock};
  const auto call = standard_pipeline("orders", without_jitter(), registry);
  int attempts = 0;
  CHECK(call.execute([&](std::stop_token stop) {
    if (++attempts > 1) return attempts;
    clock.advance(10s);
    CHECK(stop.stop_requested());
    throw CancelledError{"stopped"};
  }) == 2);
  CHECK(registry.stats<TimeoutCounts>()["orders attempt"].timed_out == 1);
  CHECK(registry.stats<RetryCounts>()["orders"].failed == 1);
}

TEST_CASE("M4 the breaker opens at one failure in ten of a hundred, and a probe closes it after 5 s",
          "[M4]") {
  FakeClock clock;
  Policies registry{{}, clock};
  StandardPipelineConfig config;
  config.retry.max_retries = 0;
  const auto call = standard_pipeline("orders", config, registry);
  const auto breaker = registry.find<FakeBreaker>("orders");
  for (int i = 0; i < 90; ++i) call.execute([] {});
  for (int i = 0; i < 10; ++i) {
    CHECK(breaker->state() == State::closed);
    CHECK_THROWS_AS(call.execute([] { refuse(); }), std::system_error);
  }
  CHECK(breaker->state() == State::open);
  CHECK_THROWS_AS(call.execute([] {}), CircuitOpenError);
  clock.advance(5s);
  call.execute([] {});
  CHECK(breaker->state() == State::closed);
}

TEST_CASE("M4 a pipeline keeps its parts registered, and alive after the registry", "[M4]") {
  FakeClock clock;
  {
    Policies registry{{.max_per_kind = 1}, clock};
    {
      // Its second TimeoutCounts is not registered.
      const auto call = standard_pipeline("orders", {}, registry);
      (void)registry.get<FakeBulkhead>("other");
      CHECK(registry.find<FakeBulkhead>("orders") != nullptr);
    }
    (void)registry.get<FakeBulkhead>("other");
    CHECK(registry.find<FakeBulkhead>("orders") == nullptr);
  }
  auto registry = std::make_unique<Policies>(clock);
  const auto call = standard_pipeline("orders", {}, *registry);
  const auto copy = call;
  registry.reset();
  CHECK(copy.execute([] { return 1; }) == 1);
}

TEST_CASE("M4 with a clock the parts are the pipeline's own", "[M4]") {
  FakeClock clock;
  const auto one = standard_pipeline("orders", {.bulkhead = {.max_concurrent = 1}}, clock);
  const auto other = standard_pipeline("orders", {.bulkhead = {.max_concurrent = 1}}, clock);
  CHECK(one.execute([&] { return other.execute([] { return 3; }); }) == 3);
  CHECK_THROWS_AS(one.execute([&] { return one.execute([] { return 3; }); }), BulkheadFullError);
}

TEST_CASE("M4 without a registry it is the process-wide one", "[M4]") {
  const auto call = standard_pipeline("M4 default");
  const AnyPipeline<int> stored = standard_pipeline("M4 default");
  CHECK(stored.execute([] { return 4; }) == 4);
  CHECK(default_policy_registry().stats<RetryCounts>()["M4 default"].calls == 1);
  CHECK(default_registry().find("M4 default") != nullptr);
  CHECK(default_registry().config_conflicts() == 0);
}

TEST_CASE("M4 a standard pipeline is a part like any other", "[M4]") {
  FakeClock clock;
  Policies registry{{}, clock};
  const auto durations = registry.get<CallDurations>("orders");
  RateLimiter limiter{"orders", {.permits = 1}, clock};
  const auto call = compose(fallback([] { return -1; }), measured(durations, clock), limiter,
                            standard_pipeline("orders", {}, registry));
  CHECK(call.execute([] { return 5; }) == 5);
  CHECK(call.execute([] { return 5; }) == -1);  // refused by the limiter
  CHECK(durations->stats().count == 2);
}
