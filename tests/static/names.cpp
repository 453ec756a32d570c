// Names that programs use, under the umbrella, in namespace fusebox, and their shapes. api/fusebox.txt has
// every public name.
#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <type_traits>

#if !defined(FUSEBOX_API) || !defined(FUSEBOX_VERSION) || !defined(FUSEBOX_VERSION_STRING) || \
    !defined(FUSEBOX_VERSION_MAJOR) || !defined(FUSEBOX_VERSION_MINOR) || !defined(FUSEBOX_VERSION_PATCH)
#error "a public macro is missing"
#endif

namespace names {

// Time
using fusebox::Deadline;
using fusebox::earliest;
using fusebox::no_timeout;
using fusebox::SystemClock;
using fusebox::test::FakeClock;
using fusebox::test::ScopedSystemClock;
static_assert(fusebox::Clock<SystemClock>);

// Errors
using fusebox::ApiError;
using fusebox::BulkheadFullError;
using fusebox::CancelledError;
using fusebox::category_of;
using fusebox::CircuitOpenError;
using fusebox::ConfigError;
using fusebox::ErrorCategory;
using fusebox::ErrorCode;
using fusebox::ErrorDetails;
using fusebox::http_status;
using fusebox::is_retryable;
using fusebox::is_retryable_status;
using fusebox::make_error_code;
using fusebox::make_error_condition;
using fusebox::NetworkErrc;
using fusebox::PolicyErrc;
using fusebox::RateLimitedError;
using fusebox::RejectedError;
using fusebox::ThrottledError;
using fusebox::TimeoutError;
using fusebox::to_string;

// Failures and outcomes
using fusebox::default_outcome;
using fusebox::Failure;
using fusebox::failure_if;
using fusebox::failure_traits;
using fusebox::FailureTranslator;
using fusebox::Outcome;
using fusebox::register_failure_translator;

// Circuit breaker
using fusebox::CallOptions;
using fusebox::CircuitBreaker;
using fusebox::CircuitBreakerConfig;
using fusebox::CircuitBreakerStats;
using fusebox::FailureRate;
using fusebox::last_calls;
using fusebox::Permit;
using fusebox::SlowCalls;
using fusebox::State;
using fusebox::StateChange;
using fusebox::StateChangeReason;
using fusebox::Subscription;
using fusebox::try_acquire;
using fusebox::validate;
using fusebox::Window;
using fusebox::within;

// Limits
using fusebox::AdaptiveLimit;
using fusebox::AdaptiveLimitEvent;
using fusebox::AdaptiveLimitEventKind;
using fusebox::AdaptiveLimitQueue;
using fusebox::AdaptiveLimitStats;
using fusebox::AdaptiveStep;
using fusebox::AdaptiveWindow;
using fusebox::Aimd;
using fusebox::Gradient2;
using fusebox::Measured;
using fusebox::Vegas;
static_assert(fusebox::AdaptiveRule<Aimd> && fusebox::AdaptiveRule<Gradient2> &&
              fusebox::AdaptiveRule<Measured> && fusebox::AdaptiveRule<Vegas>);
using fusebox::CallRecorder;
using fusebox::CallRecorderConfig;
using fusebox::CallRecorderStats;
using fusebox::chaos;
using fusebox::Chaos;
using fusebox::ChaosConfig;
using fusebox::ChaosEvent;
using fusebox::ChaosEventKind;
using fusebox::ChaosStats;
using fusebox::Dashboard;
using fusebox::DashboardActions;
using fusebox::DashboardConfig;
using fusebox::DashboardResponse;
using fusebox::is_injected;
using fusebox::RateLimiter;
using fusebox::RateLimiterConfig;
using fusebox::RateLimiterEvent;
using fusebox::RateLimiterEventKind;
using fusebox::RateLimiterStats;
using fusebox::RecordedCall;
using fusebox::RetryBudget;
using fusebox::RetryBudgetConfig;
using fusebox::RetryBudgetEvent;
using fusebox::RetryBudgetEventKind;
using fusebox::RetryBudgetStats;
using fusebox::RetryThrottle;
using fusebox::RetryThrottleConfig;
using fusebox::Throttle;
using fusebox::ThrottleConfig;
using fusebox::ThrottleEvent;
using fusebox::ThrottleEventKind;
using fusebox::ThrottleStats;
static_assert(fusebox::RetryBudgetLike<RetryBudget<>> && fusebox::RetryBudgetLike<RetryThrottle>);

// Registry
using fusebox::CircuitBreakerRegistry;
using fusebox::default_registry;
using fusebox::get_all_circuit_breaker_stats;
using fusebox::get_circuit_breaker;
using fusebox::RegistryConfig;
using fusebox::reset_all_circuit_breakers;
using fusebox::reset_circuit_breaker;

// Backoff and retry
using fusebox::Attempt;
using fusebox::exponential_delay;
using fusebox::Jitter;
using fusebox::on_give_up;
using fusebox::on_retry;
using fusebox::retry_if;
using fusebox::retry_with_backoff;
using fusebox::RetryConfig;
using fusebox::RetryResult;
using fusebox::RetryStats;
using fusebox::StopReason;
using fusebox::try_retry_with_backoff;
using fusebox::with_random;
using fusebox::retry_presets::aggressive;
using fusebox::retry_presets::quick;
using fusebox::retry_presets::slow;
using fusebox::retry_presets::standard;
static_assert(!fusebox::RetryBudgetLike<int>);

// Hedges
using fusebox::Hedge;
using fusebox::hedge;
using fusebox::HedgeConfig;
using fusebox::HedgeCounts;
using fusebox::HedgeEvent;
using fusebox::HedgeEventKind;
using fusebox::HedgeRun;
using fusebox::HedgeStats;
using fusebox::HedgeStep;
using fusebox::HedgeTask;

// Timeouts
using fusebox::attempt_timeout;
using fusebox::Timeout;
using fusebox::TimeoutKind;
using fusebox::TimeoutStats;
using fusebox::total_timeout;
using fusebox::with_timeout;

// HTTP, responses, health, metrics
using fusebox::health_report;
using fusebox::HealthReport;
using fusebox::RequestInfo;
using fusebox::send_api_error;
using fusebox::send_bad_request_error;
using fusebox::send_exception;
using fusebox::send_forbidden_error;
using fusebox::send_method_not_allowed_error;
using fusebox::send_not_found_error;
using fusebox::send_rate_limit_error;
using fusebox::send_service_unavailable_error;
using fusebox::send_unauthorized_error;
using fusebox::send_validation_error;
using fusebox::to_json;
using fusebox::to_problem_json;
using fusebox::to_prometheus;
using fusebox::http::is_idempotent;
using fusebox::http::parse_retry_after;

}  // namespace names

