// Breakers, their configs and permits, and registries.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/registry.hpp>

#include <chrono>
#include <utility>

using namespace fusebox;

CircuitBreaker<> breaker{"name"};
Permit permit = breaker.try_acquire();

// A bare number is no duration, although the guide has timeoutMs.
// expect: (could not convert|cannot convert|no viable conversion).*(nanoseconds|duration)
void breaker_config_int_duration() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr CircuitBreakerConfig config{.reset_timeout = 30000};
#else
  constexpr CircuitBreakerConfig config{.reset_timeout = std::chrono::seconds{30}};
#endif
}

// A failure rate goes into failure_rate, not into the count failure_threshold.
// expect: (narrowing conversion|type .double. cannot be narrowed)
void breaker_config_narrowing() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr CircuitBreakerConfig config{.failure_threshold = 0.5};
#else
  constexpr CircuitBreakerConfig config{.failure_rate = FailureRate{.threshold = 0.5}};
#endif
}

// The wait of an open breaker is reset_timeout; timeout is a field of CallOptions.
// expect: (no non-static data member named .timeout|timeout.*does not refer to any field)
void breaker_config_unknown_field() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr CircuitBreakerConfig config{.timeout = std::chrono::seconds{30}};
#else
  constexpr CircuitBreakerConfig config{.reset_timeout = std::chrono::seconds{30}};
#endif
}

// classify returns an Outcome: a bool could not say ignored.
// expect: (could not convert|cannot convert|invalid user-defined conversion|no viable conversion).*Outcome
void classify_returns_bool() {
#ifdef FUSEBOX_COMPILE_FAIL
  const CircuitBreakerConfig config{.classify = [](const Failure&) { return true; }};
#else
  const CircuitBreakerConfig config{.classify = [](const Failure&) { return Outcome::failure; }};
#endif
}

// A number does not say what the window counts: last_calls counts calls, within bounds time.
// expect: (could not convert|cannot convert|no viable conversion|no matching constructor).*Window
void window_from_number() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr FailureRate rate{.window = 100};
#else
  constexpr FailureRate rate{.window = last_calls(100)};
#endif
}

// A breaker is shared by reference or by std::shared_ptr, never copied.
// expect: (use of deleted function|call to deleted constructor).*CircuitBreaker
void breaker_copied() {
#ifdef FUSEBOX_COMPILE_FAIL
  CircuitBreaker<> copy = breaker;
#else
  CircuitBreaker<>& same = breaker;
#endif
}

// A subscriber of a breaker receives a StateChange.
// expect: on_state_change takes a callback.const StateChange&.
void breaker_on_state_change_wrong_callback() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto subscription = breaker.on_state_change([](State from, State to) { return from == to; });
#else
  const auto subscription = breaker.on_state_change([](const StateChange&) {});
#endif
}

// A permit is tested, not counted.
// expect: (cannot convert|no viable conversion).*Permit
void permit_as_number() {
#ifdef FUSEBOX_COMPILE_FAIL
  const bool admitted = breaker.try_acquire();
#else
  const bool admitted{breaker.try_acquire()};
#endif
}

// A permit is for one call: it is moved, never copied.
// expect: (use of deleted function|implicitly.deleted copy constructor|call to (implicitly-)?deleted).*Permit
void permit_copied() {
#ifdef FUSEBOX_COMPILE_FAIL
  Permit copy = permit;
#else
  Permit moved = std::move(permit);
#endif
}

// A registry is shared by reference, never copied.
// expect: (use of deleted function|call to deleted constructor).*CircuitBreakerRegistry
void registry_copied() {
#ifdef FUSEBOX_COMPILE_FAIL
  auto registry = default_registry();
#else
  auto& registry = default_registry();
#endif
}

// A subscriber of a registry receives a StateChange.
// expect: on_state_change takes a callback.const StateChange&.
void registry_on_state_change_wrong_callback() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto subscription = default_registry().on_state_change([] {});
#else
  const auto subscription = default_registry().on_state_change([](const StateChange&) {});
#endif
}
