#include <fusebox/hedge.hpp>

#include <functional>
#include <memory>
#include <type_traits>

#include "catch.hpp"

using namespace fusebox;

namespace {
class Counting final : public detail::PoolTask {
 public:
  void run() override { ++runs; }
  int runs = 0;
};
}  // namespace

TEST_CASE("J8 a HedgeTask is a function without arguments, and can be copied", "[J8]") {
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<HedgeTask>);
  STATIC_REQUIRE(std::is_convertible_v<HedgeTask, std::function<void()>>);
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<HedgeTask>);
  const auto counting = std::make_shared<Counting>();
  const std::function<void()> function = detail::HedgeTaskAccess::make(counting);
  function();
  CHECK(counting->runs == 1);
}

TEST_CASE("J8 an executor refuses a task by false", "[J8]") {
  const auto counting = std::make_shared<Counting>();
  auto refusing = [](HedgeTask) { return false; };
  auto taking = [](HedgeTask task) {
    task();
    return true;
  };
  auto silent = [](const HedgeTask& task) { task(); };
  CHECK_FALSE(detail::submit_to(refusing, counting));
  CHECK(detail::submit_to(taking, counting));
  CHECK(detail::submit_to(silent, counting));
  CHECK(counting->runs == 2);
  STATIC_REQUIRE(detail::is_executor<decltype(silent)>);
  STATIC_REQUIRE_FALSE(detail::is_executor<int>);
}
