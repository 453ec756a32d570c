// L5 A program that imports the library, and includes nothing of it.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>

import fusebox;

int main() {
  fusebox::test::FakeClock clock;
  fusebox::CircuitBreaker<fusebox::test::FakeClock> prices{"prices", {.failure_threshold = 1}, clock};
  auto guarded = fusebox::compose(fusebox::retry(fusebox::retry_presets::quick, clock), prices);
  const int price = guarded.execute([] { return 42; });
  const std::error_code code = fusebox::ErrorCode::not_found;
  const bool same = code == fusebox::ErrorCategory::not_found;
  std::string state{to_string(prices.state())};
  try {
    prices.execute([] { throw std::runtime_error{"down"}; });
  } catch (const std::runtime_error&) {
    state += fmt::format(" then {}", prices.state());
  }
  std::printf("price %d, %s, %d %d\n", price, state.c_str(), static_cast<int>(same),
              static_cast<int>(fusebox::http::is_idempotent("GET")));
}
