// stress/configs.hpp: the configs of the stressed breakers: each rule by itself, and all at once.
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

namespace stress {

struct Named {
  const char* name;
  fusebox::CircuitBreakerConfig config;
};

inline std::vector<Named> configs() {
  using namespace std::chrono_literals;
  using fusebox::FailureRate;
  using fusebox::last_calls;
  using fusebox::SlowCalls;
  using fusebox::within;
  const FailureRate of_calls{.threshold = 0.5, .minimum_calls = 10, .window = last_calls(20)};
  const FailureRate of_time{.threshold = 0.5, .minimum_calls = 10, .window = within(10s)};
  const SlowCalls slow{.slower_than = 2s, .threshold = 0.5, .minimum_calls = 5, .window = last_calls(10)};
  return {
      {"the default", {}},
      {"three probes at once", {.success_threshold = 3, .half_open_max_calls = 3}},
      {"quick waits and silent probes",
       {.failure_threshold = 2, .reset_timeout = 200ms, .probe_timeout = 50ms}},
      {"waits that grow",
       {.reset_timeout = 1s, .reset_backoff = 2.0, .max_reset_timeout = 30s, .reset_jitter = 0.5}},
      {"a rate of calls", {.failure_threshold = 0, .reset_timeout = 5s, .failure_rate = of_calls}},
      {"a rate of time", {.failure_threshold = 0, .reset_timeout = 5s, .failure_rate = of_time}},
      {"slow calls", {.reset_timeout = 5s, .slow_calls = slow}},
      {"all rules",
       {.reset_timeout = 5s, .half_open_max_calls = 2, .failure_rate = of_time, .slow_calls = slow}},
  };
}

/// The length of a storm, in steps of each thread; FUSEBOX_STRESS_STEPS overrides it.
inline int steps() {
  const char* given = std::getenv("FUSEBOX_STRESS_STEPS");
  return given != nullptr ? std::stoi(given) : 3'000;
}

inline constexpr int threads = 4;

}  // namespace stress
