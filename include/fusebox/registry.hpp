// fusebox/registry.hpp: circuit breakers by name, the fuse box of a process.
//
//   registry/circuit_breaker_registry.hpp   CircuitBreakerRegistry: get(name), stats(), reset_all(), …
//   registry/config.hpp                     RegistryConfig: the bound, and the config of the breakers
//   registry/default.hpp                    get_circuit_breaker(name) and kin: the process-wide registry
//
// A registry never holds more than max_breakers: a breaker that nobody holds is evicted when a new one needs
// its place. So a name may come from outside, such as the host of a webhook.
#pragma once

#include <fusebox/registry/circuit_breaker_registry.hpp>  // IWYU pragma: export
#include <fusebox/registry/config.hpp>                    // IWYU pragma: export
#include <fusebox/registry/default.hpp>                   // IWYU pragma: export
