// storm/json_reader.hpp: reads JSON values by rules, with errors that name their path: the machinery of
// fusebox's own adapter, for the shapes of the lab.
#pragma once

#include <fusebox/adapters/nlohmann_json.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace storm {

using Json = nlohmann::json;
using fusebox::JsonError;
using fusebox::detail::JsonMembers;
using fusebox::detail::JsonValue;

/// What a scenario may last at most.
inline constexpr std::chrono::nanoseconds longest_duration = std::chrono::hours{24} * 366;

/// "250ms", "1.5s", "30s", "2min", "1h"; also us and ns. At most a year. Throws JsonError for any other text.
[[nodiscard]] inline std::chrono::nanoseconds parse_duration(std::string_view text, const std::string& path) {
  const Json value(text);
  std::chrono::nanoseconds time{};
  JsonValue{value, path, longest_duration}.read(time);
  return time;
}
/// The same backwards, in the largest unit that divides it.
[[nodiscard]] inline std::string to_text(std::chrono::nanoseconds duration) {
  return fusebox::detail::duration_to_json(duration);
}

/// Parses a document of at most 1 MiB.
[[nodiscard]] inline Json parse_json(std::string_view text) { return fusebox::parse_json(text); }

/// The document, whose durations are at most a year.
[[nodiscard]] inline JsonValue root_of(const Json& document) { return {document, "", longest_duration}; }

}  // namespace storm
