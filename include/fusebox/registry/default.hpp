// fusebox/registry/default.hpp: default_registry(), the process-wide registry, and functions that use it.
#pragma once
// IWYU pragma: private, include <fusebox/registry.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/registry/circuit_breaker_registry.hpp>
#include <fusebox/registry/config.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The registry of the process: one for all its shared libraries, never destroyed, so that static destructors
/// may use it (G4). Thread-safe, as is everything below.
[[nodiscard]] FUSEBOX_API inline CircuitBreakerRegistry<>& default_registry() {
  static detail::NoDestroy<CircuitBreakerRegistry<>> registry;
  return *registry;
}

/// As CircuitBreakerRegistry::configure() of the process-wide registry: best at the beginning of main().
/// Later, or if static objects have already asked for breakers, those keep the config that they have (B19).
inline void configure_default_registry(const RegistryConfig& config) { default_registry().configure(config); }

/// As CircuitBreakerRegistry::get().
inline std::shared_ptr<CircuitBreaker<>> get_circuit_breaker(std::string_view name) {
  return default_registry().get(name);
}
inline std::shared_ptr<CircuitBreaker<>> get_circuit_breaker(std::string_view name,
                                                             const CircuitBreakerConfig& config) {
  return default_registry().get(name, config);
}

[[nodiscard]] inline std::map<std::string, CircuitBreakerStats> get_all_circuit_breaker_stats() {
  return default_registry().stats();
}

/// False if there is no breaker of that name.
inline bool reset_circuit_breaker(std::string_view name) { return default_registry().reset(name); }

inline void reset_all_circuit_breakers() { default_registry().reset_all(); }

FUSEBOX_END_NAMESPACE
