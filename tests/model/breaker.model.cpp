// CircuitBreaker against the reference: random configs, random commands, everything that is seen compared
// after each.
#include <algorithm>
#include <vector>

#include "breaker_generators.hpp"
#include "breaker_run.hpp"
#include "rapidcheck.hpp"

using namespace model;
using namespace fusebox;

TEST_CASE("B1 to B14: a breaker does what the reference does, whatever is done to it") {
  std::vector<Change> changes;
  std::size_t scripts = 0;
  CHECK(holds("a breaker does what the reference does", breaker_script(), [&](const BreakerScript& script) {
    ++scripts;
    return run(script, &changes);
  }));

  // The scripts get everywhere.
  for (int i = 0; i <= static_cast<int>(StateChangeReason::reset); ++i) {
    const auto reason = static_cast<StateChangeReason>(i);
    const auto count = std::count_if(changes.begin(), changes.end(),
                                     [&](const Change& change) { return change.reason == reason; });
    INFO(to_string(reason) << " came " << count << " times in " << scripts << " scripts");
    CHECK(count * 100 > static_cast<std::ptrdiff_t>(scripts));
  }
}
