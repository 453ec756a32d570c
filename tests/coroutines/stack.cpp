// A million retries in a coroutine, at -O2, on a stack of 256 KiB (A10). Prints how deep the stack became.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <system_error>

#include <pthread.h>

#include "support/task.hpp"

namespace {

using namespace std::chrono_literals;
using fusebox::test::AsyncFakeClock;
using support::Task;

constexpr int retries = 65'535;    // as many as a config allows
constexpr int outer_retries = 15;  // of a retry around that one
constexpr int calls_at_most = (retries + 1) * (outer_retries + 1);

/// The lowest and the highest place of the stack at which op ran.
struct Depth {
  std::uintptr_t lowest = UINTPTR_MAX;
  std::uintptr_t highest = 0;

  [[gnu::noinline]] void note() {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest = std::min(lowest, here);
    highest = std::max(highest, here);
  }
};

Task<std::error_code> attempt(Depth& depth, int number) {
  depth.note();
  co_return number < calls_at_most ? make_error_code(fusebox::NetworkErrc::connection_reset)
                                   : std::error_code{};
}

/// Its sleeps are over at once, and are not recorded.
struct Instant {
  struct Over {
    static bool await_ready() noexcept { return true; }
    static void await_suspend(std::coroutine_handle<>) noexcept {}
    static bool await_resume() noexcept { return true; }
  };
  static std::chrono::steady_clock::time_point now() { return {}; }
  static std::chrono::system_clock::time_point wall_now() { return {}; }
  static Over sleep_for(std::chrono::nanoseconds, const fusebox::StopToken&) { return {}; }
};

void* run_on_small_stack(void* result) {
  Depth depth;
  int calls = 0;
  const auto op = [&] { return attempt(depth, ++calls); };
  fusebox::CircuitBreaker<Instant> breaker{"b", {.failure_threshold = 0}, Instant{}};
  const auto pipeline =
      compose(fusebox::retry({.max_retries = outer_retries, .base_delay = 1ms}, Instant{}),
              fusebox::retry({.max_retries = retries, .base_delay = 1ms}, Instant{}), breaker);
  const auto error = support::run(pipeline.execute(op));
  const auto bytes = depth.highest - depth.lowest;
  std::printf("%d calls, %zu bytes of stack between them\n", calls, static_cast<std::size_t>(bytes));
  *static_cast<bool*>(result) = !error && calls == calls_at_most && bytes < 4096;
  return nullptr;
}

}  // namespace

int main() {
  bool is_right = false;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{256} * 1024);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, &run_on_small_stack, &is_right) != 0) return 2;
  pthread_join(thread, nullptr);
  return is_right ? 0 : 1;
}
