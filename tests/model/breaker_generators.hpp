// model/breaker_generators.hpp: random valid configs, with every rule on and off, and random commands.
#pragma once

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "breaker_script.hpp"
#include "rapidcheck.hpp"

namespace model {

inline rc::Gen<fusebox::Window> window(int at_least) {
  using namespace std::chrono_literals;
  using fusebox::last_calls;
  using fusebox::within;
  return any_of({last_calls(at_least), last_calls(at_least + 1), last_calls(at_least + 3), within(1ns),
                 within(10ns), within(95ns), within(100ns), within(999'999'999ns), within(1s), within(10s),
                 within(std::chrono::nanoseconds::max())});
}

/// Of FailureRate and SlowCalls.
template <class Rule>
rc::Gen<Rule> rate_rule() {
  return rc::gen::mapcat(rc::gen::inRange(1, 5), [](int minimum_calls) {
    return rc::gen::build<Rule>(rc::gen::set(&Rule::threshold, any_of({1.0, 0.5, 0.25, 2.0 / 3, 1e-300})),
                                rc::gen::set(&Rule::minimum_calls, rc::gen::just(minimum_calls)),
                                rc::gen::set(&Rule::window, window(minimum_calls)));
  });
}

inline rc::Gen<fusebox::SlowCalls> slow_calls_rule() {
  using namespace std::chrono_literals;
  return rc::gen::map(rc::gen::pair(rate_rule<fusebox::SlowCalls>(),
                                    any_of<std::chrono::nanoseconds>({1ns, 5ns, 100ns, 1s, 2s})),
                      [](std::pair<fusebox::SlowCalls, std::chrono::nanoseconds> both) {
                        both.first.slower_than = both.second;
                        return both.first;
                      });
}

template <class Rule>
rc::Gen<std::optional<Rule>> on_or_off(rc::Gen<Rule> rule) {
  return rc::gen::oneOf(rc::gen::just(std::optional<Rule>{}),
                        rc::gen::map(std::move(rule), [](Rule made) { return std::optional<Rule>{made}; }));
}

inline rc::Gen<fusebox::CircuitBreakerConfig> valid_breaker_config() {
  using namespace std::chrono_literals;
  using fusebox::CircuitBreakerConfig;
  using Nanoseconds = std::chrono::nanoseconds;
  using Classify = fusebox::Outcome (*)(const fusebox::Failure&);
  return rc::gen::build<CircuitBreakerConfig>(
      rc::gen::set(&CircuitBreakerConfig::failure_threshold, any_of({1, 2, 0, 3, 5})),
      rc::gen::set(&CircuitBreakerConfig::success_threshold, any_of({1, 2, 3})),
      rc::gen::set(&CircuitBreakerConfig::reset_timeout,
                   any_of<Nanoseconds>({10ns, 1ns, 1s, 60s, Nanoseconds::max()})),
      rc::gen::set(&CircuitBreakerConfig::half_open_max_calls, any_of({1, 2, 3})),
      rc::gen::set(&CircuitBreakerConfig::half_open_max_failures, any_of({0, 0, 1, 2})),
      rc::gen::set(&CircuitBreakerConfig::probe_timeout,
                   any_of<Nanoseconds>({0ns, 1ns, 3ns, 20ns, 2s, Nanoseconds::max()})),
      rc::gen::set(&CircuitBreakerConfig::reset_backoff, any_of({1.0, 2.0, 1.5, 10.0, 1e300})),
      rc::gen::set(&CircuitBreakerConfig::max_reset_timeout,
                   any_of<Nanoseconds>({600s, 0ns, 35ns, 100s, Nanoseconds::max()})),
      rc::gen::set(&CircuitBreakerConfig::reset_jitter, any_of({0.0, 0.0, 0.5, 0.999})),
      rc::gen::set(&CircuitBreakerConfig::honor_retry_after, any_of({true, true, false})),
      rc::gen::set(&CircuitBreakerConfig::recovery_time,
                   any_of<Nanoseconds>({0ns, 0ns, 1ns, 9ns, 100ns, 10s, Nanoseconds::max()})),
      rc::gen::set(&CircuitBreakerConfig::failure_rate, on_or_off(rate_rule<fusebox::FailureRate>())),
      rc::gen::set(&CircuitBreakerConfig::slow_calls, on_or_off(slow_calls_rule())),
      rc::gen::set(&CircuitBreakerConfig::classify,
                   any_of<Classify>({fusebox::default_outcome, fusebox::default_outcome,
                                     fusebox::default_outcome, ignore_failures, throw_from_classify})));
}

inline rc::Gen<Commands> commands_within(int depth);

/// `depth` says how far executes may still nest.
inline rc::Gen<Command> any_command(int depth) {
  using rc::gen::inRange;
  using rc::gen::just;
  using rc::gen::map;
  const auto which = inRange(0U, 4U);
  const auto outcome =
      any_of({fusebox::Outcome::success, fusebox::Outcome::failure, fusebox::Outcome::ignored});
  const auto ending = any_of({Ending::value, Ending::error_503, Ending::failed_value, Ending::error_404,
                              Ending::unknown_error, Ending::cancelled, Ending::rejected});
  const auto span = any_of({Span::until_due, Span::reset_timeout, Span::probe_timeout, Span::slower_than,
                            Span::call_timeout, Span::rate_bucket, Span::rate_window, Span::slow_bucket,
                            Span::slow_window, Span::nothing, Span::recovery_tenth, Span::recovery_time});
  const auto asks = any_of({0, 0, 1, 30'000, 3'600'000});
  const auto a_report =
      map(rc::gen::tuple(which, outcome, rc::gen::weightedElement<bool>({{5, false}, {1, true}})),
          [](const auto& parts) {
            const auto [index, how, twice] = parts;
            return twice ? report_twice(index, how) : report(index, how);
          });
  const auto a_failure = map(rc::gen::tuple(which, ending, asks), [](const auto& parts) {
    return asking(std::get<2>(parts), report_failure(std::get<0>(parts), std::get<1>(parts)));
  });
  const auto a_config = map(rc::gen::tuple(inRange(0U, 8U), valid_breaker_config(),
                                           rc::gen::weightedElement<bool>({{9, true}, {1, false}})),
                            [](const auto& parts) {
                              auto config = std::get<1>(parts);
                              if (!std::get<2>(parts)) config.success_threshold = 0;
                              return reconfigure(std::get<0>(parts), config);
                            });
  const auto an_execute = map(rc::gen::tuple(ending, rc::gen::arbitrary<bool>(), rc::gen::arbitrary<bool>(),
                                             depth > 0 ? commands_within(depth - 1) : just(Commands{}), asks),
                              [](const auto& parts) {
                                Command command = execute(std::get<0>(parts), std::get<3>(parts));
                                command.has_fallback = std::get<1>(parts);
                                command.has_timeout = std::get<2>(parts);
                                command.asks = std::get<4>(parts);
                                return command;
                              });
  const auto an_advance = map(rc::gen::pair(span, any_of({0, -1, 1, 2})),
                              [](const auto& parts) { return advance(parts.first, parts.second); });
  return rc::gen::weightedOneOf<Command>({
      {12, just(acquire())},
      {12, an_execute},
      {12, a_report},
      {6, a_failure},
      {3, map(which, drop)},
      {14, an_advance},
      {1, map(inRange(-50, 50), jump_wall)},
      {1, just(reset())},
      {1, just(force_open())},
      {1, just(disable())},
      {2, just(subscribe())},
      {1, map(which, unsubscribe)},
      {2, just(listen())},
      {2, map(which, stop_listening)},
      {3, a_config},
  });
}

inline rc::Gen<Commands> commands_within(int depth) {
  return rc::gen::scale(0.1,
                        rc::gen::container<Commands>(rc::gen::lazy([depth] { return any_command(depth); })));
}

inline rc::Gen<BreakerScript> breaker_script() {
  return rc::gen::map(rc::gen::pair(valid_breaker_config(), rc::gen::container<Commands>(any_command(2))),
                      [](std::pair<fusebox::CircuitBreakerConfig, Commands> parts) {
                        return BreakerScript{std::move(parts.first), std::move(parts.second)};
                      });
}

}  // namespace model
