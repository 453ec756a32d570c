// A hedged call against rules J1, J2, J4, J6 and J10: random configs, ends of copies, and budgets. What is
// next, who won, who still runs, and the counts are compared after each step.
#include <fusebox/hedge.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "code.hpp"
#include "rapidcheck.hpp"
#include "reference_hedge.hpp"

using namespace model;
using namespace std::chrono_literals;
using fusebox::HedgeStep;
using fusebox::Outcome;

namespace {

using Nanoseconds = std::chrono::nanoseconds;

enum class Act { advance, succeed, fail, ignore, cancel };
constexpr std::array act_names{"advance", "succeed", "fail", "ignore", "cancel"};

struct Step {
  Act act = Act::advance;
  int copy = 0;
  Nanoseconds time{0};
};
struct HedgeScript {
  Nanoseconds delay = 2s;
  int max_hedges = 1;
  Nanoseconds deadline = Nanoseconds::max();
  int paid = 100;  ///< hedges that the budget pays
  std::vector<Step> steps;
};

void showValue(const HedgeScript& script, std::ostream& out) {  // NOLINT: RapidCheck's name
  out << "{.delay = " << to_code(script.delay) << ", .max_hedges = " << script.max_hedges << "}, deadline "
      << to_code(script.deadline) << ", paid " << script.paid;
  for (const Step& step : script.steps) {
    out << "\n  " << act_names.at(static_cast<std::size_t>(step.act)) << " copy " << step.copy << " "
        << to_code(step.time);
  }
}

rc::Gen<HedgeScript> hedge_script() {
  const auto step = rc::gen::build<Step>(
      rc::gen::set(&Step::act, any_of({Act::advance, Act::advance, Act::fail, Act::fail, Act::succeed,
                                       Act::ignore, Act::cancel})),
      rc::gen::set(&Step::copy, any_of({0, 1, 2, 3, 7})),
      rc::gen::set(&Step::time, any_of<Nanoseconds>({2s, 1s, 0s, 1ns, 1999999999ns, 10s})));
  return rc::gen::build<HedgeScript>(
      rc::gen::set(&HedgeScript::delay, any_of<Nanoseconds>({2s, 0s, 1s, Nanoseconds::max()})),
      rc::gen::set(&HedgeScript::max_hedges, any_of({1, 0, 2, 3, 31})),
      rc::gen::set(&HedgeScript::deadline, any_of<Nanoseconds>({Nanoseconds::max(), 3s, 2s, 0s, 4s})),
      rc::gen::set(&HedgeScript::paid, any_of({100, 0, 1, 2})),
      rc::gen::set(&HedgeScript::steps, rc::gen::container<std::vector<Step>>(step)));
}

struct Budget {
  int left = 0;
  int asked = 0;
  bool try_withdraw() {
    ++asked;
    return left-- > 0;
  }
};

struct Reached {
  std::size_t won_by_hedge = 0;
  std::size_t all_failed = 0;
  std::size_t refused = 0;
  std::size_t cancelled = 0;
};

int number(const std::optional<std::size_t>& copy) { return copy ? static_cast<int>(*copy) : -1; }

std::string run_hedge(const HedgeScript& script, Reached& reached) {
  const fusebox::test::FakeClock clock = fusebox::test::FakeClock::manual();
  const auto begin = clock.now();
  Budget budget{script.paid};
  int paid = script.paid;
  auto policy = fusebox::hedge({.delay = script.delay, .max_hedges = script.max_hedges}, budget, clock);
  const bool is_limited = script.deadline != Nanoseconds::max();
  auto run =
      policy.start(is_limited ? fusebox::Deadline::after(script.deadline, clock) : fusebox::Deadline{});
  ReferenceHedge reference{static_cast<std::size_t>(script.max_hedges), script.delay,
                           is_limited ? std::optional{script.deadline} : std::nullopt};
  std::uint64_t refused = 0;
  const auto now = [&] { return Nanoseconds{clock.now() - begin}; };

  const auto follow = [&]() -> std::string {
    for (;;) {
      const HedgeStep step = run.next();
      while (!reference.is_over() && reference.is_due(now()) && reference.started() > 0 && paid == 0) {
        reference.refuse();
        ++refused;
      }
      if (reference.is_over()) return step.kind == HedgeStep::Kind::done ? "" : "it is not done";
      if (reference.is_due(now())) {
        if (step.kind != HedgeStep::Kind::start) return "no copy starts";
        if (step.copy != static_cast<int>(reference.started())) return "another copy starts";
        if (reference.started() > 0) --paid;
        reference.start(now());
        continue;
      }
      if (step.kind != HedgeStep::Kind::wait) return "there is no wait";
      auto due = reference.due();
      if (due && is_limited && now() >= script.deadline) due.reset();
      const Nanoseconds expected = due ? *due - now() : Nanoseconds::max();
      if (step.wait != expected) return "the wait is " + to_code(step.wait) + ", not " + to_code(expected);
      return {};
    }
  };
  const auto compare = [&]() -> std::string {
    if (run.is_over() != reference.is_over()) return "one is over, the other is not";
    for (int copy = 0; copy < 9; ++copy) {
      if (run.is_running(copy) != reference.is_running(static_cast<std::size_t>(copy)))
        return "copy " + std::to_string(copy) + " runs, or does not";
    }
    if (run.winner() != number(reference.winner())) return "another copy won";
    if (reference.is_over() && run.result() != number(reference.result()))
      return "another copy is the result";
    return {};
  };

  std::string problem = follow();
  for (const Step& step : script.steps) {
    if (!problem.empty()) return problem;
    const auto copy = static_cast<std::size_t>(step.copy);
    const auto report = [&](Outcome outcome) {
      run.report(step.copy, outcome);
      reference.end(copy, outcome, now());
    };
    switch (step.act) {
      case Act::advance: clock.advance(step.time); break;
      case Act::succeed: report(Outcome::success); break;
      case Act::fail: report(Outcome::failure); break;
      case Act::ignore: report(Outcome::ignored); break;
      case Act::cancel:
        if (step.copy != 7) break;  // rarely
        run.cancel();
        reference.cancel();
        break;
    }
    problem = follow();
    if (problem.empty()) problem = compare();
  }
  if (!problem.empty()) return problem;
  const auto stats = policy.stats();
  const auto won = reference.winner();
  if (stats.started != reference.started() - 1) return "the hedges differ";
  if (stats.refused != refused) return "the refusals differ";
  if (stats.won_by_primary != (won == 0U ? 1U : 0U)) return "the wins of primaries differ";
  if (stats.won_by_hedge != (won && *won > 0 ? 1U : 0U)) return "the wins of hedges differ";
  reached.won_by_hedge += stats.won_by_hedge;
  reached.all_failed += reference.is_over() && !won && !reference.is_cancelled() ? 1U : 0U;
  reached.refused += refused;
  reached.cancelled += reference.is_cancelled() ? 1U : 0U;
  return {};
}

}  // namespace

TEST_CASE("J10 a run does what the rules say, whatever happens", "[J10][J1][J2][J4][J6]") {
  Reached reached;
  CHECK(
      holds("hedge", hedge_script(), [&](const HedgeScript& script) { return run_hedge(script, reached); }));
  CHECK(reached.won_by_hedge > 100);
  CHECK(reached.all_failed > 100);
  CHECK(reached.refused > 100);
  CHECK(reached.cancelled > 100);
}
