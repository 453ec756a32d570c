// storm/replay.hpp: replay(), recorded calls under another config; and its result as a table and as CSV.
#pragma once

#include <fusebox/fusebox.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "scenario.hpp"
#include "trace.hpp"

namespace storm {

/// The breaker goes from one state to another.
struct ReplayedChange {
  Duration time{};  ///< since the first call of the trace
  fusebox::State from = fusebox::State::closed;
  fusebox::State to = fusebox::State::closed;
};

/// What a pipeline would have done with the calls of a trace (O5). Calls are those of the trace, attempts
/// what would have reached the dependency.
struct ReplayResult {
  std::string name;
  std::string explanation;  ///< explain() of the real pipeline
  std::uint64_t calls = 0;
  std::uint64_t succeeded = 0;  ///< for their client
  std::uint64_t rejected = 0;   ///< by a policy, without an attempt
  std::uint64_t attempts = 0;
  std::uint64_t hedges = 0;         ///< of the attempts
  std::uint64_t retries = 0;        ///< of the others: the second and later ones of a call
  std::uint64_t doomed_saved = 0;   ///< of the rejected: calls that failed in the trace
  std::uint64_t good_rejected = 0;  ///< of the rejected: calls that succeeded in the trace
  std::uint64_t rescued = 0;        ///< failed in the trace, and succeed
  std::uint64_t cut_short = 0;      ///< succeeded in the trace, and fail after an attempt, as by a timeout
  std::vector<ReplayedChange> changes;  ///< of the innermost breaker
  double p50_ms = 0;                    ///< of the calls that succeed, with their waits; 0 if none does
  double p99_ms = 0;

  /// How often the breaker opened, from any state.
  [[nodiscard]] std::uint64_t opened() const;
  /// When it first did; below 0 if it never did.
  [[nodiscard]] double first_opened_s() const;
};

/// Runs the calls through the real policies of the pipeline, as one process, on a FakeClock. Throws
/// std::invalid_argument for a pipeline that cannot be made.
[[nodiscard]] ReplayResult replay(const Trace& trace, const PipelineSpec& pipeline, std::uint64_t seed);

/// For a terminal: what is in the trace, the pipelines side by side, and each change of a breaker.
[[nodiscard]] std::string replay_table(const Trace& trace, const std::vector<ReplayResult>& results);
/// A row for each pipeline, by RFC 4180.
[[nodiscard]] std::string replay_csv(const Trace& trace, const std::vector<ReplayResult>& results);
/// A row for each change of a breaker.
[[nodiscard]] std::string replay_changes_csv(const std::vector<ReplayResult>& results);

}  // namespace storm
