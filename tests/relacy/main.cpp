// Runs every scenario under Relacy, and every broken twin, which must be rejected.
//
//   relacy_checks [EXECUTIONS [PART OF A NAME]]
//
// EXECUTIONS of each scenario, the same ones every time; what fails prints its history.
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "scenario.hpp"

// Relacy replaces new and delete, by inline functions, but not the delete that is told a size. Whoever calls
// one, the standard library's own code included, must come to the same memory.
void operator delete(void* memory, std::size_t /*size*/) noexcept { ::operator delete(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { ::operator delete[](memory); }
namespace {
[[maybe_unused]] void* (*volatile const kept_new)(std::size_t) = &::operator new;
[[maybe_unused]] void (*volatile const kept_delete)(void*) = &::operator delete;
}  // namespace

#if defined(__linux__)
#include <sched.h>
/// The library spreads its counters by processor: here each of Relacy's threads runs on its own.
int sched_getcpu() noexcept { return rl::is_ctx() ? static_cast<int>(rl::thread_index()) : 0; }
#endif

namespace checks {
namespace {

/// True where it ended as it must.
bool check(const Scenario& scenario, rl::iteration_t executions) {
  std::ostream nowhere{nullptr};
  rl::ostringstream history;  // its memory is none of Relacy's
  rl::test_params params;
  params.iteration_count = executions;
  params.output_stream = &history;
  params.progress_stream = &nowhere;
  const auto result = scenario.run(params);

  const rl::string text = history.str();
  const bool is_rejected = result != rl::test_result_success;
  const bool is_good = is_rejected == scenario.is_broken;
  std::cout << (is_good ? "ok      " : "FAILED  ") << (scenario.is_broken ? "twin   " : "holds  ")
            << scenario.name << ": " << params.stop_iteration << " executions";
  if (is_rejected) std::cout << ", " << text.substr(0, text.find('\n'));
  std::cout << std::endl;
  if (!is_good) std::cout << text << std::endl;
  return is_good;
}

}  // namespace
}  // namespace checks

int main(int argc, char** argv) {
  const long long executions = argc > 1 ? std::atoll(argv[1]) : 10'000;
  const std::string_view only = argc > 2 ? argv[2] : "";
  if (executions <= 0) {
    std::cerr << "usage: relacy_checks [EXECUTIONS [PART OF A NAME]]\n";
    return 2;
  }
  bool is_good = true;
  int checked = 0;
  for (const auto& scenarios :
       {checks::recovery, checks::openings, checks::windows, checks::due_times, checks::late_reports,
        checks::resets, checks::counts, checks::events, checks::reconfigurations, checks::shares,
        checks::calls, checks::timers, checks::limits, checks::budgets, checks::bulkheads, checks::throttles,
        checks::adaptive_limits}) {
    for (const checks::Scenario& scenario : scenarios()) {
      if (std::string_view{scenario.name}.find(only) == std::string_view::npos) continue;
      ++checked;
      is_good = checks::check(scenario, static_cast<rl::iteration_t>(executions)) && is_good;
    }
  }
  if (checked == 0) std::cerr << "no scenario has '" << only << "' in its name\n";
  return is_good && checked > 0 ? 0 : 1;
}
