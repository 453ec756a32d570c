// What tests/debuggers/check_gdb.py looks at: objects in known states, and a function to stop in.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/gdb.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/timeout.hpp>

using namespace std::chrono_literals;
using fusebox::ApiError;
using fusebox::CircuitBreaker;
using fusebox::Failure;

namespace {

int look_count = 0;

/// The debugger stops here.
[[gnu::noinline]] void look(const void* /*unused*/) { ++look_count; }

int fails() { throw ApiError{fusebox::ErrorCode::service_unavailable, "no answer"}; }

void check() {
  CircuitBreaker<> breaker{"payments", {.failure_threshold = 3, .reset_timeout = 90s}};
  breaker.execute([] { return 1; });
  breaker.execute([] { return 1; });
  for (int i = 0; i < 5; ++i) breaker.execute(fails, [] { return 0; });
  CircuitBreaker<> fresh{"fresh"};
  fresh.execute(fails, [] { return 0; });

  const fusebox::RetryConfig retry_config{
      .max_retries = 2, .base_delay = 1500us, .max_delay = 2h, .total_timeout = 30s};
  const fusebox::CircuitBreakerConfig rates{.failure_rate =
                                                fusebox::FailureRate{.window = fusebox::within(10s)}};
  const auto retried = fusebox::try_retry_with_backoff(fails, {.max_retries = 1, .base_delay = 1ms});
  const auto answered = fusebox::try_retry_with_backoff([] { return 42; }, {.max_retries = 1});

  const auto error =
      ApiError{fusebox::ErrorCode::not_found, "no such order"}.with_request_id("r-1").with_retry_after(2s);
  const fusebox::CircuitOpenError open{"payments"};
  const Failure status = Failure::from_status(503, 1500ms);
  const Failure refused{make_error_code(fusebox::NetworkErrc::connection_refused)};
  const Failure made{error};
  const Failure os{std::make_error_code(std::errc::no_space_on_device)};

  const fusebox::Deadline never;
  const fusebox::Deadline deadline = fusebox::Deadline::at(std::chrono::steady_clock::time_point{1500ms});
  fusebox::Permit permit = fresh.try_acquire();
  fusebox::Permit no_permit = breaker.try_acquire();

  fusebox::CircuitBreakerRegistry<> registry;
  const auto search = registry.get("search");
  fusebox::PolicyRegistry<> policies{registry};
  const auto shared_pool = policies.get<fusebox::Bulkhead<>>("shared pool");
  registry.get("billing")->force_open();
  fusebox::Bulkhead<> bulkhead{"pool", {.max_concurrent = 2}};
  const fusebox::Permit slot = bulkhead.try_acquire();

  const auto pipeline = fusebox::compose(fusebox::total_timeout(30s), fusebox::retry(retry_config), breaker,
                                         search, fusebox::attempt_timeout(10s));
  const auto result = pipeline.try_execute([] { return std::string{"done"}; });
  const fusebox::CircuitBreakerStats stats = breaker.stats();
  const fusebox::Window last = fusebox::last_calls(100);

  look(&retried);
  look(&answered), look(&open), look(&status), look(&refused), look(&made), look(&os), look(&never),
      look(&deadline);
  look(&result), look(&stats), look(&last), look(&rates), look(&slot), look(&no_permit);
  permit.success();
}

}  // namespace

int main() {
  check();
  return look_count == 15 ? 0 : 1;
}
