// A bulkhead without exceptions: slots, permits, rejections that op's result carries, the queue, events.
#include <fusebox/bulkhead.hpp>

#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "reduced/check.hpp"
#include "support/bulkhead.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBulkhead;

namespace {

void slots() {
  FakeBulkhead bulkhead{"slots", {.max_concurrent = 1}};
  Permit permit = bulkhead.try_acquire();
  CHECK(permit);
  CHECK(bulkhead.execute([] { return std::error_code{}; }) == PolicyErrc::bulkhead_full);
  const auto rejected = bulkhead.execute([] { return support::Expected<int, Failure>{1}; });
  CHECK(!rejected.has_value());
  CHECK(rejected.error().message() == "bulkhead 'slots' is full");
  CHECK(!bulkhead.try_acquire());
  permit.success();
  CHECK(bulkhead.execute([] { return support::Expected<int, Failure>{1}; }).value() == 1);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.stats().rejected == 3);
}

void shared() {
  auto bulkhead = std::make_shared<FakeBulkhead>("shared", BulkheadConfig{.max_concurrent = 1});
  const Permit permit = try_acquire(bulkhead);
  const Permit refused = try_acquire(bulkhead);
  bulkhead.reset();
  CHECK(permit && !refused);
  CHECK(refused.rejection().name() == "shared");
}

void queue() {
  FakeBulkhead bulkhead{"queue", {.max_concurrent = 1, .max_waiting = 1}, test::FakeClock::manual()};
  support::BulkheadEvents events;
  const Subscription subscription = support::record(bulkhead, events);
  Permit permit = bulkhead.try_acquire();
  std::error_code ended = make_error_code(PolicyErrc::cancelled);
  {
    const std::jthread waiting =
        support::start_waiting(bulkhead, [&] { ended = bulkhead.execute([] { return std::error_code{}; }); });
    permit.success();
  }
  CHECK(!ended);
  CHECK(events.size() == 2);
  CHECK(bulkhead.stats().admitted == 2);
}

}  // namespace

int main() {
  slots();
  shared();
  queue();
  return reduced::report();
}
