// fusebox/adapters/nlohmann_json/configs.hpp: configs from JSON and back (H42, H43).
//
//     const auto document = fusebox::parse_json(text);
//     auto config = document.at("retry").get<fusebox::RetryConfig>();    // {"max_retries": 3}
//     fusebox::from_json(document.at("retry"), config, "orders.retry");  // an error then says where it is
//     const nlohmann::json written = config;
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <fusebox/adapters/nlohmann_json/detail/config_members.hpp>
#include <fusebox/adapters/nlohmann_json/detail/reader.hpp>
#include <fusebox/adapters/nlohmann_json/detail/writer.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/named_enum.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// nlohmann::json, nlohmann::ordered_json, and their like.
template <class J>
concept AnyJson = requires {
  typename J::json_pointer;
  typename J::value_t;
  typename J::parser_callback_t;
};

/// What is read strictly: an unknown member is refused, and a value out of range.
template <class T>
concept JsonConfig =
    OneOf<T, RetryConfig, CircuitBreakerConfig, CallOptions, BulkheadConfig, RateLimiterConfig,
          ThrottleConfig, RetryBudgetConfig, RetryThrottleConfig, HedgeConfig, ChaosConfig,
          AdaptiveLimitQueue, Measured, Aimd, Gradient2, Vegas, CallDurationsConfig, CallRecorderConfig,
          RegistryConfig, PolicyRegistryConfig, StandardPipelineConfig>;

/// Is it nested deeper than parse_json() allows by far? Recurses no deeper than that.
template <class J>
[[nodiscard]] bool is_too_deep(const J& value, int allowed = 256) {
  if (!value.is_structured()) return false;
  if (allowed == 0) return true;
  for (const J& inside : value) {
    if (detail::is_too_deep(inside, allowed - 1)) return true;
  }
  return false;
}

/// The value as nlohmann::json, whose members are in the order of their names.
template <class J>
[[nodiscard]] nlohmann::json to_plain_json(const J& value, std::string_view path) {
  if (detail::is_too_deep(value)) throw_error(JsonError{std::string{path}, "is nested too deeply"});
  return nlohmann::json(value);
}
template <class J>
  requires std::same_as<J, nlohmann::json>
[[nodiscard]] const J& to_plain_json(const J& value, std::string_view /*path*/) {
  return value;
}

/// The value that the table of a copy writes.
template <class J, class T>
[[nodiscard]] J written(T object) {
  std::string text;
  JsonWriter::write(text, members_ref(object));
  return J::parse(text);
}

/// `object` changes only if all of the value is good.
template <class T>
void read_by_table(const nlohmann::json& value, T& object, std::string_view path, UnknownMembers unknown) {
  T changed = object;
  JsonReader::read(JsonValue{value, std::string{path}}, members_ref(changed), unknown);
  object = std::move(changed);
}

}  // namespace detail

/// The config as an object whose members have the names of its fields, in their order (docs/json.md).
/// Functions, such as CircuitBreakerConfig::classify, are left out.
template <detail::AnyJson J, detail::JsonConfig Config>
void to_json(J& out, const Config& config) {
  out = detail::written<J>(config);
}

/// Reads a config. A member that is not there keeps its value, so that `get<Config>()` gives its default.
/// Throws JsonError for an unknown member, a wrong type and what validate() refuses; `config` is then as it
/// was. `path` comes before the paths of errors.
template <detail::AnyJson J, detail::JsonConfig Config>
void from_json(const J& value, Config& config, std::string_view path = {}) {
  detail::read_by_table(detail::to_plain_json(value, path), config, path, detail::UnknownMembers::refuse);
}

FUSEBOX_END_NAMESPACE
