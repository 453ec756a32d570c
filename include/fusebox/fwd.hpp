// fusebox/fwd.hpp: forward declarations and default template arguments.
//
// Include it where a name is enough. Class templates take `class C` and assert `Clock<C>` inside, so that
// naming CircuitBreaker<MyClock> needs no complete MyClock.
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
enum class StopReason : unsigned char;
class Attempt;
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

class Window;
struct RegistryConfig;
template <class C = SystemClock>
class CircuitBreakerRegistry;

struct RequestInfo;
struct HttpResponse;
struct HealthSummary;
struct HealthReport;

namespace test {
class FakeClock;
class ScopedSystemClock;
}  // namespace test

FUSEBOX_END_NAMESPACE
