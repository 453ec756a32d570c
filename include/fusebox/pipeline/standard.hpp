// fusebox/pipeline/standard.hpp: standard_pipeline, the usual policies around a dependency.
#pragma once
// IWYU pragma: private, include <fusebox/pipeline.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/timeout.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The policies of standard_pipeline(). The defaults are those of Microsoft's standard resilience handler.
/// `validate` names the values that are refused (M4).
struct StandardPipelineConfig {
  BulkheadConfig bulkhead = {.max_concurrent = 1000};
  std::chrono::nanoseconds total_timeout = std::chrono::seconds{30};  ///< with all attempts and waits
  RetryConfig retry = {.base_delay =
                           std::chrono::seconds{2}};  ///< its delays, before jitter, fit into the total
  CircuitBreakerConfig breaker = {
      .failure_threshold = 0,
      .success_threshold = 1,
      .reset_timeout = std::chrono::seconds{5},
      .failure_rate =
          FailureRate{.threshold = 0.1, .minimum_calls = 100, .window = within(std::chrono::seconds{30})},
  };
  std::chrono::nanoseconds attempt_timeout = std::chrono::seconds{10};  ///< at most total_timeout
  friend bool operator==(const StandardPipelineConfig&, const StandardPipelineConfig&) = default;
};

namespace detail {

/// The delays of a call that always fails, before jitter. Saturates.
[[nodiscard]] constexpr std::chrono::nanoseconds sum_of_delays(const RetryConfig& config) noexcept {
  Tick sum = 0;
  for (int retry = 0; retry < config.max_retries && sum != tick_max; ++retry) {
    sum = saturating_add(sum, ticks(exponential_delay(config, static_cast<std::uint32_t>(retry))));
  }
  return std::chrono::nanoseconds{sum};
}

/// Is a window of time shorter than two attempts? It then never has what a slow dependency does.
[[nodiscard]] constexpr bool is_too_short(const Window& window, std::chrono::nanoseconds attempt) noexcept {
  return window.is_time() && window.length() / 2 < attempt;
}

/// Of what the parts do not check themselves.
[[nodiscard]] constexpr Problem check(const StandardPipelineConfig& config) noexcept {
  if (!is_positive_duration(config.total_timeout))
    return problem("total_timeout", positive_duration_rule, config.total_timeout);
  if (!is_positive_duration(config.attempt_timeout))
    return problem("attempt_timeout", positive_duration_rule, config.attempt_timeout);
  if (config.attempt_timeout > config.total_timeout)
    return problem("attempt_timeout", "at most total_timeout", config.attempt_timeout);
  if (const auto delays = sum_of_delays(config.retry); delays > config.total_timeout)
    return problem("retry.max_retries and retry.base_delay", "such that the delays fit into total_timeout",
                   config.total_timeout, delays);
  const auto& failure_rate = config.breaker.failure_rate;
  if (failure_rate && is_too_short(failure_rate->window, config.attempt_timeout)) {
    return problem("breaker.failure_rate.window", "at least twice attempt_timeout",
                   failure_rate->window.length());
  }
  const auto& slow_calls = config.breaker.slow_calls;
  if (slow_calls && is_too_short(slow_calls->window, config.attempt_timeout))
    return problem("breaker.slow_calls.window", "at least twice attempt_timeout",
                   slow_calls->window.length());
  return {};
}

}  // namespace detail

/// Empty if the config is valid, else the first error: field, rule and value.
[[nodiscard]] inline std::string validate(const StandardPipelineConfig& config) {
  std::string wrong = detail::to_text("StandardPipelineConfig.bulkhead", detail::check(config.bulkhead));
  if (wrong.empty()) wrong = detail::to_text("StandardPipelineConfig.retry", detail::check(config.retry));
  if (wrong.empty()) wrong = detail::to_text("StandardPipelineConfig.breaker", detail::check(config.breaker));
  if (wrong.empty()) wrong = detail::to_text("StandardPipelineConfig", detail::check(config));
  return wrong;
}

template <class... Parts>
class Pipeline;

