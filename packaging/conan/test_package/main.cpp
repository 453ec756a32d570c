// Ten lines that use the package.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/version.hpp>

#include <cstdio>

int main() {
  fusebox::CircuitBreaker<> prices{"prices", {.failure_threshold = 2}};
  const int price = prices.execute([] { return 42; });
  const auto stats = prices.stats();
  std::printf("fusebox %s: price %d, %d success\n", FUSEBOX_VERSION_STRING, price, static_cast<int>(stats.success_count));
}
