// telemetry.hpp
// Calls and changes of state as attributes of OpenTelemetry: docs/telemetry.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <fusebox/fusebox.hpp>

namespace telemetry {

/// error.type: the status of an answer, else a code as "category.value", a name with few values.
inline std::string error_type(const fusebox::Failure& failure) {
  const std::error_code code = failure.code();
  if (code.category() == fusebox::http_category()) return std::to_string(code.value());
  return code ? fmt::format("{}.{}", code.category().name(), code.value()) : "_OTHER";
}

/// The attributes of a call that on_call reports. `set(name, value)` gets each attribute.
template <class Set>
void describe(const fusebox::CallEvent& event, Set set) {
  set("fusebox.policy.name", std::string_view{event.name});
  set("fusebox.call.outcome", to_string(event.outcome));
  if (event.duration) set("fusebox.call.duration", std::chrono::duration<double>{*event.duration}.count());
  if (event.failure == nullptr) return;
  set("error.type", std::string_view{error_type(*event.failure)});
  if (event.failure->code().category() == fusebox::http_category())
    set("http.response.status_code", std::int64_t{event.failure->code().value()});
}

/// The attributes of a change that on_state_change of a breaker reports.
template <class Set>
void describe(const fusebox::StateChange& change, Set set) {
  set("fusebox.policy.name", std::string_view{change.name});
  set("fusebox.circuit_breaker.state", to_string(change.to));
  set("fusebox.circuit_breaker.previous_state", to_string(change.from));
  set("fusebox.circuit_breaker.reason", to_string(change.reason));
  if (change.cause) set("error.type", std::string_view{error_type(*change.cause)});
}

/// The attributes of an attempt, known to op: 1 for the first retry, absent for the first attempt.
template <class Set>
void describe(const fusebox::Call& call, Set set) {
  if (call.attempt() > 1) set("http.request.resend_count", std::int64_t{call.attempt() - 1});
}

}  // namespace telemetry
