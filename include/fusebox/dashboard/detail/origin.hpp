// fusebox/dashboard/detail/origin.hpp: what a web origin is, in a request and in a config (H74).
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <algorithm>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The host and the port of an origin, "http://127.0.0.1:8080"; empty for anything else.
[[nodiscard]] constexpr std::string_view authority_of(std::string_view origin) noexcept {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return {};
}

/// What a browser may send as Origin: a scheme, a host, and perhaps a port.
[[nodiscard]] constexpr bool is_origin(std::string_view origin) noexcept {
  const std::string_view authority = authority_of(origin);
  return !authority.empty() && authority.front() != ':' &&
         std::all_of(authority.begin(), authority.end(), [](char c) {
           return c > 0x20 && c < 0x7f && std::string_view{"/\\?#@*,\"<>"}.find(c) == std::string_view::npos;
         });
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
