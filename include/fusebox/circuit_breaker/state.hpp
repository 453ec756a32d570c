// fusebox/circuit_breaker/state.hpp: State, and the events of a breaker: StateChange.
//
// CallEvent, which all policies share, is in <fusebox/call.hpp>.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <fusebox/call/event.hpp>  // IWYU pragma: export
#include <fusebox/detail/macros.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What a breaker does with calls.
enum class State : unsigned char {
  closed,       ///< calls pass
  open,         ///< calls are rejected until a probe may pass
  half_open,    ///< a few calls pass as probes, the others are rejected
  forced_open,  ///< calls are rejected until reset()
  disabled,     ///< calls pass and are counted until reset()
};

[[nodiscard]] constexpr std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::closed: return "closed";
    case State::open: return "open";
    case State::half_open: return "half-open";
    case State::forced_open: return "forced-open";
    case State::disabled: return "disabled";
  }
  return "unknown";
}

/// Why a breaker changed its state (the table of B21 in docs/rules.md).
enum class StateChangeReason : unsigned char {
  failure_threshold,
  failure_rate,
  slow_calls,
  probe_admitted,
  probe_failed,
  probes_succeeded,
  forced,
  disabled,
  reset,
};

[[nodiscard]] constexpr std::string_view to_string(StateChangeReason reason) noexcept {
  switch (reason) {
    case StateChangeReason::failure_threshold: return "failure_threshold";
    case StateChangeReason::failure_rate: return "failure_rate";
    case StateChangeReason::slow_calls: return "slow_calls";
    case StateChangeReason::probe_admitted: return "probe_admitted";
    case StateChangeReason::probe_failed: return "probe_failed";
    case StateChangeReason::probes_succeeded: return "probes_succeeded";
    case StateChangeReason::forced: return "forced";
    case StateChangeReason::disabled: return "disabled";
    case StateChangeReason::reset: return "reset";
  }
  return "unknown";
}

/// One change of a breaker's state. Each `from` is the `to` of the breaker's change before it (B14).
struct FUSEBOX_API StateChange {
  std::string name;  ///< of the breaker
  State from = State::closed;
  State to = State::closed;
  std::chrono::system_clock::time_point at;  ///< wall time, by the breaker's clock
  StateChangeReason reason = StateChangeReason::reset;
  /// The failure that opened the breaker, if it is known (B18): of the last of the calls that did. None for a
  /// slow success, a permit that reported without a Failure, and a change that is no opening.
  std::optional<Failure> cause = std::nullopt;
};

FUSEBOX_END_NAMESPACE
