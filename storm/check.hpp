// storm/check.hpp: what a scenario that can be played looks like.
#pragma once

#include <string>

#include "scenario.hpp"

namespace storm {

/// Empty if it can be played; else the first error, with its path: "clients.count must be in [10, 1000000],
/// got 3". Pipelines are checked when they are made.
[[nodiscard]] std::string check(const Scenario& scenario);

}  // namespace storm
