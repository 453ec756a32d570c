// support/tally.hpp: what became of the calls to a service that has a name and a breaker.
#pragma once

#include <string>

#include <fmt/format.h>

#include <fusebox/fusebox.hpp>

#include "support/terminal.hpp"

namespace support {

struct Tally {
  int done = 0;
  int failed = 0;
  int attempts = 0;
  std::string last_error = "-";

  template <class T>
  void add(const fusebox::CallResult<T>& result) {
    ++(result.has_value() ? done : failed);
    if (!result.has_value()) last_error = result.error().message();
  }
};

/// A table of `services`, each with a `name` and a `tally`.
template <class Services>
void say_tallies(const Services& services) {
  scene("What became of them");
  fmt::print("{:<18}{:>5}{:>8}{:>10}  {:<9}{}\n", "", "done", "failed", "attempts", "breaker", "last error");
  for (const auto& service : services) {
    const auto& tally = service.tally;
    const auto state = fusebox::get_circuit_breaker(service.name)->state();
    fmt::print("{:<18}{:>5}{:>8}{:>10}  {:<9}{}\n", service.name, tally.done, tally.failed, tally.attempts,
               to_string(state), tally.last_error);
  }
}

}  // namespace support
