// retry_with_backoff against rules R1 to R7 and R11 to R14: random configs, scripted attempts; calls, waits
// and the reason to stop compared. Of ops that block, and of coroutines (A5).
#include <fusebox/retry.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "rapidcheck.hpp"
#include "retry_run.hpp"
#include "retry_script.hpp"

using namespace model;
using namespace std::chrono_literals;

namespace {

using Nanoseconds = std::chrono::nanoseconds;

rc::Gen<fusebox::RetryConfig> valid_config() {
  using fusebox::Jitter;
  using fusebox::RetryConfig;
  const auto base = any_of<Nanoseconds>({10ns, 0ns, 1ns, 3ns, 1s, Nanoseconds::max()});
  const auto above = any_of<Nanoseconds>({30s, 0ns, 1ns, 25ns, 7s, Nanoseconds::max()});
  const auto config = rc::gen::build<RetryConfig>(
      rc::gen::set(&RetryConfig::max_retries, any_of({3, 0, 1, 2, 5, 65'535})),
      rc::gen::set(&RetryConfig::base_delay, base), rc::gen::set(&RetryConfig::max_delay, above),
      rc::gen::set(&RetryConfig::multiplier, any_of({2.0, 1.0, 1.5, 3.0, 1e300})),
      rc::gen::set(&RetryConfig::jitter, any_of({Jitter::none, Jitter::equal, Jitter::full,
                                                 Jitter::decorrelated, Jitter::proportional})),
      rc::gen::set(&RetryConfig::jitter_factor, any_of({0.25, 0.0, 1.0, 0.1})),
      rc::gen::set(&RetryConfig::total_timeout,
                   any_of<Nanoseconds>({fusebox::no_timeout, fusebox::no_timeout, 1ns, 10ns, 60ns, 2s, 40s})),
      rc::gen::set(&RetryConfig::honor_retry_after, any_of({true, true, false})),
      rc::gen::set(&RetryConfig::idempotent, any_of({true, true, false})));
  return rc::gen::map(config, [](RetryConfig made) {
    made.max_delay = std::max(made.max_delay, made.base_delay);
    return made;
  });
}

rc::Gen<Attempt> an_attempt() {
  using Seconds = std::chrono::seconds;
  // Mostly what is retried, so that a call gets far.
  return rc::gen::build<Attempt>(
      rc::gen::set(&Attempt::fault,
                   any_of({Fault::connection_refused, Fault::connection_refused, Fault::connection_reset,
                           Fault::status_429, Fault::status_429, Fault::status_503, Fault::status_503,
                           Fault::status_500, Fault::timed_out, Fault::host_not_found, Fault::status_404,
                           Fault::unknown, Fault::rejected, Fault::cancelled, Fault::none})),
      rc::gen::set(&Attempt::retry_after,
                   any_of<std::optional<Seconds>>({std::nullopt, std::nullopt, std::nullopt, Seconds{0},
                                                   Seconds{1}, Seconds{7}, Seconds{30}, Seconds{31},
                                                   Seconds{-1}, Seconds::max()})),
      rc::gen::set(&Attempt::takes, any_of<Nanoseconds>({0ns, 0ns, 1ns, 9ns, 10ns, 1s})),
      rc::gen::set(&Attempt::stop, any_of({Stop::never, Stop::never, Stop::never, Stop::never, Stop::never,
                                           Stop::never, Stop::in_op, Stop::in_on_retry, Stop::in_wait})));
}

rc::Gen<RetryScript> retry_script() {
  return rc::gen::build<RetryScript>(
      rc::gen::set(&RetryScript::config, valid_config()),
      rc::gen::set(&RetryScript::attempts,
                   rc::gen::scale(0.1, rc::gen::container<std::vector<Attempt>>(an_attempt()))),
      rc::gen::set(&RetryScript::accepts,
                   any_of({Accepts::transient, Accepts::transient, Accepts::everything, Accepts::nothing})),
      rc::gen::set(&RetryScript::draws, any_of({Draws::smallest, Draws::largest, Draws::random})),
      rc::gen::set(&RetryScript::tokens, any_of<std::optional<int>>({std::nullopt, std::nullopt, 0, 1, 3})),
      rc::gen::set(&RetryScript::list, any_of<std::vector<Nanoseconds>>(
                                           {{}, {}, {}, {0ns}, {5ns, 1s}, {1s, 9s, 2s, Nanoseconds::max()}})),
      rc::gen::set(&RetryScript::step,
                   any_of<std::optional<Nanoseconds>>({std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                                                       0ns, 4ns, 3s, Nanoseconds::max() / 2})),
      rc::gen::set(&RetryScript::deadline, any_of<std::optional<Nanoseconds>>(
                                               {std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                                                std::nullopt, -1s, 0ns, 12ns, 3s, 50s, fusebox::no_timeout})),
      rc::gen::set(&RetryScript::deadline_of_another_clock, any_of({false, true})),
      rc::gen::set(&RetryScript::form,
                   any_of({Form::tries, Form::throws, Form::by_value, Form::by_hand, Form::awaits_tries,
                           Form::awaits_throws, Form::awaits_by_value})),
      rc::gen::set(&RetryScript::stopped_before, rc::gen::weightedElement<bool>({{19, false}, {1, true}})));
}

}  // namespace

TEST_CASE("R1 to R7, R11 to R14: a retry calls, waits and stops as the rules say") {
  std::array<std::size_t, 7> ends{};
  std::size_t scripts = 0;
  CHECK(holds("a retry does what the rules say", retry_script(), [&](const RetryScript& script) {
    RetryRun run{script};
    const std::string problem = run.run();
    ++ends.at(static_cast<std::size_t>(run.stop_reason()));
    ++scripts;
    return problem;
  }));

  // The scripts get everywhere.
  for (std::size_t reason = 0; reason < ends.size(); ++reason) {
    INFO(to_string(static_cast<fusebox::StopReason>(reason))
         << " came " << ends.at(reason) << " times in " << scripts << " scripts");
    CHECK(ends.at(reason) * 100 > scripts);
  }
}
