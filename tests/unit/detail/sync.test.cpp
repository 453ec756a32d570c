#include <fusebox/detail/sync.hpp>

#include <atomic>
#include <mutex>
#include <type_traits>

#include "catch.hpp"

using fusebox::detail::StdSync;

TEST_CASE("StdSync gives the standard library's atomics and mutex") {
  STATIC_REQUIRE(std::is_same_v<StdSync::Atomic<int>, std::atomic<int>>);
  STATIC_REQUIRE(std::is_same_v<StdSync::Mutex, std::mutex>);
}
