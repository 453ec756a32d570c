// What a retry returns, and which options it takes.
#include <fusebox/retry.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include <fusebox/test/fake_clock.hpp>

namespace {

using namespace fusebox;
using namespace std::chrono_literals;

// The result of op that returns T.

template <class T>
T op();
template <class T>
using ResultOf = decltype(retry_with_backoff(op<T>));

struct MoveOnly {
  explicit MoveOnly(int);
  MoveOnly(MoveOnly&&) = default;
  MoveOnly& operator=(MoveOnly&&) = default;
  int number;
};
struct NoDefaultConstructor {
  explicit NoDefaultConstructor(int);
};

static_assert(std::is_same_v<ResultOf<int>, RetryResult<int>>);
static_assert(std::is_same_v<ResultOf<void>, RetryResult<void>>);
static_assert(std::is_same_v<ResultOf<int&>, RetryResult<int&>>);
static_assert(std::is_same_v<ResultOf<const std::string&>, RetryResult<const std::string&>>);
static_assert(std::is_same_v<ResultOf<const std::string>, RetryResult<std::string>>);
static_assert(std::is_same_v<ResultOf<MoveOnly>, RetryResult<MoveOnly>>);
static_assert(std::is_same_v<ResultOf<std::unique_ptr<int>>, RetryResult<std::unique_ptr<int>>>);
static_assert(std::is_same_v<ResultOf<NoDefaultConstructor>, RetryResult<NoDefaultConstructor>>);
static_assert(std::is_same_v<ResultOf<std::error_code>, RetryResult<std::error_code>>);
static_assert(std::is_same_v<ResultOf<std::vector<bool>>, RetryResult<std::vector<bool>>>);

static_assert(std::is_same_v<decltype(try_retry_with_backoff(op<int>)), RetryResult<int>>);
static_assert(std::is_same_v<decltype(try_retry_with_backoff(op<void>, RetryConfig{})), RetryResult<void>>);
static_assert(std::is_same_v<decltype(try_retry_with_backoff(op<int&>)), RetryResult<int&>>);
static_assert(std::is_same_v<RetryResult<int>::value_type, int>);
static_assert(std::is_same_v<RetryResult<void>::value_type, void>);
static_assert(std::is_same_v<RetryResult<int&>::value_type, int&>);

// Access to the value: by reference from an lvalue, by value from an rvalue.

template <class Result>
using Value = decltype(std::declval<Result>().value());
template <class Result>
using Star = decltype(*std::declval<Result>());
template <class Result>
using Arrow = decltype(std::declval<Result>().operator->());

using Text = RetryResult<std::string>;
static_assert(std::is_same_v<Value<Text&>, std::string&>);
static_assert(std::is_same_v<Value<const Text&>, const std::string&>);
static_assert(std::is_same_v<Value<Text>, std::string>);
static_assert(std::is_same_v<Star<Text&>, std::string&>);
static_assert(std::is_same_v<Star<const Text&>, const std::string&>);
static_assert(std::is_same_v<Star<Text>, std::string>);
static_assert(std::is_same_v<Arrow<Text&>, std::string*>);
static_assert(std::is_same_v<Arrow<const Text&>, const std::string*>);

using Reference = RetryResult<std::string&>;
static_assert(std::is_same_v<Value<Reference&>, std::string&>);
static_assert(std::is_same_v<Value<Reference>, std::string&>);
static_assert(std::is_same_v<Value<const Reference&>, std::string&>);
static_assert(std::is_same_v<Star<Reference>, std::string&>);
static_assert(std::is_same_v<Star<const Reference&>, std::string&>);
static_assert(std::is_same_v<Arrow<Reference&>, std::string*>);
static_assert(std::is_same_v<Arrow<const Reference&>, std::string*>);
static_assert(std::is_same_v<Arrow<RetryResult<const std::string&>&>, const std::string*>);

static_assert(std::is_same_v<Value<RetryResult<MoveOnly>>, MoveOnly>);
static_assert(std::is_same_v<Value<RetryResult<void>&>, void>);
static_assert(std::is_same_v<Value<RetryResult<void>>, void>);

template <class Result>
concept HasArrow = requires(Result result) { result.operator->(); };
static_assert(HasArrow<RetryResult<int>>);
static_assert(!HasArrow<RetryResult<void>>);

// Conversions: to T from an rvalue only, and never to bool.

static_assert(std::is_convertible_v<Text, std::string>);
static_assert(!std::is_convertible_v<Text&, std::string>);
static_assert(!std::is_convertible_v<const Text&, std::string>);
static_assert(std::is_convertible_v<RetryResult<MoveOnly>, MoveOnly>);
static_assert(std::is_convertible_v<Reference, std::string&>);
static_assert(!std::is_convertible_v<std::string, Text>);
static_assert(!std::is_constructible_v<Text, std::string>);
static_assert(!std::is_convertible_v<RetryResult<int>, RetryResult<long>>);

// Not even by way of a value that converts to bool; a bool converts to itself.

template <class T>
inline constexpr bool makes_bool =
    std::is_constructible_v<bool, RetryResult<T>> || std::is_constructible_v<bool, RetryResult<T>&> ||
    std::is_constructible_v<bool, const RetryResult<T>&>;
static_assert(!makes_bool<void> && !makes_bool<std::string> && !makes_bool<std::unique_ptr<int>>);
static_assert(!makes_bool<std::optional<int>> && !makes_bool<std::error_code>);
static_assert(!makes_bool<int> && !makes_bool<double> && !makes_bool<const char*> && !makes_bool<int&>);
static_assert(std::is_convertible_v<RetryResult<bool>, bool> &&
              std::is_convertible_v<RetryResult<bool&>, bool>);
static_assert(!std::is_constructible_v<bool, const RetryResult<bool>&>);

// Copied and moved as T is.

static_assert(std::is_copy_constructible_v<Text> && std::is_move_constructible_v<Text>);
static_assert(!std::is_copy_constructible_v<RetryResult<MoveOnly>>);
static_assert(std::is_move_constructible_v<RetryResult<MoveOnly>>);
static_assert(std::is_nothrow_move_constructible_v<RetryResult<std::unique_ptr<int>>>);
static_assert(std::is_copy_constructible_v<RetryResult<void>>);

static_assert(noexcept(std::declval<const Text&>().has_value()));
static_assert(noexcept(std::declval<const Text&>().error()));
static_assert(std::is_same_v<decltype(std::declval<const Text&>().error()), const Failure&>);
static_assert(std::is_same_v<decltype(Text::stats), RetryStats>);
static_assert(std::is_same_v<decltype(RetryStats::attempts), int>);
static_assert(std::is_same_v<decltype(RetryStats::total_delay), std::chrono::nanoseconds>);
static_assert(std::is_same_v<decltype(RetryStats::errors), std::vector<Failure>>);
static_assert(std::is_same_v<decltype(RetryStats::stop_reason), StopReason>);

// What op may take.

static_assert(
    std::is_same_v<decltype(retry_with_backoff([](const Attempt& attempt) { return attempt.number; })),
                   RetryResult<int>>);
static_assert(
    std::is_same_v<decltype(retry_with_backoff([](auto&&... attempt) { return sizeof...(attempt); })),
                   RetryResult<std::size_t>>);
static_assert(std::is_same_v<decltype(Attempt::number), int>);
static_assert(std::is_same_v<decltype(Attempt::resend_count), std::optional<int>>);
static_assert(std::is_same_v<decltype(Attempt::deadline), Deadline>);
static_assert(std::is_same_v<decltype(Attempt::stop_token), std::stop_token>);
static_assert(std::is_same_v<decltype(std::declval<const Attempt&>().idempotency_key()), const std::string&>);
static_assert(!std::is_default_constructible_v<Attempt>);

// A retry by hand.

static_assert(std::is_default_constructible_v<RetryState>);
static_assert(std::is_nothrow_move_constructible_v<RetryState>);
static_assert(!std::is_copy_constructible_v<RetryState> && !std::is_move_assignable_v<RetryState>);
static_assert(!std::is_convertible_v<RetryConfig, RetryState>);
static_assert(std::is_same_v<decltype(std::declval<RetryState&>().next(std::declval<const Failure&>())),
                             std::optional<std::chrono::nanoseconds>>);
static_assert(std::is_same_v<decltype(std::declval<const RetryState&>().stop_reason()), StopReason>);
static_assert(std::is_same_v<decltype(std::declval<const RetryState&>().stats()), const RetryStats&>);

// Options: in any order, with a config before them or without, lvalues and rvalues.

struct Budget {
  bool try_withdraw() { return true; }
};
struct BudgetWithDeposit {
  bool try_withdraw() noexcept;
  void deposit();
};
struct BudgetOfInts {
  int try_withdraw();
};
struct BudgetOfFailures {
  bool try_withdraw(const Failure&);
  void give_back();
};
static_assert(RetryBudgetLike<Budget>);
static_assert(RetryBudgetLike<BudgetOfFailures>);
static_assert(RetryBudgetLike<BudgetWithDeposit>);
static_assert(!RetryBudgetLike<BudgetOfInts>);
static_assert(!RetryBudgetLike<const Budget>);
static_assert(!RetryBudgetLike<int>);

[[maybe_unused]] void every_option(test::FakeClock clock, const std::stop_token& token, Budget& budget,
                                   std::mt19937_64& generator) {
  const auto number = [] { return 1; };
  const auto hook = on_retry([](int, const Failure&, std::chrono::nanoseconds) {});
  const auto all_of = [](const RetryResult<int>&) {};
  all_of(retry_with_backoff(
      number, {.max_retries = 1}, clock, token, hook, on_give_up([](const RetryStats&) {}),
      retry_if([](const Failure&) { return true; }), failure_if([](const int& value) { return value < 0; }),
      budget, backoff({100ms, 500ms, 2s}), Deadline::after(1s, clock), with_random(generator)));
  all_of(retry_with_backoff(number, with_random(std::mt19937{}), budget,
                            failure_if([](int value) { return value < 0; }),
                            retry_if([](const auto& failure) { return failure.is_transient(); }),
                            on_give_up([](const auto&) {}), hook, token, test::FakeClock{}));
  all_of(retry_with_backoff(number, retry_presets::quick, hook));
  all_of(retry_with_backoff(number, linear(1s), Deadline::never()));
  all_of(retry_with_backoff(number, SystemClock{}));
  all_of(try_retry_with_backoff(number, {.base_delay = 100ms}, budget, clock));
  all_of(try_retry_with_backoff(number, std::as_const(token), std::as_const(clock)));
  retry_with_backoff([] {});  // a result of void may be dropped
}

}  // namespace
