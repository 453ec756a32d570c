// fusebox/api_error.hpp: ApiError, the error of an API, and the library's own errors, which derive from it.
//
//   ApiError                  code, category, message, details, timestamp, request id, path, Retry-After
//   ├─ RejectedError          the call was never made
//   │  ├─ CircuitOpenError    503
//   │  ├─ BulkheadFullError   503
//   │  ├─ RateLimitedError    429
//   │  └─ ThrottledError      503
//   ├─ TimeoutError           504
//   └─ CancelledError         503
//
//   api_error/api_error.hpp       ApiError
//   api_error/details.hpp         ErrorDetails: a text, fields, or the caller's JSON
//   api_error/policy_errors.hpp   the errors below ApiError
//
// Copying any of them never throws. reason() identifies an error even after slicing to its ApiError part.
#pragma once

#include <fusebox/api_error/api_error.hpp>      // IWYU pragma: export
#include <fusebox/api_error/details.hpp>        // IWYU pragma: export
#include <fusebox/api_error/policy_errors.hpp>  // IWYU pragma: export
