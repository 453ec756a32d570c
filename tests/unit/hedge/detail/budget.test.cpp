#include <fusebox/hedge.hpp>
#include <fusebox/retry_budget.hpp>

#include <memory>

#include "catch.hpp"

using namespace fusebox;
using detail::HedgeBudget;

TEST_CASE("J6 no budget permits everything, and is not asked why", "[J6]") {
  HedgeBudget<detail::NoHedgeBudget> none{detail::NoHedgeBudget{}};
  none.on_call();
  none.deposit();
  none.give_back();
  CHECK(none.try_withdraw([]() -> Failure {
    FAIL();
    return Failure{std::error_code{}};
  }));
}

TEST_CASE("J6 a budget by reference, and one that is shared", "[J6]") {
  RetryBudget<> budget{{.ratio = 1, .min_per_second = 0, .reserve = 0}};
  HedgeBudget<RetryBudget<>&> by_reference{budget};
  const auto why = [] { return Failure{make_error_code(PolicyErrc::timed_out)}; };
  CHECK_FALSE(by_reference.try_withdraw(why));
  by_reference.on_call();
  CHECK(by_reference.try_withdraw(why));
  CHECK_FALSE(by_reference.try_withdraw(why));
  by_reference.give_back();
  CHECK(budget.stats().balance == 1);

  const auto throttle = std::make_shared<RetryThrottle>(RetryThrottleConfig{.max_tokens = 4});
  HedgeBudget<detail::SharedBudget<RetryThrottle>> shared{detail::SharedBudget<RetryThrottle>{throttle}};
  detail::SlotBase failed;
  failed.fail(why());
  CHECK(shared.try_withdraw(why));
  shared.on_failure(failed);
  shared.on_failure(failed);
  CHECK_FALSE(shared.try_withdraw(why));
  shared.deposit();
  CHECK(shared.try_withdraw(why));
}
