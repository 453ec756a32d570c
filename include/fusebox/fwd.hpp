// fusebox/fwd.hpp: forward declarations, the Clock concept and the default template arguments.
//
// Include it where a name is enough. Class templates take `class C` and assert `Clock<C>` inside, so
// that naming CircuitBreaker<MyClock> needs no complete MyClock.
#pragma once

#include <chrono>
#include <concepts>
#include <version>

#include <fusebox/version.hpp>

#if defined(__cpp_lib_jthread)
#include <stop_token>
#define FUSEBOX_DETAIL_STOP_TOKEN 1
#else
#define FUSEBOX_DETAIL_STOP_TOKEN 0
#endif

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

namespace detail {
#if FUSEBOX_DETAIL_STOP_TOKEN
using StopToken = std::stop_token;
#else
/// Stands in for std::stop_token where the standard library has none: never stopped.
struct StopToken {
  [[nodiscard]] static constexpr bool stop_requested() noexcept { return false; }
  [[nodiscard]] static constexpr bool stop_possible() noexcept { return false; }
};
#endif
}  // namespace detail

/// Where time comes from. Copyable; on a const object:
/// - `now()` gives a std::chrono::steady_clock::time_point and drives every timeout and window;
/// - `wall_now()` gives a std::chrono::system_clock::time_point, for people and HTTP dates only;
/// - `sleep_for(nanoseconds, std::stop_token)` waits and returns false when the token ended the wait.
///
/// A clock may also offer `coarse_now()`: a cheaper reading on a timeline of its own.
/// All members must be safe to call from several threads at once; those that tell the time must not throw.
template <class C>
concept Clock = std::copy_constructible<C> &&
                requires(const C& clock, std::chrono::nanoseconds duration, detail::StopToken token) {
                  { clock.now() } -> std::same_as<std::chrono::steady_clock::time_point>;
                  { clock.wall_now() } -> std::same_as<std::chrono::system_clock::time_point>;
                  { clock.sleep_for(duration, token) } -> std::same_as<bool>;
                };

class SystemClock;
class Deadline;

enum class ErrorCode : int;
enum class ErrorCategory : int;
enum class NetworkErrc : int;
enum class PolicyErrc : int;

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

namespace detail {
struct RetryLoop;
}  // namespace detail

namespace test {
class FakeClock;
class ScopedSystemClock;
}  // namespace test

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI
