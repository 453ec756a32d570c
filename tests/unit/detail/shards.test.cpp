#include <fusebox/detail/shards.hpp>

#include <cstddef>
#include <thread>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("N2 there are as many shards as processors, as a power of two from 4 to 32", "[N2]") {
  STATIC_REQUIRE(detail::shards_for(-1) == 4);
  STATIC_REQUIRE(detail::shards_for(1) == 4);
  STATIC_REQUIRE(detail::shards_for(4) == 4);
  STATIC_REQUIRE(detail::shards_for(5) == 8);
  STATIC_REQUIRE(detail::shards_for(16) == 16);
  STATIC_REQUIRE(detail::shards_for(32) == 32);
  STATIC_REQUIRE(detail::shards_for(33) == 32);
  STATIC_REQUIRE(detail::shards_for(1024) == 32);
#if defined(_SC_NPROCESSORS_CONF)
  CHECK(detail::shard_count() == detail::shards_for(::sysconf(_SC_NPROCESSORS_CONF)));
#endif
}

TEST_CASE("N2 a thread begins on the first shard and moves to that of its processor", "[N2]") {
  std::size_t first = 1;
  std::size_t rehomed = detail::most_shards;
  std::thread{[&] {
    first = detail::thread_shard();
    detail::move_thread_to_shard(detail::most_shards);
    detail::rehome_thread();
    rehomed = detail::thread_shard();
  }}.join();
  CHECK(first == 0);
  CHECK(rehomed < detail::shard_count());
}

TEST_CASE("N2 each thread has its own shard", "[N2]") {
  detail::move_thread_to_shard(3);
  std::thread{[] { detail::move_thread_to_shard(2); }}.join();
  CHECK(detail::thread_shard() == 3);
  detail::move_thread_to_shard(0);
}
