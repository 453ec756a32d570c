// fusebox/circuit_breaker/stats.hpp: CircuitBreakerStats, a breaker at one moment.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

#include <fusebox/circuit_breaker/state.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// A breaker at one moment (B13). Counts are since construction or the last reset(), and only grow.
struct CircuitBreakerStats {
  State state = State::closed;
  std::uint64_t failure_count = 0;
  std::uint64_t success_count = 0;
  std::uint64_t ignored_count = 0;   ///< calls that say nothing about the dependency
  std::uint64_t rejected_count = 0;  ///< calls that the breaker rejected
  std::uint64_t slow_count = 0;      ///< calls slower than slow_calls allows
  std::uint64_t opened_count = 0;    ///< openings by the rules; force_open() is not one
  int consecutive_failures = 0;      ///< up to 65535; while open, the streak that opened it
  double failure_rate =
      0;  ///< in [0, 1]: in the window of failure_rate if that is set, else of all recorded outcomes
  std::uint64_t window_calls = 0;       ///< recorded outcomes in the window of a rate rule; 0 without one
  std::uint64_t window_failures = 0;    ///< failures in the window of failure_rate; 0 without that rule
  std::uint64_t window_slow_calls = 0;  ///< slow calls in the window of slow_calls; 0 without that rule
  /// Calls under way: the probes while half-open, and all admitted calls while somebody listens by on_call().
  /// Absent otherwise, since nobody counts them.
  std::optional<std::uint64_t> in_flight = std::nullopt;
  /// Wall times, by the breaker's clock; absent until such a call has ended.
  std::optional<std::chrono::system_clock::time_point> last_failure_time;
  std::optional<std::chrono::system_clock::time_point> last_success_time;
  std::optional<Failure> last_failure =
      std::nullopt;                         ///< that opened the breaker last, since the last reset()
  std::chrono::nanoseconds retry_after{0};  ///< while open, the time until a probe may pass; else 0
};

FUSEBOX_END_NAMESPACE
