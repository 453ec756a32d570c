// storm/scenarios.hpp: the scenarios that ship with the program, as CMake has put them into it.
#pragma once

#include <span>
#include <string_view>

namespace storm {

struct ShippedScenario {
  std::string_view name;
  std::string_view json;
};

/// In the order in which they are played by default.
[[nodiscard]] std::span<const ShippedScenario> shipped_scenarios() noexcept;
/// The pipelines of "pipelines": "default".
[[nodiscard]] std::string_view shipped_pipelines() noexcept;

}  // namespace storm
