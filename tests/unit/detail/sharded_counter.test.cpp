#include <fusebox/detail/sharded_counter.hpp>

#include <fusebox/detail/shards.hpp>

#include <cstddef>
#include <cstdint>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using detail::ShardedCounter;

TEST_CASE("N2 a sharded counter sums its shards, which lie inside or in an allocation", "[N2]") {
  STATIC_REQUIRE(sizeof(ShardedCounter<>) <= 4 * detail::shard_size + 16);
  for (const std::size_t shards : {std::size_t{4}, std::size_t{8}, std::size_t{32}}) {
    ShardedCounter<> counter{shards};
    CHECK(counter.value() == 0);
    for (std::size_t shard = 0; shard < shards; ++shard) {
      detail::move_thread_to_shard(shard);
      for (std::size_t i = 0; i <= shard; ++i) counter.add();
    }
    detail::move_thread_to_shard(0);
    CHECK(counter.value() == shards * (shards + 1) / 2);
  }
}

TEST_CASE("N2 a thread that counts often moves to the shard of its processor", "[N2]") {
  ShardedCounter<> counter{32};
  detail::move_thread_to_shard(31);
  for (int i = 0; i < 1023; ++i) counter.add();
  CHECK(detail::thread_shard() == 31);
  counter.add();
  CHECK(detail::thread_shard() < detail::shard_count());
  detail::move_thread_to_shard(0);
  CHECK(counter.value() == 1024);
}

TEST_CASE("N2 threads that count together lose nothing", "[N2]") {
  ShardedCounter<> counter;
  support::run_together(4, [&](int /*i*/) {
    for (int i = 0; i < 5000; ++i) counter.add();
  });
  CHECK(counter.value() == 20'000);
}
