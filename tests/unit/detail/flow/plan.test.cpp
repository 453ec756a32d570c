#include <fusebox/detail/flow/plan.hpp>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>

#include <memory>
#include <tuple>
#include <utility>

#include "catch.hpp"
#include "support/task.hpp"

namespace detail = fusebox::detail;
using support::Task;

namespace {

using Breaker = fusebox::CircuitBreaker<>;
Task<int> give() { co_return 1; }

template <class Op>
using PlanOf =
    detail::PolicyPlan<Task<int>, detail::Takes::nothing, detail::Throwing, Op, detail::PartTuple<Breaker&>>;

}  // namespace

TEST_CASE("A2 to make a plan, and its state, admits nothing; its first step does", "[A2]") {
  Breaker breaker{"b"};
  PlanOf<Task<int> (*)()> plan{detail::PartTuple<Breaker&>{breaker}, &give};
  typename decltype(plan)::State state{plan};
  CHECK(breaker.stats().success_count == 0);
  CHECK(state.flow.next() == detail::Todo::call);
  state.slot.make([] { return 4; });
  state.flow.report(detail::judge(state.slot, state.rule));
  CHECK(state.flow.next() == detail::Todo::done);
  CHECK(state.finish() == 4);
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("A3 a plan owns op, and finds the failure_if among its options", "[A3]") {
  Breaker breaker{"b"};
  auto kept = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = kept;
  {
    const auto op = [kept = std::move(kept)] { return give(); };
    const PlanOf<std::decay_t<decltype(op)>> plan{detail::PartTuple<Breaker&>{breaker}, op};
    CHECK(watch.use_count() == 2);
  }
  CHECK(watch.expired());
  std::tuple options{1, fusebox::failure_if([](int value) { return value == 2; })};
  CHECK(detail::may_be_failure(2, detail::rule_of(options)));
  CHECK_FALSE(detail::may_be_failure(3, detail::rule_of(options)));
  std::tuple<> none;
  STATIC_REQUIRE(std::is_same_v<decltype(detail::rule_of(none)), detail::NoRule>);
}

TEST_CASE("A8 a state that is destroyed after its call began counts the call as ignored", "[A8]") {
  Breaker breaker{"b"};
  PlanOf<Task<int> (*)()> plan{detail::PartTuple<Breaker&>{breaker}, &give};
  {
    typename decltype(plan)::State state{plan};
    CHECK(state.flow.next() == detail::Todo::call);
  }
  CHECK(breaker.stats().ignored_count == 1);
}
