// The Clock concept: what it accepts and what it refuses, and that naming a policy needs no complete clock.
#include <fusebox/clock.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <type_traits>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

namespace {

using fusebox::Clock;
using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using std::chrono::nanoseconds;

struct Minimal {
  SteadyTime now() const;
  WallTime wall_now() const;
  bool sleep_for(nanoseconds, std::stop_token) const;
};
struct Noexcept {
  static SteadyTime now() noexcept;
  static WallTime wall_now() noexcept;
  static bool sleep_for(const nanoseconds&, const std::stop_token& = {}) noexcept;
};
struct Coarse : Minimal {
  SteadyTime coarse_now() const;
};
struct NoDefaultConstructor : Minimal {
  explicit NoDefaultConstructor(int);
};

static_assert(Clock<fusebox::SystemClock>);
static_assert(Clock<fusebox::test::FakeClock>);
static_assert(Clock<Minimal>);
static_assert(Clock<Noexcept>);
static_assert(Clock<Coarse>);
static_assert(Clock<NoDefaultConstructor>);

struct NoNow {
  WallTime wall_now() const;
  bool sleep_for(nanoseconds, std::stop_token) const;
};
struct NoWallNow {
  SteadyTime now() const;
  bool sleep_for(nanoseconds, std::stop_token) const;
};
struct NoSleep {
  SteadyTime now() const;
  WallTime wall_now() const;
};
struct NowIsWallTime : Minimal {
  WallTime now() const;
};
struct NowIsADuration : Minimal {
  nanoseconds now() const;
};
struct WallNowIsSteady : Minimal {
  SteadyTime wall_now() const;
};
struct SleepGivesNothing : Minimal {
  void sleep_for(nanoseconds, std::stop_token) const;
};
struct SleepTakesNoToken : Minimal {
  bool sleep_for(nanoseconds) const;
};
struct NowIsNotConst : Minimal {
  SteadyTime now();
};
struct WallNowIsNotConst : Minimal {
  WallTime wall_now();
};
struct SleepIsNotConst : Minimal {
  bool sleep_for(nanoseconds, std::stop_token);
};
struct MoveOnly : Minimal {
  MoveOnly(MoveOnly&&) = default;
};
class Private : Minimal {};

static_assert(!Clock<NoNow>);
static_assert(!Clock<NoWallNow>);
static_assert(!Clock<NoSleep>);
static_assert(!Clock<NowIsWallTime>);
static_assert(!Clock<NowIsADuration>);
static_assert(!Clock<WallNowIsSteady>);
static_assert(!Clock<SleepGivesNothing>);
static_assert(!Clock<SleepTakesNoToken>);
static_assert(!Clock<NowIsNotConst>);
static_assert(!Clock<WallNowIsNotConst>);
static_assert(!Clock<SleepIsNotConst>);
static_assert(!Clock<MoveOnly>);
static_assert(!Clock<Private>);
static_assert(!Clock<int>);
static_assert(!Clock<void>);
static_assert(!Clock<std::chrono::steady_clock>);
static_assert(!Clock<nanoseconds>);

// SystemClock is stateless: a policy pays nothing for it.
static_assert(std::is_empty_v<fusebox::SystemClock>);
static_assert(std::is_trivially_copyable_v<fusebox::SystemClock>);

class Incomplete;
using OfIncomplete = fusebox::CircuitBreaker<Incomplete>;
static_assert(
    std::is_same_v<fusebox::CircuitBreakerRegistry<Incomplete>, fusebox::CircuitBreakerRegistry<Incomplete>>);
static_assert(!std::is_same_v<OfIncomplete, fusebox::CircuitBreaker<>>);
static_assert(std::is_pointer_v<OfIncomplete*>);
static_assert(sizeof(std::shared_ptr<OfIncomplete>) == sizeof(std::shared_ptr<int>));

// Deadline: a value, usable in constant expressions.
using fusebox::Deadline;
constexpr Deadline early = Deadline::at(SteadyTime{std::chrono::seconds{1}});
constexpr Deadline late{SteadyTime{std::chrono::seconds{2}}};
static_assert(std::is_trivially_copyable_v<Deadline>);
static_assert(!std::is_convertible_v<SteadyTime, Deadline>);
static_assert(Deadline{} == Deadline::never());
static_assert(Deadline{}.is_never());
static_assert(!late.is_never());
static_assert(late.time() == SteadyTime{std::chrono::seconds{2}});
static_assert(earliest(early, late) == early);
static_assert(earliest(late, early) == early);
static_assert(earliest(late, Deadline::never()) == late);
static_assert(earliest(Deadline::never(), Deadline::never()).is_never());
static_assert(std::is_same_v<decltype(late.remaining(fusebox::SystemClock{})), nanoseconds>);

static_assert(fusebox::no_timeout == nanoseconds::max());

// The fake clock's copies share a timeline; a guard is neither copied nor moved.
static_assert(std::is_copy_assignable_v<fusebox::test::FakeClock>);
static_assert(!std::is_copy_constructible_v<fusebox::test::ScopedSystemClock>);
static_assert(!std::is_move_constructible_v<fusebox::test::ScopedSystemClock>);

}  // namespace
