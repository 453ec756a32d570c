#include <fusebox/circuit_breaker/detail/totals.hpp>
#include <fusebox/detail/sync.hpp>

#include <optional>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using detail::Count;

namespace {
using Totals = detail::Totals<detail::StdSync>;

/// A clock that reads `now`.
auto at(detail::Tick now) {
  return [now] { return now; };
}
}  // namespace

TEST_CASE("totals lie inline on at most four cache lines") {
  STATIC_REQUIRE(sizeof(Totals) <= 4 * 64);
  STATIC_REQUIRE(alignof(Totals) == 16);  // so that what one success touches lies in one line
}

TEST_CASE("totals begin with nothing") {
  const Totals totals;
  CHECK(totals.values() == Totals::Values{});
  CHECK_FALSE(totals.last_success().has_value());
  CHECK_FALSE(totals.last_failure().has_value());
}

TEST_CASE("each kind of call is counted by itself") {
  Totals totals;
  totals.add_success(at(10));
  for (int i = 0; i < 2; ++i) totals.add_failure(at(20));
  for (int i = 0; i < 3; ++i) totals.add(Count::ignored);
  for (int i = 0; i < 4; ++i) totals.add(Count::rejected);
  for (int i = 0; i < 5; ++i) totals.add(Count::slow);
  const Totals::Values values = totals.values();
  CHECK(values[static_cast<std::size_t>(Count::success)] == 1);
  CHECK(values[static_cast<std::size_t>(Count::failure)] == 2);
  CHECK(values[static_cast<std::size_t>(Count::ignored)] == 3);
  CHECK(values[static_cast<std::size_t>(Count::rejected)] == 4);
  CHECK(values[static_cast<std::size_t>(Count::slow)] == 5);
}

TEST_CASE("successes and failures are stamped apart, the last one staying") {
  Totals totals;
  totals.add_success(at(10));
  CHECK(totals.last_success() == std::optional<detail::Tick>{10});
  CHECK_FALSE(totals.last_failure().has_value());
  totals.add_failure(at(20));
  totals.add_success(at(30));
  CHECK(totals.last_success() == std::optional<detail::Tick>{30});
  CHECK(totals.last_failure() == std::optional<detail::Tick>{20});
}

TEST_CASE("a stamp may be zero or negative") {
  Totals totals;
  totals.add_failure(at(-5));
  CHECK(totals.last_failure() == std::optional<detail::Tick>{-5});
  totals.add_failure(at(0));
  CHECK(totals.last_failure() == std::optional<detail::Tick>{0});
}

TEST_CASE("forgotten stamps leave the counts, and later ones are kept") {
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

TEST_CASE("what many threads add is all there, with the latest stamp of any") {
  constexpr int threads = 8;
  Totals totals;
  for (int round = 1; round <= 50; ++round) {
    support::run_together(threads, [&](int thread) {
      for (int i = 0; i < 10; ++i) totals.add(Count::slow);
      totals.add_success(at(round));
      if (thread == 3) totals.add_failure(at(100 + round));
    });
    const auto n = static_cast<std::uint64_t>(round);
    REQUIRE(totals.values() == Totals::Values{threads * n, n, 0, 0, threads * 10 * n});
    REQUIRE(totals.last_success() == std::optional<detail::Tick>{round});
    REQUIRE(totals.last_failure() == std::optional<detail::Tick>{100 + round});
  }
}
