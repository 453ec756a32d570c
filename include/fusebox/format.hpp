// fusebox/format.hpp: fmt formatters for the public enums and types.
//
//     fmt::print("{} is {:>10}: {}\n", breaker.name(), breaker.state(), failure);
//
// Every public enum, ApiError and the errors derived from it, Failure, StateChange, CircuitBreakerStats,
// RetryStats, BulkheadEvent and BulkheadStats are formatted as text, so that width, fill and precision work
// as for strings.
#pragma once

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <fusebox/api_error.hpp>
#include <fusebox/backoff.hpp>
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/named_enum.hpp>
#include <fusebox/detail/utf8.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>

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
  return fmt::format("{} of {} in use, {} waiting, {} admitted, {} rejected", stats.in_use, stats.limit,
                     stats.waiting, stats.admitted, stats.rejected);
}

template <class T>
concept Described =
    std::derived_from<T, ApiError> ||
    OneOf<T, Failure, StateChange, CircuitBreakerStats, RetryStats, BulkheadEvent, BulkheadStats>;

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
