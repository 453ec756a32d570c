// fusebox/format.hpp: fmt formatters for the public enums and types.
//
//     fmt::print("{} is {:>10}: {}\n", breaker.name(), breaker.state(), failure);
//
// Every public enum, ApiError and the errors derived from it, Failure, StateChange, CircuitBreakerStats,
// RetryStats, and the stats and events of bulkheads, adaptive limits, hedges, throttles and chaos are
// formatted as text, so that width, fill and precision work as for strings.
#pragma once

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <fusebox/adaptive_limit.hpp>
#include <fusebox/api_error.hpp>
#include <fusebox/backoff.hpp>
#include <fusebox/bulkhead.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/named_enum.hpp>
#include <fusebox/detail/utf8.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/throttle.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// `503 external_service: circuit breaker 'payments' is open`
[[nodiscard]] inline std::string describe(const ApiError& error) {
  return fmt::format("{} {}: {}", static_cast<int>(error.code()), to_string(error.category()),
                     detail::shown_text(error.message()));
}

[[nodiscard]] inline std::string describe(const Failure& failure) { return failure.message(); }

/// `payments: closed -> open (failure_threshold)`
[[nodiscard]] inline std::string describe(const StateChange& change) {
  return fmt::format("{}: {} -> {} ({})", detail::shown_text(change.name), to_string(change.from),
                     to_string(change.to), to_string(change.reason));
}

[[nodiscard]] inline std::string describe(const CircuitBreakerStats& stats) {
  return fmt::format(
      "{}, {} failed, {} succeeded, {} ignored, {} rejected, opened {} times, failure rate {:.2f}",
      to_string(stats.state), stats.failure_count, stats.success_count, stats.ignored_count,
      stats.rejected_count, stats.opened_count, stats.failure_rate);
}

[[nodiscard]] inline std::string describe(const RetryStats& stats) {
  return fmt::format("{} after {} attempt{}, {} ms of waiting", to_string(stats.stop_reason), stats.attempts,
                     stats.attempts == 1 ? "" : "s",
                     std::chrono::duration_cast<std::chrono::milliseconds>(stats.total_delay).count());
}

/// `reports: saturated (limit 8)`
[[nodiscard]] inline std::string describe(const BulkheadEvent& event) {
  return fmt::format("{}: {} (limit {})", detail::shown_text(event.name), to_string(event.kind), event.limit);
}

[[nodiscard]] inline std::string describe(const BulkheadStats& stats) {
  const std::string text = fmt::format("{} of {} in use, {} waiting, {} admitted, {} rejected", stats.in_use,
                                       stats.limit, stats.waiting, stats.admitted, stats.rejected);
  return stats.shed == 0 ? text : fmt::format("{} ({} shed)", text, stats.shed);
}

/// `chaos 'payments': delay (300 ms)`
[[nodiscard]] inline std::string describe(const ChaosEvent& event) {
  std::string text = event.name.empty() ? "chaos" : fmt::format("chaos '{}'", detail::shown_text(event.name));
  text.append(": ").append(to_string(event.kind));
  if (event.kind == ChaosEventKind::delay)
    text +=
        fmt::format(" ({} ms)", std::chrono::duration_cast<std::chrono::milliseconds>(event.delay).count());
  return text;
}

[[nodiscard]] inline std::string describe(const ChaosStats& stats) {
  return fmt::format("{}, {} calls, {} faults, {} delays", stats.enabled ? "enabled" : "off", stats.calls,
                     stats.faults, stats.delays);
}

/// `search: throttling`
[[nodiscard]] inline std::string describe(const ThrottleEvent& event) {
  return fmt::format("{}: {}", detail::shown_text(event.name), to_string(event.kind));
}

[[nodiscard]] inline std::string describe(const ThrottleStats& stats) {
  return fmt::format("{} requests, {} accepted, rejects {:.2f}, {} rejected so far", stats.requests,
                     stats.accepts, stats.rejection_ratio, stats.rejected);
}

/// `search: limit_changed (limit 42)`
[[nodiscard]] inline std::string describe(const AdaptiveLimitEvent& event) {
  return fmt::format("{}: {} (limit {})", detail::shown_text(event.name), to_string(event.kind), event.limit);
}

[[nodiscard]] inline std::string describe(const AdaptiveLimitStats& stats) {
  const auto ms = [](std::chrono::nanoseconds duration) {
    return std::chrono::duration<double, std::milli>{duration}.count();
  };
  return fmt::format("{} of {} in use, {} waiting, {} admitted, {} rejected, latency {:.3} ms, base {:.3} ms",
                     stats.in_use, stats.limit, stats.waiting, stats.admitted, stats.rejected,
                     ms(stats.latency), ms(stats.base_latency));
}

/// `hedge 'pages': exhausted`
[[nodiscard]] inline std::string describe(const HedgeEvent& event) {
  const std::string name =
      event.name.empty() ? "hedge" : fmt::format("hedge '{}'", detail::shown_text(event.name));
  return fmt::format("{}: {}", name, to_string(event.kind));
}

[[nodiscard]] inline std::string describe(const HedgeStats& stats) {
  return fmt::format("{} calls, {} hedges started, {} refused, won by primary {}, by hedge {}", stats.calls,
                     stats.started, stats.refused, stats.won_by_primary, stats.won_by_hedge);
}

template <class T>
concept Described = std::derived_from<T, ApiError> ||
                    OneOf<T, Failure, StateChange, CircuitBreakerStats, RetryStats, BulkheadEvent,
                          BulkheadStats, AdaptiveLimitEvent, AdaptiveLimitStats, HedgeEvent, HedgeStats,
                          ChaosEvent, ChaosStats, ThrottleEvent, ThrottleStats>;

}  // namespace detail

FUSEBOX_END_NAMESPACE

template <fusebox::detail::NamedEnum E>
struct fmt::formatter<E> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(E value, Context& context) const {
    return fmt::formatter<std::string_view>::format(fusebox::to_string(value), context);
  }
};

template <fusebox::detail::Described T>
struct fmt::formatter<T> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const T& value, Context& context) const {
    const std::string text = fusebox::detail::describe(value);
    return fmt::formatter<std::string_view>::format(text, context);
  }
};
