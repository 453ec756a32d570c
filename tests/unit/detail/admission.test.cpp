#include <fusebox/detail/admission.hpp>

#include <type_traits>
#include <utility>

#include "catch.hpp"

using fusebox::Outcome;
using fusebox::detail::Admission;
using fusebox::detail::PermitTarget;

TEST_CASE("N2 an admission is at most 16 bytes and travels in registers", "[N2]") {
  STATIC_REQUIRE(sizeof(Admission) <= 16);
  STATIC_REQUIRE(std::is_trivially_copyable_v<Admission>);
}

TEST_CASE("N2 an admission is two words, which are compared", "[N2]") {
  STATIC_REQUIRE(Admission{} == Admission{0, 0});
  STATIC_REQUIRE(Admission{1, 2} != Admission{1, 3});
  STATIC_REQUIRE(Admission{1, 2} != Admission{3, 2});
}

TEST_CASE("B1 a permit's target takes reports without throwing and is never destroyed as one", "[B1]") {
  STATIC_REQUIRE(noexcept(std::declval<PermitTarget&>().report_permit({}, Outcome::success, nullptr)));
  STATIC_REQUIRE(noexcept(std::declval<PermitTarget&>().end_permit()));
  STATIC_REQUIRE_FALSE(std::is_destructible_v<PermitTarget>);
}
