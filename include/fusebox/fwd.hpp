// fusebox/fwd.hpp: forward declarations and default template arguments.
//
// Include it where a name is enough. Class templates take `class C` and assert `TimeSource<C>` inside, so
// that naming CircuitBreaker<MyClock> needs no complete MyClock.
#pragma once

#include <fusebox/version.hpp>

FUSEBOX_BEGIN_NAMESPACE

class SystemClock;
class Deadline;

enum class ErrorCode : int;
enum class ErrorCategory : int;
enum class NetworkErrc : int;
enum class PolicyErrc : int;

class ConfigError;
class ErrorDetails;
class ApiError;
class RejectedError;
class CircuitOpenError;
class BulkheadFullError;
class RateLimitedError;
class ThrottledError;
class TimeoutError;
class CancelledError;

enum class Outcome : unsigned char;
class Failure;
template <class T>
struct failure_traits;
template <class Predicate>
class FailureIf;

enum class Jitter : unsigned char;
struct RetryConfig;
struct RetryStats;
class RetryCounts;
struct RetryCountsStats;
enum class StopReason : unsigned char;
class Attempt;
class Call;
enum class Priority : unsigned char;
template <class... Options>
class RetryPolicy;
class RetryState;
template <class T>
class RetryResult;

enum class State : unsigned char;
enum class StateChangeReason : unsigned char;
struct StateChange;
struct FailureRate;
struct SlowCalls;
struct CircuitBreakerConfig;
struct CircuitBreakerStats;
struct CallOptions;
class Permit;
class Subscription;
template <class C = SystemClock>
class CircuitBreaker;

template <class C = SystemClock>
class LastGood;
class PolicyResult;
template <class T>
class CallResult;
template <class... Parts>
class Pipeline;
template <class T>
class AnyPipeline;
struct Step;

enum class TimeoutKind : unsigned char;
struct TimeoutStats;
class TimeoutCounts;
template <class C = SystemClock, TimeoutKind kind = static_cast<TimeoutKind>(0)>
class Timeout;

struct BulkheadConfig;
struct BulkheadStats;
enum class BulkheadEventKind : unsigned char;
struct BulkheadEvent;
template <class C = SystemClock>
class Bulkhead;

struct AdaptiveWindow;
struct AdaptiveStep;
struct Measured;
struct Aimd;
struct Gradient2;
struct Vegas;
struct AdaptiveLimitQueue;
struct AdaptiveLimitStats;
enum class AdaptiveLimitEventKind : unsigned char;
struct AdaptiveLimitEvent;
template <class Rule = Measured, class C = SystemClock>
class AdaptiveLimit;

struct RateLimiterConfig;
struct RateLimiterStats;
enum class RateLimiterEventKind : unsigned char;
struct RateLimiterEvent;
template <class C = SystemClock>
class RateLimiter;

struct ChaosConfig;
struct ChaosStats;
enum class ChaosEventKind : unsigned char;
struct ChaosEvent;
template <class C = SystemClock>
class Chaos;

struct RetryBudgetConfig;
struct RetryThrottleConfig;
struct RetryBudgetStats;
enum class RetryBudgetEventKind : unsigned char;
struct RetryBudgetEvent;
template <class C = SystemClock>
class RetryBudget;
class RetryThrottle;

struct HedgeConfig;
struct HedgeStats;
enum class HedgeEventKind : unsigned char;
struct HedgeEvent;
class HedgeCounts;
class HedgeTask;
struct HedgeStep;
template <class C, class Budget>
class HedgeRun;
template <class C, class Budget, class Executor>
class Hedge;

struct ThrottleConfig;
struct ThrottleStats;
enum class ThrottleEventKind : unsigned char;
struct ThrottleEvent;
template <class C = SystemClock>
class Throttle;

class Window;
struct RegistryConfig;
template <class C = SystemClock>
class CircuitBreakerRegistry;

struct CallDurationsConfig;
struct CallDurationsStats;
class CallDurations;
template <class C = SystemClock>
class MeasuredCalls;

struct CallRecorderConfig;
struct CallRecorderStats;
struct RecordedCall;
template <class C = SystemClock>
class CallRecorder;

struct PolicyRegistryConfig;
template <class C = SystemClock>
class PolicyRegistry;
struct StandardPipelineConfig;

struct RequestInfo;
struct HttpResponse;
struct HealthSummary;
struct HealthReport;
struct DashboardConfig;
struct DashboardActions;
struct DashboardResponse;
template <class C = SystemClock>
class Dashboard;

namespace test {
class FakeClock;
class ScopedSystemClock;
}  // namespace test

FUSEBOX_END_NAMESPACE
