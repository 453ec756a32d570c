#include <fusebox/detail/slots/config.hpp>

#include <limits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::slots_for;

namespace {

/// For critical, normal, sheddable and background calls.
constexpr bool are(std::uint32_t limit, double headroom, std::uint32_t critical, std::uint32_t normal,
                   std::uint32_t sheddable, std::uint32_t background) {
  return slots_for(Priority::critical, limit, headroom) == critical &&
         slots_for(Priority::normal, limit, headroom) == normal &&
         slots_for(Priority::sheddable, limit, headroom) == sheddable &&
         slots_for(Priority::background, limit, headroom) == background;
}

}  // namespace

TEST_CASE("P19 without headroom a call of any priority may take every slot", "[P19]") {
  STATIC_REQUIRE(are(1, 0, 1, 1, 1, 1));
  STATIC_REQUIRE(are(65'535, 0, 65'535, 65'535, 65'535, 65'535));
}

TEST_CASE("P19 each step of priority leaves a share free, rounded up to whole slots", "[P19]") {
  STATIC_REQUIRE(are(10, 0.1, 10, 9, 8, 7));  // 10 x 0.1 x 3 is a little more than 3
  STATIC_REQUIRE(are(100, 0.3, 100, 70, 40, 10));
  STATIC_REQUIRE(are(25, 0.1, 25, 22, 20, 17));
  STATIC_REQUIRE(are(4, 0.1, 4, 3, 3, 2));
  STATIC_REQUIRE(are(1000, 0.001, 1000, 999, 998, 997));
  STATIC_REQUIRE(are(65'535, 0.3, 65'535, 45'874, 26'214, 6'553));
}

TEST_CASE("P19 one slot is everybody's", "[P19]") {
  STATIC_REQUIRE(are(1, 0.3, 1, 1, 1, 1));
  STATIC_REQUIRE(are(2, 0.3, 2, 1, 1, 1));
  STATIC_REQUIRE(are(3, 0.3, 3, 2, 1, 1));
}

TEST_CASE("C3 the checks of what has slots", "[C3]") {
  STATIC_REQUIRE(!detail::check_limit("limit", 1) && !detail::check_limit("limit", 65'535));
  STATIC_REQUIRE(detail::check_limit("limit", 0) && detail::check_limit("limit", 65'536));
  STATIC_REQUIRE(!detail::check_max_waiting(0) && !detail::check_max_waiting(65'535));
  STATIC_REQUIRE(detail::check_max_waiting(-1) && detail::check_max_waiting(65'536));
  STATIC_REQUIRE(!detail::check_max_wait(0ns) && !detail::check_max_wait(no_timeout));
  STATIC_REQUIRE(detail::check_max_wait(-1ns));
  STATIC_REQUIRE(!detail::check_headroom(0) && !detail::check_headroom(0.3));
  STATIC_REQUIRE(detail::check_headroom(-0.001) && detail::check_headroom(0.300001));
  STATIC_REQUIRE(detail::check_headroom(std::numeric_limits<double>::quiet_NaN()));
}
