// The cost of one call on each path (paths.hpp), on the only thread of the process.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <tuple>

#include "paths.hpp"

namespace {

constexpr std::size_t batch = 1000;

template <class Path>
void run_alone(benchmark::State& state) {
  Path path;
  bench::repeat(path, batch);
  while (state.KeepRunningBatch(batch)) bench::repeat(path, batch);
}

template <class... Path>
void add_alone(const std::tuple<Path...>*) {
  (benchmark::RegisterBenchmark(Path::name, run_alone<Path>), ...);
}

}  // namespace

int main(int argc, char** argv) {
  add_alone(static_cast<bench::Paths*>(nullptr));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
