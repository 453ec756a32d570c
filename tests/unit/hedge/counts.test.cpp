#include <fusebox/hedge.hpp>
#include <fusebox/policy_registry.hpp>

#include <memory>
#include <string>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("M2 hedge counts have a name, and a registry keeps them by it", "[M2][J11]") {
  const HedgeCounts counts{"reads"};
  CHECK(counts.name() == "reads");
  CHECK(counts.stats() == HedgeStats{});
  CHECK_THROWS_WITH(HedgeCounts{""}, "HedgeCounts.name must not be empty, got \"\"");
  CHECK_THROWS_AS(HedgeCounts{std::string(513, 'x')}, ConfigError);
  PolicyRegistry<> registry;
  const auto shared = registry.get<HedgeCounts>("reads");
  CHECK(registry.get<HedgeCounts>("reads") == shared);
  auto policy = hedge(shared);
  policy.execute([] {});
  CHECK(registry.stats<HedgeCounts>().at("reads") == HedgeStats{.won_by_primary = 1, .calls = 1});
}