/// What standard_pipeline() returns.
template <class C = SystemClock>
using StandardPipeline = Pipeline<std::shared_ptr<Bulkhead<C>>, Timeout<C, TimeoutKind::total>,
                                  RetryPolicy<C, std::shared_ptr<RetryCounts>>,
                                  std::shared_ptr<CircuitBreaker<C>>, Timeout<C, TimeoutKind::attempt>>;

namespace detail {

/// What the parts of one standard pipeline share with others of its name.
template <class C>
struct StandardHandles {
  std::shared_ptr<Bulkhead<C>> bulkhead;
  std::shared_ptr<CircuitBreaker<C>> breaker;
  std::shared_ptr<RetryCounts> attempts;
  std::shared_ptr<TimeoutCounts> total;
  std::shared_ptr<TimeoutCounts> attempt;
};

inline constexpr std::string_view attempts_suffix = " attempt";

[[nodiscard]] inline std::string name_of_attempts(std::string_view name) {
  return std::string{name}.append(attempts_suffix);
}

inline void throw_if_bad(std::string_view name, const StandardPipelineConfig& config) {
  check_name("standard_pipeline", name, max_name - attempts_suffix.size());
  if (const std::string wrong = validate(config); !wrong.empty()) throw_invalid(wrong);
}

template <class C>
[[nodiscard]] StandardPipeline<C> make_standard(StandardHandles<C> handles,
                                                const StandardPipelineConfig& config, const C& clock) {
  return StandardPipeline<C>{{
      std::move(handles.bulkhead),
      total_timeout(config.total_timeout, handles.total, clock),
      retry(config.retry, C{clock}, std::move(handles.attempts)),
      std::move(handles.breaker),
      attempt_timeout(config.attempt_timeout, handles.attempt, clock),
  }};
}

}  // namespace detail

/// A bulkhead, a total timeout, a retry, a circuit breaker and an attempt timeout, the outermost first. The
/// bulkhead and the breaker are those of `name` in the registry, so that pipelines of one name share them;
/// retries and timeouts count there too, those of attempts as "name attempt". The pipeline keeps them alive.
/// The registry's clock is that of every part. Throws ConfigError for a config that `validate` refuses, and
/// for a name that is empty or longer than 504 bytes.
///
///     auto orders = standard_pipeline("orders", {.total_timeout = 10s, .attempt_timeout = 2s});
///     auto order = orders.execute([&](std::stop_token stop) { return client.fetch(id, stop); });
template <class C>
[[nodiscard]] StandardPipeline<C> standard_pipeline(std::string_view name,
                                                    const StandardPipelineConfig& config,
                                                    PolicyRegistry<C>& registry) {
  detail::throw_if_bad(name, config);
  return detail::make_standard<C>(
      {
          .bulkhead = registry.template get<Bulkhead<C>>(name, config.bulkhead),
          .breaker = registry.template get<CircuitBreaker<C>>(name, config.breaker),
          .attempts = registry.template get<RetryCounts>(name),
          .total = registry.template get<TimeoutCounts>(name),
          .attempt = registry.template get<TimeoutCounts>(detail::name_of_attempts(name)),
      },
      config, registry.clock());
}

/// The same, with default_policy_registry().
template <std::same_as<SystemClock> C = SystemClock>
[[nodiscard]] StandardPipeline<C> standard_pipeline(std::string_view name,
                                                    const StandardPipelineConfig& config = {}) {
  PolicyRegistry<C>& registry = default_policy_registry();  // depends on C: Pipeline is defined later
  return standard_pipeline<C>(name, config, registry);
}

/// The same, with a bulkhead and a breaker of its own, which no registry has.
template <Clock C>
[[nodiscard]] StandardPipeline<C> standard_pipeline(std::string_view name,
                                                    const StandardPipelineConfig& config, C clock) {
  detail::throw_if_bad(name, config);
  const std::string text{name};
  return detail::make_standard<C>(
      {
          .bulkhead = std::make_shared<Bulkhead<C>>(text, config.bulkhead, clock),
          .breaker = std::make_shared<CircuitBreaker<C>>(text, config.breaker, clock),
          .attempts = std::make_shared<RetryCounts>(text),
          .total = std::make_shared<TimeoutCounts>(text),
          .attempt = std::make_shared<TimeoutCounts>(detail::name_of_attempts(name)),
      },
      config, clock);
}

FUSEBOX_END_NAMESPACE
