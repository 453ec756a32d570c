// Reports on every breaker of a registry: stats, the health document, the metrics, each beside the plainest
// equivalent code.
#include <benchmark/benchmark.h>

#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include <fmt/format.h>

#include <fusebox/health.hpp>
#include <fusebox/metrics.hpp>
#include <fusebox/registry.hpp>

namespace {

using fusebox::CircuitBreakerRegistry;
using fusebox::CircuitBreakerStats;
using Stats = std::map<std::string, CircuitBreakerStats>;

/// Breakers with one success and one failure each.
std::unique_ptr<CircuitBreakerRegistry<>> make_registry(int count) {
  auto registry = std::make_unique<CircuitBreakerRegistry<>>(fusebox::RegistryConfig{.max_breakers = count});
  for (int i = 0; i < count; ++i) {
    const auto breaker = registry->get("service-" + std::to_string(100'000'000 + i));
    breaker->try_acquire().success();
    breaker->try_acquire().failure();
  }
  return registry;
}

double unix_seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>{time.time_since_epoch()}.count();
}

/// The fields of the health document, formatted with fmt, one call per breaker.
std::string plain_json(const Stats& all) {
  std::string out;
  for (const auto& [name, stats] : all) {
    fmt::format_to(std::back_inserter(out),
                   R"("{}":{{"state":"{}","failureCount":{},"successCount":{},"lastFailureTime":"{}",)"
                   R"("lastSuccessTime":"{}","failureRate":{},"ignoredCount":{},"rejectedCount":{},)"
                   R"("slowCount":{},"openedCount":{},"consecutiveFailures":{},"retryAfterMs":{}}},)",
                   name, to_string(stats.state), stats.failure_count, stats.success_count,
                   unix_seconds(*stats.last_failure_time), unix_seconds(*stats.last_success_time),
                   stats.failure_rate, stats.ignored_count, stats.rejected_count, stats.slow_count,
                   stats.opened_count, stats.consecutive_failures, stats.retry_after.count() / 1'000'000);
  }
  return out;
}

/// The samples of the metrics, formatted with fmt, one call per sample.
std::string plain_metrics(const Stats& all) {
  std::string out;
  const auto sample = [&](const std::string& name, const char* metric, const auto& value) {
    fmt::format_to(std::back_inserter(out), "fusebox_circuit_breaker_{}{{name=\"{}\"}} {}\n", metric, name,
                   value);
  };
  for (const auto& [name, stats] : all) {
    sample(name, "calls_total_success", stats.success_count);
    sample(name, "calls_total_failure", stats.failure_count);
    sample(name, "calls_total_ignored", stats.ignored_count);
    sample(name, "rejected_total", stats.rejected_count);
    sample(name, "opened_total", stats.opened_count);
    for (int state = 0; state < 5; ++state)
      sample(name, "state", static_cast<int>(stats.state) == state ? 1 : 0);
    sample(name, "failure_ratio", stats.failure_rate);
    sample(name, "last_failure_timestamp_seconds", unix_seconds(*stats.last_failure_time));
  }
  return out;
}

template <class Look>
void run(benchmark::State& state, Look look) {
  const auto registry = make_registry(static_cast<int>(state.range(0)));
  const Stats all = registry->stats();
  for (auto _ : state) benchmark::DoNotOptimize(look(*registry, all));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void stats(benchmark::State& state) {
  run(state, [](const auto& registry, const Stats&) { return registry.stats(); });
}
void copy_map(benchmark::State& state) {
  run(state, [](const auto&, const Stats& all) { return Stats{all}; });
}
void health_json(benchmark::State& state) {
  const fusebox::HealthReport report = health_report(*make_registry(static_cast<int>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(to_json(report));
}
void fmt_json(benchmark::State& state) {
  run(state, [](const auto&, const Stats& all) { return plain_json(all); });
}
void metrics(benchmark::State& state) {
  run(state, [](const auto&, const Stats& all) { return fusebox::detail::to_prometheus(all); });
}
void fmt_metrics(benchmark::State& state) {
  run(state, [](const auto&, const Stats& all) { return plain_metrics(all); });
}
void health_whole(benchmark::State& state) {
  run(state, [](const auto& registry, const Stats&) { return to_json(health_report(registry)); });
}
void metrics_whole(benchmark::State& state) {
  run(state, [](const auto& registry, const Stats&) { return fusebox::to_prometheus(registry); });
}

}  // namespace

BENCHMARK(copy_map)->Name("reports/copy_map")->RangeMultiplier(10)->Range(1, 1'000'000);
BENCHMARK(stats)->Name("reports/stats")->RangeMultiplier(10)->Range(1, 1'000'000);
BENCHMARK(fmt_json)->Name("reports/fmt_json")->Arg(10'000);
BENCHMARK(health_json)->Name("reports/health_json")->Arg(10'000);
BENCHMARK(health_whole)->Name("reports/registry_to_health_json")->Arg(10'000);
BENCHMARK(fmt_metrics)->Name("reports/fmt_metrics")->Arg(10'000);
BENCHMARK(metrics)->Name("reports/metrics_text")->Arg(10'000);
BENCHMARK(metrics_whole)->Name("reports/registry_to_metrics_text")->Arg(10'000);
BENCHMARK_MAIN();
