// fusebox/registry/config.hpp: RegistryConfig, the bound of a registry and the config of its breakers.
#pragma once
// IWYU pragma: private, include <fusebox/registry.hpp>

#include <string>

#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

struct RegistryConfig {
  int max_breakers = 10'000;                 ///< at least 1
  CircuitBreakerConfig default_config = {};  ///< for get() without a config, and no configure() for the name
};

namespace detail {

/// Of what default_config does not check itself.
[[nodiscard]] constexpr Problem check(const RegistryConfig& config) noexcept {
  if (config.max_breakers >= 1) return {};
  return problem("max_breakers", "at least 1", static_cast<long long>(config.max_breakers));
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const RegistryConfig& config) {
  if (const auto wrong = detail::check(config)) return detail::to_text("RegistryConfig", wrong);
  return detail::to_text("RegistryConfig.default_config", detail::check(config.default_config));
}

FUSEBOX_END_NAMESPACE
