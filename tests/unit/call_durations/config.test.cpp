#include <fusebox/call_durations.hpp>

#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("M2 C3 the bounds of buckets ascend, and there are 1 to 64", "[M2][C3]") {
  CHECK(validate(CallDurationsConfig{}).empty());
  CHECK(validate(CallDurationsConfig{.bounds = {1ns}}).empty());
  CHECK(validate(CallDurationsConfig{.bounds = {}}) ==
        "CallDurationsConfig.bounds must be a list of 1 to 64, got 0");
  CallDurationsConfig many;
  many.bounds.clear();
  for (int i = 1; i <= 64; ++i) many.bounds.emplace_back(i);
  CHECK(validate(many).empty());
  many.bounds.emplace_back(65);
  CHECK(validate(many) == "CallDurationsConfig.bounds must be a list of 1 to 64, got 65");
  CHECK(validate(CallDurationsConfig{.bounds = {0ns, 1ns}}) ==
        "CallDurationsConfig.bounds must be above 0 and ascending, got 0s");
  CHECK(validate(CallDurationsConfig{.bounds = {1ms, 2ms, 2ms}}) ==
        "CallDurationsConfig.bounds must be above 0 and ascending, got 2ms");
}

TEST_CASE("M2 C1 without bounds of its own a histogram has those of Prometheus' clients", "[M2][C1]") {
  CHECK(CallDurationsConfig{}.bounds == std::vector<std::chrono::nanoseconds>{
                                            5ms, 10ms, 25ms, 50ms, 100ms, 250ms, 500ms, 1s, 2500ms, 5s, 10s});
}
