// What the translation unit with Boost.Asio gives to the one with Asio: their headers do not go together in
// one.
#pragma once

#include <system_error>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>

/// The value of a coroutine that fails once, through a retry and the breaker; 1000 if it failed.
int value_with_boost(fusebox::CircuitBreaker<>& breaker, const fusebox::RetryConfig& config);
/// What an operation completes with that the breaker rejects.
std::error_code code_with_boost(fusebox::CircuitBreaker<>& breaker);
