// L3 The single header alone, in two source files of one program.
#include "fusebox.hpp"

#include <cstdio>
#include <string>

std::string probed();

int main() {
  const auto prices = fusebox::get_circuit_breaker("prices");
  const int price = prices->execute([] { return 42; });
  std::printf("fusebox %s: price %d, %d success, %s\n", FUSEBOX_VERSION_STRING, price,
              static_cast<int>(prices->stats().success_count), probed().c_str());
}
