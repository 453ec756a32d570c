// The configs of all policies (C2, C3): validate() finds a problem exactly if the field ranges of the
// documentation do, and then the constructor throws a ConfigError with that text; else a policy is made, and
// a call goes through.
#include <fusebox/adaptive_limit.hpp>
#include <fusebox/bulkhead.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/config_error.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>

#include "input.hpp"

namespace {

using namespace fusebox;
using std::chrono::nanoseconds;
using Clock = test::FakeClock;
__extension__ using Wide = __int128;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

int any_int(fuzz::Input& input) {
  const int chosen = input.one_of({1, 0, 2, 25, 100, 65'535, 65'536, -1, std::numeric_limits<int>::max(),
                                   std::numeric_limits<int>::min(), 10'000'000});
  return input.below(8) == 7 ? input.integer<std::int32_t>() : chosen;
}
nanoseconds any_time(fuzz::Input& input) {
  const auto chosen = input.one_of<std::int64_t>({1'000'000'000, 1, 0, 99, 100, 1'000'000, most, most - 1,
                                                  most / 2, -1, std::numeric_limits<std::int64_t>::min()});
  return input.below(8) == 7 ? input.duration() : nanoseconds{chosen};
}
double any_real(fuzz::Input& input) {
  const double chosen =
      input.one_of({0.5, 1.0, 0.0, -0.0, 2.0, 0.2, std::nextafter(1.0, 2.0), std::nextafter(1.0, 0.0),
                    std::numeric_limits<double>::denorm_min(), -1.0, std::numeric_limits<double>::quiet_NaN(),
                    std::numeric_limits<double>::infinity(), std::numeric_limits<double>::max()});
  return input.below(8) == 7 ? input.real() : chosen;
}

bool is_count(int value) { return value >= 0 && value <= 65'535; }
bool is_some(int value) { return value >= 1 && value <= 65'535; }

/// `make` makes a policy and uses it. `problem` is what validate() says.
template <class Make>
void check(const char* what, bool is_good, const std::string& problem, Make make) {
  if (is_good != problem.empty()) fuzz::fail(std::string{what} + ": validate says '" + problem + "'");
  try {
    make();
  } catch (const ConfigError& error) {
    if (error.what() != problem)
      fuzz::fail(std::string{what} + ": validate says '" + problem + "', the constructor '" + error.what() +
                 "'");
    return;
  }
  if (!problem.empty()) fuzz::fail(std::string{what} + ": made, but validate says '" + problem + "'");
}

/// A call may be rejected by a good config, such as that of an empty rate limiter.
template <class P>
void use(P& policy) {
  for (int i = 0; i < 3; ++i) {
    const auto result = compose(policy).try_execute([](const Call& call) { return call.attempt(); });
    if (!result.has_value() && !result.error().is_rejection())
      fuzz::fail("a call failed: " + result.error().message());
  }
}

template <class Rule>
Rule any_rule(fuzz::Input& input) {
  Rule rule;
  rule.threshold = any_real(input);
  rule.minimum_calls = any_int(input);
  rule.window = input.flag() ? last_calls(any_int(input)) : within(any_time(input));
  return rule;
}
template <class Rule>
bool is_good_rule(const Rule& rule) {
  if (!(rule.threshold > 0 && rule.threshold <= 1) || !is_some(rule.minimum_calls)) return false;
  if (rule.window.is_time()) return rule.window.length().count() > 0;
  return is_some(rule.window.calls()) && rule.minimum_calls <= rule.window.calls();
}

void breaker(fuzz::Input& input) {
  CircuitBreakerConfig config;
  config.failure_threshold = any_int(input);
  config.success_threshold = any_int(input);
  config.reset_timeout = any_time(input);
  config.half_open_max_calls = any_int(input);
  config.half_open_max_failures = any_int(input);
  config.probe_timeout = any_time(input);
  config.reset_backoff = any_real(input);
  config.max_reset_timeout = any_time(input);
  config.reset_jitter = any_real(input);
  config.recovery_time = any_time(input);
  if (input.flag()) config.failure_rate = any_rule<FailureRate>(input);
  if (input.flag()) {
    config.slow_calls = any_rule<SlowCalls>(input);
    config.slow_calls->slower_than = any_time(input);
  }
  if (input.below(16) == 15) config.classify = nullptr;
  const bool is_good = is_count(config.failure_threshold) && is_some(config.success_threshold) &&
                       config.reset_timeout.count() > 0 && is_some(config.half_open_max_calls) &&
                       is_count(config.half_open_max_failures) && config.probe_timeout.count() >= 0 &&
                       std::isfinite(config.reset_backoff) && config.reset_backoff >= 1 &&
                       config.max_reset_timeout.count() >= 0 && config.reset_jitter >= 0 &&
                       config.reset_jitter < 1 && config.recovery_time.count() >= 0 &&
                       (!config.failure_rate || is_good_rule(*config.failure_rate)) &&
                       (!config.slow_calls ||
                        (config.slow_calls->slower_than.count() > 0 && is_good_rule(*config.slow_calls))) &&
                       config.classify != nullptr;
  check("CircuitBreakerConfig", is_good, validate(config), [&] {
    CircuitBreaker<Clock> policy{"b", config};
    use(policy);
  });
}

void retry(fuzz::Input& input) {
  RetryConfig config;
  config.max_retries = any_int(input);
  config.base_delay = any_time(input);
  config.max_delay = any_time(input);
  config.multiplier = any_real(input);
  config.jitter = static_cast<Jitter>(input.below(6));
  config.jitter_factor = any_real(input);
  config.total_timeout = any_time(input);
  const bool is_good = is_count(config.max_retries) && config.base_delay.count() >= 0 &&
                       config.max_delay >= config.base_delay && std::isfinite(config.multiplier) &&
                       config.multiplier >= 1 && static_cast<int>(config.jitter) <= 4 &&
                       config.jitter_factor >= 0 && config.jitter_factor <= 1 &&
                       config.total_timeout.count() > 0;
  check("RetryConfig", is_good, validate(config), [&] {
    auto policy = fusebox::retry(config, Clock{});
    use(policy);
  });
}

void bulkhead(fuzz::Input& input) {
  const BulkheadConfig config{any_int(input), any_int(input), any_time(input), any_real(input)};
  const bool is_good = is_some(config.max_concurrent) && is_count(config.max_waiting) &&
                       config.max_wait.count() >= 0 && config.headroom >= 0 && config.headroom <= 0.3;
  check("BulkheadConfig", is_good, validate(config), [&] {
    Bulkhead<Clock> policy{"b", config};
    use(policy);
    const auto permit = policy.try_acquire();
    if (policy.stats().in_use != 1) fuzz::fail("a permit holds no slot");
  });
}

void limiter(fuzz::Input& input) {
  const RateLimiterConfig config{any_int(input), any_time(input), any_int(input), any_time(input)};
  const Wide burst = config.burst == 0 ? config.permits : config.burst;
  bool is_good = config.permits >= 1 && config.per.count() / config.permits >= 100 && config.burst >= 0 &&
                 config.max_wait.count() >= 0;
  if (is_good) {
    const Wide interval = (Wide{config.per.count()} + config.permits - 1) / config.permits;
    is_good = interval * burst <= most;
  }
  check("RateLimiterConfig", is_good, validate(config), [&] {
    RateLimiter<Clock> policy{"l", config};
    use(policy);
    if (!policy.try_acquire() && policy.retry_after().count() <= 0)
      fuzz::fail("refused though there is a permit");
  });
}

void chaos(fuzz::Input& input) {
  const ChaosConfig config{.fault_rate = any_real(input),
                           .fault = static_cast<ErrorCode>(any_int(input)),
                           .retry_after = any_time(input),
                           .latency_rate = any_real(input),
                           .latency = any_time(input),
                           .latency_jitter = any_time(input),
                           .seed = input.integer<std::uint64_t>()};
  const auto is_rate = [](double rate) { return rate >= 0 && rate <= 1; };
  const int status = static_cast<int>(config.fault);
  const bool is_good = is_rate(config.fault_rate) && status >= 400 && status <= 599 &&
                       config.retry_after.count() >= 0 && is_rate(config.latency_rate) &&
                       config.latency_jitter.count() >= 0 && config.latency_jitter <= config.latency;
  check("ChaosConfig", is_good, validate(config), [&] {
    Chaos<Clock> policy{config};
    policy.enable(true);
    const auto plan = fusebox::detail::chaos_plan(config, policy.seed(), 0);
    const Wide least = Wide{config.latency.count()} - config.latency_jitter.count();
    if (plan.is_delayed && (plan.delay.count() < least || plan.delay.count() < 0))
      fuzz::fail("a delay of " + std::to_string(plan.delay.count()));
    if (policy.execute([] { return std::error_code{}; },
                       Deadline::after(std::chrono::hours{1}, policy.clock())) &&
        !plan.fails && !plan.is_delayed)
      fuzz::fail("a call failed against its plan");
  });
}

void budget(fuzz::Input& input) {
  const RetryBudgetConfig config{any_real(input), any_int(input), any_int(input), any_int(input)};
  const bool is_good = config.ratio >= 0 && config.ratio <= 1 && is_count(config.min_per_second) &&
                       is_some(config.capacity) && is_count(config.reserve);
  check("RetryBudgetConfig", is_good, validate(config), [&] {
    Clock clock;
    RetryBudget<Clock> policy{config, clock};
    for (int i = 0; i < 3; ++i) {
      policy.on_call();
      const double before = policy.stats().balance;
      const bool pays = policy.try_withdraw();
      if (pays != (before >= 1)) fuzz::fail("a withdrawal from " + std::to_string(before));
      clock.advance(nanoseconds{input.integer<std::uint32_t>()});
      const double balance = policy.stats().balance;
      if (!(balance >= 0 && balance <= config.capacity))
        fuzz::fail("a balance of " + std::to_string(balance));
    }
  });
}

void throttle(fuzz::Input& input) {
  const RetryThrottleConfig config{any_int(input), any_real(input)};
  const bool is_good = is_some(config.max_tokens) && config.token_ratio > 0 && config.token_ratio <= 1;
  check("RetryThrottleConfig", is_good, validate(config), [&] {
    RetryThrottle policy{config};
    const Failure failure = Failure::from_status(503);
    for (int i = 0; i < 4; ++i) {
      if (input.flag()) policy.on_failure(failure);
      policy.deposit();
      const double tokens = policy.stats().balance;
      if (!(tokens >= 0 && tokens <= config.max_tokens))
        fuzz::fail("a throttle with " + std::to_string(tokens));
      if (policy.try_withdraw() != (2 * tokens > config.max_tokens))
        fuzz::fail("at " + std::to_string(tokens));
    }
  });
}

void call_throttle(fuzz::Input& input) {
  const ThrottleConfig config{any_real(input), any_time(input), any_real(input), any_int(input),
                              input.integer<std::uint64_t>()};
  const bool is_good = config.k >= 1 && config.k <= std::numeric_limits<double>::max() &&
                       config.window.count() > 0 && config.max_rejection >= 0 && config.max_rejection <= 1 &&
                       is_count(config.minimum_calls);
  check("ThrottleConfig", is_good, validate(config), [&] {
    Clock clock;
    Throttle<Clock> policy{"t", config, clock};
    use(policy);
    for (int i = 0; i < 40; ++i) {
      Permit permit = policy.try_acquire(static_cast<Priority>(input.below(5)));
      clock.advance(nanoseconds{input.integer<std::uint32_t>()});
      input.flag() ? permit.success() : permit.failure();
      const ThrottleStats stats = policy.stats();
      if (!(stats.rejection_ratio >= 0 && stats.rejection_ratio <= config.max_rejection))
        fuzz::fail("a share of " + std::to_string(stats.rejection_ratio));
      if (stats.accepts > stats.requests || stats.requests > stats.total_requests) fuzz::fail("counts");
    }
  });
}

/// `is_good` is what the fields of the rule's own say.
template <class Rule>
void adaptive_limit(fuzz::Input& input, const char* what, Rule rule, bool is_good) {
  rule.initial = any_int(input);
  rule.min = any_int(input);
  rule.max = any_int(input);
  rule.window = any_time(input);
  rule.min_samples = any_int(input);
  is_good = is_good && is_some(rule.min) && is_some(rule.max) && rule.min <= rule.initial &&
            rule.initial <= rule.max && rule.window.count() > 0 && rule.min_samples >= 1 &&
            rule.min_samples <= 1000;
  const AdaptiveLimitQueue queue{any_int(input), any_time(input), any_real(input)};
  const bool is_good_queue = is_count(queue.max_waiting) && queue.max_wait.count() >= 0 &&
                             queue.headroom >= 0 && queue.headroom <= 0.3;
  check(what, is_good, validate(rule), [&] { AdaptiveLimit<Rule, Clock> policy{"a", rule}; });
  check("AdaptiveLimitQueue", is_good_queue, validate(queue), [&] {
    if (validate(rule).empty())
      AdaptiveLimit<Rule, Clock>{"a", rule, queue};
    else
      fusebox::detail::throw_if("AdaptiveLimitQueue", fusebox::detail::check(queue));
  });
  if (!validate(rule).empty() || !validate(queue).empty()) return;
  const Clock clock;
  AdaptiveLimit<Rule, Clock> policy{"a", rule, AdaptiveLimitQueue{.headroom = queue.headroom}, clock};
  use(policy);
  for (int i = 0; i < 60; ++i) {
    Permit permit = policy.try_acquire(static_cast<Priority>(input.below(5) % 4));
    clock.advance(std::max(nanoseconds{0}, any_time(input) / 128));
    input.flag() ? permit.success() : permit.failure();
    const AdaptiveLimitStats stats = policy.stats();
    const int least = stats.measuring ? 1 : rule.min;
    if (stats.limit < least || stats.limit > rule.max)
      fuzz::fail("a limit of " + std::to_string(stats.limit));
    if (stats.in_use != 0 || stats.base_latency.count() < 0) fuzz::fail("stats");
  }
}

void adaptive_limit(fuzz::Input& input) {
  switch (input.below(4)) {
    case 0: {
      Measured rule;
      rule.tolerance = any_real(input);
      rule.measure_every = any_int(input);
      rule.measure_limit = any_int(input);
      rule.tolerated_drops = any_real(input);
      const bool is_good = std::isfinite(rule.tolerance) && rule.tolerance >= 1 &&
                           is_some(rule.measure_every) && is_some(rule.measure_limit) &&
                           rule.tolerated_drops >= 0 && rule.tolerated_drops <= 1;
      return adaptive_limit(input, "Measured", rule, is_good);
    }
    case 1: {
      Aimd rule;
      rule.backoff = any_real(input);
      rule.timeout = any_time(input);
      const bool is_good = rule.backoff >= 0.5 && rule.backoff < 1 && rule.timeout.count() > 0;
      return adaptive_limit(input, "Aimd", rule, is_good);
    }
    case 2: {
      Gradient2 rule;
      rule.smoothing = any_real(input);
      rule.tolerance = any_real(input);
      rule.queue = any_int(input);
      rule.long_window = any_int(input);
      const bool is_good = rule.smoothing > 0 && rule.smoothing <= 1 && std::isfinite(rule.tolerance) &&
                           rule.tolerance >= 1 && is_count(rule.queue) && is_some(rule.long_window);
      return adaptive_limit(input, "Gradient2", rule, is_good);
    }
    default: {
      Vegas rule;
      rule.smoothing = any_real(input);
      rule.probe_multiplier = any_int(input);
      rule.seed = input.integer<std::uint64_t>();
      const bool is_good = rule.smoothing > 0 && rule.smoothing <= 1 && is_some(rule.probe_multiplier);
      adaptive_limit(input, "Vegas", rule, is_good);
    }
  }
}

/// Policies of a single number have no validate().
void times(fuzz::Input& input) {
  const nanoseconds time = any_time(input);
  const auto refuses = [&](const char* field, auto make) {
    try {
      make();
    } catch (const ConfigError& error) {
      const std::string text = error.what();
      if (time.count() > 0 || text.find(std::string{field} + " must be above 0, got ") != 0) fuzz::fail(text);
      return;
    }
    if (time.count() <= 0) fuzz::fail(std::string{field} + " takes " + std::to_string(time.count()));
  };
  refuses("Timeout.limit", [&] {
    auto policy = total_timeout(time, Clock{});
    use(policy);
  });
  refuses("Timeout.limit", [&] {
    auto policy = attempt_timeout(time, Clock{});
    use(policy);
  });
  refuses("Timeout.limit", [&] { with_timeout(time, [] { return 1; }, Clock{}); });
  refuses("fallback_to_last_good.max_age", [&] {
    auto policy = fallback_to_last_good(time, Clock{});
    use(policy);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, size};
  switch (input.below(10)) {
    case 0: breaker(input); break;
    case 1: retry(input); break;
    case 2: bulkhead(input); break;
    case 3: limiter(input); break;
    case 4: budget(input); break;
    case 5: throttle(input); break;
    case 6: call_throttle(input); break;
    case 7: chaos(input); break;
    case 8: times(input); break;
    default: adaptive_limit(input);
  }
  return 0;
}
