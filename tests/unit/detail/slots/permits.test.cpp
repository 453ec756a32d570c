#include <fusebox/detail/slots/permits.hpp>

#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <memory>

#include "catch.hpp"
#include "support/bulkhead.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBulkhead;

TEST_CASE("K9 a permit of a shared bulkhead keeps it alive, a refusal does not but has its error", "[K9]") {
  const test::FakeClock clock;
  auto bulkhead = std::make_shared<FakeBulkhead>("shared", BulkheadConfig{.max_concurrent = 1}, clock);
  const std::weak_ptr<FakeBulkhead> watched = bulkhead;
  Permit permit = try_acquire(bulkhead);
  REQUIRE(permit);
  const Permit refused = try_acquire(bulkhead);
  REQUIRE_FALSE(refused);
  CHECK(bulkhead->stats().rejected == 1);
  const auto refused_at = clock.wall_now();
  bulkhead.reset();
  CHECK_FALSE(watched.expired());
  permit = {};
  CHECK(watched.expired());
  clock.advance(1s);
  const RejectedError error = refused.rejection();
  CHECK(error.reason() == PolicyErrc::bulkhead_full);
  CHECK(error.name() == "shared");
  CHECK(error.timestamp() == refused_at);
  CHECK_FALSE(error.retry_after());
  CHECK_FALSE(try_acquire(std::shared_ptr<FakeBulkhead>{}));
}
