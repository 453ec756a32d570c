// C1, B22: configs are plain aggregates: every field with a default, counts as int, durations as nanoseconds,
// in reading order. Wrong names and wrong types do not compile.
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace {

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

template <class Config>
inline constexpr bool is_plain = std::is_aggregate_v<Config> && std::is_default_constructible_v<Config> &&
                                 std::is_copy_constructible_v<Config> && std::is_copy_assignable_v<Config>;

static_assert(is_plain<RetryConfig>);
static_assert(is_plain<CircuitBreakerConfig>);
static_assert(is_plain<FailureRate>);
static_assert(is_plain<SlowCalls>);
static_assert(is_plain<CallOptions>);
static_assert(is_plain<BulkheadConfig>);
static_assert(is_plain<ChaosConfig>);
static_assert(is_plain<CallRecorderConfig>);
static_assert(is_plain<DashboardConfig> && is_plain<DashboardActions> && is_plain<DashboardResponse>);
static_assert(is_plain<HedgeConfig>);
static_assert(is_plain<Measured> && is_plain<Aimd> && is_plain<Gradient2> && is_plain<Vegas>);
static_assert(is_plain<AdaptiveLimitQueue>);
static_assert(is_plain<RegistryConfig>);
static_assert(is_plain<PolicyRegistryConfig>);
static_assert(is_plain<CallDurationsConfig>);
static_assert(is_plain<StandardPipelineConfig>);
static_assert(is_plain<RateLimiterConfig>);
static_assert(is_plain<RetryBudgetConfig>);
static_assert(is_plain<RetryThrottleConfig>);
static_assert(is_plain<ThrottleConfig>);
static_assert(is_plain<RequestInfo>);

template <auto Field>
struct TypeOf;
template <class Config, class T, T Config::* Field>
struct TypeOf<Field> {
  using type = T;
};
template <auto Field, class T>
inline constexpr bool is_a = std::is_same_v<typename TypeOf<Field>::type, T>;

// The defaults.

constexpr RetryConfig retry{};
static_assert(retry.max_retries == 3);
static_assert(retry.base_delay == 1s);
static_assert(retry.max_delay == 30s);
static_assert(retry.multiplier == 2.0);
static_assert(retry.jitter == Jitter::equal);
static_assert(retry.total_timeout == no_timeout);
static_assert(retry.honor_retry_after);
static_assert(retry.idempotent);
static_assert(is_a<&RetryConfig::max_retries, int>);
static_assert(is_a<&RetryConfig::base_delay, nanoseconds>);
static_assert(is_a<&RetryConfig::max_delay, nanoseconds>);
static_assert(is_a<&RetryConfig::multiplier, double>);
static_assert(is_a<&RetryConfig::jitter, Jitter>);
static_assert(is_a<&RetryConfig::total_timeout, nanoseconds>);
static_assert(is_a<&RetryConfig::honor_retry_after, bool>);
static_assert(is_a<&RetryConfig::idempotent, bool>);

constexpr ThrottleConfig throttle{
    .k = 2, .window = 2min, .max_rejection = 0.95, .minimum_calls = 20, .seed = 0};
static_assert(throttle == ThrottleConfig{});
static_assert(is_a<&ThrottleConfig::k, double>);
static_assert(is_a<&ThrottleConfig::window, nanoseconds>);
static_assert(is_a<&ThrottleConfig::max_rejection, double>);
static_assert(is_a<&ThrottleConfig::minimum_calls, int>);
static_assert(is_a<&ThrottleConfig::seed, std::uint64_t>);

constexpr ChaosConfig chaos{.fault_rate = 0,
                            .fault = ErrorCode::service_unavailable,
                            .network_fault = std::nullopt,
                            .retry_after = 0s,
                            .latency_rate = 0,
                            .latency = 1s,
                            .latency_jitter = 0s,
                            .seed = 0};
static_assert(chaos == ChaosConfig{});
static_assert(is_a<&ChaosConfig::fault_rate, double>);
static_assert(is_a<&ChaosConfig::fault, ErrorCode>);
static_assert(is_a<&ChaosConfig::network_fault, std::optional<NetworkErrc>>);
static_assert(is_a<&ChaosConfig::retry_after, nanoseconds>);
static_assert(is_a<&ChaosConfig::latency_rate, double>);
static_assert(is_a<&ChaosConfig::latency, nanoseconds>);
static_assert(is_a<&ChaosConfig::latency_jitter, nanoseconds>);
static_assert(is_a<&ChaosConfig::seed, std::uint64_t>);

static_assert(CallRecorderConfig{}.capacity == 100'000);
static_assert(is_a<&CallRecorderConfig::capacity, int>);

constexpr CircuitBreakerConfig breaker{};
static_assert(breaker.failure_threshold == 5);
static_assert(breaker.success_threshold == 2);
static_assert(breaker.reset_timeout == 60s);
static_assert(breaker.half_open_max_calls == 1);
static_assert(breaker.probe_timeout == 0s);
static_assert(breaker.reset_backoff == 1.0);
static_assert(breaker.max_reset_timeout == 10min);
static_assert(breaker.reset_jitter == 0.0);
static_assert(!breaker.failure_rate);
static_assert(!breaker.slow_calls);
static_assert(breaker.classify == default_outcome);
static_assert(is_a<&CircuitBreakerConfig::failure_threshold, int>);
static_assert(is_a<&CircuitBreakerConfig::success_threshold, int>);
static_assert(is_a<&CircuitBreakerConfig::reset_timeout, nanoseconds>);
static_assert(is_a<&CircuitBreakerConfig::half_open_max_calls, int>);
static_assert(is_a<&CircuitBreakerConfig::probe_timeout, nanoseconds>);
static_assert(is_a<&CircuitBreakerConfig::reset_backoff, double>);
static_assert(is_a<&CircuitBreakerConfig::max_reset_timeout, nanoseconds>);
static_assert(is_a<&CircuitBreakerConfig::reset_jitter, double>);
static_assert(is_a<&CircuitBreakerConfig::failure_rate, std::optional<FailureRate>>);
static_assert(is_a<&CircuitBreakerConfig::slow_calls, std::optional<SlowCalls>>);
static_assert(is_a<&CircuitBreakerConfig::classify, Outcome (*)(const Failure&)>);

constexpr FailureRate failure_rate{};
static_assert(failure_rate.threshold == 0.5);
static_assert(failure_rate.minimum_calls == 20);
static_assert(failure_rate.window == last_calls(100));

constexpr SlowCalls slow_calls{};
static_assert(slow_calls.slower_than == 60s);
static_assert(slow_calls.threshold == 1.0);
static_assert(slow_calls.minimum_calls == 20);
static_assert(slow_calls.window == last_calls(100));

static_assert(CallOptions{}.timeout == no_timeout);

constexpr RegistryConfig registry{};
static_assert(registry.max_breakers == 10'000);
static_assert(registry.default_config == CircuitBreakerConfig{});

// Every field in reading order, as the standard requires of designators.
constexpr RetryConfig all_of_retry{.max_retries = 2,
                                   .base_delay = 100ms,
                                   .max_delay = 2s,
                                   .multiplier = 1.5,
                                   .jitter = Jitter::full,
                                   .total_timeout = 1min,
                                   .honor_retry_after = false,
                                   .idempotent = false};
static_assert(all_of_retry.base_delay == 100'000'000ns);

constexpr CircuitBreakerConfig all_of_breaker{
    .failure_threshold = 3,
    .success_threshold = 1,
    .reset_timeout = 30s,
    .half_open_max_calls = 2,
    .probe_timeout = 5s,
    .reset_backoff = 2.0,
    .max_reset_timeout = 1h,
    .reset_jitter = 0.1,
    .failure_rate = FailureRate{.threshold = 0.25, .minimum_calls = 10, .window = within(10s)},
    .slow_calls =
        SlowCalls{.slower_than = 2s, .threshold = 0.5, .minimum_calls = 5, .window = last_calls(50)},
    .classify = [](const Failure&) { return Outcome::failure; }};
static_assert(all_of_breaker.failure_rate->window.length() == 10s);
static_assert(all_of_breaker.slow_calls->threshold == 0.5);

constexpr RegistryConfig all_of_registry{.max_breakers = 7, .default_config = {.failure_threshold = 9}};
static_assert(all_of_registry.default_config.failure_threshold == 9);
static_assert(CallOptions{.timeout = 10s}.timeout == 10s);

// validate() gives a text for every config.
static_assert(std::is_same_v<decltype(validate(retry)), std::string>);
static_assert(std::is_same_v<decltype(validate(breaker)), std::string>);
static_assert(std::is_same_v<decltype(validate(CallOptions{})), std::string>);
static_assert(std::is_same_v<decltype(validate(registry)), std::string>);

// What must not compile.

template <class Config, class Value>
concept TakesMaxRetries = requires(Value value) { Config{.max_retries = value}; };
template <class Config, class Value>
concept TakesBaseDelay = requires(Value value) { Config{.base_delay = value}; };
template <class Config, class Value>
concept TakesTotalTimeout = requires(Value value) { Config{.total_timeout = value}; };
template <class Config, class Value>
concept TakesFailureThreshold = requires(Value value) { Config{.failure_threshold = value}; };
template <class Config, class Value>
concept TakesResetTimeout = requires(Value value) { Config{.reset_timeout = value}; };
template <class Config, class Value>
concept TakesTimeout = requires(Value value) { Config{.timeout = value}; };
template <class Config, class Value>
concept TakesTimeoutMs = requires(Value value) { Config{.timeout_ms = value}; };
template <class Config, class Value>
concept TakesMaxBreakers = requires(Value value) { Config{.max_breakers = value}; };
template <class Config, class Value>
concept TakesClassify = requires(Value value) { Config{.classify = value}; };
template <class Config, class Value>
concept TakesJitter = requires(Value value) { Config{.jitter = value}; };
template <class Config, class Value>
concept TakesWindow = requires(Value value) { Config{.window = value}; };

static_assert(TakesMaxRetries<RetryConfig, int>);
static_assert(TakesMaxRetries<RetryConfig, short>);
static_assert(!TakesMaxRetries<RetryConfig, double>);
static_assert(!TakesMaxRetries<RetryConfig, long long>);
static_assert(!TakesMaxRetries<RetryConfig, unsigned>);
static_assert(!TakesMaxRetries<RetryConfig, std::chrono::seconds>);
static_assert(!TakesMaxRetries<CircuitBreakerConfig, int>);

static_assert(TakesBaseDelay<RetryConfig, std::chrono::milliseconds>);
static_assert(TakesBaseDelay<RetryConfig, std::chrono::hours>);
static_assert(!TakesBaseDelay<RetryConfig, int>);
static_assert(!TakesBaseDelay<RetryConfig, double>);
static_assert(!TakesBaseDelay<RetryConfig, std::chrono::duration<double>>);
static_assert(!TakesBaseDelay<RetryConfig, std::chrono::duration<int, std::pico>>);
static_assert(!TakesTotalTimeout<RetryConfig, int>);

static_assert(TakesFailureThreshold<CircuitBreakerConfig, int>);
static_assert(!TakesFailureThreshold<CircuitBreakerConfig, double>);
static_assert(!TakesFailureThreshold<RetryConfig, int>);
static_assert(TakesResetTimeout<CircuitBreakerConfig, std::chrono::seconds>);
static_assert(!TakesResetTimeout<CircuitBreakerConfig, int>);

static_assert(TakesTimeout<CallOptions, std::chrono::seconds>);
static_assert(!TakesTimeout<CallOptions, int>);
static_assert(!TakesTimeout<RetryConfig, std::chrono::seconds>);
static_assert(!TakesTimeout<CircuitBreakerConfig, std::chrono::seconds>);
static_assert(!TakesTimeoutMs<CallOptions, int>);

static_assert(TakesMaxBreakers<RegistryConfig, int>);
static_assert(!TakesMaxBreakers<RegistryConfig, double>);

static_assert(TakesClassify<CircuitBreakerConfig, Outcome (*)(const Failure&)>);
static_assert(!TakesClassify<CircuitBreakerConfig, bool (*)(const Failure&)>);
static_assert(!TakesClassify<CircuitBreakerConfig, Outcome (*)(int)>);

static_assert(TakesJitter<RetryConfig, Jitter>);
static_assert(!TakesJitter<RetryConfig, bool>);
static_assert(!TakesJitter<RetryConfig, int>);

static_assert(TakesWindow<FailureRate, Window>);
static_assert(!TakesWindow<FailureRate, int>);
static_assert(!TakesWindow<FailureRate, std::chrono::seconds>);

}  // namespace
