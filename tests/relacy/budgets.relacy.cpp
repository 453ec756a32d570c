// A budget's word: threads together withdraw what was deposited, and never more (U2, U3).
#include <fusebox/retry_budget/detail/balance.hpp>

#include <array>
#include <atomic>
#include <cstdint>

#include "acting_suite.hpp"
#include "scenario.hpp"

namespace checks {
namespace {

constexpr fusebox::RetryBudgetConfig half{.ratio = 0.5, .min_per_second = 0, .capacity = 3, .reserve = 1};

/// As some budgets do it: looks at the sum, then subtracts from it.
template <Flaw flaw>
class SumThenSubtract {
 public:
  explicit SumThenSubtract(const fusebox::RetryBudgetConfig& config) : halves_{2 * config.reserve} {}

  void deposit(std::int64_t /*now*/) { halves_.fetch_add(1, std::memory_order_acq_rel); }
  void give_back(std::int64_t /*now*/) { halves_.fetch_add(2, std::memory_order_acq_rel); }
  [[nodiscard]] bool try_withdraw(std::int64_t /*now*/) {
    if (halves_.load(std::memory_order_acquire) < 2) return false;
    halves_.fetch_sub(2, std::memory_order_acq_rel);
    return true;
  }
  [[nodiscard]] double value(std::int64_t /*now*/) const {
    return halves_.load(std::memory_order_acquire) / 2.0;
  }

 private:
  Atomic<flaw, int> halves_;
};

/// One retry in reserve, and four calls that pay for half a one each. One retry never happens.
template <template <Flaw> class Budget, Flaw flaw>
struct Withdrawals : ActingSuite<Withdrawals<Budget, flaw>, 3, flaw> {
  Budget<flaw> budget{half};
  std::array<int, 3> paid{};

  void act(unsigned thread) {
    if (thread == 0 && budget.try_withdraw(0)) budget.give_back(0);
    if (thread > 0) budget.deposit(0);
    if (budget.try_withdraw(0)) ++paid[thread];
    if (thread > 0) budget.deposit(0);
    RL_ASSERT(budget.value(0) >= 0 && budget.value(0) <= 3);
  }
  void after() {
    while (budget.try_withdraw(0)) ++paid[0];
    RL_ASSERT(paid[0] + paid[1] + paid[2] == 3);
    RL_ASSERT(budget.value(0) == 0);
  }
};

template <Flaw flaw>
using Balance = fusebox::detail::Balance<Sync<flaw>>;

/// A full budget stays full, whoever deposits and gives back.
template <Flaw flaw>
struct FullBudget : ActingSuite<FullBudget<flaw>, 3, flaw> {
  Balance<flaw> budget{{.ratio = 0.5, .min_per_second = 0, .capacity = 2, .reserve = 2}};

  void act(unsigned thread) {
    if (thread == 0) {
      RL_ASSERT(budget.try_withdraw(0));
      budget.give_back(0);
    }
    budget.deposit(0);
    budget.deposit(0);
  }
  void after() { RL_ASSERT(budget.value(0) == 2); }
};

/// Four failures and two successes of half a token, of four tokens.
template <Flaw flaw>
struct Tokens : ActingSuite<Tokens<flaw>, 3, flaw> {
  fusebox::detail::ThrottleTokens<Sync<flaw>> tokens{{.max_tokens = 4, .token_ratio = 0.5}};

  void before() { tokens.take_failure(); }
  void act(unsigned thread) {
    if (thread > 0) tokens.add_success();
    tokens.take_failure();
    RL_ASSERT(tokens.value() >= 0 && tokens.value() <= 4);
  }
  void after() { RL_ASSERT(tokens.value() == 1 && !tokens.permits_retry()); }
};

}  // namespace

Scenarios budgets() {
  return {
      holds<Withdrawals<Balance, Flaw::none>>("budgets: what was deposited, and no more"),
      broken<Withdrawals<Balance, Flaw::split>>(
          "budgets: what was deposited, and no more, by a load and a store"),
      broken<Withdrawals<SumThenSubtract, Flaw::none>>(
          "budgets: what was deposited, and no more, summed first"),
      holds<FullBudget<Flaw::none>>("budgets: full stays full"),
      broken<FullBudget<Flaw::split>>("budgets: full stays full, by a load and a store"),
      holds<Tokens<Flaw::none>>("budgets: each failure and each success once"),
      broken<Tokens<Flaw::split>>("budgets: each failure and each success once, by a load and a store"),
  };
}

}  // namespace checks
