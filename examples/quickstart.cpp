// examples/quickstart.cpp: a breaker and a retry in ten lines, without a network.
#include <fusebox/fusebox.hpp>

#include <chrono>

#include <fmt/format.h>

#include "support/arguments.hpp"
#include "support/terminal.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  support::Arguments{"A breaker and a retry around a function that fails now and then."}.parse(argc, argv);

  int calls = 0;
  const auto read_sensor = [&calls] {  // the third call succeeds
    if (++calls != 3) throw fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "no signal"};
    return 21.5;
  };

  // The ten lines.
  fusebox::CircuitBreaker<> breaker{"sensor", {.failure_threshold = 2, .reset_timeout = 30s}};
  const fusebox::RetryConfig patience{.max_retries = 2, .base_delay = 50ms};
  for (int reading = 1; reading <= 5; ++reading) {
    const double degrees = breaker.execute(
        [&] { return retry_with_backoff(read_sensor, patience, fusebox::on_retry(support::say_retry)); },
        [](const fusebox::Failure& failure) {
          fmt::print("    fallback, since {}\n", failure.message());
          return 20.0;
        });
    fmt::print("reading {}: {} degrees, breaker {}\n", reading, degrees, breaker.state());
  }
}
