#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <type_traits>
#include <utility>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// Runs `before_next_change`, once, before the next change of the state word.
struct HookedSync {
  static inline std::function<void()> before_next_change;

  template <class T>
  struct Atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    void store(T value, std::memory_order order) noexcept {
      if constexpr (std::is_same_v<T, std::uint64_t>) {
        if (const auto hook = std::exchange(before_next_change, nullptr)) hook();
      }
      std::atomic<T>::store(value, order);
    }
  };
  using Mutex = std::mutex;
};

struct Bench {
  test::FakeClock clock;
  detail::BreakerCore<test::FakeClock, HookedSync> core{
      "b", {.failure_threshold = 1, .reset_timeout = 30s, .probe_timeout = 600s}, clock};

  Bench() { core.settle(core.admit(false), Outcome::failure); }
};

}  // namespace

TEST_CASE("B13 N4 retry_after() in the middle of force_open() is still the wait", "[B13][N4]") {
  Bench bench;
  std::chrono::nanoseconds seen{};
  HookedSync::before_next_change = [&] { seen = bench.core.retry_after(); };
  bench.core.force_open();
  CHECK(seen == 30s);
  CHECK(bench.core.retry_after() == 0s);
}

TEST_CASE("B13 N4 retry_after() while a probe is being admitted is still 0", "[B13][N4]") {
  Bench bench;
  bench.clock.advance(30s);
  auto seen = std::chrono::nanoseconds::max();
  HookedSync::before_next_change = [&] { seen = bench.core.retry_after(); };
  const auto probe = bench.core.admit(false);
  CHECK(detail::StateWord{probe}.is_half_open());
  CHECK(seen == 0s);
  bench.core.settle(probe, Outcome::ignored);
}
