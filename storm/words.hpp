// storm/words.hpp: what a scenario plays and what a simulation has found, in words. Each sentence follows
// from the scenario or from the numbers (S24). Plain text: the report escapes it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "result.hpp"

namespace storm {

/// A peak on recovery from which on a dependency is said to be pushed down again.
inline constexpr double amplifies_from = 1.2;

/// Calls a second that the clients make without a disturbance; of Arrivals::closed, at most.
[[nodiscard]] double steady_rate(const Scenario& scenario);

/// A disturbance or a surge.
struct Happening {
  double from_s = 0;
  double to_s = 0;
  std::string label;  ///< for a chart: "outage", "orders: 3 × slower"
  std::string words;  ///< a sentence
};
/// By their beginning.
[[nodiscard]] std::vector<Happening> happenings(const Scenario& scenario);

/// Paragraphs: the clients, the dependencies, what counts.
[[nodiscard]] std::vector<std::string> story(const Scenario& scenario);

/// Sentences: what the numbers say about the pipelines.
[[nodiscard]] std::vector<std::string> conclusions(const Result& result);

/// "plain_retry" as "plain retry".
[[nodiscard]] std::string spoken(std::string_view name);
/// Its title, or its name if it has none.
[[nodiscard]] std::string title_of(const PipelineResult& pipeline);
/// In UTF-8 and without control characters, which could write to a terminal.
[[nodiscard]] std::string printable(std::string_view text);
/// "50 ms", "1.5 s", "5 min".
[[nodiscard]] std::string duration_text(Duration duration);
/// "1:30" of 90.
[[nodiscard]] std::string moment_text(double seconds);
/// "a, b and c".
[[nodiscard]] std::string list(const std::vector<std::string>& parts);

}  // namespace storm
