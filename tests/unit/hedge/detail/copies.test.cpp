#include <fusebox/hedge.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <tuple>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::NoRule;
using detail::Verdict;
using test::FakeClock;

namespace {

struct Op {
  int operator()() const { return 1; }
};
using Slot = detail::Slot<int, int>;
using Copies = detail::HedgeCopies<FakeClock, RetryBudget<>&, std::tuple<>, Slot, Op, NoRule>;

struct Bench {
  FakeClock clock = FakeClock::manual();
  RetryBudget<> budget{{.ratio = 1, .min_per_second = 0, .reserve = 0}};
  std::shared_ptr<detail::HedgeState> state = std::make_shared<detail::HedgeState>(
      HedgeConfig{.delay = 0s, .max_hedges = 2}, std::make_shared<detail::HedgeTotals>());
  Copies copies{state, clock,   detail::HedgeBudget<RetryBudget<>&>{budget}, {}, detail::plain_call,
                Op{},  NoRule{}};
  detail::SlotBase failure;
  Slot slot{failure};

  Bench() { copies.begin(); }
};

}  // namespace

TEST_CASE("J6 a hedge that starts has been paid, and one that does not gets it back", "[J6]") {
  Bench bench;
  const Copies::Starting primary{bench.copies, 0};
  REQUIRE(primary.copy() != nullptr);
  CHECK(bench.budget.stats().balance == 1);
  {
    Copies::Starting hedge{bench.copies, 1};
    REQUIRE(hedge.copy() != nullptr);
    CHECK(bench.budget.stats().balance == 0);
    bench.copies.drop(*hedge.copy());
  }
  CHECK(bench.budget.stats().balance == 1);
  CHECK(bench.state->counts->stats().started == 0);
}

TEST_CASE("J6 a hedge that is not paid does not start, and none after it", "[J6]") {
  Bench bench;
  const Copies::Starting primary{bench.copies, 0};
  Copies::Starting paid{bench.copies, 1};
  paid.spend();
  const Copies::Starting unpaid{bench.copies, 2};
  CHECK(unpaid.copy() == nullptr);
  CHECK(bench.state->counts->stats() == HedgeStats{.started = 1, .refused = 1});
  CHECK(bench.copies.next_step().what == detail::HedgeRace::What::wait);
}

TEST_CASE("J1 the value of the copy that won is that of the call", "[J1]") {
  Bench bench;
  const Copies::Starting primary{bench.copies, 0};
  Copies::Starting hedge{bench.copies, 1};
  hedge.spend();
  {
    Copies::Ending ending{bench.copies, *hedge.copy()};
    hedge.copy()->slot.make([] { return 42; });
    bench.copies.note(*hedge.copy(), Verdict::late);
    ending.tell();
  }
  CHECK(primary.copy()->token.stop_requested());
  CHECK(bench.copies.finish(bench.slot) == Verdict::late);
  CHECK(bench.slot.take() == 42);
  CHECK(bench.state->counts->stats().won_by_hedge == 1);
}

TEST_CASE("J3 the exception of a hook leaves the call", "[J3]") {
  Bench bench;
  const Copies::Starting primary{bench.copies, 0};
  {
    Copies::Ending ending{bench.copies, *primary.copy()};
    primary.copy()->exception = std::make_exception_ptr(std::logic_error{"hook"});
    ending.tell();
  }
  CHECK_THROWS_WITH(bench.copies.finish(bench.slot), "hook");
}

TEST_CASE("J8 a copy that ends without telling leaves the call as cancelled", "[J8]") {
  Bench bench;
  const Copies::Starting primary{bench.copies, 0};
  {
    const Copies::Ending ending{bench.copies, *primary.copy()};
  }
  CHECK(bench.copies.is_over());
  CHECK(bench.copies.finish(bench.slot) == Verdict::cancelled);
  CHECK(bench.failure.failure().is_cancellation());
}

TEST_CASE("J4 the caller that leaves stops the copies", "[J4]") {
  Bench bench;
  const Copies::Starting primary{bench.copies, 0};
  {
    const Copies::Leaving leaving{bench.copies};
  }
  CHECK(primary.copy()->token.stop_requested());
}
