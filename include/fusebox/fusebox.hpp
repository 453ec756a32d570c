// fusebox/fusebox.hpp: every door except test/ and adapters/.
//
// Every policy, pipelines of them, and the API errors around them. Include single doors where compile time
// matters.
#pragma once

#include <fusebox/adaptive_limit.hpp>   // IWYU pragma: export
#include <fusebox/api_error.hpp>        // IWYU pragma: export
#include <fusebox/backoff.hpp>          // IWYU pragma: export
#include <fusebox/bulkhead.hpp>         // IWYU pragma: export
#include <fusebox/call.hpp>             // IWYU pragma: export
#include <fusebox/call_durations.hpp>   // IWYU pragma: export
#include <fusebox/call_recorder.hpp>    // IWYU pragma: export
#include <fusebox/chaos.hpp>            // IWYU pragma: export
#include <fusebox/circuit_breaker.hpp>  // IWYU pragma: export
#include <fusebox/clock.hpp>            // IWYU pragma: export
#include <fusebox/config_error.hpp>     // IWYU pragma: export
#include <fusebox/dashboard.hpp>        // IWYU pragma: export
#include <fusebox/error_code.hpp>       // IWYU pragma: export
#include <fusebox/error_response.hpp>   // IWYU pragma: export
#include <fusebox/failure.hpp>          // IWYU pragma: export
#include <fusebox/fallback.hpp>         // IWYU pragma: export
#include <fusebox/format.hpp>           // IWYU pragma: export
#include <fusebox/fwd.hpp>              // IWYU pragma: export
#include <fusebox/health.hpp>           // IWYU pragma: export
#include <fusebox/hedge.hpp>            // IWYU pragma: export
#include <fusebox/http.hpp>             // IWYU pragma: export
#include <fusebox/metrics.hpp>          // IWYU pragma: export
#include <fusebox/permit.hpp>           // IWYU pragma: export
#include <fusebox/pipeline.hpp>         // IWYU pragma: export
#include <fusebox/policy_registry.hpp>  // IWYU pragma: export
#include <fusebox/rate_limiter.hpp>     // IWYU pragma: export
#include <fusebox/registry.hpp>         // IWYU pragma: export
#include <fusebox/retry.hpp>            // IWYU pragma: export
#include <fusebox/retry_budget.hpp>     // IWYU pragma: export
#include <fusebox/subscription.hpp>     // IWYU pragma: export
#include <fusebox/throttle.hpp>         // IWYU pragma: export
#include <fusebox/timeout.hpp>          // IWYU pragma: export
#include <fusebox/version.hpp>          // IWYU pragma: export
#include <fusebox/window.hpp>           // IWYU pragma: export
