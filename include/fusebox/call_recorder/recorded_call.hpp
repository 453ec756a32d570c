// fusebox/call_recorder/recorded_call.hpp: RecordedCall, one call that a recorder keeps, and
// CallRecorderStats.
#pragma once
// IWYU pragma: private, include <fusebox/call_recorder.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// One call, as on_call() of its policy told it (O1).
struct RecordedCall {
  std::string name;               ///< of the policy; empty if it has none
  std::chrono::nanoseconds time;  ///< when it began, since the recorder was made; below 0 if it began before
  std::optional<std::chrono::nanoseconds> latency;  ///< if it is known
  Outcome outcome = Outcome::ignored;
  std::optional<int> status;      ///< the HTTP status of its failure, if any
  bool is_network_error = false;  ///< did it fail because nobody answered?
  friend bool operator==(const RecordedCall&, const RecordedCall&) = default;
};

/// What a recorder has counted (O2).
struct CallRecorderStats {
  std::uint64_t recorded = 0;  ///< calls in all; those that it no longer keeps too
  std::uint64_t dropped = 0;   ///< of them, the oldest: no longer kept
  friend bool operator==(const CallRecorderStats&, const CallRecorderStats&) = default;
};

FUSEBOX_END_NAMESPACE
