// storm/scenario_json.hpp: scenarios and pipelines from JSON.
#pragma once

#include <string_view>
#include <vector>

#include "scenario.hpp"

namespace storm {

/// One pipeline: {"name": …, "title": …, "policies": […]}. Throws JsonError.
[[nodiscard]] PipelineSpec parse_pipeline(std::string_view json);
/// A list of them.
[[nodiscard]] std::vector<PipelineSpec> parse_pipelines(std::string_view json);

/// A scenario. `shared` are its pipelines if it says "pipelines": "default". What it throws names the path of
/// what is wrong: a JsonError.
[[nodiscard]] Scenario parse_scenario(std::string_view json, const std::vector<PipelineSpec>& shared);

}  // namespace storm
