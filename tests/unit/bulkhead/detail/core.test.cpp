#include <fusebox/bulkhead/detail/core.hpp>

#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("K1 a bulkhead is idle if no slot is taken and nobody waits", "[K1]") {
  Bulkhead bulkhead{"b", {}, test::FakeClock{}};
  CHECK(detail::BulkheadAccess::is_idle(bulkhead));
  Permit permit = bulkhead.try_acquire();
  CHECK_FALSE(detail::BulkheadAccess::is_idle(bulkhead));
  permit.success();
  CHECK(detail::BulkheadAccess::is_idle(bulkhead));
}

TEST_CASE("K9 whatever a permit of a bulkhead reports makes no difference to it", "[K9]") {
  Bulkhead bulkhead{"b", {}, test::FakeClock{}};
  auto& core = detail::BulkheadAccess::core(bulkhead);
  CHECK(core.judge_permit({}, Failure{NetworkErrc::timed_out}) == Outcome::ignored);
  CHECK(core.permit_error({}).name() == "b");
  REQUIRE(core.try_take(Priority::normal));
  core.report_permit({}, Outcome::failure, nullptr);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(core.config() == bulkhead.config());
}
