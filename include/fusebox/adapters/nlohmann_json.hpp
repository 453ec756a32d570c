// fusebox/adapters/nlohmann_json.hpp: errors, stats and configs as JSON of nlohmann-json, and back.
//
//     const auto document = fusebox::parse_json(text);  // hostile texts too
//     const auto config = document.at("retry").get<fusebox::RetryConfig>();
//     nlohmann::json answer = {{"breaker", breaker.stats()}, {"error", error}};
//
//   adapters/nlohmann_json/document.hpp   JsonError, parse_json
//   adapters/nlohmann_json/configs.hpp    configs of every policy and of the standard pipeline
//   adapters/nlohmann_json/pipeline.hpp   PipelineConfig, the parts of a pipeline as a list
//   adapters/nlohmann_json/errors.hpp     ApiError, problem documents (RFC 9457), Failure
//   adapters/nlohmann_json/stats.hpp      stats of every policy, the health document, enums
//
// Works with nlohmann::json and nlohmann::ordered_json. All functions are thread-safe: they share nothing.
// Needs nlohmann-json 3.11 or newer.
#pragma once

#include <fusebox/adapters/nlohmann_json/configs.hpp>   // IWYU pragma: export
#include <fusebox/adapters/nlohmann_json/document.hpp>  // IWYU pragma: export
#include <fusebox/adapters/nlohmann_json/errors.hpp>    // IWYU pragma: export
#include <fusebox/adapters/nlohmann_json/pipeline.hpp>  // IWYU pragma: export
#include <fusebox/adapters/nlohmann_json/stats.hpp>     // IWYU pragma: export
