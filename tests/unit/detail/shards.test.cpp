#include <fusebox/detail/shards.hpp>

#include <thread>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("N2 a thread begins on the first shard and moves to that of its processor", "[N2]") {
  unsigned first = 1;
  unsigned rehomed = detail::shard_count;
  std::thread{[&] {
    first = detail::thread_shard;
    detail::thread_shard = detail::shard_count;
    detail::rehome_thread();
    rehomed = detail::thread_shard;
  }}.join();
  CHECK(first == 0);
  CHECK(rehomed < detail::shard_count);
}

TEST_CASE("N2 each thread has its own shard", "[N2]") {
  detail::thread_shard = 3;
  std::thread{[] { detail::thread_shard = 2; }}.join();
  CHECK(detail::thread_shard == 3);
}
