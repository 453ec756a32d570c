// What every policy promises of the results of an op: policies.test.cpp has the rest. A program of its own,
// since each type of a result is compiled for each policy.
#include <memory>
#include <type_traits>

#include "catch.hpp"
#include "contract/policies.hpp"

using namespace contract;

TEMPLATE_LIST_TEST_CASE("B11 R2 results of every kind pass through", "[B11][R2]", Policies) {
  TestType policy;
  CHECK(*policy.call([] { return std::make_unique<int>(7); }) == 7);
  int target = 0;
  CHECK(&policy.call([&]() -> int& { return target; }) == &target);
  CHECK(&policy.call([&]() -> const int& { return target; }) == &target);
  policy.call([&] { ++target; });
  STATIC_REQUIRE(std::is_void_v<decltype(policy.call([&] { ++target; }))>);
  CHECK(target == 1);
  CHECK(policy.settled() == Counts{4, 0, 0});
}
