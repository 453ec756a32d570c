#include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::check;
using std::chrono::nanoseconds;
using support::Breaker;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double smallest = std::numeric_limits<double>::denorm_min();
constexpr double largest = std::numeric_limits<double>::max();

using Config = CircuitBreakerConfig;

/// The default config with another value.
template <class T>
constexpr Config with(T Config::* field, std::type_identity_t<T> value) {
  Config config;
  config.*field = value;
  return config;
}
constexpr Config with(const FailureRate& rule) { return {.failure_rate = rule}; }
constexpr Config with(const SlowCalls& rule) { return {.slow_calls = rule}; }

constexpr bool accepts(const Config& config) { return !check(config); }

/// Does the check find fault with this field?
constexpr bool refuses(const Config& config, std::string_view field) {
  const auto problem = check(config);
  return problem && problem.field == field;
}

/// Does a config with both rules differ from itself after this change?
template <class Change>
constexpr bool differs(Change change) {
  const Config first{.failure_rate = FailureRate{}, .slow_calls = SlowCalls{}};
  Config other = first;
  change(other);
  return other != first;
}

constexpr Outcome ignore_all(const Failure&) { return Outcome::ignored; }

}  // namespace

TEST_CASE("C3 counts of a breaker's config", "[C3]") {
  constexpr auto failures = &Config::failure_threshold;
  STATIC_REQUIRE(accepts(with(failures, 0)));
  STATIC_REQUIRE(accepts(with(failures, 65'535)));
  STATIC_REQUIRE(refuses(with(failures, -1), "failure_threshold"));
  STATIC_REQUIRE(refuses(with(failures, 65'536), "failure_threshold"));

  constexpr auto successes = &Config::success_threshold;
  STATIC_REQUIRE(accepts(with(successes, 1)));
  STATIC_REQUIRE(accepts(with(successes, 65'535)));
  STATIC_REQUIRE(refuses(with(successes, 0), "success_threshold"));
  STATIC_REQUIRE(refuses(with(successes, 65'536), "success_threshold"));

  constexpr auto probes = &Config::half_open_max_calls;
  STATIC_REQUIRE(accepts(with(probes, 1)));
  STATIC_REQUIRE(accepts(with(probes, 65'535)));
  STATIC_REQUIRE(refuses(with(probes, 0), "half_open_max_calls"));
  STATIC_REQUIRE(refuses(with(probes, 65'536), "half_open_max_calls"));
}

TEST_CASE("C3 durations of a breaker's config", "[C3]") {
  constexpr auto reset = &Config::reset_timeout;
  STATIC_REQUIRE(accepts(with(reset, 1ns)));
  STATIC_REQUIRE(accepts(with(reset, nanoseconds::max())));
  STATIC_REQUIRE(refuses(with(reset, 0s), "reset_timeout"));
  STATIC_REQUIRE(refuses(with(reset, nanoseconds::min()), "reset_timeout"));

  constexpr auto probe = &Config::probe_timeout;
  STATIC_REQUIRE(accepts(with(probe, 0s)));
  STATIC_REQUIRE(accepts(with(probe, nanoseconds::max())));
  STATIC_REQUIRE(refuses(with(probe, -1ns), "probe_timeout"));

  // It may be below reset_timeout.
  constexpr auto longest = &Config::max_reset_timeout;
  STATIC_REQUIRE(accepts(with(longest, 0s)));
  STATIC_REQUIRE(accepts(with(longest, nanoseconds::max())));
  STATIC_REQUIRE(refuses(with(longest, -1ns), "max_reset_timeout"));
}

TEST_CASE("C3 reset_backoff, reset_jitter and classify of a breaker's config", "[C3]") {
  constexpr auto backoff = &Config::reset_backoff;
  STATIC_REQUIRE(accepts(with(backoff, 1.0)));
  STATIC_REQUIRE(accepts(with(backoff, largest)));
  for (const double value : {1.0 - epsilon, 0.0, -2.0, not_a_number, infinity, -infinity})
    CHECK(refuses(with(backoff, value), "reset_backoff"));

  constexpr auto jitter = &Config::reset_jitter;
  STATIC_REQUIRE(accepts(with(jitter, 0.0)));
  STATIC_REQUIRE(accepts(with(jitter, 1.0 - epsilon)));
  for (const double value : {1.0, 1.5, -smallest, not_a_number, infinity})
    CHECK(refuses(with(jitter, value), "reset_jitter"));

  STATIC_REQUIRE(accepts(with(&Config::classify, ignore_all)));
  STATIC_REQUIRE(refuses(with(&Config::classify, nullptr), "classify"));
}

TEMPLATE_TEST_CASE("C3 a rate rule of a breaker's config", "[C3]", FailureRate, SlowCalls) {
  constexpr bool is_slow = std::is_same_v<TestType, SlowCalls>;
  constexpr auto rule_of = [](double threshold, int minimum_calls, Window window) {
    TestType rule;
    rule.threshold = threshold;
    rule.minimum_calls = minimum_calls;
    rule.window = window;
    return with(rule);
  };
  constexpr std::string_view threshold = is_slow ? "slow_calls.threshold" : "failure_rate.threshold";
  constexpr std::string_view calls = is_slow ? "slow_calls.minimum_calls" : "failure_rate.minimum_calls";
  constexpr std::string_view window = is_slow ? "slow_calls.window" : "failure_rate.window";

  for (const double value : {smallest, 1.0}) CHECK(accepts(rule_of(value, 1, last_calls(1))));
  for (const double value : {1.0 + epsilon, 50.0, 0.0, -0.5, not_a_number, infinity})
    CHECK(refuses(rule_of(value, 1, last_calls(1)), threshold));

  STATIC_REQUIRE(accepts(rule_of(1, 65'535, last_calls(65'535))));
  STATIC_REQUIRE(accepts(rule_of(1, 65'535, within(1s))));
  STATIC_REQUIRE(refuses(rule_of(1, 0, last_calls(100)), calls));
  STATIC_REQUIRE(refuses(rule_of(1, 65'536, within(1s)), calls));
  STATIC_REQUIRE(refuses(rule_of(1, 101, last_calls(100)), calls));

  STATIC_REQUIRE(refuses(rule_of(1, 1, last_calls(0)), window));
  STATIC_REQUIRE(refuses(rule_of(1, 1, last_calls(65'536)), window));
  STATIC_REQUIRE(accepts(rule_of(1, 1, within(1ns))));
  STATIC_REQUIRE(accepts(rule_of(1, 1, within(nanoseconds::max()))));
  STATIC_REQUIRE(refuses(rule_of(1, 1, within(0s)), window));
  STATIC_REQUIRE(refuses(rule_of(1, 1, within(-1ns)), window));
}

TEST_CASE("C3 slower_than is above 0", "[C3]") {
  STATIC_REQUIRE(accepts(with(SlowCalls{.slower_than = 1ns})));
  STATIC_REQUIRE(accepts(with(SlowCalls{.slower_than = nanoseconds::max()})));
  STATIC_REQUIRE(refuses(with(SlowCalls{.slower_than = 0s}), "slow_calls.slower_than"));
}

TEST_CASE("C3 the timeout of a call is above 0", "[C3]") {
  STATIC_REQUIRE_FALSE(check(CallOptions{}));
  STATIC_REQUIRE_FALSE(check(CallOptions{.timeout = 1ns}));
  STATIC_REQUIRE(check(CallOptions{.timeout = 0s}));
  CHECK(validate(CallOptions{.timeout = -1ns}) == "CallOptions.timeout must be above 0, got -1ns");
  CHECK(validate(CallOptions{}).empty());

  Breaker breaker{"b"};
  CHECK_THROWS_AS(breaker.execute([] {}, {.timeout = 0s}), std::invalid_argument);
  CHECK_THROWS_WITH(breaker.execute([] {}, {.timeout = 0s}), "CallOptions.timeout must be above 0, got 0s");
}

TEST_CASE("C2 validate names the first wrong field, and the constructor throws the same text", "[C2]") {
  struct Row {
    Config config;
    std::string text;
  };
  const Row rows[] = {
      {{.failure_threshold = -1, .success_threshold = 0, .reset_timeout = 0s},
       "failure_threshold must be in [0, 65535], got -1"},
      {with(&Config::success_threshold, 0), "success_threshold must be in [1, 65535], got 0"},
      {with(&Config::reset_timeout, -1500ms), "reset_timeout must be above 0, got -1500ms"},
      {with(&Config::half_open_max_calls, 0), "half_open_max_calls must be in [1, 65535], got 0"},
      {with(&Config::probe_timeout, -1s), "probe_timeout must be at least 0, got -1s"},
      {with(&Config::reset_backoff, not_a_number), "reset_backoff must be finite and at least 1, got nan"},
      {with(&Config::max_reset_timeout, -3us), "max_reset_timeout must be at least 0, got -3us"},
      {with(&Config::reset_jitter, 1.5), "reset_jitter must be in [0, 1), got 1.5"},
      {with(FailureRate{.threshold = 1 + epsilon}),
       "failure_rate.threshold must be in (0, 1], got 1.0000000000000002"},
      {with(FailureRate{.minimum_calls = 0}), "failure_rate.minimum_calls must be in [1, 65535], got 0"},
      {with(FailureRate{.window = last_calls(19)}),
       "failure_rate.minimum_calls must be at most the window's calls, got 20"},
      {with(FailureRate{.window = last_calls(-1)}),
       "failure_rate.window must be of 1 to 65535 calls, got -1"},
      {with(SlowCalls{.slower_than = -5ms}), "slow_calls.slower_than must be above 0, got -5ms"},
      {with(SlowCalls{.window = within(0s)}), "slow_calls.window must be within a time above 0, got 0s"},
      {with(&Config::classify, nullptr), "classify must be a function, got null"},
  };
  for (const auto& [config, text] : rows) {
    CHECK(validate(config) == "CircuitBreakerConfig." + text);
    CHECK_THROWS_AS(Breaker("b", config), std::invalid_argument);
    CHECK_THROWS_WITH(Breaker("b", config), "CircuitBreakerConfig." + text);
  }
  CHECK(validate(Config{.failure_rate = FailureRate{}, .slow_calls = SlowCalls{}}).empty());
}

TEST_CASE("C2 nothing is clamped: a breaker's config is the one that it was given", "[C2]") {
  const Config config{.failure_threshold = 65'535,
                      .success_threshold = 65'535,
                      .reset_timeout = nanoseconds::max(),
                      .half_open_max_calls = 65'535,
                      .probe_timeout = nanoseconds::max(),
                      .reset_backoff = largest,
                      .max_reset_timeout = 0s,
                      .reset_jitter = 0.5,
                      .failure_rate = FailureRate{.threshold = 1.0},
                      .slow_calls = SlowCalls{.slower_than = 1ns}};
  CHECK(Breaker{"b", config}.config() == config);
}

TEST_CASE("C3 E8 a name of more than 512 bytes is refused", "[C3][E8]") {
  CHECK_THROWS_AS(Breaker(std::string(513, 'a')), std::invalid_argument);
  CHECK_THROWS_WITH(Breaker(std::string(6000, 'a')),
                    "CircuitBreaker.name must be at most 512 bytes, got 6000");
  CHECK(Breaker(std::string(512, 'a')).name().size() == 512);
}

TEST_CASE("C3 an empty name is refused", "[C3]") {
  CHECK_THROWS_AS(Breaker{""}, std::invalid_argument);
  CHECK_THROWS_WITH(Breaker{""}, "CircuitBreaker.name must not be empty, got \"\"");
  CHECK_NOTHROW(Breaker{" "});
}

TEST_CASE("C1 configs compare by every field", "[C1]") {
  STATIC_REQUIRE_FALSE(differs([](Config&) {}));
  STATIC_REQUIRE(differs([](Config& config) { config.failure_threshold = 6; }));
  STATIC_REQUIRE(differs([](Config& config) { config.success_threshold = 3; }));
  STATIC_REQUIRE(differs([](Config& config) { config.reset_timeout += 1ns; }));
  STATIC_REQUIRE(differs([](Config& config) { config.half_open_max_calls = 2; }));
  STATIC_REQUIRE(differs([](Config& config) { config.probe_timeout = 1s; }));
  STATIC_REQUIRE(differs([](Config& config) { config.reset_backoff = 1.5; }));
  STATIC_REQUIRE(differs([](Config& config) { config.max_reset_timeout = 11min; }));
  STATIC_REQUIRE(differs([](Config& config) { config.reset_jitter = 0.25; }));
  STATIC_REQUIRE(differs([](Config& config) { config.failure_rate.reset(); }));
  STATIC_REQUIRE(differs([](Config& config) { config.failure_rate->threshold = 0.75; }));
  STATIC_REQUIRE(differs([](Config& config) { config.failure_rate->minimum_calls = 21; }));
  STATIC_REQUIRE(differs([](Config& config) { config.failure_rate->window = within(10s); }));
  STATIC_REQUIRE(differs([](Config& config) { config.slow_calls.reset(); }));
  STATIC_REQUIRE(differs([](Config& config) { config.slow_calls->slower_than = 1s; }));
  STATIC_REQUIRE(differs([](Config& config) { config.slow_calls->threshold = 0.5; }));
  STATIC_REQUIRE(differs([](Config& config) { config.slow_calls->minimum_calls = 21; }));
  STATIC_REQUIRE(differs([](Config& config) { config.slow_calls->window = last_calls(99); }));
  STATIC_REQUIRE(differs([](Config& config) { config.classify = ignore_all; }));
}
