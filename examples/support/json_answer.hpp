// support/json_answer.hpp: what is wrong with an answer that should be JSON, for failure_if.
#pragma once

#include <optional>

#include <httplib.h>

#include <fusebox/adapters/httplib.hpp>

namespace support {

/// What the adapter knows, and one thing more: a 200 may carry garbage.
inline std::optional<fusebox::Failure> no_json(const httplib::Result& answer) {
  if (auto failure = fusebox::failure_traits<httplib::Result>::failure(answer)) return failure;
  if (answer->body.starts_with('{')) return std::nullopt;
  return fusebox::Failure{
      fusebox::ApiError{fusebox::ErrorCode::bad_gateway, "200, but no JSON"}.from_upstream("upstream")};
}

}  // namespace support
