// Any text as every document that adapters/nlohmann_json.hpp reads (H41 to H48): it is read or refused by a
// JsonError, and what was read is valid and reads back as it is written.
#include <fusebox/adapters/nlohmann_json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "input.hpp"
#include "json.hpp"

namespace {

using namespace fusebox;

/// std::nullopt if it is refused.
template <class T>
std::optional<T> read(const nlohmann::json& document) {
  try {
    return document.get<T>();
  } catch (const JsonError& error) {
    const std::string text = error.what();
    fuzz::check(text.size() < 4000 && text.starts_with(error.path()), "an odd error", text);
    return std::nullopt;
  }
}

/// What was read says the same after it was written and read again, in either order of its members.
template <class T>
void check_reads_back(const T& value) {
  const fuzz::Json written = value;
  fuzz::check(fuzz::Json(written.get<T>()) == written, "reads back as something else", written.dump());
  fuzz::check(
      nlohmann::json(nlohmann::json(value).template get<T>()).dump() == nlohmann::json(written).dump(),
      "reads back as something else, sorted", written.dump());
}

template <class Config>
void check_config(const nlohmann::json& document) {
  const auto config = read<Config>(document);
  if (!config) return;
  fuzz::check(validate(*config).empty(), "a config that validate() refuses", document.dump());
  check_reads_back(*config);
}
template <class... Configs>
void check_configs(const nlohmann::json& document) {
  (check_config<Configs>(document), ...);
}
/// Stats may have failures, of which a foreign one is not read in full (H46): what was read is.
template <class... Stats>
void check_stats(const nlohmann::json& document) {
  const auto check = []<class T>(const std::optional<T>& stats) {
    if (stats) check_reads_back(nlohmann::json(*stats).get<T>());
  };
  (check(read<Stats>(document)), ...);
}

/// The document of the error is valid and stays what it is.
void check_error(const ApiError& error) {
  const fuzz::Json document = error;
  fuzz::check_document(to_json(error), document);
  fuzz::check(nlohmann::json(document.get<ApiError>()) == nlohmann::json(document), "another error",
              document.dump());
  nlohmann::json problem;
  to_problem_json(problem, error);
  nlohmann::json again;
  to_problem_json(again, from_problem_json(problem));
  fuzz::check(again == problem, "another problem", problem.dump());
}

void check_document(const nlohmann::json& document) {
  check_configs<RetryConfig, CircuitBreakerConfig, CallOptions, BulkheadConfig, RateLimiterConfig,
                ThrottleConfig, RetryBudgetConfig, RetryThrottleConfig, HedgeConfig, ChaosConfig,
                AdaptiveLimitQueue, Measured, Aimd, Gradient2, Vegas, CallDurationsConfig, CallRecorderConfig,
                RegistryConfig, PolicyRegistryConfig, StandardPipelineConfig>(document);
  if (const auto pipeline = read<PipelineConfig>(document)) check_reads_back(*pipeline);
  check_stats<CircuitBreakerStats, BulkheadStats, AdaptiveLimitStats, RetryBudgetStats, CallDurationsStats,
              ChaosStats, RetryStats, Failure>(document);
  if (const auto report = read<HealthReport>(document)) check_reads_back(*report);
  if (const auto error = read<ApiError>(document)) check_error(*error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const nlohmann::json lenient = nlohmann::json::parse(text, nullptr, false);
  try {
    const nlohmann::json document = parse_json(text);
    fuzz::check(document == lenient, "parsed as something else", text);
  } catch (const JsonError&) {
  }
  if (!lenient.is_discarded()) check_document(lenient);  // also what parse_json refuses, such as deep ones
  return 0;
}
