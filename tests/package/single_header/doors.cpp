// L4 Doors that fusebox.hpp leaves out are there on request, also in a second #include.
#include "fusebox.hpp"
#define FUSEBOX_WITH_FAKE_CLOCK
#include "fusebox.hpp"
#define FUSEBOX_WITH_CORO
#define FUSEBOX_WITH_OSTREAM
#include "fusebox.hpp"

#include <chrono>
#include <sstream>
#include <stdexcept>
#include <string>

static_assert(!fusebox::AsyncClock<fusebox::test::FakeClock>);

std::string probed() {
  fusebox::test::FakeClock clock;
  fusebox::CircuitBreaker<fusebox::test::FakeClock> breaker{
      "fake", {.failure_threshold = 1, .reset_timeout = std::chrono::hours{1}}, clock};
  try {
    breaker.execute([] { throw std::runtime_error{"down"}; });
  } catch (const std::runtime_error&) {
  }
  std::ostringstream out;
  out << breaker.state();
  clock.advance(std::chrono::hours{1});
  breaker.execute([] {});
  out << " then " << breaker.state();
  return out.str();
}
