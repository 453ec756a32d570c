#include <fusebox/circuit_breaker/detail/core.hpp>
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

/// Runs what a test wants to see just before the core's next change of state, once.
std::function<void()> before_next_change;  // NOLINT(*-avoid-non-const-global-variables)

/// A mutex that knows whether it is held.
struct KnownMutex {
  static inline int held = 0;
  std::mutex mutex;
  void lock() {
    mutex.lock();
    ++held;
  }
  void unlock() {
    --held;
    mutex.unlock();
  }
};

template <class T>
struct HookedAtomic : std::atomic<T> {
  using std::atomic<T>::atomic;
  void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    if constexpr (std::is_same_v<T, std::uint64_t>) {
      if (const auto hook = std::exchange(before_next_change, nullptr)) hook();
    }
    std::atomic<T>::store(value, order);
  }
};

struct KnownSync {
  template <class T>
  using Atomic = HookedAtomic<T>;
  using Mutex = KnownMutex;
};

/// Counts its readings, and those that were made while the breaker's mutex was held.
struct WatchingClock {
  test::FakeClock fake;
  static inline int readings = 0;
  static inline int under_lock = 0;
  static void watch() {
    ++readings;
    if (KnownMutex::held > 0) ++under_lock;
  }
  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return watch(), fake.now(); }
  [[nodiscard]] std::chrono::steady_clock::time_point coarse_now() const {
    return watch(), fake.coarse_now();
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    if (const auto others = std::exchange(before_next_change, nullptr)) others();
    return watch(), fake.wall_now();
  }
  bool sleep_for(std::chrono::nanoseconds duration, detail::StopToken token) const {
    return fake.sleep_for(duration, token);
  }
};

using Core = detail::BreakerCore<WatchingClock, KnownSync>;

const CircuitBreakerConfig config{.failure_threshold = 1, .reset_timeout = 30s, .probe_timeout = 600s};

void open(Core& core) { core.settle(core.admit(false), Outcome::failure); }

}  // namespace

TEST_CASE("section 8: the clock is never read while the breaker's lock is held") {
  const WatchingClock clock;
  Core core{"b", config, clock};
  WatchingClock::readings = WatchingClock::under_lock = 0;
  const auto early = core.admit(false);
  open(core);
  core.settle(early, Outcome::failure);  // late
  clock.fake.advance(30s);
  core.settle(core.admit(false), Outcome::success);
  core.settle(core.admit(false), Outcome::failure);
  static_cast<void>(core.stats());
  static_cast<void>(core.retry_after());
  core.reset();
  core.force_open();
  CHECK(WatchingClock::readings > 10);
  CHECK(WatchingClock::under_lock == 0);
}

TEST_CASE("section 8: nor is it where a call that is due finds the breaker closed by another") {
  const WatchingClock clock;
  Core core{"b", {.failure_threshold = 1, .reset_timeout = 30s, .slow_calls = SlowCalls{}}, clock};
  open(core);
  clock.fake.advance(30s);
  before_next_change = [&] { core.disable(); };
  WatchingClock::under_lock = 0;
  const auto ticket = core.admit(false);
  CHECK(ticket.word.state() == State::disabled);
  CHECK(WatchingClock::under_lock == 0);
}

TEST_CASE("B13 retry_after seen in the middle of force_open is still the wait") {
  Core core{"b", config, {}};
  open(core);
  std::chrono::nanoseconds seen{};
  before_next_change = [&] { seen = core.retry_after(); };
  core.force_open();
  CHECK(seen == 30s);
  CHECK(core.retry_after() == 0s);
}

TEST_CASE("B13 retry_after seen while a probe is admitted is still 0") {
  const WatchingClock clock;
  Core core{"b", config, clock};
  open(core);
  clock.fake.advance(30s);
  auto seen = std::chrono::nanoseconds::max();
  before_next_change = [&] { seen = core.retry_after(); };
  const auto probe = core.admit(false);
  CHECK(probe.is_probe());
  CHECK(seen == 0s);
  core.settle(probe, Outcome::ignored);
}
