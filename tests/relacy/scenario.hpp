// relacy/scenario.hpp: what is checked: a name, a suite of Relacy's, and whether it is a broken twin.
#pragma once

#include <vector>

#include "relacy.hpp"

namespace checks {

struct Scenario {
  const char* name;
  bool is_broken;  // then Relacy must reject it
  rl::test_result_e (*run)(rl::test_params& params);
};
using Scenarios = std::vector<Scenario>;

/// Runs with random interleavings, the same ones every time; a failed one again, to print its history.
template <class Suite>
rl::test_result_e run(rl::test_params& params) {
  using Scheduler = rl::random_scheduler<Suite::params::thread_count>;
  rl::ostringstream failed;
  const auto result = rl::run_test<Suite, Scheduler>(params, failed, false);
  if (result != rl::test_result_success) {
    params.initial_state = failed.str();
    params.collect_history = true;
    rl::run_test<Suite, Scheduler>(params, failed, true);
  }
  return result;
}

template <class Suite>
[[nodiscard]] Scenario holds(const char* name) {
  return {name, false, run<Suite>};
}
template <class Suite>
[[nodiscard]] Scenario broken(const char* name) {
  return {name, true, run<Suite>};
}

Scenarios recovery();
Scenarios openings();
Scenarios windows();
Scenarios due_times();
Scenarios late_reports();
Scenarios resets();
Scenarios counts();
Scenarios events();
Scenarios reconfigurations();
Scenarios shares();
Scenarios calls();
Scenarios timers();
Scenarios limits();
Scenarios budgets();
Scenarios bulkheads();
Scenarios throttles();
Scenarios adaptive_limits();

}  // namespace checks
