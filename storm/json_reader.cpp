// storm/json_reader.cpp: durations, and how a document is parsed.
#include "json_reader.hpp"

#include <array>
#include <set>

namespace storm {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};
constexpr std::array<Unit, 6> units{{{"h", 3'600'000'000'000},
                                     {"min", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};
constexpr std::int64_t longest = std::int64_t{366} * 24 * 3'600'000'000'000;

[[nodiscard]] bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

std::chrono::nanoseconds parse_duration(std::string_view text, const std::string& path) {
  const auto refuse = [&]() -> std::chrono::nanoseconds {
    throw JsonError{path, "must be a duration of at most a year, such as \"250ms\", \"30s\" or \"2min\""};
  };
  std::size_t end = 0;
  std::int64_t whole = 0;
  while (end < text.size() && is_digit(text[end])) {
    whole = whole * 10 + (text[end++] - '0');
    if (whole > longest) return refuse();
  }
  if (end == 0) return refuse();
  std::string_view fraction;
  if (end < text.size() && text[end] == '.') {
    const std::size_t first = ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
    fraction = text.substr(first, end - first);
    if (fraction.empty() || fraction.size() > 9) return refuse();
  }
  for (const Unit& unit : units) {
    if (unit.name != text.substr(end)) continue;
    if (whole > longest / unit.size) return refuse();
    std::int64_t time = whole * unit.size;
    std::int64_t size = unit.size;
    for (const char digit : fraction) {
      size /= 10;
      time += (digit - '0') * size;
    }
    return std::chrono::nanoseconds{time};
  }
  return refuse();
}

std::string to_text(std::chrono::nanoseconds duration) {
  if (duration.count() == 0) return "0s";
  for (const Unit& unit : units) {
    if (duration.count() % unit.size == 0)
      return std::to_string(duration.count() / unit.size) + std::string{unit.name};
  }
  return {};
}

Json parse_json(std::string_view text) {
  constexpr std::size_t most = 1U << 20U;
  constexpr int deepest = 32;
  if (text.size() > most) throw JsonError{"", "the document is larger than 1 MiB"};
  bool is_too_deep = false;
  std::vector<std::set<std::string>> names;  // of the members so far, of each object that is open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    is_too_deep = is_too_deep || depth > deepest;
    if (is_too_deep) return false;
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto name = value.get<std::string>();
      if (!names.back().insert(name).second)
        throw JsonError{"", "an object has the member \"" + name + "\" twice"};
    }
    return true;
  };
  try {
    Json document = Json::parse(text, watch);
    if (is_too_deep) throw JsonError{"", "the document is nested too deeply"};
    return document;
  } catch (const Json::exception& error) {
    throw JsonError{"", std::string{"this is no JSON: "} + error.what()};
  }
}

}  // namespace storm
