#include <fusebox/circuit_breaker/detail/totals.hpp>
#include <fusebox/detail/sync.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using detail::Counter;

namespace {

using Totals = detail::Totals<detail::StdSync>;

/// A clock that reads `now`.
auto at(detail::Tick now) {
  return [now] { return now; };
}

}  // namespace

TEST_CASE("N2 four shards lie inside, more of them in an allocation", "[N2][B13]") {
  STATIC_REQUIRE(sizeof(Totals) <= 4 * 64 + 16);
  for (const std::size_t shards : {std::size_t{4}, std::size_t{8}, std::size_t{32}}) {
    Totals totals{shards};
    for (std::size_t shard = 0; shard < shards; ++shard) {
      detail::move_thread_to_shard(shard);
      totals.add(Counter::slow);
      totals.add(Counter::ignored);
      totals.add(Counter::rejected);
      for (std::size_t i = 0; i <= shard; ++i) totals.add(Counter::success);
      totals.add(Counter::failure);
    }
    detail::move_thread_to_shard(0);
    CHECK(totals.recorded() == shards * (shards + 1) / 2 + shards);
    CHECK(totals.values() == Totals::Values{shards * (shards + 1) / 2, shards, shards, shards, shards});
  }
}

TEST_CASE("N2 what one success touches lies in one cache line", "[N2]") {
  STATIC_REQUIRE(alignof(Totals) == 16);  // so that what one success touches lies in one line
}

TEST_CASE("B13 totals begin at zero, without stamps", "[B13]") {
  const Totals totals;
  CHECK(totals.values() == Totals::Values{});
  CHECK_FALSE(totals.last_success().has_value());
  CHECK_FALSE(totals.last_failure().has_value());
}

TEST_CASE("B13 each kind of call is counted by itself", "[B13]") {
  Totals totals;
  totals.add_success(at(10));
  for (int i = 0; i < 2; ++i) totals.add_failure(at(20));
  for (int i = 0; i < 3; ++i) totals.add(Counter::ignored);
  for (int i = 0; i < 4; ++i) totals.add(Counter::rejected);
  for (int i = 0; i < 5; ++i) totals.add(Counter::slow);
  const Totals::Values values = totals.values();
  CHECK(values[static_cast<std::size_t>(Counter::success)] == 1);
  CHECK(values[static_cast<std::size_t>(Counter::failure)] == 2);
  CHECK(values[static_cast<std::size_t>(Counter::ignored)] == 3);
  CHECK(values[static_cast<std::size_t>(Counter::rejected)] == 4);
  CHECK(values[static_cast<std::size_t>(Counter::slow)] == 5);
}

TEST_CASE("B3 recorded outcomes are successes and failures", "[B3]") {
  Totals totals;
  CHECK(totals.recorded() == 0);
  totals.add_success(at(10));
  for (int i = 0; i < 2; ++i) totals.add_failure(at(10));
  totals.add(Counter::ignored);
  totals.add_rejected(10);
  totals.add(Counter::slow);
  CHECK(totals.recorded() == 3);
}

TEST_CASE("B13 successes and failures are stamped apart, each with its last time", "[B13]") {
  Totals totals;
  totals.add_success(at(10));
  CHECK(totals.last_success() == std::optional<detail::Tick>{10});
  CHECK_FALSE(totals.last_failure().has_value());
  totals.add_failure(at(20));
  totals.add_success(at(30));
  CHECK(totals.last_success() == std::optional<detail::Tick>{30});
  CHECK(totals.last_failure() == std::optional<detail::Tick>{20});
}

TEST_CASE("B13 a stamp may be zero or negative", "[B13]") {
  Totals totals;
  totals.add_failure(at(-5));
  CHECK(totals.last_failure() == std::optional<detail::Tick>{-5});
  totals.add_failure(at(0));
  CHECK(totals.last_failure() == std::optional<detail::Tick>{0});
}

TEST_CASE("B13 forget_stamps() leaves the counts, and later stamps are kept", "[B13]") {
  Totals totals;
  totals.add_success(at(10));
  totals.add_failure(at(20));
  const Totals::Values before = totals.values();
  totals.forget_stamps();
  CHECK(totals.values() == before);
  CHECK_FALSE(totals.last_success().has_value());
  CHECK_FALSE(totals.last_failure().has_value());
  totals.add_success(at(10));
  CHECK(totals.last_success() == std::optional<detail::Tick>{10});
}

TEST_CASE("B13 counts of many threads sum up, and the latest stamp of any thread counts", "[B13]") {
  constexpr int threads = 8;
  Totals totals;
  for (int round = 1; round <= 50; ++round) {
    support::run_together(threads, [&](int thread) {
      for (int i = 0; i < 10; ++i) totals.add(Counter::slow);
      totals.add_success(at(round));
      if (thread == 3) totals.add_failure(at(100 + round));
    });
    const auto n = static_cast<std::uint64_t>(round);
    REQUIRE(totals.values() == Totals::Values{threads * n, n, 0, 0, threads * 10 * n});
    REQUIRE(totals.recorded() == threads * n + n);
    REQUIRE(totals.last_success() == std::optional<detail::Tick>{round});
    REQUIRE(totals.last_failure() == std::optional<detail::Tick>{100 + round});
  }
}
