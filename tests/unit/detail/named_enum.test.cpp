#include <fusebox/detail/named_enum.hpp>

#include <fusebox/fusebox.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("R15 the enums with names are known, and nothing else is", "[R15]") {
  STATIC_REQUIRE(detail::NamedEnum<ErrorCode> && detail::NamedEnum<ErrorCategory>);
  STATIC_REQUIRE(detail::NamedEnum<NetworkErrc> && detail::NamedEnum<PolicyErrc>);
  STATIC_REQUIRE(detail::NamedEnum<Outcome> && detail::NamedEnum<Jitter> && detail::NamedEnum<StopReason>);
  STATIC_REQUIRE(detail::NamedEnum<Priority> && detail::NamedEnum<RateLimiterEventKind>);
  STATIC_REQUIRE(detail::NamedEnum<RetryBudgetEventKind>);
  STATIC_REQUIRE(detail::NamedEnum<State> && detail::NamedEnum<StateChangeReason>);
  STATIC_REQUIRE_FALSE(detail::NamedEnum<int>);
  STATIC_REQUIRE_FALSE(detail::NamedEnum<const State>);
}
