#include <fusebox/detail/invoke.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include "catch.hpp"

using namespace fusebox;

namespace {
struct Point {
  int x = 0;
  [[nodiscard]] int scaled(int by) const { return x * by; }
  int move_by(int step) { return x += step; }
};
struct Derived : Point {};
int negated(const Point& point) { return -point.x; }
}  // namespace

TEST_CASE("R17 invoke calls functions, objects and pointers to members", "[R17]") {
  Derived point;
  point.x = 3;
  const auto sum = [](const Point& given, int more) { return given.x + more; };
  CHECK(detail::invoke(sum, point, 4) == 7);
  CHECK(detail::invoke(negated, point) == -3);
  const auto function = &Point::scaled;
  CHECK(detail::invoke(function, std::as_const(point), 5) == 15);
  auto mover = &Point::move_by;
  CHECK(detail::invoke(mover, point, 2) == 5);
  auto member = &Point::x;
  detail::invoke(member, point) = 8;
  CHECK(point.x == 8);
}

TEST_CASE("R17 invoke forwards what it is given", "[R17]") {
  const auto take = [](std::unique_ptr<int> first, std::unique_ptr<int> second) { return *first + *second; };
  CHECK(detail::invoke(take, std::make_unique<int>(1), std::make_unique<int>(2)) == 3);
  auto member = &Point::x;
  STATIC_REQUIRE(std::is_same_v<decltype(detail::invoke(member, std::declval<const Point&>())), const int&>);
  STATIC_REQUIRE(std::is_same_v<decltype(detail::invoke(member, std::declval<Point>())), int&&>);
}
