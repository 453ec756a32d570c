// support/json_answer.hpp: a predicate for failure_if: an answer must be JSON.
#pragma once

#include <optional>
#include <string>

#include <fmt/format.h>
#include <httplib.h>

#include <fusebox/adapters/httplib.hpp>

namespace support {

/// Extends the adapter's rule: only a 200 with JSON is a document. A redirect has none, for example.
inline std::optional<fusebox::Failure> no_json(const httplib::Result& answer) {
  if (auto failure = fusebox::failure_traits<httplib::Result>::failure(answer)) return failure;
  const bool ok = answer->status == 200;
  if (ok && answer->body.starts_with('{')) return std::nullopt;
  const std::string problem = ok ? "200, but no JSON" : fmt::format("{} instead of 200", answer->status);
  return fusebox::Failure{
      fusebox::ApiError{fusebox::ErrorCode::bad_gateway, problem}.from_upstream("upstream")};
}

}  // namespace support
