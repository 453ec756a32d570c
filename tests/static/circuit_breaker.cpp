// B11, B24: what a breaker is, and what execute() returns.
#include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include "support/expected.hpp"

namespace {

using namespace fusebox;
using test::FakeClock;

// Neither copied nor moved; constructed from a name, and by no implicit conversion.
template <class Breaker>
inline constexpr bool stays_where_it_is =
    !std::is_copy_constructible_v<Breaker> && !std::is_move_constructible_v<Breaker> &&
    !std::is_copy_assignable_v<Breaker> && !std::is_move_assignable_v<Breaker>;
static_assert(stays_where_it_is<CircuitBreaker<>>);
static_assert(stays_where_it_is<CircuitBreaker<FakeClock>>);
static_assert(std::is_same_v<CircuitBreaker<>, CircuitBreaker<SystemClock>>);
static_assert(std::is_constructible_v<CircuitBreaker<>, std::string>);
static_assert(std::is_constructible_v<CircuitBreaker<>, const char*, CircuitBreakerConfig>);
static_assert(
    std::is_constructible_v<CircuitBreaker<FakeClock>, std::string, CircuitBreakerConfig, FakeClock>);
static_assert(!std::is_convertible_v<std::string, CircuitBreaker<>>);
static_assert(!std::is_default_constructible_v<CircuitBreaker<>>);
static_assert(!std::is_constructible_v<CircuitBreaker<>, std::string, CircuitBreakerConfig, FakeClock>);

static_assert(std::is_same_v<decltype(CircuitBreaker{"name"}), CircuitBreaker<>>);
static_assert(std::is_same_v<decltype(CircuitBreaker{"name", CircuitBreakerConfig{}}), CircuitBreaker<>>);
static_assert(std::is_same_v<decltype(CircuitBreaker{"name", {.failure_threshold = 3}, FakeClock{}}),
                             CircuitBreaker<FakeClock>>);

// To name a breaker, its clock need not be complete.
class Incomplete;
using OfIncomplete = CircuitBreaker<Incomplete>;
static_assert(std::is_pointer_v<OfIncomplete*>);
static_assert(sizeof(std::shared_ptr<OfIncomplete>) == sizeof(std::shared_ptr<int>));

using Breaker = CircuitBreaker<FakeClock>;
template <class = void>
Breaker& breaker() noexcept;
template <class = void>
const Breaker& const_breaker() noexcept;

static_assert(noexcept(const_breaker().state()));
static_assert(noexcept(const_breaker().retry_after()));
static_assert(noexcept(const_breaker().name()));
static_assert(noexcept(const_breaker().config()));
static_assert(noexcept(breaker().try_acquire()));
static_assert(std::is_same_v<decltype(const_breaker().state()), State>);
static_assert(std::is_same_v<decltype(const_breaker().stats()), CircuitBreakerStats>);
static_assert(std::is_same_v<decltype(const_breaker().retry_after()), std::chrono::nanoseconds>);
static_assert(std::is_same_v<decltype(const_breaker().name()), const std::string&>);
static_assert(std::is_same_v<decltype(const_breaker().config()), const CircuitBreakerConfig&>);
static_assert(std::is_same_v<decltype(breaker().reset()), void>);
static_assert(std::is_same_v<decltype(breaker().force_open()), void>);
static_assert(std::is_same_v<decltype(breaker().disable()), void>);

// Permits are of one type for all clocks.
static_assert(std::is_same_v<decltype(breaker().try_acquire()), Permit>);
static_assert(std::is_same_v<decltype(std::declval<CircuitBreaker<>&>().try_acquire()), Permit>);
static_assert(std::is_same_v<decltype(try_acquire(std::declval<std::shared_ptr<Breaker>>())), Permit>);

static_assert(std::is_same_v<decltype(breaker().on_state_change([](const StateChange&) {})), Subscription>);
static_assert(std::is_same_v<decltype(StateChange::name), std::string>);
static_assert(std::is_same_v<decltype(StateChange::from), State>);
static_assert(std::is_same_v<decltype(StateChange::to), State>);
static_assert(std::is_same_v<decltype(StateChange::at), std::chrono::system_clock::time_point>);
static_assert(std::is_same_v<decltype(StateChange::reason), StateChangeReason>);

// What execute() returns: without a fallback op's own type.

template <class T>
T op();
struct MoveOnly {
  MoveOnly(MoveOnly&&) = default;
};
template <class T>
using Alone = decltype(breaker().execute(op<T>));

static_assert(std::is_same_v<Alone<int>, int>);
static_assert(std::is_same_v<Alone<void>, void>);
static_assert(std::is_same_v<Alone<int&>, int&>);
static_assert(std::is_same_v<Alone<int&&>, int&&>);
static_assert(std::is_same_v<Alone<const std::string&>, const std::string&>);
static_assert(std::is_same_v<Alone<MoveOnly>, MoveOnly>);
static_assert(std::is_same_v<Alone<std::unique_ptr<int>>, std::unique_ptr<int>>);
static_assert(std::is_same_v<Alone<std::error_code>, std::error_code>);
static_assert(std::is_same_v<Alone<RetryResult<int>>, RetryResult<int>>);
static_assert(std::is_same_v<Alone<RetryResult<void>>, RetryResult<void>>);
using Expected = support::Expected<int, std::error_code>;
static_assert(std::is_same_v<Alone<Expected>, Expected>);

// With a fallback the common type of both, a RetryResult being unwrapped; T& only if both are that T&.

template <class T, class Fallback>
using With = decltype(breaker().execute(op<T>, std::declval<Fallback (&)()>()));
template <class T, class Fallback>
using WithFailure = decltype(breaker().execute(op<T>, std::declval<Fallback (&)(const Failure&)>()));

static_assert(std::is_same_v<With<int, int>, int>);
static_assert(std::is_same_v<With<int, double>, double>);
static_assert(std::is_same_v<With<int, std::optional<int>>, std::optional<int>>);
static_assert(std::is_same_v<With<std::optional<int>, std::nullopt_t>, std::optional<int>>);
static_assert(std::is_same_v<With<long, short>, long>);
static_assert(std::is_same_v<With<std::string, const char*>, std::string>);
static_assert(std::is_same_v<With<void, void>, void>);
static_assert(std::is_same_v<With<int&, int&>, int&>);
static_assert(std::is_same_v<With<const int&, const int&>, const int&>);
static_assert(std::is_same_v<With<int&, int>, int>);
static_assert(std::is_same_v<With<int, int&>, int>);
static_assert(std::is_same_v<With<int&, const int&>, int>);
static_assert(std::is_same_v<With<const std::string&, const char*>, std::string>);
static_assert(std::is_same_v<With<MoveOnly, MoveOnly>, MoveOnly>);
static_assert(std::is_same_v<With<std::unique_ptr<int>, std::nullptr_t>, std::unique_ptr<int>>);
static_assert(std::is_same_v<With<RetryResult<int>, int>, int>);
static_assert(std::is_same_v<With<RetryResult<int>, double>, double>);
static_assert(std::is_same_v<With<RetryResult<int>, RetryResult<int>>, int>);
static_assert(std::is_same_v<With<RetryResult<void>, void>, void>);
static_assert(std::is_same_v<With<RetryResult<int&>, int&>, int&>);
static_assert(std::is_same_v<With<Expected, int>, Expected>);
static_assert(std::is_same_v<WithFailure<int, double>, double>);
static_assert(std::is_same_v<WithFailure<void, void>, void>);
static_assert(std::is_same_v<WithFailure<std::string&, std::string&>, std::string&>);

// A fallback that takes a Failure is preferred over one that takes nothing.
struct Both {
  int operator()() const { return 0; }
  std::string operator()(const Failure&) const { return {}; }
};
static_assert(std::is_same_v<decltype(breaker().execute(op<std::string>, Both{})), std::string>);

}  // namespace
