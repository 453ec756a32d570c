#include "storm/scenarios.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "storm/scenario_json.hpp"
#include "storm/simulation.hpp"

using namespace std::chrono_literals;

namespace {

std::vector<storm::PipelineSpec> pipelines() { return storm::parse_pipelines(storm::shipped_pipelines()); }

storm::PipelineSpec named(std::string_view name) {
  const auto all = pipelines();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

storm::Scenario scenario(std::string_view name) {
  for (const auto& shipped : storm::shipped_scenarios()) {
    if (shipped.name == name) return storm::parse_scenario(shipped.json, pipelines());
  }
  FAIL("no such scenario");
  return {};
}

storm::Summary play(const storm::Scenario& scenario, std::string_view pipeline) {
  storm::Simulation simulation{scenario, named(pipeline), 7};
  simulation.run_until(scenario.duration);
  return simulation.result().summary;
}

}  // namespace

TEST_CASE("S12 eight scenarios ship, each compares the same pipelines", "[S12]") {
  const std::vector<std::string> names{"blip",      "outage",     "slow", "overload",
                                       "bad_shard", "rate_limit", "herd", "tiers"};
  REQUIRE(storm::shipped_scenarios().size() == names.size());
  const std::vector<std::string> compared{"no_policy",
                                          "plain_retry",
                                          "jitter_none",
                                          "jitter_equal",
                                          "jitter_full",
                                          "jitter_decorrelated",
                                          "jitter_proportional",
                                          "breaker",
                                          "budget",
                                          "throttle",
                                          "adaptive_limit",
                                          "hedge",
                                          "standard_pipeline"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& shipped = storm::shipped_scenarios()[i];
    CAPTURE(shipped.name);
    CHECK(shipped.name == names[i]);
    const auto parsed = scenario(shipped.name);
    CHECK(parsed.name == shipped.name);
    CHECK_FALSE(parsed.title.empty());
    CHECK_FALSE(parsed.description.empty());
    std::vector<std::string> given;
    for (const auto& one : parsed.pipelines) given.push_back(one.name);
    CHECK(given == compared);
  }
}

TEST_CASE("S12 every pipeline runs through the beginning of every scenario", "[S12]") {
  for (const auto& shipped : storm::shipped_scenarios()) {
    auto short_one = scenario(shipped.name);
    short_one.clients.count /= 10;  // the capacity stays: calm, apart from outages
    for (const auto& one : short_one.pipelines) {
      CAPTURE(shipped.name, one.name);
      storm::Simulation simulation{short_one, one, 7};
      simulation.run_until(70s);
      const auto result = simulation.result();
      CHECK(result.name == one.name);
      CHECK(result.seconds.size() == 70);
      CHECK(result.seconds[30].succeeded > 0);
      CHECK(result.explanation.find("One logical call") != std::string::npos);
    }
  }
}

TEST_CASE("S12 standard_pipeline keeps the load on recovery within 1.2 of the steady load", "[S12]") {
  const auto outage = scenario("outage");
  const auto standard = play(outage, "standard_pipeline");
  CHECK(standard.peak_load_ratio <= 1.2);
  CHECK(standard.success_ratio > 0.75);  // a fifth of the calls fall into the outage
  const auto plain = play(outage, "plain_retry");
  CHECK(plain.peak_load_ratio > 3);
  CHECK(plain.wasted_ratio > 2 * standard.wasted_ratio);
}

TEST_CASE("S12 an overload with retries outlasts its cause, one with a budget or a breaker does not",
          "[S12]") {
  const auto overload = scenario("overload");
  CHECK(play(overload, "no_policy").recovery_s < 30);
  CHECK(play(overload, "plain_retry").recovery_s > 1e9);
  CHECK(play(overload, "budget").recovery_s < 30);
  CHECK(play(overload, "breaker").recovery_s < 30);
}
