#include <fusebox/clock.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace fusebox;

namespace {

template <class T>
struct IsInt : std::is_same<T, int> {};
template <class T>
struct IsText : std::is_same<T, std::string> {};
template <class T>
struct IsPointer : std::is_pointer<T> {};

struct MoveOnly {
  explicit MoveOnly(int n) : number{n} {}
  MoveOnly(const MoveOnly&) = delete;
  MoveOnly& operator=(const MoveOnly&) = delete;
  int number;
};
template <class T>
struct IsMoveOnly : std::is_same<T, MoveOnly> {};

static_assert(detail::is_one_of<int, IsInt>);
static_assert(detail::is_one_of<int, IsText, IsInt>);
static_assert(!detail::is_one_of<int, IsText>);
static_assert(!detail::is_one_of<int>);
static_assert(detail::is_one_of<const int&, IsInt> && detail::is_one_of<int&&, IsInt>);
static_assert(!detail::is_one_of<long, IsInt>);

static_assert(detail::count<IsInt> == 0);
static_assert(detail::count<IsInt, std::string, char> == 0);
static_assert(detail::count<IsInt, std::string, int, char> == 1);
static_assert(detail::count<IsInt, int, int&, const int&, int&&, long> == 4);

static_assert(detail::is_specialization<std::vector<int>, std::vector>);
static_assert(detail::is_specialization<std::pair<int, char>, std::pair>);
static_assert(!detail::is_specialization<std::vector<int>, std::pair>);
static_assert(!detail::is_specialization<int, std::vector>);
static_assert(!detail::is_specialization<const std::vector<int>, std::vector>);
static_assert(!detail::is_specialization<std::vector<int>&, std::vector>);

struct NoClock {
  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return {}; }
};
struct DerivedClock : SystemClock {};

static_assert(detail::IsClock<SystemClock>::value && detail::IsClock<test::FakeClock>::value);
static_assert(detail::IsClock<DerivedClock>::value);
static_assert(!detail::IsClock<NoClock>::value && !detail::IsClock<int>::value);
static_assert(!detail::IsClock<detail::StopToken>::value);
static_assert(detail::IsStopToken<detail::StopToken>::value);
static_assert(!detail::IsStopToken<SystemClock>::value);

constexpr int picked_at_compile_time() {
  int fallback = 1;
  int option = 2;
  const char other = 'c';
  detail::pick<IsInt>(fallback, other, option) += 5;
  return fallback * 100 + option;
}
static_assert(picked_at_compile_time() == 107);

}  // namespace

TEST_CASE("pick gives the option of its kind, wherever it stands") {
  int fallback = 0;
  int number = 1;
  std::string text = "text";
  char other = 'c';
  CHECK(&detail::pick<IsInt>(fallback, number, text, other) == &number);
  CHECK(&detail::pick<IsInt>(fallback, text, number, other) == &number);
  CHECK(&detail::pick<IsInt>(fallback, text, other, number) == &number);
  CHECK(&detail::pick<IsText>(fallback, number, other, text) == &text);
}

TEST_CASE("pick gives the fallback itself where no option is of its kind") {
  int fallback = 0;
  std::string text = "text";
  char other = 'c';
  CHECK(&detail::pick<IsInt>(fallback) == &fallback);
  CHECK(&detail::pick<IsInt>(fallback, text, other) == &fallback);
  CHECK(&detail::pick<IsPointer>(fallback, text, other) == &fallback);
}

TEST_CASE("pick gives the first of two of one kind") {
  int fallback = 0;
  int first = 1;
  int second = 2;
  CHECK(&detail::pick<IsInt>(fallback, first, second) == &first);
}

TEST_CASE("pick copies nothing and keeps const") {
  int fallback = 0;
  MoveOnly option{7};
  CHECK(detail::pick<IsMoveOnly>(fallback, option).number == 7);
  static_assert(std::is_same_v<decltype(detail::pick<IsMoveOnly>(fallback, option)), MoveOnly&>);

  const std::string text = "text";
  static_assert(std::is_same_v<decltype(detail::pick<IsText>(fallback, text)), const std::string&>);
  CHECK(&detail::pick<IsText>(fallback, text) == &text);

  const int none = 0;
  static_assert(std::is_same_v<decltype(detail::pick<IsInt>(none, text)), const int&>);
  CHECK(&detail::pick<IsInt>(none, text) == &none);
}

TEST_CASE("pick tells clocks and stop tokens apart") {
  SystemClock default_clock;
  detail::StopToken default_token;
  test::FakeClock clock;
  detail::StopToken token;
  CHECK(&detail::pick<detail::IsClock>(default_clock, token, clock) == &clock);
  CHECK(&detail::pick<detail::IsStopToken>(default_token, clock, token) == &token);
  CHECK(&detail::pick<detail::IsClock>(default_clock, token) == &default_clock);
}
