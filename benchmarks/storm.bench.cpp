// The storm lab: 1,000,000 clients with a call a minute each, for ten minutes, through a standard_pipeline.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <chrono>

#include "scenario_json.hpp"
#include "simulation.hpp"

namespace {

void standard_pipeline(benchmark::State& state) {
  storm::Scenario scenario;
  scenario.duration = std::chrono::minutes{10};
  scenario.clients.count = 1'000'000;
  scenario.clients.calls_per_minute = 1;
  scenario.dependencies.resize(1);
  scenario.dependencies[0].capacity = 2000;
  scenario.dependencies[0].queue = 4000;
  const auto pipeline =
      storm::parse_pipeline(R"({"name": "standard", "policies": [{"policy": "standard_pipeline"}]})");
  for (auto _ : state) {
    storm::Simulation simulation{scenario, pipeline, 1};
    simulation.run_until(scenario.duration);
    state.counters["events"] = static_cast<double>(simulation.result().summary.events);
  }
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    state.counters["bytes_at_most"] = static_cast<double>(used.ru_maxrss) * 1024;  // of the process; in KiB
  }
}

}  // namespace

BENCHMARK(standard_pipeline)->Name("storm/standard_pipeline")->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
