// support/times.hpp: the guide's durations, divided by one number, so that an example ends in seconds.
#pragma once

#include <chrono>
#include <string>

#include <fmt/format.h>

#include <fusebox/retry.hpp>

#include "support/arguments.hpp"

namespace support {

class Times {
 public:
  constexpr explicit Times(int divisor) : divisor_{divisor} {}

  constexpr std::chrono::nanoseconds operator()(std::chrono::nanoseconds guide) const {
    return guide / divisor_;
  }
  constexpr fusebox::RetryConfig operator()(fusebox::RetryConfig config) const {
    config.base_delay /= divisor_;
    config.max_delay /= divisor_;
    return config;
  }
  std::string describe() const {
    return divisor_ == 1 ? "the guide's own times"
                         : fmt::format("the guide's times, {} times as fast", divisor_);
  }

 private:
  int divisor_;
};

/// Reads the command line of a use case: the guide's times, divided unless --guide-times is given.
inline Times parse_times(int argc, char** argv, std::string summary, int divisor) {
  bool guide_times = false;
  Arguments{std::move(summary)}
      .flag("--guide-times", fmt::format("the guide's own times, not {} times as fast", divisor), guide_times)
      .parse(argc, argv);
  return Times{guide_times ? 1 : divisor};
}

}  // namespace support
