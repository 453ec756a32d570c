// fusebox/adapters/nlohmann_json/stats.hpp: stats, the health document and enums from JSON and back (H47,
// H48).
//
//     nlohmann::json page = {{"breaker", breaker.stats()}, {"state", breaker.state()}};
//     nlohmann::json health = fusebox::health_report();
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <fusebox/adapters/nlohmann_json/configs.hpp>
#include <fusebox/adapters/nlohmann_json/detail/stats_members.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/named_enum.hpp>
#include <fusebox/health.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class T>
concept JsonStats = OneOf<T, CircuitBreakerStats, BulkheadStats, AdaptiveLimitStats, RateLimiterStats,
                          ThrottleStats, RetryCountsStats, RetryBudgetStats, TimeoutStats, HedgeStats,
                          CallDurationsStats, ChaosStats, RetryStats, CallRecorderStats>;

/// Enums whose to_string() gives the names of the enumerators.
template <class E>
concept JsonEnum = requires { enum_names<E>(); };

}  // namespace detail

/// The stats as an object with the members that a health document has, and then those that it leaves out
/// (docs/json.md). Durations are whole milliseconds, rounded up; times are ISO 8601 and left out if absent.
template <detail::AnyJson J, detail::JsonStats Stats>
void to_json(J& out, const Stats& stats) {
  out = detail::written<J>(stats);
}

/// Reads stats, also those of a health document. Unknown members are skipped: a service may be newer than its
/// reader. A member that is not there gets its default. Throws JsonError for a wrong type; `stats` are then
/// as they were.
template <detail::AnyJson J, detail::JsonStats Stats>
void from_json(const J& value, Stats& stats, std::string_view path = {}) {
  Stats given{};
  detail::read_by_table(detail::to_plain_json(value, path), given, path, detail::UnknownMembers::skip);
  stats = std::move(given);
}

/// The document of to_json(HealthReport), as JSON.
template <detail::AnyJson J>
void to_json(J& out, const HealthReport& report) {
  out = J::parse(fusebox::to_json(report));
}

/// Reads a health document: of this process, or of another one. `report` keeps nothing of what it was.
/// Unknown members are skipped. Throws JsonError for a wrong type; `report` is then as it was.
template <detail::AnyJson J>
void from_json(const J& value, HealthReport& report, std::string_view path = {}) {
  HealthReport given{};
  detail::read_by_table(detail::to_plain_json(value, path), given, path, detail::UnknownMembers::skip);
  report = std::move(given);
}

FUSEBOX_END_NAMESPACE

/// States, kinds of events, categories, jitters and reasons are written as to_string() does, and read back
/// from it. Throws JsonError for any other text. (ErrorCode is a number, as in all documents.)
template <fusebox::detail::JsonEnum E>
struct nlohmann::adl_serializer<E> {
  template <class J>
  static void to_json(J& out, E value) {
    out = std::string{to_string(value)};
  }
  template <class J>
  static void from_json(const J& value, E& out) {
    const nlohmann::json text =
        value.is_string() ? nlohmann::json(value.template get<std::string>()) : nullptr;
    out = static_cast<E>(fusebox::detail::JsonValue{text, ""}.read_name(fusebox::detail::enum_names<E>()));
  }
};
