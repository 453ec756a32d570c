// A throttle without exceptions: rejections that op's result carries, permits, events.
#include <fusebox/throttle.hpp>

#include <memory>
#include <system_error>

#include "reduced/check.hpp"
#include "support/expected.hpp"
#include "support/throttle.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeThrottle;

namespace {

constexpr ThrottleConfig strict{.k = 1, .max_rejection = 1, .minimum_calls = 0, .seed = 1};

void calls() {
  const test::FakeClock clock;
  FakeThrottle throttle{"calls", strict, clock};
  support::ThrottleEvents events;
  const Subscription subscription = support::record(throttle, events);
  CHECK(!throttle.execute([] { return std::error_code{}; }));
  CHECK(throttle.execute([] { return make_error_code(std::errc::connection_reset); }) ==
        std::errc::connection_reset);
  CHECK(throttle.stats().requests == 2);
  CHECK(throttle.stats().accepts == 1);
  clock.advance(1h);
  support::count(throttle, 0, 100'000);
  CHECK(throttle.execute([] { return std::error_code{}; }) == PolicyErrc::throttled);
  const auto rejected = throttle.execute([] { return support::Expected<int, Failure>{1}; });
  CHECK(!rejected.has_value());
  CHECK(rejected.error().message() == "throttle 'calls' rejected the call");
  CHECK(events.size() == 1);
  CHECK(throttle.stats().rejected == 2);
}

void shared() {
  auto throttle = std::make_shared<FakeThrottle>("shared", strict);
  support::count(*throttle, 0, 100'000);
  const Permit refused = try_acquire(throttle);
  throttle.reset();
  CHECK(!refused);
  CHECK(refused.rejection().name() == "shared");
}

}  // namespace

int main() {
  calls();
  shared();
  return reduced::report();
}
