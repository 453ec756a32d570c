// fwd.hpp alone is enough for a header that only passes things on.
#include <fusebox/fwd.hpp>

namespace {

class MyClock;

struct PassesOn {
  fusebox::CircuitBreaker<>& breaker;
  fusebox::CircuitBreaker<MyClock>* with_my_clock;
  fusebox::CircuitBreakerRegistry<>& registry;
  const fusebox::CircuitBreakerRegistry<MyClock>* registry_with_my_clock;
  const fusebox::CircuitBreakerConfig& breaker_config;
  const fusebox::RegistryConfig& registry_config;
  const fusebox::FailureRate& failure_rate;
  const fusebox::SlowCalls& slow_calls;
  const fusebox::RetryConfig& retry_config;
  fusebox::RetryResult<int>& result;
  fusebox::RetryResult<void>& nothing;

  static fusebox::Permit* permit(fusebox::CircuitBreaker<>&);
  static fusebox::Subscription* subscription(const fusebox::StateChange&, fusebox::StateChangeReason);
  static fusebox::State state(const fusebox::CircuitBreakerStats&, const fusebox::CallOptions&);
  static fusebox::Outcome classify(const fusebox::Failure&);
  static fusebox::Jitter jitter(const fusebox::Attempt&, const fusebox::RetryStats&);
  static fusebox::StopReason reason(const fusebox::failure_traits<int>&);
  static fusebox::ErrorCode code(fusebox::ErrorCategory, fusebox::NetworkErrc, fusebox::PolicyErrc);
  static void answer(const fusebox::ApiError&, const fusebox::ErrorDetails&);
  static void handle(const fusebox::RejectedError&, const fusebox::CircuitOpenError&);
  static void handle(const fusebox::BulkheadFullError&, const fusebox::RateLimitedError&);
  static void handle(const fusebox::TimeoutError&, const fusebox::CancelledError&);
  static void wait(const fusebox::SystemClock&, const fusebox::Deadline&);
  static void look(const fusebox::HealthReport&);
  static void fake(const fusebox::test::FakeClock&, const fusebox::test::ScopedSystemClock&);
};

}  // namespace
