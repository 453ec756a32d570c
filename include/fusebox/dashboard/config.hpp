// fusebox/dashboard/config.hpp: DashboardConfig and its check; DashboardActions, what the buttons do.
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fusebox/dashboard/detail/origin.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How a dashboard looks, and what it keeps. validate() says what is accepted (C3).
struct DashboardConfig {
  std::string title = "fusebox";  ///< over the page
  /// Events of breakers that it keeps, and as many of other policies. Each takes at most about 1 KB.
  int max_events = 200;
  std::chrono::milliseconds refresh{2000};  ///< between two requests of the page for data
  /// Where the application serves data(), and accepts act(): relative to the address of the page.
  std::string data_path = "dashboard.json";
  std::string action_path = "dashboard/action";
  /// Origins from which act() accepts a request, such as "https://ops.example". If empty: only the page of
  /// the host that is asked, and only if that is named localhost, 127.0.0.1 or [::1] (H74).
  std::vector<std::string> origins = {};
  friend bool operator==(const DashboardConfig&, const DashboardConfig&) = default;
};

/// What the buttons of the page do: each gets the name of a breaker, and returns false if there is none of
/// this name. A button without a function does not exist (H73). Called on the thread that calls act().
struct DashboardActions {
  using Action = std::function<bool(const std::string& name)>;
  Action reset = {};
  Action force_open = {};
};

namespace detail {

/// A path on the host of the page, and nothing that a browser reads as another host or scheme.
[[nodiscard]] constexpr bool is_own_path(std::string_view path) noexcept {
  return !path.empty() && !path.starts_with("//") && std::all_of(path.begin(), path.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '\\' && c != ':';
  });
}

[[nodiscard]] inline Problem check(const DashboardConfig& config) noexcept {
  if (config.max_events < 1 || config.max_events > 10'000)
    return problem("max_events", "in [1, 10000]", static_cast<long long>(config.max_events));
  if (config.refresh < std::chrono::milliseconds{100} || config.refresh > std::chrono::hours{1})
    return problem("refresh", "in [100 ms, 1 h]", std::chrono::nanoseconds{config.refresh});
  constexpr const char* path_rule = "a path without a scheme and a host";
  if (!is_own_path(config.data_path)) return problem("data_path", path_rule, config.data_path.c_str());
  if (!is_own_path(config.action_path)) return problem("action_path", path_rule, config.action_path.c_str());
  for (const std::string& origin : config.origins) {
    if (!is_origin(origin))
      return problem("origins", "like https://ops.example, without a path", origin.c_str());
  }
  return {};
}

}  // namespace detail

/// What is wrong with the first wrong field: its name, its rule and its value (C2). Empty for a good config.
[[nodiscard]] inline std::string validate(const DashboardConfig& config) {
  return detail::to_text("DashboardConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
