// fusebox/chaos/config.hpp: ChaosConfig and its check.
#pragma once
// IWYU pragma: private, include <fusebox/chaos.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <fusebox/detail/validate.hpp>
#include <fusebox/error_code.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What a chaos policy injects while it is enabled: faults instead of calls, and delays before them. By
/// default nothing. validate() says what is accepted (C3).
struct ChaosConfig {
  double fault_rate = 0;                             ///< share of the calls that fail, in [0, 1]
  ErrorCode fault = ErrorCode::service_unavailable;  ///< the status of a fault: 400 to 599
  /// If it is set, a fault looks as if nobody had answered: this error of the network.
  std::optional<NetworkErrc> network_fault = std::nullopt;
  std::chrono::nanoseconds retry_after{0};  ///< that a fault asks for; 0: nothing
  double latency_rate = 0;                  ///< share of the calls that are delayed, in [0, 1]
  /// How long; `no_timeout`: until the deadline of the call, or its token, ends it.
  std::chrono::nanoseconds latency = std::chrono::seconds{1};
  std::chrono::nanoseconds latency_jitter{0};  ///< more or less, at random; at most `latency`
  std::uint64_t seed = 0;                      ///< of all that is random; 0: another one for each object
  friend bool operator==(const ChaosConfig&, const ChaosConfig&) = default;
};

namespace detail {

[[nodiscard]] constexpr Problem check(const ChaosConfig& config) noexcept {
  constexpr const char* share_rule = "in [0, 1]";
  if (!is_share(config.fault_rate)) return problem("fault_rate", share_rule, config.fault_rate);
  const int status = static_cast<int>(config.fault);
  if (status < 400 || status > 599) return problem("fault", "in [400, 599]", static_cast<long long>(status));
  if (!is_duration(config.retry_after)) return problem("retry_after", "at least 0", config.retry_after);
  if (!is_share(config.latency_rate)) return problem("latency_rate", share_rule, config.latency_rate);
  if (!is_duration(config.latency)) return problem("latency", "at least 0", config.latency);
  if (!is_duration(config.latency_jitter))
    return problem("latency_jitter", "at least 0", config.latency_jitter);
  if (config.latency_jitter > config.latency)
    return problem("latency_jitter", "at most latency", config.latency, config.latency_jitter);
  return {};
}

}  // namespace detail

/// What is wrong with the first wrong field: its name, its rule and its value (C2). Empty for a good config.
[[nodiscard]] inline std::string validate(const ChaosConfig& config) {
  return detail::to_text("ChaosConfig", detail::check(config));
}

FUSEBOX_END_NAMESPACE
