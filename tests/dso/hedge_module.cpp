// A module that hedges a call whose loser runs on after the call.
#include <fusebox/hedge.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

using namespace std::chrono_literals;

extern "C" __attribute__((visibility("default"))) int hedge_a_call();
extern "C" int hedge_a_call() {
  auto policy = fusebox::hedge({.delay = 0s});
  const auto copies = std::make_shared<std::atomic<int>>(0);
  return policy.execute([copies] {
    const int copy = (*copies)++;
    std::this_thread::sleep_for(copy == 0 ? 30ms : 1ms);
    return 7;
  });
}
