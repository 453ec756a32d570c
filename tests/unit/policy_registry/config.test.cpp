#include <fusebox/policy_registry.hpp>

#include "catch.hpp"

using namespace fusebox;

static_assert(PolicyRegistryConfig{}.max_per_kind == 10'000);
static_assert(!detail::check(PolicyRegistryConfig{.max_per_kind = 1}));
static_assert(detail::check(PolicyRegistryConfig{.max_per_kind = 0}));

TEST_CASE("M1 C2 what is refused in a PolicyRegistryConfig is named", "[M1][C2]") {
  CHECK(validate(PolicyRegistryConfig{}).empty());
  CHECK(validate(PolicyRegistryConfig{.max_per_kind = 1'000'000'000}).empty());
  CHECK(validate(PolicyRegistryConfig{.max_per_kind = -3}) ==
        "PolicyRegistryConfig.max_per_kind must be at least 1, got -3");
}
