#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using support::Breaker;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// validate() says so, and the constructor throws with the same text.
void refused(const CircuitBreakerConfig& config, const std::string& what) {
  const std::string text = "CircuitBreakerConfig." + what;
  CHECK(validate(config) == text);
  CHECK_THROWS_AS(Breaker("b", config), std::invalid_argument);
  CHECK_THROWS_WITH(Breaker("b", config), text);
}

void accepted(const CircuitBreakerConfig& config) {
  CHECK(validate(config).empty());
  CHECK_NOTHROW(Breaker("b", config));
}

template <class T>
CircuitBreakerConfig with(T CircuitBreakerConfig::* field, std::type_identity_t<T> value) {
  CircuitBreakerConfig config;
  config.*field = value;
  return config;
}

CircuitBreakerConfig with(const FailureRate& rule) { return {.failure_rate = rule}; }
CircuitBreakerConfig with(const SlowCalls& rule) { return {.slow_calls = rule}; }

}  // namespace

TEST_CASE("7.1 the config is an aggregate whose defaults are the design's") {
  static_assert(std::is_aggregate_v<CircuitBreakerConfig>);
  static_assert(std::is_aggregate_v<FailureRate> && std::is_aggregate_v<SlowCalls>);
  static_assert(std::is_aggregate_v<CallOptions>);
  const CircuitBreakerConfig config;
  CHECK(config.failure_threshold == 5);
  CHECK(config.success_threshold == 2);
  CHECK(config.reset_timeout == 60s);
  CHECK(config.half_open_max_calls == 1);
  CHECK(config.probe_timeout == 0s);
  CHECK(config.reset_backoff == 1.0);
  CHECK(config.max_reset_timeout == 10min);
  CHECK(config.reset_jitter == 0.0);
  CHECK_FALSE(config.failure_rate);
  CHECK_FALSE(config.slow_calls);
  CHECK((config.classify == default_outcome));
  const FailureRate rate;
  CHECK(rate.threshold == 0.5);
  CHECK(rate.minimum_calls == 20);
  CHECK((rate.window == last_calls(100)));
  const SlowCalls slow;
  CHECK(slow.slower_than == 60s);
  CHECK(slow.threshold == 1.0);
  CHECK(slow.minimum_calls == 20);
  CHECK((slow.window == last_calls(100)));
  CHECK(CallOptions{}.timeout == no_timeout);
}

TEST_CASE("7.1 the default config and rules are valid") {
  accepted({});
  accepted({.failure_rate = FailureRate{}, .slow_calls = SlowCalls{}});
  CHECK(validate(CallOptions{}).empty());
}

