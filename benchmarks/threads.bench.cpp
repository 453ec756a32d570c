// The cost of one call on some paths (paths.hpp), on several threads at once.
#include <benchmark/benchmark.h>

#include <cstddef>

#include "paths.hpp"

namespace {

constexpr std::size_t batch = 1000;

/// All threads on one breaker. The time is wall time, per call over all threads.
template <class Path>
void run_together(benchmark::State& state) {
  static Path path;
  bench::repeat(path, batch);
  while (state.KeepRunningBatch(batch)) bench::repeat(path, batch);
}

/// No memory, no clock: the scaling of the machine's cores.
struct Registers {
  static constexpr auto name = "call/registers";
  BENCH_INLINE void operator()() {
    int value = bench::op();
    for (int i = 0; i < 20; ++i) asm volatile("add $1, %0" : "+r"(value));
  }
};

template <class... Path>
void add_together() {
  (benchmark::RegisterBenchmark(Path::name, run_together<Path>)->ThreadRange(1, 16)->UseRealTime(), ...);
}

}  // namespace

int main(int argc, char** argv) {
  add_together<Registers, bench::Floor, bench::ClosedDefault, bench::ClosedTextbook, bench::ClosedRateOfCalls,
               bench::ClosedRateOfTime, bench::FailedResult, bench::OpenFallback>();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
