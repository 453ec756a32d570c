// A shop asks for a price nine times while the price service is down for a while.
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

std::string fetch_price() {  // stands for a call over the network; calls 3 to 8 fail
  static int calls = 0;
  if (++calls < 3 || calls > 8) return "19.90";
  throw fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "down for maintenance"};
}

int main() {
  auto breaker = fusebox::get_circuit_breaker("prices", {.failure_threshold = 2, .reset_timeout = 300ms});
  auto log = fusebox::on_retry([](int attempt, const fusebox::Failure& failure, auto wait) {
    std::cout << "  attempt " << attempt << ": " << failure.message() << ", next in " << wait / 1ms
              << " ms\n";
  });
  for (int order = 1; order <= 9; ++order) {
    std::string price = breaker->execute(
        [&] { return fusebox::retry_with_backoff(fetch_price, {.max_retries = 2, .base_delay = 20ms}, log); },
        [](const fusebox::Failure& failure) { return "yesterday's 18.90 (" + failure.message() + ")"; });
    std::cout << "order " << order << ": " << price << ", breaker " << to_string(breaker->state()) << '\n';
    std::this_thread::sleep_for(80ms);
  }
  auto stats = breaker->stats();
  std::cout << stats.success_count << " answered, " << stats.failure_count << " failed, "
            << stats.rejected_count << " rejected at once\n";
}
