// CircuitBreaker against the reference of the model tests: bytes become a config and commands.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "input.hpp"
#include "model/breaker_run.hpp"

namespace {

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// One of those that matter most, or any.
nanoseconds any_duration(fuzz::Input& input, std::initializer_list<nanoseconds> usual) {
  const unsigned choice = input.below(static_cast<unsigned>(usual.size()) + 1);
  if (choice < usual.size()) return usual.begin()[choice];
  return nanoseconds{input.integer<std::int64_t>() & nanoseconds::max().count()};
}

Window any_window(fuzz::Input& input, int at_least) {
  if (input.flag()) return last_calls(at_least + static_cast<int>(input.below(8)));
  return within(any_duration(input, {1ns, 10ns, 95ns, 100ns, 999'999'999ns, 1s, 10s, nanoseconds::max()}));
}

template <class Rule>
Rule any_rate_rule(fuzz::Input& input) {
  Rule rule;
  rule.threshold = input.one_of({1.0, 0.5, 0.25, 2.0 / 3, 1e-300});
  rule.minimum_calls = 1 + static_cast<int>(input.below(5));
  rule.window = any_window(input, rule.minimum_calls);
  return rule;
}

CircuitBreakerConfig any_config(fuzz::Input& input) {
  CircuitBreakerConfig config;
  config.failure_threshold = static_cast<int>(input.below(6));
  config.success_threshold = 1 + static_cast<int>(input.below(4));
  config.reset_timeout = any_duration(input, {10ns, 1ns, 1s, 60s, nanoseconds::max()});
  config.half_open_max_calls = 1 + static_cast<int>(input.below(4));
  config.half_open_max_failures = static_cast<int>(input.below(3));
  config.probe_timeout = any_duration(input, {0ns, 1ns, 3ns, 20ns, 2s, nanoseconds::max()});
  config.reset_backoff = input.one_of({1.0, 2.0, 1.5, 10.0, 1e300});
  config.max_reset_timeout = any_duration(input, {600s, 0ns, 35ns, 100s, nanoseconds::max()});
  config.reset_jitter = input.one_of({0.0, 0.0, 0.5, 0.999});
  config.honor_retry_after = input.flag();
  config.recovery_time = any_duration(input, {0ns, 0ns, 1ns, 9ns, 100ns, 10s, nanoseconds::max()});
  if (input.flag()) config.failure_rate = any_rate_rule<FailureRate>(input);
  if (input.flag()) {
    config.slow_calls = any_rate_rule<SlowCalls>(input);
    config.slow_calls->slower_than = any_duration(input, {1ns, 5ns, 100ns, 1s, 2s});
  }
  config.classify = input.one_of<Outcome (*)(const Failure&)>(
      {default_outcome, default_outcome, model::ignore_failures, model::throw_from_classify});
  return config;
}

constexpr int deepest = 3;             // executes within executes
constexpr std::size_t longest = 1024;  // bytes: more commands could move the timeline to its end

model::Command any_command(fuzz::Input& input, int depth) {
  using Kind = model::Command::Kind;
  // What is done to a breaker in its daily life comes more often than what is done by hand.
  model::Command command{
      .kind = input.one_of({Kind::acquire,        Kind::acquire,     Kind::execute,        Kind::execute,
                            Kind::report,         Kind::report,      Kind::report,         Kind::advance,
                            Kind::advance,        Kind::advance,     Kind::report_twice,   Kind::drop,
                            Kind::jump_wall,      Kind::reset,       Kind::force_open,     Kind::disable,
                            Kind::subscribe,      Kind::unsubscribe, Kind::report_failure, Kind::listen,
                            Kind::stop_listening, Kind::reconfigure})};
  switch (command.kind) {
    case Kind::report:
    case Kind::report_twice: command.outcome = static_cast<Outcome>(input.below(3)); [[fallthrough]];
    case Kind::drop:
    case Kind::stop_listening:
    case Kind::unsubscribe: command.which = input.byte(); break;
    case Kind::advance:
      command.span = static_cast<model::Span>(input.below(12));
      command.offset = static_cast<int>(input.below(5)) - 2;
      break;
    case Kind::report_failure:
      command.which = input.byte();
      command.ending = static_cast<model::Ending>(input.below(7));
      command.asks = input.one_of({0, 1, 30'000, 3'600'000});
      break;
    case Kind::reconfigure:
      command.which = input.below(8);
      command.config = any_config(input);
      break;
    case Kind::jump_wall: command.offset = static_cast<int>(input.byte()) - 128; break;
    case Kind::execute: {
      command.ending = static_cast<model::Ending>(input.below(7));
      command.asks = input.one_of({0, 1, 30'000, 3'600'000});
      const unsigned more = input.byte();
      command.has_fallback = more % 2 != 0;
      command.has_timeout = more / 2 % 2 != 0;
      const unsigned inside = depth < deepest ? more / 4 % 8 : 0;
      for (unsigned i = 0; i < inside && !input.empty(); ++i) {
        command.inside.push_back(any_command(input, depth + 1));
      }
      break;
    }
    default: break;
  }
  return command;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, std::min(size, longest)};
  model::BreakerScript script{any_config(input), {}};
  if (const std::string refusal = validate(script.config); !refusal.empty()) return 0;
  while (!input.empty()) script.commands.push_back(any_command(input, 0));
  if (const std::string problem = model::run(script); !problem.empty()) {
    fuzz::fail(problem + "\n" + to_code(script));
  }
  return 0;
}
