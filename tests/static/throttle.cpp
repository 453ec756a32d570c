// V1, V10, X1: what a throttle and a chaos policy are, and what execute() returns.
#include <fusebox/throttle.hpp>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/call_recorder.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/test/fake_clock.hpp>

#include "support/expected.hpp"

namespace {

using namespace fusebox;
using test::FakeClock;

template <class T>
inline constexpr bool stays_where_it_is =
    !std::is_copy_constructible_v<T> && !std::is_move_constructible_v<T> && !std::is_copy_assignable_v<T> &&
    !std::is_move_assignable_v<T>;
static_assert(stays_where_it_is<Throttle<>>);
static_assert(stays_where_it_is<Throttle<FakeClock>>);
static_assert(stays_where_it_is<CallRecorder<>>);
static_assert(std::is_constructible_v<Throttle<>, const char*, ThrottleConfig>);
static_assert(std::is_constructible_v<Throttle<FakeClock>, std::string, ThrottleConfig, FakeClock>);
static_assert(!std::is_convertible_v<std::string, Throttle<>>);
static_assert(!std::is_default_constructible_v<Throttle<>>);
static_assert(!std::is_constructible_v<Throttle<>, std::string, ThrottleConfig, FakeClock>);

// A copy of a chaos policy is the same one. Neither a name nor a config becomes one by itself.
static_assert(std::is_nothrow_copy_constructible_v<Chaos<>>);
static_assert(std::is_nothrow_copy_assignable_v<Chaos<>>);
static_assert(std::is_constructible_v<Chaos<FakeClock>, std::string, ChaosConfig, FakeClock>);
static_assert(std::is_constructible_v<Chaos<FakeClock>, ChaosConfig, FakeClock>);
static_assert(!std::is_convertible_v<ChaosConfig, Chaos<>>);
static_assert(!std::is_convertible_v<const char*, Chaos<>>);
static_assert(!std::is_constructible_v<Chaos<>, int>);

// To name one, its clock need not be complete.
class Incomplete;
static_assert(sizeof(std::shared_ptr<Throttle<Incomplete>>) == sizeof(std::shared_ptr<int>));
static_assert(std::is_pointer_v<Chaos<Incomplete>*>);

template <class = void>
Throttle<FakeClock>& throttle() noexcept;
template <class = void>
const Throttle<FakeClock>& const_throttle() noexcept;
template <class = void>
Chaos<FakeClock>& faults() noexcept;

static_assert(noexcept(const_throttle().name()));
static_assert(noexcept(const_throttle().config()));
static_assert(noexcept(const_throttle().clock()));
static_assert(!noexcept(throttle().try_acquire()));  // it runs callbacks
static_assert(std::is_same_v<decltype(throttle().try_acquire(Priority::critical)), Permit>);
static_assert(std::is_same_v<decltype(try_acquire(std::shared_ptr<Throttle<FakeClock>>{})), Permit>);
static_assert(std::is_same_v<decltype(const_throttle().rejection_ratio()), double>);
static_assert(std::is_same_v<decltype(const_throttle().stats()), ThrottleStats>);
static_assert(noexcept(faults().is_enabled()));
static_assert(noexcept(faults().stats()));
static_assert(noexcept(faults().seed()));

using Result = support::Expected<int, std::error_code>;
template <class R>
using Op = R (*)();
template <class R>
using Throttled = decltype(throttle().execute(std::declval<Op<R>>()));
template <class R>
using Disturbed = decltype(faults().execute(std::declval<Op<R>>()));
template <class R>
inline constexpr bool passes = std::is_same_v<Throttled<R>, R> && std::is_same_v<Disturbed<R>, R>;
static_assert(passes<void>);
static_assert(passes<int>);
static_assert(passes<int&>);
static_assert(passes<const int&>);
static_assert(passes<std::unique_ptr<int>>);
static_assert(passes<std::optional<int>>);
static_assert(passes<std::error_code>);
static_assert(passes<Result>);

// The share of the calls (V1, V4), by hand: 100 requests of which 20 were accepted, k = 2.
constexpr detail::WindowCounts seen{.whole = {.requests = {10, 40, 0, 50}, .accepts = 20}, .newer = {}};
constexpr auto shedding = detail::Shedding::of(seen, ThrottleConfig{});
static_assert(shedding.ratio == 60.0 / 101);
static_assert(!shedding.is_calm);
static_assert(shedding.of(Priority::background, 0.95) == 0.95);
static_assert(shedding.of(Priority::sheddable, 0.95) == 0.95);  // the first of its priority
static_assert(shedding.of(Priority::normal, 0.95) > 0.29 && shedding.of(Priority::normal, 0.95) < 0.3);
static_assert(shedding.of(Priority::critical, 0.95) == 0);
static_assert(detail::Shedding::of({}, ThrottleConfig{}).ratio == 0);
static_assert(detail::Shedding::of({}, ThrottleConfig{}).is_calm);

}  // namespace
