// support/api_errors.hpp: the library's errors, one of each type, and whether two of them say the same.
#pragma once

#include <fusebox/api_error.hpp>

#include <chrono>

namespace support {

/// Calls f with one error of each type.
template <class F>
void for_each_error(F f) {
  using std::chrono::seconds;
  f(fusebox::ApiError{fusebox::ErrorCode::not_found, "no such order"});
  f(fusebox::CircuitOpenError{"payments", seconds{5}});
  f(fusebox::BulkheadFullError{"payments", seconds{5}});
  f(fusebox::RateLimitedError{"payments", seconds{5}});
  f(fusebox::ThrottledError{"payments", seconds{5}});
  f(fusebox::TimeoutError{"too late"});
  f(fusebox::CancelledError{"no longer wanted"});
  f(fusebox::RejectedError{fusebox::CircuitOpenError{"payments", seconds{5}}});
}

inline bool same(const fusebox::ApiError& a, const fusebox::ApiError& b) {
  return a.message() == b.message() && a.code() == b.code() && a.category() == b.category() &&
         a.reason() == b.reason() && a.details() == b.details() && a.timestamp() == b.timestamp() &&
         a.request_id() == b.request_id() && a.path() == b.path() && a.retry_after() == b.retry_after() &&
         a.is_upstream() == b.is_upstream() && a.upstream() == b.upstream();
}

}  // namespace support
