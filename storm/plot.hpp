// storm/plot.hpp: svg(), a picture of a simulation for a page of documentation: without scripts, the same
// bytes for the same result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "result.hpp"

namespace storm {

/// What a panel shows, second by second.
enum class Panel : std::uint8_t {
  load,     ///< attempts that reach the last dependency
  success,  ///< share of the calls that ended well
  p50,      ///< latency of what succeeded, logarithmic
  p99,
  queued,    ///< calls in the queue of the last dependency
  busy,      ///< calls that it serves
  limit,     ///< mean of the adaptive limits
  breakers,  ///< share of the processes whose breaker is not closed
  rejected,  ///< calls refused by a policy
  retries,   ///< attempts beyond the first of a call
};
/// "load", …; none for an unknown name.
[[nodiscard]] std::optional<Panel> panel_by_name(std::string_view name);
/// "load, success, …", for messages.
[[nodiscard]] std::string panel_names();

/// The panels below each other, one line for each pipeline, its title at the end of the line, disturbances
/// shaded (S25).
[[nodiscard]] std::string svg(const Result& result, const std::vector<Panel>& panels);

}  // namespace storm
