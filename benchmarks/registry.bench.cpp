// The cost of finding a breaker by its name, beside a standard map, and its growth.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fusebox/registry.hpp>

#include "measure.hpp"

namespace {

using fusebox::CircuitBreaker;
using fusebox::CircuitBreakerRegistry;

std::vector<std::string> make_names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back("service-" + std::to_string(100'000'000 + i));
  return names;
}

/// The names that one of `threads` looks up repeatedly, in random order. Threads share no name.
std::vector<std::string> make_queries(const std::vector<std::string>& names, int thread, int threads) {
  constexpr std::size_t enough = 65'536;  // more would be just as new to the branch predictor
  std::vector<std::string> mine;
  for (std::size_t i = static_cast<std::size_t>(thread); i < names.size();
       i += static_cast<std::size_t>(threads))
    mine.push_back(names[i]);
  std::mt19937_64 random{static_cast<std::uint64_t>(thread) + 1};
  std::shuffle(mine.begin(), mine.end(), random);
  if (mine.size() > enough) mine.resize(enough);
  return mine;
}

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

/// The rival: a map for one thread.
class PlainMap {
 public:
  explicit PlainMap(const std::vector<std::string>& names) {
    for (const auto& name : names) map_.emplace(name, std::make_shared<CircuitBreaker<>>(name));
  }
  const std::shared_ptr<CircuitBreaker<>>& get(std::string_view name) const {
    return map_.find(name)->second;
  }

 private:
  std::unordered_map<std::string, std::shared_ptr<CircuitBreaker<>>, StringHash, std::equal_to<>> map_;
};

class Registry {
 public:
  explicit Registry(const std::vector<std::string>& names)
      : registry_{{.max_breakers = static_cast<int>(names.size()) + 1}} {
    for (const auto& name : names) registry_.get(name);
  }
  std::shared_ptr<CircuitBreaker<>> get(std::string_view name) { return registry_.get(name); }

 private:
  CircuitBreakerRegistry<> registry_;
};

template <class Map>
BENCH_OPAQUE void look_up(Map& map, const std::vector<std::string>& queries, std::size_t& next,
                          std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    bench::keep(map.get(queries[next]).get());
    if (++next == queries.size()) next = 0;
  }
}

/// The current names, and a map of them. Kept between runs of the same size.
std::vector<std::string> names;  // NOLINT(*-avoid-non-const-global-variables)
template <class Map>
std::unique_ptr<Map> map;  // NOLINT(*-avoid-non-const-global-variables)

template <class Map>
void set_up(const benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  if (map<Map> != nullptr && names.size() == size) return;
  map<PlainMap>.reset();
  map<Registry>.reset();
  names = make_names(static_cast<int>(size));
  map<Map> = std::make_unique<Map>(names);
}

template <class Map>
void run(benchmark::State& state) {
  const auto queries = make_queries(names, state.thread_index(), state.threads());
  std::size_t next = 0;
  constexpr std::size_t batch = 1000;
  while (state.KeepRunningBatch(batch)) look_up(*map<Map>, queries, next, batch);
}

void all_sizes(benchmark::internal::Benchmark* one) {
  one->RangeMultiplier(10)->Range(1, 1'000'000)->UseRealTime();
}

}  // namespace

BENCHMARK(run<PlainMap>)->Name("registry/plain_map")->Setup(set_up<PlainMap>)->Apply(all_sizes);
BENCHMARK(run<Registry>)->Name("registry/get")->Setup(set_up<Registry>)->Apply(all_sizes);
BENCHMARK(run<Registry>)
    ->Name("registry/get")
    ->Setup(set_up<Registry>)
    ->Args({1000})
    ->Args({100'000})
    ->ThreadRange(2, 16)
    ->UseRealTime();
BENCHMARK_MAIN();
