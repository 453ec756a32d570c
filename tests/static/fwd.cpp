// fwd.hpp alone is enough for a header that only passes things on.
#include <fusebox/fwd.hpp>

namespace {

class MyClock;

struct PassesOn {
  fusebox::CircuitBreaker<>& breaker;
  fusebox::CircuitBreaker<MyClock>* with_my_clock;
  fusebox::CircuitBreakerRegistry<>& registry;
  const fusebox::CircuitBreakerRegistry<MyClock>* registry_with_my_clock;
  fusebox::PolicyRegistry<>& policies;
  const fusebox::PolicyRegistry<MyClock>* policies_with_my_clock;
  const fusebox::PolicyRegistryConfig& policies_config;
  const fusebox::StandardPipelineConfig& pipeline_config;
  const fusebox::CallDurationsConfig& durations_config;
  fusebox::MeasuredCalls<MyClock>* measured;
  const fusebox::CircuitBreakerConfig& breaker_config;
  const fusebox::RegistryConfig& registry_config;
  const fusebox::FailureRate& failure_rate;
  const fusebox::SlowCalls& slow_calls;
  const fusebox::RetryConfig& retry_config;
  fusebox::RateLimiter<>& limiter;
  fusebox::RateLimiter<MyClock>* limiter_with_my_clock;
  fusebox::RetryBudget<>& budget;
  fusebox::RetryBudget<MyClock>* budget_with_my_clock;
  fusebox::RetryThrottle& throttle;
  fusebox::CallRecorder<>& recorder;
  fusebox::CallRecorder<MyClock>* recorder_with_my_clock;
  const fusebox::CallRecorderConfig& recorder_config;
  fusebox::Dashboard<>& dashboard;
  fusebox::Dashboard<MyClock>* dashboard_with_my_clock;
  const fusebox::DashboardConfig& dashboard_config;
  const fusebox::DashboardActions& dashboard_actions;
  const fusebox::DashboardResponse& dashboard_response;
  fusebox::Chaos<>& chaos;
  fusebox::Chaos<MyClock>* chaos_with_my_clock;
  const fusebox::ChaosConfig& chaos_config;
  fusebox::Throttle<>& call_throttle;
  fusebox::Throttle<MyClock>* call_throttle_with_my_clock;
  const fusebox::ThrottleConfig& call_throttle_config;
  const fusebox::RateLimiterConfig& limiter_config;
  const fusebox::RetryBudgetConfig& budget_config;
  const fusebox::RetryThrottleConfig& throttle_config;
  fusebox::RetryResult<int>& result;
  fusebox::RetryResult<void>& nothing;
  fusebox::Timeout<>& timeout;
  const fusebox::Timeout<MyClock>* timeout_with_my_clock;

  static fusebox::Permit* permit(fusebox::CircuitBreaker<>&);
  static fusebox::Subscription* subscription(const fusebox::StateChange&, fusebox::StateChangeReason);
  static fusebox::RateLimiterEventKind kind(const fusebox::RateLimiterEvent&,
                                            const fusebox::RateLimiterStats&);
  static fusebox::ChaosEventKind kind(const fusebox::ChaosEvent&, const fusebox::ChaosStats&);
  static fusebox::ThrottleEventKind kind(const fusebox::ThrottleEvent&, const fusebox::ThrottleStats&);
  static fusebox::RetryBudgetEventKind kind(const fusebox::RetryBudgetEvent&,
                                            const fusebox::RetryBudgetStats&);
  static fusebox::State state(const fusebox::CircuitBreakerStats&, const fusebox::CallOptions&);
  static fusebox::Outcome classify(const fusebox::Failure&);
  static fusebox::Jitter jitter(const fusebox::Attempt&, const fusebox::RetryStats&);
  static fusebox::StopReason reason(const fusebox::failure_traits<int>&);
  static fusebox::ErrorCode code(fusebox::ErrorCategory, fusebox::NetworkErrc, fusebox::PolicyErrc);
  static void answer(const fusebox::ApiError&, const fusebox::ErrorDetails&);
  static void handle(const fusebox::RejectedError&, const fusebox::CircuitOpenError&);
  static void handle(const fusebox::BulkheadFullError&, const fusebox::RateLimitedError&,
                     const fusebox::ThrottledError&);
  static void handle(const fusebox::TimeoutError&, const fusebox::CancelledError&);
  static void wait(const fusebox::SystemClock&, const fusebox::Deadline&);
  static fusebox::TimeoutKind kind(const fusebox::TimeoutStats&);
  static void look(const fusebox::HealthReport&);
  static void count(fusebox::RetryCounts&, fusebox::TimeoutCounts&, fusebox::CallDurations&);
  static void look(const fusebox::RetryCountsStats&, const fusebox::CallDurationsStats&);
  static fusebox::BulkheadStats stats(fusebox::Bulkhead<>&, fusebox::Bulkhead<MyClock>*);
  static fusebox::BulkheadEventKind kind(const fusebox::BulkheadEvent&, const fusebox::BulkheadConfig&);
  static fusebox::HedgeStats hedges(const fusebox::HedgeConfig&, fusebox::HedgeCounts&);
  static fusebox::HedgeEventKind kind(const fusebox::HedgeEvent&);
  static fusebox::HedgeStep step(const fusebox::HedgeTask&);
  static fusebox::AdaptiveLimitStats stats(fusebox::AdaptiveLimit<>&,
                                           fusebox::AdaptiveLimit<fusebox::Aimd, MyClock>*);
  static fusebox::AdaptiveLimitEventKind kind(const fusebox::AdaptiveLimitEvent&, const fusebox::Measured&);
  static fusebox::AdaptiveStep step(const fusebox::AdaptiveWindow&, const fusebox::AdaptiveLimitQueue&);
  static void rules(const fusebox::Gradient2&, const fusebox::Vegas&);
  static void fake(const fusebox::test::FakeClock&, const fusebox::test::ScopedSystemClock&);
};

}  // namespace
