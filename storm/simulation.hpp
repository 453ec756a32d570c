// storm/simulation.hpp: Simulation, one scenario played against one pipeline.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "result.hpp"
#include "scenario.hpp"

namespace storm {

/// The present moment, for a live picture.
struct Live {
  double now_s = 0;
  std::vector<int> breakers;  ///< of each process: fusebox::State as int; empty without a breaker
  std::vector<int> limits;    ///< of each process: its adaptive limit; empty without one
  int busy = 0;
  int queued = 0;
  int capacity = 0;  ///< at this moment, of all shards of the last dependency
  int in_flight = 0;
  int waiting = 0;  ///< clients' calls that wait for a retry, a slot or a permit
  bool disturbed = false;
};

/// A discrete-event simulation. It drives the pipeline's calls step by step on a FakeClock: what it finds is
/// what the library does. The same scenario, pipeline and seed give the same result on every machine (S2).
class Simulation {
 public:
  /// Throws std::invalid_argument or fusebox::ConfigError for what cannot be played.
  Simulation(const Scenario& scenario, const PipelineSpec& pipeline, std::uint64_t seed);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  /// Plays until `time` after its beginning, or its end. True while there is more to play.
  bool run_until(Duration time);
  [[nodiscard]] Live live() const;
  /// So far; all of it once run_until() gave false.
  [[nodiscard]] PipelineResult result() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace storm
