// storm/result.hpp: Result, what a simulation has measured. The report, the CSV, the table and the playground
// show it; nothing in it depends on the machine (S2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenario.hpp"

namespace storm {

/// One second of simulated time.
struct Second {
  std::uint64_t calls = 0;      ///< of clients that began
  std::uint64_t succeeded = 0;  ///< calls that ended well, for their client
  std::uint64_t failed = 0;     ///< that failed, or took too long
  std::uint64_t rejected = 0;   ///< of the failed: by a policy, without an attempt
  std::uint64_t attempts = 0;   ///< that reached the last dependency: its load
  std::uint64_t served = 0;     ///< attempts that it answered well
  std::uint64_t wasted = 0;     ///< of those: nobody waited any more
  std::uint64_t retries = 0;    ///< of the attempts: the second and later ones of a call
  std::uint64_t hedges = 0;
  double busy = 0;           ///< calls being served, at the end of the second
  double queued = 0;         ///< calls in its queue
  double in_flight = 0;      ///< calls of clients under way
  double open_breakers = 0;  ///< share of the processes whose breaker is not closed
  double limit = 0;          ///< mean of the adaptive limits; 0 without one
  double p50_ms = 0;         ///< of the calls that succeeded in this second; 0 if none did
  double p99_ms = 0;
  friend bool operator==(const Second&, const Second&) = default;
};

/// A pipeline over the whole run after the warm-up. Ratios of nothing are 0.
struct Summary {
  std::uint64_t calls = 0;
  double success_ratio = 0;  ///< of the clients' calls
  /// Load on the last dependency: the busiest second ÷ the load without a disturbance and without retries.
  /// Counted from the end of the last disturbance (the recovery); over the whole run if there is none, or if
  /// it does not end before the run.
  double peak_load_ratio = 0;
  double peak_load_ratio_overall = 0;  ///< the same over the whole run
  double amplification = 0;            ///< attempts ÷ calls
  double wasted_ratio = 0;             ///< attempts that brought no success to a client ÷ attempts
  /// From the end of the last disturbance until the first of 10 seconds in a row in which as large a share of
  /// the calls succeeds as before it, less 1 %; infinity if that never comes; 0 without a disturbance.
  double recovery_s = 0;
  double p50_ms = 0;  ///< of calls that succeeded
  double p99_ms = 0;
  double rejected_ratio = 0;  ///< calls that a policy refused ÷ calls
  std::uint64_t events = 0;   ///< of the simulation
  friend bool operator==(const Summary&, const Summary&) = default;
};

struct PipelineResult {
  std::string name;
  std::string title;
  std::string explanation;  ///< explain() of the real pipeline
  Summary summary;
  std::vector<Second> seconds;  ///< the warm-up too
};

struct Result {
  Scenario scenario;
  std::uint64_t seed = 0;
  std::vector<PipelineResult> pipelines;
};

}  // namespace storm
