// storm/trace.hpp: Trace, recorded calls, as fusebox::CallRecorder writes them or any log does;
// parse_trace().
#pragma once

#include <fusebox/fusebox.hpp>

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "scenario.hpp"

namespace storm {

/// What a failed call was answered, as far as it is known.
struct Answer {
  enum class Kind : std::uint8_t { good, status, network, unknown };
  Kind kind = Kind::good;
  int status = 0;
};

struct TracedCall {
  Duration time{};  ///< when it began, since the first one began
  Duration latency{};
  fusebox::Outcome outcome = fusebox::Outcome::success;
  Answer answer;  ///< not of an ignored call
};

/// At least one call, ordered by time.
struct Trace {
  std::vector<TracedCall> calls;
  [[nodiscard]] Duration duration() const { return calls.back().time; }
};

/// Its message names line and column.
struct TraceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads CSV: a header with the columns `time_s`, `latency_ms`, `outcome` and, if there is one, `code`, in
/// any order and among others, then a line for each call, in any order (O4). Throws TraceError.
[[nodiscard]] Trace parse_trace(std::string_view csv);

}  // namespace storm
