// storm/scenario.hpp: Scenario, what a simulation plays: clients, the dependencies that they call, what goes
// wrong and when, and the pipelines that are compared. scenario_json.hpp reads one from JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies.hpp"

namespace storm {

using Duration = std::chrono::nanoseconds;

/// When the calls of the clients begin.
enum class Arrivals : std::uint8_t {
  poisson,  ///< at random, independently of each other
  steady,   ///< at equal distances
  closed,   ///< each client calls again `think_time` after its last call has ended
};

/// More or fewer calls for a while.
struct Surge {
  Duration from{};
  Duration to{};
  double factor = 1;  ///< of the rate of arrivals
};

/// Those who call, through a service of `instances` processes. Each process has policies of its own.
struct Clients {
  int count = 1000;             ///< in [10, 1000000]
  int instances = 10;           ///< processes; client i calls through process i % instances
  double calls_per_minute = 6;  ///< of each client
  Arrivals arrivals = Arrivals::poisson;
  Duration think_time{};                        ///< of Arrivals::closed
  Duration timeout = std::chrono::seconds{30};  ///< a client that has waited so long has failed, and leaves
  std::vector<Surge> surges;
};

/// How long a call is served, without the time in the queue.
struct ServiceTime {
  enum class Kind : std::uint8_t { constant, exponential, lognormal };
  Kind kind = Kind::lognormal;
  Duration median = std::chrono::milliseconds{50};
  double p99_ratio = 4;  ///< of lognormal: p99 ÷ median, above 1
};

/// Something that goes wrong for a while.
struct Disturbance {
  enum class Kind : std::uint8_t {
    outage,   ///< connections are refused, or hang until the caller's limit
    slow,     ///< service times are multiplied by `factor`
    errors,   ///< a share of `rate` of the calls fails with `status`
    capacity  ///< the capacity is multiplied by `factor`
  };
  Kind kind = Kind::outage;
  Duration from{};
  Duration to{};
  double factor = 1;
  double rate = 1;
  bool hangs = false;                   ///< of an outage
  int status = 503;                     ///< of errors
  std::optional<Duration> retry_after;  ///< that the failures carry
  int shard = -1;                       ///< only this one; -1: all
};

/// A server with a limit on its rate, as an API gateway has: answers 429 above it.
struct ServerLimit {
  double per_second = 0;  ///< 0: none
  bool retry_after = true;
};

/// What is called. Several in a row are tiers: the first serves the clients and calls the second, and so on;
/// each process of a tier calls the next one through a pipeline of its own.
struct Dependency {
  std::string name = "service";
  int capacity = 50;  ///< calls served at once, by each shard
  int queue = 100;    ///< calls that wait; further ones get 503 at once
  int shards = 1;     ///< a call goes to the shard of its client
  ServiceTime service;
  ServerLimit limit;
  bool drops_abandoned = false;  ///< does it notice that its caller has left?
  std::vector<Disturbance> disturbances;
};

/// A pipeline by its configs, the outermost policy first.
struct PipelineSpec {
  std::string name;   ///< plain_retry
  std::string title;  ///< "Plain retry, 3 at once"
  std::vector<PolicySpec> policies;
};

struct Scenario {
  std::string name;         ///< outage; also the name of its file
  std::string title;        ///< one line
  std::string description;  ///< what happens, and what to look at
  Duration duration = std::chrono::minutes{5};
  Duration warm_up = std::chrono::seconds{30};  ///< before it, nothing counts
  Clients clients;
  std::vector<Dependency> dependencies;  ///< at least one
  std::vector<PipelineSpec> pipelines;   ///< at least one
};

}  // namespace storm
