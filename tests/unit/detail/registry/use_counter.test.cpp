#include <fusebox/detail/registry/use_counter.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// Two processors at one counter, and objects by the numbers of their last uses.
struct Processors {
  using Counter = detail::UseCounter<detail::StdSync>;

  std::uint64_t use(Counter::Share& processor,
                    std::uint64_t used = std::numeric_limits<std::uint64_t>::max()) {
    return counter.next(processor, used, [this] { return ++readings, detail::ticks(time); });
  }
  /// Uses by both in turn, so often that they compete.
  void compete() {
    for (int i = 0; i < 100; ++i) {
      last_of_a = use(a);
      last_of_b = use(b);
    }
  }

  Counter counter;
  Counter::Share a, b;
  std::chrono::nanoseconds time = 1h;
  int readings = 0;
  std::uint64_t last_of_a = 0, last_of_b = 0;
};

}  // namespace

TEST_CASE("G3 each use has a larger number than all before, on one processor", "[G3]") {
  Processors on;
  for (std::uint64_t last = 0; last < 1000; ++last) REQUIRE(on.use(on.a) == last + 1);
  CHECK(on.readings == 0);
}

TEST_CASE("G3 a use of what was used last keeps its number", "[G3]") {
  Processors on;
  const auto used = on.use(on.a);
  CHECK(on.use(on.a, used) == used);
  CHECK(on.use(on.b, used) == used);
  const auto other = on.use(on.a);
  CHECK(other > used);
  CHECK(on.use(on.a, used) > other);
}

TEST_CASE("G3 uses of processors that take turns are numbered exactly", "[G3]") {
  Processors on;
  std::uint64_t last = 0;
  for (int i = 0; i < 7; ++i) {
    REQUIRE(on.use(on.a) == ++last);
    REQUIRE(on.use(on.b) == ++last);
  }
  for (int i = 0; i < 1000; ++i) REQUIRE(on.use(on.b) == ++last);
  CHECK(on.readings == 0);
}

TEST_CASE("G3 processors that compete share a number for the rest of a turn", "[G3]") {
  Processors on;
  on.compete();
  const auto shared = on.last_of_a;
  CHECK(shared == 33);  // its first number was 1, and b took one between each two of the next 16
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(on.use(on.a) == shared);
    REQUIRE(on.use(on.b) == on.last_of_b);
  }
  CHECK(on.readings > 2000);
}

TEST_CASE("G3 the next turn has larger numbers than every one before", "[G3]") {
  Processors on;
  on.compete();
  on.time += 5ms;
  const auto first = on.use(on.b);
  CHECK(first > on.last_of_a);
  CHECK(first > on.last_of_b);
  const auto second = on.use(on.a);
  CHECK(second == first + 1);
  on.compete();  // in this turn as in the one before
  CHECK(on.use(on.a) == on.last_of_a);
}

TEST_CASE("G3 a turn is 2^22 ns, and begins when exact numbers run out", "[G3]") {
  constexpr auto turn = std::chrono::nanoseconds{1 << 22};
  Processors on;
  on.time = turn;
  for (;;) {
    (void)on.use(on.a);
    on.last_of_b = on.use(on.b);
    if (on.readings > 0) break;  // b took its last exact number in this turn
    on.time += turn;
  }
  CHECK(on.use(on.b) == on.last_of_b);
  on.time += turn - 1ns;
  CHECK(on.use(on.b) == on.last_of_b);
  on.time += 1ns;
  CHECK(on.use(on.b) > on.last_of_b);
}

TEST_CASE("G3 a clock that goes back ends a turn too", "[G3]") {
  Processors on;
  on.compete();
  on.time -= 1h;
  CHECK(on.use(on.a) > on.last_of_b);
}

TEST_CASE("G3 a turn that was ended leaves exact numbers, above that of what was added", "[G3]") {
  Processors on;
  on.compete();
  const auto added = on.counter.next();
  CHECK(added > on.last_of_a);
  CHECK(added > on.last_of_b);
  for (auto* processor : {&on.a, &on.b}) Processors::Counter::end_turn(*processor);
  CHECK(on.use(on.a) == added + 1);
  CHECK(on.use(on.b) == added + 2);
  CHECK(on.use(on.a) == added + 3);
}