TEST_CASE("7.1 failure_threshold is in [0, 65535]") {
  const auto field = &CircuitBreakerConfig::failure_threshold;
  refused(with(field, -1), "failure_threshold must be in [0, 65535], got -1");
  refused(with(field, 65'536), "failure_threshold must be in [0, 65535], got 65536");
  refused(with(field, std::numeric_limits<int>::min()),
          "failure_threshold must be in [0, 65535], got -2147483648");
  accepted(with(field, 0));
  accepted(with(field, 65'535));
}

TEST_CASE("7.1 success_threshold is in [1, 65535]") {
  const auto field = &CircuitBreakerConfig::success_threshold;
  refused(with(field, 0), "success_threshold must be in [1, 65535], got 0");
  refused(with(field, -1), "success_threshold must be in [1, 65535], got -1");
  refused(with(field, 65'536), "success_threshold must be in [1, 65535], got 65536");
  accepted(with(field, 1));
  accepted(with(field, 65'535));
}

TEST_CASE("7.1 half_open_max_calls is in [1, 65535]") {
  const auto field = &CircuitBreakerConfig::half_open_max_calls;
  refused(with(field, 0), "half_open_max_calls must be in [1, 65535], got 0");
  refused(with(field, -7), "half_open_max_calls must be in [1, 65535], got -7");
  refused(with(field, 65'536), "half_open_max_calls must be in [1, 65535], got 65536");
  accepted(with(field, 1));
  accepted(with(field, 65'535));
}

TEST_CASE("7.1 reset_timeout is above 0") {
  const auto field = &CircuitBreakerConfig::reset_timeout;
  refused(with(field, 0s), "reset_timeout must be above 0, got 0s");
  refused(with(field, -1ns), "reset_timeout must be above 0, got -1ns");
  refused(with(field, -1500ms), "reset_timeout must be above 0, got -1500ms");
  refused(with(field, nanoseconds::min()), "reset_timeout must be above 0, got -9223372036854775808ns");
  accepted(with(field, 1ns));
  accepted(with(field, nanoseconds::max()));
}

TEST_CASE("7.1 probe_timeout is at least 0") {
  const auto field = &CircuitBreakerConfig::probe_timeout;
  refused(with(field, -1ns), "probe_timeout must be at least 0, got -1ns");
  refused(with(field, -1s), "probe_timeout must be at least 0, got -1s");
  accepted(with(field, 0s));
  accepted(with(field, 1ns));
  accepted(with(field, nanoseconds::max()));
}

TEST_CASE("7.1 reset_backoff is finite and at least 1") {
  const auto field = &CircuitBreakerConfig::reset_backoff;
  refused(with(field, 0.5), "reset_backoff must be finite and at least 1, got 0.5");
  refused(with(field, 0.0), "reset_backoff must be finite and at least 1, got 0");
  refused(with(field, -2.0), "reset_backoff must be finite and at least 1, got -2");
  refused(with(field, not_a_number), "reset_backoff must be finite and at least 1, got nan");
  refused(with(field, infinity), "reset_backoff must be finite and at least 1, got inf");
  refused(with(field, -infinity), "reset_backoff must be finite and at least 1, got -inf");
  accepted(with(field, 1.0));
  accepted(with(field, std::numeric_limits<double>::max()));
}

TEST_CASE("7.1 max_reset_timeout is at least 0, and may be below reset_timeout") {
  const auto field = &CircuitBreakerConfig::max_reset_timeout;
  refused(with(field, -1ns), "max_reset_timeout must be at least 0, got -1ns");
  refused(with(field, -3us), "max_reset_timeout must be at least 0, got -3us");
  accepted(with(field, 0s));
  accepted(with(field, 1s));
  accepted(with(field, nanoseconds::max()));
}

TEST_CASE("7.1 reset_jitter is in [0, 1)") {
  const auto field = &CircuitBreakerConfig::reset_jitter;
  refused(with(field, 1.0), "reset_jitter must be in [0, 1), got 1");
  refused(with(field, 1.5), "reset_jitter must be in [0, 1), got 1.5");
  refused(with(field, -0.25), "reset_jitter must be in [0, 1), got -0.25");
  refused(with(field, not_a_number), "reset_jitter must be in [0, 1), got nan");
  refused(with(field, infinity), "reset_jitter must be in [0, 1), got inf");
  CHECK_FALSE(validate(with(field, -std::numeric_limits<double>::denorm_min())).empty());
  accepted(with(field, 0.0));
  accepted(with(field, std::nextafter(1.0, 0.0)));
}

TEST_CASE("7.1 the thresholds of both rate rules are in (0, 1]") {
  refused(with(FailureRate{.threshold = 1.5}), "failure_rate.threshold must be in (0, 1], got 1.5");
  refused(with(FailureRate{.threshold = 0.0}), "failure_rate.threshold must be in (0, 1], got 0");
  refused(with(FailureRate{.threshold = -0.5}), "failure_rate.threshold must be in (0, 1], got -0.5");
  refused(with(FailureRate{.threshold = not_a_number}), "failure_rate.threshold must be in (0, 1], got nan");
  refused(with(FailureRate{.threshold = infinity}), "failure_rate.threshold must be in (0, 1], got inf");
  accepted(with(FailureRate{.threshold = 1.0}));
  accepted(with(FailureRate{.threshold = std::numeric_limits<double>::denorm_min()}));

  refused(with(SlowCalls{.threshold = 50.0}), "slow_calls.threshold must be in (0, 1], got 50");
  refused(with(SlowCalls{.threshold = 0.0}), "slow_calls.threshold must be in (0, 1], got 0");
  refused(with(SlowCalls{.threshold = not_a_number}), "slow_calls.threshold must be in (0, 1], got nan");
  accepted(with(SlowCalls{.threshold = 1.0}));
  accepted(with(SlowCalls{.threshold = 0.01}));
}

TEST_CASE("7.1 minimum_calls is in [1, 65535], and at most a count window's calls") {
  refused(with(FailureRate{.minimum_calls = 0}), "failure_rate.minimum_calls must be in [1, 65535], got 0");
  refused(with(FailureRate{.minimum_calls = -1}), "failure_rate.minimum_calls must be in [1, 65535], got -1");
  refused(with(FailureRate{.minimum_calls = 65'536}),
          "failure_rate.minimum_calls must be in [1, 65535], got 65536");
  refused(with(FailureRate{.minimum_calls = 101}),
          "failure_rate.minimum_calls must be at most the window's calls, got 101");
  refused(with(FailureRate{.window = last_calls(19)}),
          "failure_rate.minimum_calls must be at most the window's calls, got 20");
  accepted(with(FailureRate{.minimum_calls = 100}));
  accepted(with(FailureRate{.window = last_calls(20)}));
  accepted(with(FailureRate{.minimum_calls = 65'535, .window = last_calls(65'535)}));
  accepted(with(FailureRate{.minimum_calls = 65'535, .window = within(1s)}));

  refused(with(SlowCalls{.minimum_calls = 0}), "slow_calls.minimum_calls must be in [1, 65535], got 0");
  refused(with(SlowCalls{.minimum_calls = 101}),
          "slow_calls.minimum_calls must be at most the window's calls, got 101");
  accepted(with(SlowCalls{.minimum_calls = 1, .window = last_calls(1)}));
}

TEST_CASE("7.1 a window is of 1 to 65535 calls, or within a time above 0") {
  refused(with(FailureRate{.minimum_calls = 1, .window = last_calls(0)}),
          "failure_rate.window must be of 1 to 65535 calls, got 0");
  refused(with(FailureRate{.minimum_calls = 1, .window = last_calls(-1)}),
          "failure_rate.window must be of 1 to 65535 calls, got -1");
  refused(with(FailureRate{.window = last_calls(65'536)}),
          "failure_rate.window must be of 1 to 65535 calls, got 65536");
  refused(with(FailureRate{.window = within(0s)}),
          "failure_rate.window must be within a time above 0, got 0s");
  refused(with(FailureRate{.window = within(-1ns)}),
          "failure_rate.window must be within a time above 0, got -1ns");
  accepted(with(FailureRate{.minimum_calls = 1, .window = last_calls(1)}));
  accepted(with(FailureRate{.window = last_calls(65'535)}));
  accepted(with(FailureRate{.window = within(1ns)}));
  accepted(with(FailureRate{.window = within(nanoseconds::max())}));

  refused(with(SlowCalls{.window = last_calls(65'536)}),
          "slow_calls.window must be of 1 to 65535 calls, got 65536");
  refused(with(SlowCalls{.window = within(0s)}), "slow_calls.window must be within a time above 0, got 0s");
  accepted(with(SlowCalls{.window = within(10s)}));
}

TEST_CASE("7.1 last_calls and within take anything without throwing; validate refuses") {
  static_assert(noexcept(last_calls(-5)));
  constexpr nanoseconds negative{-1};
  static_assert(noexcept(within(negative)));
  constexpr Window calls = last_calls(-5);
  constexpr Window time = within(negative);
  static_assert(!calls.is_time() && calls.calls() == -5);
  static_assert(time.is_time() && time.length() == negative);
}

TEST_CASE("7.1 slower_than is above 0") {
  refused(with(SlowCalls{.slower_than = 0s}), "slow_calls.slower_than must be above 0, got 0s");
  refused(with(SlowCalls{.slower_than = -5ms}), "slow_calls.slower_than must be above 0, got -5ms");
  accepted(with(SlowCalls{.slower_than = 1ns}));
  accepted(with(SlowCalls{.slower_than = nanoseconds::max()}));
}

TEST_CASE("7.1 classify is a function") {
  refused(with(&CircuitBreakerConfig::classify, nullptr), "classify must be a function, got null");
  accepted(with(&CircuitBreakerConfig::classify, [](const Failure&) { return Outcome::ignored; }));
}

TEST_CASE("3 the text shows a refused value as it is, not rounded into the range") {
  CHECK(validate(with(FailureRate{.threshold = std::nextafter(1.0, 2.0)})) ==
        "CircuitBreakerConfig.failure_rate.threshold must be in (0, 1], got 1.0000000000000002");
  CHECK(validate(with(&CircuitBreakerConfig::reset_backoff, std::nextafter(1.0, 0.0))) ==
        "CircuitBreakerConfig.reset_backoff must be finite and at least 1, got 0.9999999999999999");
}

TEST_CASE("3 nothing is clamped in silence: a breaker's config is the one it was given") {
  const CircuitBreakerConfig config{.failure_threshold = 65'535,
                                    .success_threshold = 65'535,
                                    .reset_timeout = nanoseconds::max(),
                                    .half_open_max_calls = 65'535,
                                    .probe_timeout = nanoseconds::max(),
                                    .reset_backoff = std::numeric_limits<double>::max(),
                                    .max_reset_timeout = 0s,
                                    .reset_jitter = 0.5,
                                    .failure_rate = FailureRate{.threshold = 1.0},
                                    .slow_calls = SlowCalls{.slower_than = 1ns}};
  const Breaker breaker{"b", config};
  CHECK(breaker.config() == config);
}

TEST_CASE("3 an empty name is refused") {
  CHECK_THROWS_AS(Breaker{""}, std::invalid_argument);
  CHECK_THROWS_WITH(Breaker{""}, "CircuitBreaker.name must not be empty, got \"\"");
  CHECK_THROWS_AS(CircuitBreaker<>{std::string{}}, std::invalid_argument);
  CHECK_NOTHROW(Breaker{" "});
}

TEST_CASE("3 a timeout of CallOptions is above 0") {
  CHECK(validate(CallOptions{.timeout = 0s}) == "CallOptions.timeout must be above 0, got 0s");
  CHECK(validate(CallOptions{.timeout = -1ns}) == "CallOptions.timeout must be above 0, got -1ns");
  CHECK(validate(CallOptions{.timeout = 1ns}).empty());
  CHECK(validate(CallOptions{.timeout = no_timeout}).empty());

  Breaker breaker{"b"};
  CHECK_THROWS_WITH(breaker.execute([] {}, {.timeout = 0s}), "CallOptions.timeout must be above 0, got 0s");
  CHECK_THROWS_WITH(breaker.execute([] {}, [] {}, {.timeout = -1ns}),
                    "CallOptions.timeout must be above 0, got -1ns");
}

TEST_CASE("3 configs compare by every field") {
  const CircuitBreakerConfig config;
  CHECK(config == CircuitBreakerConfig{});
  CHECK(config != with(&CircuitBreakerConfig::failure_threshold, 6));
  CHECK(config != with(&CircuitBreakerConfig::probe_timeout, 1s));
  CHECK(config != with(FailureRate{}));
  CHECK(with(FailureRate{}) == with(FailureRate{}));
  CHECK(with(FailureRate{}) != with(FailureRate{.threshold = 0.6}));
  CHECK(with(FailureRate{}) != with(FailureRate{.minimum_calls = 21}));
  CHECK(with(FailureRate{}) != with(FailureRate{.window = within(10s)}));
  CHECK(with(FailureRate{.window = within(10s)}) != with(FailureRate{.window = within(11s)}));
  CHECK(with(SlowCalls{}) == with(SlowCalls{}));
  CHECK(with(SlowCalls{}) != with(SlowCalls{.slower_than = 1s}));
  CHECK(with(SlowCalls{}) != with(SlowCalls{.threshold = 0.5}));
  CHECK(with(SlowCalls{}) != with(SlowCalls{.minimum_calls = 21}));
  CHECK(with(SlowCalls{}) != with(SlowCalls{.window = last_calls(99)}));
  CHECK(config != with(&CircuitBreakerConfig::classify, [](const Failure&) { return Outcome::ignored; }));
}
