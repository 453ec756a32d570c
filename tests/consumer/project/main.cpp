// L2 A project of a user, built in each way that docs/ and README.md show.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/version.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

int main() {
  fusebox::CircuitBreaker<> payments{"payments", {.failure_threshold = 3, .reset_timeout = 30s}};
  int calls = 0;
  const auto fetch_order = [&] {
    if (++calls < 3) throw fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "busy"};
    return 42;
  };
  const auto order = payments.execute(
      [&] { return fusebox::retry_with_backoff(fetch_order, {.max_retries = 2, .base_delay = 1ms}); });
  const std::string state{to_string(payments.state())};
  std::printf("fusebox %s: order %d after %d attempts, payments is %s\n", FUSEBOX_VERSION_STRING, *order,
              static_cast<int>(order.stats.attempts), state.c_str());
}
