#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <climits>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::string rule_broken_by(double multiplier) { return validate(RetryConfig{.multiplier = multiplier}); }

}  // namespace

TEST_CASE("a retry has a copy of its config: op may change, or end, the one that was given") {
  const test::FakeClock clock;
  auto config = std::make_unique<RetryConfig>(RetryConfig{.max_retries = 2, .jitter = Jitter::none});
  int calls = 0;
  const auto result = try_retry_with_backoff(
      [&] {
        ++calls;
        config.reset();
        return make_error_code(ErrorCode::service_unavailable);
      },
      *config, clock);
  CHECK(calls == 3);
  CHECK(result.stats.total_delay == std::chrono::seconds{3});
}

TEST_CASE("RetryConfig is an aggregate whose defaults are the design's") {
  static_assert(std::is_aggregate_v<RetryConfig>);
  constexpr RetryConfig config;
  CHECK(config.max_retries == 3);
  CHECK(config.base_delay == 1s);
  CHECK(config.max_delay == 30s);
  CHECK(config.multiplier == 2.0);
  CHECK(config.jitter == Jitter::equal);
  CHECK(config.total_timeout == no_timeout);
  CHECK(config.honor_retry_after);
  CHECK(config.idempotent);
  CHECK(validate(config).empty());
  constexpr RetryConfig all{.max_retries = 1,
                            .base_delay = 2ms,
                            .max_delay = 3ms,
                            .multiplier = 1.5,
                            .jitter = Jitter::full,
                            .total_timeout = 4s,
                            .honor_retry_after = false,
                            .idempotent = false};
  CHECK(validate(all).empty());
}

TEST_CASE("validate names the field, the rule and the value of what it refuses") {
  struct Row {
    RetryConfig config;
    std::string text;
  };
  const std::vector<Row> rows{
      {{.max_retries = -1}, "RetryConfig.max_retries must be in [0, 65535], got -1"},
      {{.max_retries = INT_MIN}, "RetryConfig.max_retries must be in [0, 65535], got -2147483648"},
      {{.max_retries = 65'536}, "RetryConfig.max_retries must be in [0, 65535], got 65536"},
      {{.max_retries = INT_MAX}, "RetryConfig.max_retries must be in [0, 65535], got 2147483647"},
      {{.base_delay = -1ns}, "RetryConfig.base_delay must be at least 0, got -1ns"},
      {{.base_delay = -1500ms}, "RetryConfig.base_delay must be at least 0, got -1500ms"},
      {{.base_delay = std::chrono::nanoseconds::min()},
       "RetryConfig.base_delay must be at least 0, got -9223372036854775808ns"},
      {{.base_delay = 0s, .max_delay = -1ns}, "RetryConfig.max_delay must be at least 0, got -1ns"},
      {{.max_delay = -30s}, "RetryConfig.max_delay must be at least 0, got -30s"},
      {{.max_delay = 1s - 1ns}, "RetryConfig.max_delay must be at least base_delay, got 999999999ns"},
      {{.max_delay = 500ms}, "RetryConfig.max_delay must be at least base_delay, got 500ms"},
      {{.max_delay = 0s}, "RetryConfig.max_delay must be at least base_delay, got 0s"},
      {{.base_delay = 31s}, "RetryConfig.max_delay must be at least base_delay, got 30s"},
      {{.multiplier = 0.5}, "RetryConfig.multiplier must be finite and at least 1, got 0.5"},
      {{.multiplier = 0}, "RetryConfig.multiplier must be finite and at least 1, got 0"},
      {{.multiplier = -2}, "RetryConfig.multiplier must be finite and at least 1, got -2"},
      {{.multiplier = not_a_number}, "RetryConfig.multiplier must be finite and at least 1, got nan"},
      {{.multiplier = infinity}, "RetryConfig.multiplier must be finite and at least 1, got inf"},
      {{.multiplier = -infinity}, "RetryConfig.multiplier must be finite and at least 1, got -inf"},
      {{.jitter = static_cast<Jitter>(4)},
       "RetryConfig.jitter must be one of none, full, equal, decorrelated, got 4"},
      {{.jitter = static_cast<Jitter>(255)},
       "RetryConfig.jitter must be one of none, full, equal, decorrelated, got 255"},
      {{.total_timeout = 0s}, "RetryConfig.total_timeout must be above 0, got 0s"},
      {{.total_timeout = -1ns}, "RetryConfig.total_timeout must be above 0, got -1ns"},
      {{.total_timeout = -2500us}, "RetryConfig.total_timeout must be above 0, got -2500us"},
  };
  for (const Row& row : rows) CHECK(validate(row.config) == row.text);
}

TEST_CASE("validate gives the value as it is, not rounded to one that would be good") {
  CHECK(rule_broken_by(0.9999999) == "RetryConfig.multiplier must be finite and at least 1, got 0.9999999");
  CHECK(rule_broken_by(std::nextafter(1.0, 0.0)) ==
        "RetryConfig.multiplier must be finite and at least 1, got 0.9999999999999999");
}

TEST_CASE("validate accepts what is just inside the rules") {
  const std::vector<RetryConfig> good{
      {.max_retries = 0},
      {.max_retries = 65'535},
      {.base_delay = 0s},
      {.base_delay = 1ns},
      {.base_delay = 30s},
      {.max_delay = 1s},
      {.base_delay = 0s, .max_delay = 0s},
      {.max_delay = std::chrono::nanoseconds::max()},
      {.base_delay = std::chrono::nanoseconds::max(), .max_delay = std::chrono::nanoseconds::max()},
      {.multiplier = 1},
      {.multiplier = std::nextafter(1.0, 2.0)},
      {.multiplier = std::numeric_limits<double>::max()},
      {.jitter = Jitter::none},
      {.jitter = Jitter::full},
      {.jitter = Jitter::equal},
      {.jitter = Jitter::decorrelated},
      {.total_timeout = 1ns},
      {.total_timeout = no_timeout},
      {.total_timeout = no_timeout - 1ns},
  };
  for (const RetryConfig& config : good) CHECK(validate(config).empty());
}

TEST_CASE("validate tells of the first wrong field, in reading order") {
  RetryConfig config{.max_retries = -1,
                     .base_delay = -1s,
                     .max_delay = -2s,
                     .multiplier = not_a_number,
                     .jitter = static_cast<Jitter>(9),
                     .total_timeout = 0s};
  const auto field = [&] {
    const std::string text = validate(config);
    return text.substr(0, text.find(' '));
  };
  CHECK(field() == "RetryConfig.max_retries");
  config.max_retries = 3;
  CHECK(field() == "RetryConfig.base_delay");
  config.base_delay = 1s;
  CHECK(field() == "RetryConfig.max_delay");
  config.max_delay = 30s;
  CHECK(field() == "RetryConfig.multiplier");
  config.multiplier = 2;
  CHECK(field() == "RetryConfig.jitter");
  config.jitter = Jitter::full;
  CHECK(field() == "RetryConfig.total_timeout");
  config.total_timeout = 1s;
  CHECK(validate(config).empty());
}

TEST_CASE("a call with a bad config throws std::invalid_argument with that text, and does nothing else") {
  const RetryConfig bad{.max_retries = -1};
  const std::string text = "RetryConfig.max_retries must be in [0, 65535], got -1";
  support::CountingClock clock;
  support::Budget budget{.tokens = 1};
  int touched = 0;
  const auto op = [&] { ++touched; };
  const auto hook = on_give_up([&](const RetryStats&) { ++touched; });
  CHECK_THROWS_AS(retry_with_backoff(op, bad, clock, budget, hook), std::invalid_argument);
  CHECK_THROWS_WITH(retry_with_backoff(op, bad, clock, budget, hook), text);
  CHECK_THROWS_AS(try_retry_with_backoff(op, bad, clock, budget, hook), std::invalid_argument);
  CHECK_THROWS_WITH(try_retry_with_backoff(op, bad, clock, budget, hook), text);
  CHECK(touched == 0);
  CHECK(budget.deposits == 0);
  CHECK(clock.counts().now == 0);
}

TEST_CASE("every bad field is refused by the call as by validate") {
  const std::vector<RetryConfig> bad{
      {.max_retries = 65'536},      {.base_delay = -1ns},   {.max_delay = 500ms},
      {.multiplier = not_a_number}, {.multiplier = 0.5},    {.jitter = static_cast<Jitter>(4)},
      {.total_timeout = 0s},        {.total_timeout = -1s},
  };
  for (const RetryConfig& config : bad) {
    CAPTURE(validate(config));
    int calls = 0;
    CHECK_THROWS_WITH(retry_with_backoff([&] { return ++calls; }, config), validate(config));
    CHECK_THROWS_WITH(try_retry_with_backoff([&] { return ++calls; }, config), validate(config));
    CHECK(calls == 0);
  }
}

TEST_CASE("a bad config is told even to who has cancelled the call") {
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(retry_with_backoff([] {}, {.multiplier = not_a_number}, stop.get_token()),
                  std::invalid_argument);
}

TEST_CASE("the limits of the config are carried out without overflow") {
  using std::chrono::nanoseconds;
  const std::vector<RetryConfig> extremes{
      {.max_retries = 80, .base_delay = 1ns, .max_delay = nanoseconds::max()},
      {.max_retries = 80, .base_delay = nanoseconds::max(), .max_delay = nanoseconds::max()},
      {.max_retries = 80,
       .base_delay = 1ns,
       .max_delay = nanoseconds::max(),
       .multiplier = std::numeric_limits<double>::max()},
      {.max_retries = 80, .base_delay = 1ns, .max_delay = nanoseconds::max(), .multiplier = 1.0001},
  };
  for (RetryConfig config : extremes) {
    for (const Jitter jitter : {Jitter::none, Jitter::full, Jitter::equal, Jitter::decorrelated}) {
      config.jitter = jitter;
      for (const auto total_timeout : {no_timeout, no_timeout - 1ns}) {
        config.total_timeout = total_timeout;
        const test::FakeClock clock;
        const auto result =
            try_retry_with_backoff(support::Flaky{}, config, clock, with_random(support::Largest{}));
        CHECK(result.stats.stop_reason == StopReason::retries_exhausted);
        for (const auto wait : clock.sleeps()) {
          if (wait < 0ns || wait > config.max_delay) FAIL("a wait outside [0, max_delay]");
        }
      }
    }
  }
}
