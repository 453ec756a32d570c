// How the cost grows with the size of a window, and how much memory breakers take.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <fusebox/registry.hpp>

#include "measure.hpp"

namespace {

struct Watched {
  fusebox::CircuitBreaker<> breaker;
  explicit Watched(fusebox::Window window)
      : breaker{"payments", {.failure_rate = fusebox::FailureRate{.minimum_calls = 10, .window = window}}} {}
  BENCH_INLINE void operator()() {
    bench::keep(breaker.execute([] { return bench::op(); }));
  }
};

void run(benchmark::State& state, fusebox::Window window) {
  constexpr std::size_t batch = 1000;
  Watched watched{window};
  bench::repeat(watched, 20 * batch);  // so that the window is full
  while (state.KeepRunningBatch(batch)) bench::repeat(watched, batch);
}

void count_window(benchmark::State& state) {
  run(state, fusebox::last_calls(static_cast<int>(state.range(0))));
}
void time_window(benchmark::State& state) {
  run(state, fusebox::within(std::chrono::seconds{state.range(0)}));
}

#if defined(__GLIBC__)
/// The bytes from malloc for idle breakers in a registry, including their names and table entries.
void registry_memory(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  double bytes = 0;
  for (auto _ : state) {
    const auto registry =
        std::make_unique<fusebox::CircuitBreakerRegistry<>>(fusebox::RegistryConfig{.max_breakers = count});
    const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int i = 0; i < count; ++i) registry->get("service-" + std::to_string(100'000'000 + i));
    bytes = static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd - before);
  }
  state.counters["bytes_per_breaker"] = bytes / count;
  state.counters["sizeof_breaker"] = static_cast<double>(sizeof(fusebox::CircuitBreaker<>));
}
BENCHMARK(registry_memory)->Name("memory/registry")->RangeMultiplier(10)->Range(1, 1'000'000)->Iterations(1);
#endif

}  // namespace

BENCHMARK(count_window)->Name("window/last_calls")->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK(time_window)->Name("window/within_seconds")->RangeMultiplier(10)->Range(1, 10'000);
BENCHMARK_MAIN();
