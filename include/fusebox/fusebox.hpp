// fusebox/fusebox.hpp: everything but test/ and adapters/.
//
// Circuit breakers, retry with backoff, and the API errors around them. Where compile time matters,
// include the header of the one thing that is used.
#pragma once

#include <fusebox/api_error.hpp>
#include <fusebox/backoff.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/error_response.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/format.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/health.hpp>
#include <fusebox/http.hpp>
#include <fusebox/metrics.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/version.hpp>
