// storm/config_json.hpp: policies from JSON, with the names of fusebox's own fields.
//
//   {"policy": "retry", "max_retries": 3, "base_delay": "200ms", "jitter": "full", "budget": {"ratio": 0.1}}
#pragma once

#include <vector>

#include "json_reader.hpp"
#include "policies.hpp"

namespace storm {

/// Adds the policy to `out`; "standard_pipeline" adds five. Throws JsonError.
void read_policy(const JsonValue& value, std::vector<PolicySpec>& out);

}  // namespace storm
