// fusebox/policy_registry/config.hpp: PolicyRegistryConfig, the bound of a registry of policies.
#pragma once
// IWYU pragma: private, include <fusebox/policy_registry.hpp>

#include <string>

#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

struct PolicyRegistryConfig {
  int max_per_kind = 10'000;  ///< policies of one kind; at least 1
  friend bool operator==(const PolicyRegistryConfig&, const PolicyRegistryConfig&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check(const PolicyRegistryConfig& config) noexcept {
  if (config.max_per_kind >= 1) return {};
  return problem("max_per_kind", "at least 1", static_cast<long long>(config.max_per_kind));
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const PolicyRegistryConfig& config) {
  return detail::to_text("PolicyRegistryConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
