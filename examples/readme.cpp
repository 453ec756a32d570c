// A shop asks for a price nine times while the price service is slow, then down, then up.
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

std::string fetch_price(fusebox::StopToken stop) {  // stands for a call over the network
  static int calls = 0;
  ++calls;
  if (calls == 3) fusebox::SystemClock{}.sleep_for(1s, stop);  // slow
  if (calls < 3 || calls > 6) return "19.90";
  if (stop.stop_requested()) throw fusebox::CancelledError{};
  throw fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "down for maintenance"};
}

int main() {
  auto breaker = fusebox::get_circuit_breaker("prices", {.failure_threshold = 4, .reset_timeout = 300ms});
  auto log = fusebox::on_retry([](int attempt, const fusebox::Failure& failure, auto wait) {
    std::cout << "  attempt " << attempt << ": " << failure.message() << ", next in " << wait / 1ms
              << " ms\n";
  });
  const auto yesterday = [](const fusebox::Failure& failure) {
    return "yesterday's 18.90 (" + failure.message() + ")";
  };
  auto price = fusebox::compose(  // the outermost first
      fusebox::fallback(yesterday),
      fusebox::total_timeout(2s),                                   // of all attempts and waits
      fusebox::retry({.max_retries = 2, .base_delay = 20ms}, log),  // of transient failures
      breaker,                                                      // counts attempts
      fusebox::attempt_timeout(200ms));                             // stops the token of one attempt
  for (int order = 1; order <= 9; ++order) {
    const std::string answer = price.execute(fetch_price);
    std::cout << "order " << order << ": " << answer << ", breaker " << to_string(breaker->state()) << '\n';
    std::this_thread::sleep_for(80ms);
  }
  auto stats = breaker->stats();
  std::cout << stats.success_count << " answered, " << stats.failure_count << " failed, "
            << stats.rejected_count << " rejected at once\n";
}
