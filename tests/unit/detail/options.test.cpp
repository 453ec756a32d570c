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

static_assert(detail::count_of<IsInt> == 0);
static_assert(detail::count_of<IsInt, std::string, char> == 0);
static_assert(detail::count_of<IsInt, std::string, int, char> == 1);
static_assert(detail::count_of<IsInt, int, int&, const int&, int&&, long> == 4);

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
static_assert(!detail::IsClock<StopToken>::value);
static_assert(detail::IsStopToken<StopToken>::value);
static_assert(!detail::IsStopToken<SystemClock>::value);

constexpr int chosen_at_compile_time() {
  int default_value = 1;
  int option = 2;
  const char other = 'c';
  detail::option_or<IsInt>(default_value, other, option) += 5;
  return default_value * 100 + option;
}
static_assert(chosen_at_compile_time() == 107);

}  // namespace

TEST_CASE("C4 option_or gives the option of its kind, wherever it stands", "[C4]") {
  int default_value = 0;
  int number = 1;
  std::string text = "text";
  char other = 'c';
  CHECK(&detail::option_or<IsInt>(default_value, number, text, other) == &number);
  CHECK(&detail::option_or<IsInt>(default_value, text, number, other) == &number);
  CHECK(&detail::option_or<IsInt>(default_value, text, other, number) == &number);
  CHECK(&detail::option_or<IsText>(default_value, number, other, text) == &text);
}

TEST_CASE("C4 option_or gives the default value itself if no option is of its kind", "[C4]") {
  int default_value = 0;
  std::string text = "text";
  char other = 'c';
  CHECK(&detail::option_or<IsInt>(default_value) == &default_value);
  CHECK(&detail::option_or<IsInt>(default_value, text, other) == &default_value);
  CHECK(&detail::option_or<IsPointer>(default_value, text, other) == &default_value);
}

TEST_CASE("C4 option_or gives the first of two of one kind", "[C4]") {
  int default_value = 0;
  int first = 1;
  int second = 2;
  CHECK(&detail::option_or<IsInt>(default_value, first, second) == &first);
}

TEST_CASE("C4 option_or copies nothing and keeps const", "[C4]") {
  int default_value = 0;
  MoveOnly option{7};
  CHECK(detail::option_or<IsMoveOnly>(default_value, option).number == 7);
  static_assert(std::is_same_v<decltype(detail::option_or<IsMoveOnly>(default_value, option)), MoveOnly&>);

  const std::string text = "text";
  static_assert(std::is_same_v<decltype(detail::option_or<IsText>(default_value, text)), const std::string&>);
  CHECK(&detail::option_or<IsText>(default_value, text) == &text);

  const int none = 0;
  static_assert(std::is_same_v<decltype(detail::option_or<IsInt>(none, text)), const int&>);
  CHECK(&detail::option_or<IsInt>(none, text) == &none);
}

TEST_CASE("C4 option_or distinguishes clocks and stop tokens", "[C4]") {
  SystemClock default_clock;
  StopToken default_token;
  test::FakeClock clock;
  StopToken token;
  CHECK(&detail::option_or<detail::IsClock>(default_clock, token, clock) == &clock);
  CHECK(&detail::option_or<detail::IsStopToken>(default_token, clock, token) == &token);
  CHECK(&detail::option_or<detail::IsClock>(default_clock, token) == &default_clock);
}
