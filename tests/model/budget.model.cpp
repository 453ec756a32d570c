// RetryBudget and RetryThrottle against rules U2 to U4 and U6: random configs and calls; what is permitted,
// the balance and the counts are compared, exactly.
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include "code.hpp"
#include "rapidcheck.hpp"
#include "reference_budget.hpp"

using namespace model;
using namespace std::chrono_literals;

namespace {

using Nanoseconds = std::chrono::nanoseconds;

enum class Act { call, withdraw, give_back, advance };
constexpr std::array act_names{"call", "withdraw", "give_back", "advance"};

struct Step {
  Act act = Act::call;
  int times = 1;
  Nanoseconds time{0};
};

/// A ratio and a rate for which time is whole in units.
struct Rates {
  Fraction ratio;
  int min_per_second = 0;
};
struct BudgetScript {
  Rates rates;
  int capacity = 100;
  int reserve = 100;
  std::vector<Step> steps;
};

void show(const std::vector<Step>& steps, std::ostream& out) {
  for (const Step& step : steps) {
    out << "\n  " << act_names.at(static_cast<std::size_t>(step.act)) << " " << step.times << " times, "
        << to_code(step.time);
  }
}
void showValue(const BudgetScript& script, std::ostream& out) {  // NOLINT: RapidCheck's name
  out << "{.ratio = " << script.rates.ratio.part << ".0 / " << script.rates.ratio.whole
      << ", .min_per_second = " << script.rates.min_per_second << ", .capacity = " << script.capacity
      << ", .reserve = " << script.reserve << "}";
  show(script.steps, out);
}

rc::Gen<Step> a_step() {
  return rc::gen::build<Step>(
      rc::gen::set(&Step::act, any_of({Act::call, Act::call, Act::withdraw, Act::withdraw, Act::give_back,
                                       Act::advance})),
      rc::gen::set(&Step::times, any_of({1, 2, 3, 10, 100})),
      rc::gen::set(&Step::time, any_of<Nanoseconds>({1s, 0s, 1ns, 99'999'999ns, 100ms, 333ms, 10s, 1h,
                                                     Nanoseconds::max() / 100})));
}

rc::Gen<BudgetScript> budget_script() {
  return rc::gen::build<BudgetScript>(
      rc::gen::set(&BudgetScript::rates, any_of<Rates>({{{1, 5}, 10},
                                                        {{3, 5}, 0},
                                                        {{1, 3}, 0},
                                                        {{2, 7}, 0},
                                                        {{617, 1'000}, 0},
                                                        {{0, 1}, 0},
                                                        {{1, 1}, 0},
                                                        {{1, 10}, 1},
                                                        {{3, 4}, 1'000},
                                                        {{1, 20}, 10},
                                                        {{0, 1}, 100}})),
      rc::gen::set(&BudgetScript::capacity, any_of({100, 1, 2, 10, 65'535})),
      rc::gen::set(&BudgetScript::reserve, any_of({0, 100, 1, 65'535})),
      rc::gen::set(&BudgetScript::steps, rc::gen::container<std::vector<Step>>(a_step())));
}

struct Reached {
  std::size_t permitted = 0;
  std::size_t refused = 0;
};

std::string compare(const char* what, double got, double expected) {
  if (got == expected) return {};
  return std::string{what} + " is " + to_code(got) + ", not " + to_code(expected);
}

std::string run_budget(const BudgetScript& script, Reached& reached) {
  const fusebox::test::FakeClock clock;
  fusebox::RetryBudget budget{{.ratio = script.rates.ratio.value(),
                               .min_per_second = script.rates.min_per_second,
                               .capacity = script.capacity,
                               .reserve = script.reserve},
                              clock};
  ReferenceBudget reference{script.rates.ratio, script.rates.min_per_second, script.capacity, script.reserve};
  std::uint64_t permitted = 0;
  std::uint64_t refused = 0;
  std::uint64_t given_back = 0;
  for (const Step& step : script.steps) {
    for (int i = 0; i < step.times; ++i) {
      switch (step.act) {
        case Act::call:
          budget.on_call();
          reference.call();
          break;
        case Act::withdraw: {
          const bool paid = reference.withdraw();
          if (budget.try_withdraw() != paid) return paid ? "is not paid" : "is paid";
          ++(paid ? permitted : refused);
          break;
        }
        case Act::give_back:
          if (given_back == permitted) break;
          ++given_back;
          budget.give_back();
          reference.give_back();
          break;
        case Act::advance:
          if (i > 0) break;
          clock.advance(step.time);
          reference.advance(step.time.count());
          break;
      }
    }
    const auto stats = budget.stats();
    if (auto problem = compare("the balance", stats.balance, reference.balance()); !problem.empty())
      return problem;
    if (stats.withdrawn != permitted || stats.refused != refused) return "the counts differ";
  }
  reached.permitted += permitted;
  reached.refused += refused;
  return {};
}

struct ThrottleScript {
  Fraction ratio;
  int max_tokens = 100;
  std::vector<Step> steps;  // call: a success; give_back: a failure
};

void showValue(const ThrottleScript& script, std::ostream& out) {  // NOLINT
  out << "{.max_tokens = " << script.max_tokens << ", .token_ratio = " << script.ratio.part << ".0 / "
      << script.ratio.whole << "}";
  show(script.steps, out);
}

rc::Gen<ThrottleScript> throttle_script() {
  return rc::gen::build<ThrottleScript>(
      rc::gen::set(&ThrottleScript::ratio,
                   any_of<Fraction>({{1, 10}, {1, 2}, {1, 3}, {1, 1}, {617, 1'000}, {1, 1'000}})),
      rc::gen::set(&ThrottleScript::max_tokens, any_of({100, 1, 2, 3, 10, 1'000})),
      rc::gen::set(&ThrottleScript::steps, rc::gen::container<std::vector<Step>>(a_step())));
}

std::string run_throttle(const ThrottleScript& script, Reached& reached) {
  fusebox::RetryThrottle throttle{{.max_tokens = script.max_tokens, .token_ratio = script.ratio.value()}};
  ReferenceThrottle reference{script.ratio, script.max_tokens};
  const fusebox::Failure failure{std::make_error_code(std::errc::connection_reset)};
  for (const Step& step : script.steps) {
    for (int i = 0; i < step.times; ++i) {
      if (step.act == Act::call) {
        throttle.deposit();
        reference.success();
      } else if (step.act == Act::give_back) {
        throttle.on_failure(failure);
        reference.failure();
      } else {
        const bool permitted = reference.permits_retry();
        if (throttle.try_withdraw() != permitted) return permitted ? "is not permitted" : "is permitted";
        ++(permitted ? reached.permitted : reached.refused);
      }
    }
    if (auto problem = compare("tokens", throttle.stats().balance, reference.tokens()); !problem.empty())
      return problem;
  }
  return {};
}

}  // namespace

TEST_CASE("U2 U3 U6: a budget pays for exactly what the rules say") {
  Reached reached;
  CHECK(holds("a budget does what the rules say", budget_script(),
              [&](const BudgetScript& script) { return run_budget(script, reached); }));
  CHECK(reached.permitted > 100'000);
  CHECK(reached.refused > 100'000);
}

TEST_CASE("U2 U4: a throttle permits exactly what the rules say") {
  Reached reached;
  CHECK(holds("a throttle does what the rules say", throttle_script(),
              [&](const ThrottleScript& script) { return run_throttle(script, reached); }));
  CHECK(reached.permitted > 100'000);
  CHECK(reached.refused > 100'000);
}
