// fuzz/named_stats.hpp: breakers of any names with any stats, and what becomes of the names in a document.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "input.hpp"
#include "json.hpp"

namespace fuzz {

using NamedStats = std::map<std::string, fusebox::CircuitBreakerStats>;

/// Names that are alike where they are no text, so that some have to be numbered; or any.
inline std::string any_name(Input& input) {
  std::string name;
  for (unsigned parts = input.below(5); parts > 0; --parts) {
    name += input.flag() ? input.one_of<const char*>({"a", "\xff", "\xfe", "\xef\xbf\xbd", " (2)", " (3)",
                                                      "\"", "\\", "\n", "\\n", "\xc3", "\xa9", "\x1f", "{}"})
                         : input.text();
  }
  return name;
}

inline fusebox::CircuitBreakerStats any_stats(Input& input) {
  using fusebox::State;
  fusebox::CircuitBreakerStats stats;
  stats.state =
      input.one_of({State::closed, State::open, State::half_open, State::forced_open, State::disabled});
  stats.failure_count = input.integer<std::uint64_t>();
  stats.success_count = input.byte();
  stats.ignored_count = input.byte();
  stats.rejected_count = input.integer<std::uint64_t>();
  stats.slow_count = input.byte();
  stats.opened_count = input.byte();
  stats.consecutive_failures = input.integer<std::uint16_t>();
  const double failed = input.byte();
  const double others = input.byte();
  stats.failure_rate = failed == 0 ? 0 : failed / (failed + others);
  if (input.flag()) stats.last_failure_time = input.wall_time();
  if (input.flag()) stats.last_success_time = input.wall_time();
  stats.retry_after =
      std::chrono::nanoseconds{input.integer<std::int64_t>() & std::chrono::nanoseconds::max().count()};
  return stats;
}

inline NamedStats any_named_stats(Input& input) {
  NamedStats given;
  while (!input.empty() && given.size() < 4) given.emplace(any_name(input), any_stats(input));
  return given;
}

/// As a registry gives them to its documents. Of each name that is a text nothing changes; another one
/// becomes its printable form, or that with a number.
inline NamedStats as_shown(const NamedStats& given) {
  NamedStats shown = fusebox::detail::with_printable_names(given);
  check(shown.size() == given.size(), "breakers got lost", {});
  for (const auto& given_one : given) {
    const auto is_it = [&, wanted = printable(given_one.first)](const auto& one) {
      const bool numbered = wanted != given_one.first && one.first.starts_with(wanted + " (");
      return (one.first == wanted || numbered) &&
             one.second.failure_count == given_one.second.failure_count &&
             one.second.rejected_count == given_one.second.rejected_count;
    };
    check(std::any_of(shown.begin(), shown.end(), is_it), "not shown", given_one.first);
  }
  for (const auto& [name, stats] : shown) check(printable(name) == name, "not UTF-8", name);
  return shown;
}

/// A registry of breakers of these names, each of which has failed once.
class NamedBreakers {
 public:
  explicit NamedBreakers(const NamedStats& named) {
    for (const auto& [name, stats] : named) {
      if (!name.empty()) registry_.get(name)->try_acquire().failure();
    }
  }
  [[nodiscard]] const auto& registry() const { return registry_; }

 private:
  fusebox::CircuitBreakerRegistry<fusebox::test::FakeClock> registry_;
};

}  // namespace fuzz