// One inline namespace: a name means one thing, however it is reached.
static_assert(std::is_same_v<names::Permit, fusebox::v0::Permit>);

namespace {

using namespace fusebox;

// The types of members without a static test of their own.

template <class T, class Expected>
inline constexpr bool is = std::is_same_v<T, Expected>;
using WallTime = std::optional<std::chrono::system_clock::time_point>;

static_assert(is<decltype(CircuitBreakerStats::state), State>);
static_assert(is<decltype(CircuitBreakerStats::failure_count), std::uint64_t>);
static_assert(is<decltype(CircuitBreakerStats::success_count), std::uint64_t>);
static_assert(is<decltype(CircuitBreakerStats::ignored_count), std::uint64_t>);
static_assert(is<decltype(CircuitBreakerStats::rejected_count), std::uint64_t>);
static_assert(is<decltype(CircuitBreakerStats::slow_count), std::uint64_t>);
static_assert(is<decltype(CircuitBreakerStats::opened_count), std::uint64_t>);
static_assert(is<decltype(CircuitBreakerStats::consecutive_failures), int>);
static_assert(is<decltype(CircuitBreakerStats::failure_rate), double>);
static_assert(is<decltype(CircuitBreakerStats::last_failure_time), WallTime>);
static_assert(is<decltype(CircuitBreakerStats::last_success_time), WallTime>);
static_assert(is<decltype(CircuitBreakerStats::retry_after), std::chrono::nanoseconds>);

using Milliseconds = std::optional<std::chrono::milliseconds>;
static_assert(is<decltype(std::declval<const Failure&>().code()), std::error_code>);
static_assert(is<decltype(std::declval<const Failure&>().category()), ErrorCategory>);
static_assert(is<decltype(std::declval<const Failure&>().status()), std::optional<int>>);
static_assert(is<decltype(std::declval<const Failure&>().retry_after()), Milliseconds>);
static_assert(is<decltype(std::declval<const Failure&>().message()), std::string>);
static_assert(is<decltype(std::declval<const Failure&>().is_config_error()), bool>);
static_assert(is<decltype(std::declval<const Failure&>().rethrow()), void>);
static_assert(std::is_base_of_v<std::invalid_argument, ConfigError>);
static_assert(is<decltype(register_failure_translator(FailureTranslator{})), void>);
static_assert(is<decltype(std::declval<const CancelledError&>().cause()), const std::optional<Failure>&>);
static_assert(is<decltype(SystemClock{}.coarse_wall_now()), std::chrono::system_clock::time_point>);
static_assert(is<decltype(Failure::from_status(503)), Failure>);
static_assert(is<decltype(Failure::from_status(503, std::chrono::seconds{1})), Failure>);

static_assert(is<decltype(std::declval<const ApiError&>().code()), ErrorCode>);
static_assert(is<decltype(std::declval<const ApiError&>().category()), ErrorCategory>);
static_assert(std::is_convertible_v<decltype(std::declval<const ApiError&>().message()), std::string>);
static_assert(is<decltype(std::declval<const ApiError&>().details()), const ErrorDetails&>);
static_assert(
    is<decltype(std::declval<const ApiError&>().timestamp()), std::chrono::system_clock::time_point>);
static_assert(is<decltype(std::declval<const ApiError&>().retry_after()), Milliseconds>);
static_assert(is<decltype(std::declval<const ApiError&>().reason()), std::error_code>);
static_assert(std::is_convertible_v<decltype(std::declval<const ApiError&>().request_id()), std::string>);
static_assert(std::is_convertible_v<decltype(std::declval<const ApiError&>().path()), std::string>);
static_assert(is<decltype(ErrorDetails::json("{}")), ErrorDetails>);

static_assert(is<decltype(RequestInfo::request_id), std::string>);
static_assert(is<decltype(RequestInfo::path), std::string>);
static_assert(is<decltype(HealthReport::timestamp), std::chrono::system_clock::time_point>);
static_assert(is<decltype(health_report(default_registry())), HealthReport>);
static_assert(is<decltype(to_json(std::declval<const HealthReport&>())), std::string>);
static_assert(is<decltype(to_json(std::declval<const ApiError&>())), std::string>);
static_assert(is<decltype(to_problem_json(std::declval<const ApiError&>())), std::string>);
static_assert(is<decltype(to_prometheus(default_registry())), std::string>);
static_assert(http::is_idempotent("PUT") && !http::is_idempotent("POST"));
static_assert(http::parse_retry_after("120", {}) == std::chrono::seconds{120});

static_assert(is<decltype(std::declval<test::FakeClock&>().sleeps()), std::vector<std::chrono::nanoseconds>>);

}  // namespace
