// support/throttle.hpp: a throttle on a fake clock, and how to bring it to a share of rejected calls.
#pragma once

#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>

#include <vector>

namespace support {

using FakeThrottle = fusebox::Throttle<fusebox::test::FakeClock>;
using ThrottleEvents = std::vector<fusebox::ThrottleEvent>;

/// Reports calls of one priority that were admitted now. Rejections are not among them: p must be 0, or a
/// call may be rejected instead.
inline void count(FakeThrottle& throttle, int accepted, int failed,
                  fusebox::Priority priority = fusebox::Priority::normal) {
  std::vector<fusebox::Permit> permits;  // admitted before any of them counts
  for (int call = 0; call < accepted + failed; ++call) permits.push_back(throttle.try_acquire(priority));
  for (int call = 0; call < accepted + failed; ++call) {
    call < accepted ? permits[static_cast<std::size_t>(call)].success()
                    : permits[static_cast<std::size_t>(call)].failure();
  }
}

[[nodiscard]] inline fusebox::Subscription record(FakeThrottle& throttle, ThrottleEvents& events) {
  return throttle.on_event([&events](const fusebox::ThrottleEvent& event) { events.push_back(event); });
}

}  // namespace support
