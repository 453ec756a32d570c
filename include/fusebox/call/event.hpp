// fusebox/call/event.hpp: CallEvent, how one call of a policy ended.
#pragma once
// IWYU pragma: private, include <fusebox/call.hpp>

#include <chrono>
#include <optional>
#include <string>

#include <fusebox/detail/macros.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// One call that a policy admitted and that has ended (B18, M5).
struct FUSEBOX_API CallEvent {
  std::string name;  ///< of the policy; empty if it has none
  Outcome outcome = Outcome::ignored;
  /// From admission to settling.
  std::optional<std::chrono::nanoseconds> duration = std::nullopt;
  /// What the call left, if it did not succeed and the failure is known. Valid during the callback.
  const Failure* failure = nullptr;
};

FUSEBOX_END_NAMESPACE
