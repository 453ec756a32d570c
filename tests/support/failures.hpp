// support/failures.hpp: what a failing dependency throws or returns.
#pragma once

#include <fusebox/failure.hpp>

#include <optional>
#include <string>

namespace support {

/// A 503, which is transient.
inline fusebox::ApiError unavailable(const std::string& message = "unavailable") {
  return {fusebox::ErrorCode::service_unavailable, message};
}

/// Judged by failure_of: any status from 400 on has failed.
struct Response {
  int status = 200;
};

inline std::optional<fusebox::Failure> failure_of(const Response& response) {
  if (response.status < 400) return std::nullopt;
  return fusebox::Failure::from_status(response.status);
}

}  // namespace support
