#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::StateWord;

namespace {

using Core = detail::BreakerCore<test::FakeClock>;

detail::Admission admit(Core& core) { return core.admit(true); }

}  // namespace

TEST_CASE("B21 what a call gets, by the state on its arrival", "[B21]") {
  const test::FakeClock clock;
  Core core{"b", {.failure_threshold = 1, .reset_timeout = 10s, .half_open_max_calls = 2}, clock};
  const auto closed = StateWord{admit(core)};
  CHECK(closed.is_closed());
  CHECK_FALSE(closed.is_rejected());
  core.settle(admit(core), Outcome::failure);
  clock.advance(4s);
  const detail::Admission rejected = admit(core);
  CHECK(StateWord{rejected}.is_rejected());
  CHECK(StateWord{rejected}.state() == State::open);
  CHECK(std::chrono::nanoseconds{rejected.time} == 6s);
  clock.advance(6s);
  const detail::Admission first = admit(core);
  const detail::Admission second = admit(core);
  CHECK(StateWord{first}.is_probe());
  CHECK(StateWord{second}.is_probe());
  CHECK(StateWord{first}.probe_slot() != StateWord{second}.probe_slot());
  CHECK(StateWord{admit(core)}.is_rejected());
  CHECK(admit(core).time == 0);
  core.settle(first, Outcome::ignored);
  CHECK(StateWord{admit(core)}.is_probe());
  core.force_open();
  CHECK(StateWord{admit(core)}.is_rejected());
  core.disable();
  CHECK_FALSE(StateWord{admit(core)}.is_rejected());
}

TEST_CASE("B17 the shares of a recovery add up: every tenth call at first, then more", "[B17]") {
  const test::FakeClock clock;
  Core core{"b",
            {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s, .recovery_time = 10s},
            clock};
  core.settle(admit(core), Outcome::failure);
  clock.advance(10s);
  core.settle(admit(core), Outcome::success);
  std::vector<int> admitted;
  for (int call = 0; call < 31; ++call) {
    if (!StateWord{admit(core)}.is_rejected()) admitted.push_back(call);
  }
  CHECK(admitted == std::vector{0, 10, 20, 30});
  clock.advance(10s);
  CHECK(StateWord{admit(core)}.is_recovering());  // the call that ends the recovery
  CHECK(StateWord{admit(core)}.admits_at_once());
}
