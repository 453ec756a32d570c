// An adaptive limit without exceptions: slots, rejections that op's result carries, windows, permits, events.
#include <fusebox/adaptive_limit.hpp>

#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "reduced/check.hpp"
#include "support/adaptive_limit.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

using Limit = support::FakeAdaptiveLimit<Aimd>;
constexpr Aimd small{.initial = 2, .min = 1, .max = 3, .window = 1s, .min_samples = 1};

void slots() {
  Limit limit{"slots", small};
  Permit first = limit.try_acquire();
  Permit second = limit.try_acquire();
  CHECK(first && second);
  CHECK(limit.execute([] { return std::error_code{}; }) == PolicyErrc::bulkhead_full);
  const auto rejected = limit.execute([] { return support::Expected<int, Failure>{1}; });
  CHECK(!rejected.has_value());
  CHECK(rejected.error().message() == "bulkhead 'slots' is full");
  first.ignore();
  second.ignore();
  CHECK(limit.execute([] { return support::Expected<int, Failure>{1}; }).value() == 1);
  CHECK(limit.stats().rejected == 2);
}

void windows() {
  const test::FakeClock clock;
  Limit limit{"windows", small, clock};
  std::vector<int> limits;
  const Subscription subscription = limit.on_event([&](const AdaptiveLimitEvent& event) {
    if (event.kind == AdaptiveLimitEventKind::limit_changed) limits.push_back(event.limit);
  });
  const auto call = [&](std::error_code result) {
    return limit.execute([&] {
      clock.advance(1s);
      return result;
    });
  };
  CHECK(!call({}));
  CHECK(call(make_error_code(NetworkErrc::connection_reset)) == NetworkErrc::connection_reset);
  CHECK(call(std::make_error_code(std::errc::invalid_argument)) == std::errc::invalid_argument);
  CHECK((limits == std::vector<int>{3, 2}));
  CHECK(limit.stats().windows == 2);
  CHECK(limit.stats().dropped == 1);
}

void shared() {
  auto limit = std::make_shared<Limit>("shared", Aimd{.initial = 1, .min = 1});
  const Permit permit = try_acquire(limit);
  const Permit refused = try_acquire(limit);
  limit.reset();
  CHECK(permit && !refused);
  CHECK(refused.rejection().name() == "shared");
}

void measures() {
  support::FakeAdaptiveLimit<> limit{"measures", Measured{.initial = 10}};
  support::make_calls(limit, 10, 1s);
  CHECK(limit.stats().measuring);
  CHECK(limit.stats().limit == 3);
  for (int i = 0; i < 4; ++i) support::make_calls(limit, 3, 500ms);
  CHECK(!limit.stats().measuring);
  CHECK(limit.stats().base_latency == 500ms);
}

}  // namespace

int main() {
  slots();
  windows();
  shared();
  measures();
  return reduced::report();
}
