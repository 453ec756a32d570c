// A module that uses limits: some that end, and some that its thread wakes for after they were given back.
#include <fusebox/timeout.hpp>

#include <chrono>
#include <stop_token>

using namespace std::chrono_literals;

extern "C" __attribute__((visibility("default"))) bool use_limits();
extern "C" bool use_limits() {
  for (const auto limit : {5ms, 10ms, 20ms}) fusebox::with_timeout(limit, [](std::stop_token) {});
  try {
    fusebox::with_timeout(1ms, [](std::stop_token token) {
      if (!fusebox::SystemClock{}.sleep_for(1h, token)) throw fusebox::CancelledError{};
    });
  } catch (const fusebox::TimeoutError&) {
    return true;
  }
  return false;
}
