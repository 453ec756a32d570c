// The delays that a retry draws: the cost of a failed attempt, and the distribution of the third delay.
#include <benchmark/benchmark.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

namespace {

using std::chrono::milliseconds;

/// Counters bin_00 … bin_39 hold the shares of the third delay from 0 to 2 s, in steps of 50 ms.
void third_delay(benchmark::State& state, fusebox::Jitter jitter) {
  constexpr int bins = 40;
  const fusebox::RetryConfig config{
      .max_retries = 3, .base_delay = milliseconds{250}, .max_delay = milliseconds{1900}, .jitter = jitter};
  std::mt19937_64 random{1};
  std::vector<double> count(bins);
  double runs = 0;
  for (auto _ : state) {
    const fusebox::test::FakeClock clock;
    benchmark::DoNotOptimize(fusebox::try_retry_with_backoff(
        [] { return make_error_code(fusebox::ErrorCode::service_unavailable); }, config, clock,
        fusebox::with_random(random)));
    const auto bin = clock.sleeps().at(2) / milliseconds{50};
    count.at(static_cast<std::size_t>(bin)) += 1;
    runs += 1;
  }
  for (std::size_t bin = 0; bin < count.size(); ++bin) {
    state.counters[(bin < 10 ? "bin_0" : "bin_") + std::to_string(bin)] = count[bin] / runs;
  }
}

}  // namespace

int main(int argc, char** argv) {
  using fusebox::Jitter;
  for (const auto& [jitter, name] :
       {std::pair{Jitter::none, "jitter/none"}, std::pair{Jitter::full, "jitter/full"},
        std::pair{Jitter::equal, "jitter/equal"}, std::pair{Jitter::decorrelated, "jitter/decorrelated"}}) {
    benchmark::RegisterBenchmark(name, third_delay, jitter)->Iterations(20'000);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
