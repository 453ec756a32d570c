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

  const auto watch = fusebox::default_registry().on_state_change(support::say_change);
  const auto log = fusebox::on_retry(support::say_retry);
  const auto last = fusebox::on_give_up(support::say_give_up);

  // The ten lines.
  const auto breaker = fusebox::get_circuit_breaker("sensor", {.failure_threshold = 2, .reset_timeout = 30s});
  for (int reading = 1; reading <= 5; ++reading) {
    const double degrees = breaker->execute(
        [&] { return retry_with_backoff(read_sensor, {.max_retries = 2, .base_delay = 50ms}, log, last); },
        [](const fusebox::Failure& failure) {
          support::say(support::Tone::warning, "    fallback, since {}", failure);
          return 20.0;
        });
    support::say(support::Tone::plain, "reading {}: {} degrees", reading, degrees);
  }
  support::say_health();
}
