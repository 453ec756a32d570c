// fusebox/health.hpp: the states of a registry's breakers, for a health endpoint.
//
// health_report() takes a snapshot; to_json() writes it as a document.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <fusebox/detail/iso_time.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/detail/printable_names.hpp>
#include <fusebox/registry.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The number of breakers by state. forced_open counts as open, disabled as closed.
struct HealthSummary {
  int total = 0;
  int open = 0;
  int half_open = 0;
  int closed = 0;

  /// "ok" if every breaker is closed, else "degraded": calls of at least one dependency are rejected. No
  /// verdict on the process: wire neither a liveness nor a readiness probe to it (H7).
  [[nodiscard]] constexpr std::string_view status() const noexcept {
    return open == 0 && half_open == 0 ? "ok" : "degraded";
  }
};

/// What health_report() returns.
struct HealthReport {
  std::chrono::system_clock::time_point timestamp;              ///< of the registry's clock
  std::map<std::string, CircuitBreakerStats> circuit_breakers;  ///< by name; invalid bytes became U+FFFD
  HealthSummary summary;
};

/// A snapshot of every breaker in the registry. Thread-safe. The numbers of one breaker are of one moment;
/// the moments of two breakers may differ.
template <class C = SystemClock>
[[nodiscard]] HealthReport health_report(const CircuitBreakerRegistry<C>& registry = default_registry()) {
  HealthReport report{registry.clock().wall_now(), detail::with_printable_names(registry.stats()), {}};
  for (const auto& [name, stats] : report.circuit_breakers) {
    ++report.summary.total;
    switch (stats.state) {
      case State::open:
      case State::forced_open: ++report.summary.open; break;
      case State::half_open: ++report.summary.half_open; break;
      case State::closed:
      case State::disabled: ++report.summary.closed; break;
    }
  }
  return report;
}

/// The document, compact: timestamp, circuitBreakers by name, summary. Always valid JSON. Times are ISO
/// 8601; the time of a last failure or success is left out if there was none, and does not change until the
/// next one (H7). retryAfterMs is the time until a probe may pass, in milliseconds, rounded up.
[[nodiscard]] inline std::string to_json(const HealthReport& report) {
  std::string out;
  {
    detail::JsonObject document{out};
    document.text("timestamp", detail::IsoTime{report.timestamp}.text());
    {
      detail::JsonObject breakers{document.member("circuitBreakers")};
      for (const auto& [name, stats] : report.circuit_breakers) {
        detail::JsonObject breaker{breakers.member(name)};
        breaker.text("state", to_string(stats.state));
        breaker.number("failureCount", stats.failure_count);
        breaker.number("successCount", stats.success_count);
        if (stats.last_failure_time)
          breaker.text("lastFailureTime", detail::IsoTime{*stats.last_failure_time}.text());
        if (stats.last_success_time)
          breaker.text("lastSuccessTime", detail::IsoTime{*stats.last_success_time}.text());
        breaker.number("failureRate", stats.failure_rate);
        breaker.number("ignoredCount", stats.ignored_count);
        breaker.number("rejectedCount", stats.rejected_count);
        breaker.number("slowCount", stats.slow_count);
        breaker.number("openedCount", stats.opened_count);
        breaker.number("consecutiveFailures", stats.consecutive_failures);
        breaker.number("retryAfterMs",
                       std::chrono::ceil<std::chrono::milliseconds>(stats.retry_after).count());
      }
    }
    detail::JsonObject summary{document.member("summary")};
    summary.number("total", report.summary.total);
    summary.number("open", report.summary.open);
    summary.number("halfOpen", report.summary.half_open);
    summary.number("closed", report.summary.closed);
    summary.text("status", report.summary.status());
  }
  return out;
}

FUSEBOX_END_NAMESPACE
