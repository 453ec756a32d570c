#include <fusebox/detail/slots/wake.hpp>

#include <fusebox/detail/sync.hpp>

#include <stop_token>
#include <type_traits>

#include "catch.hpp"

using namespace fusebox;

namespace {

struct OwnWake {};
struct OwnSync {
  using Wake = OwnWake;
};

}  // namespace

TEST_CASE("K4 a stop source wakes a waiter, or what a model checker has", "[K4]") {
  STATIC_REQUIRE(std::is_same_v<detail::WakeOf<detail::StdSync>::type, std::stop_source>);
  STATIC_REQUIRE(std::is_same_v<detail::WakeOf<OwnSync>::type, OwnWake>);
}

TEST_CASE("K4 without stop tokens a flag wakes a waiter, which its copies share", "[K4]") {
  const detail::WakeFlag flag;
  const detail::WakeFlag copy = flag;
  const detail::WakeFlag other;
  CHECK_FALSE(flag.stop_requested());
  copy.request_stop();
  CHECK(flag.stop_requested());
  CHECK_FALSE(other.stop_requested());
  CHECK_FALSE(detail::WakeFlag::get_token().stop_possible());
}
