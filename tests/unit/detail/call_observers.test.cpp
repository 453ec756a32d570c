#include <fusebox/detail/call_observers.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/forced_unwinding.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::CallObservers;

TEST_CASE("M5 a policy is observed from the first subscription until a call finds nobody", "[M5]") {
  CallObservers observers;
  CHECK_FALSE(observers.is_observed());
  int heard = 0;
  {
    const Subscription subscription = observers.subscribe([&](const CallEvent& event) {
      ++heard;
      CHECK(event.name == "h");
      CHECK(event.outcome == Outcome::success);
      CHECK(event.duration == 3s);
      CHECK(event.failure == nullptr);
    });
    CHECK(observers.is_observed());
    observers.deliver("h", Outcome::success, 3s, nullptr);
    CHECK(heard == 1);
  }
  CHECK(observers.is_observed());  // nobody looks before the next call
  observers.deliver("h", Outcome::success, 3s, nullptr);
  CHECK_FALSE(observers.is_observed());
  CHECK(heard == 1);
}

TEST_CASE("M5 a callback may subscribe another one, which hears the next call", "[M5]") {
  CallObservers observers;
  std::vector<std::string> heard;
  std::optional<Subscription> second;
  const Subscription first = observers.subscribe([&](const CallEvent&) {
    heard.emplace_back("first");
    if (!second) second.emplace(observers.subscribe([&](const CallEvent&) { heard.emplace_back("second"); }));
  });
  observers.deliver("", Outcome::ignored, 0s, nullptr);
  observers.deliver("", Outcome::ignored, 0s, nullptr);
  CHECK(heard == std::vector<std::string>{"first", "first", "second"});
}

TEST_CASE("M5 threads may deliver and subscribe at once", "[M5]") {
  CallObservers observers;
  std::atomic<int> heard{0};
  const Subscription all = observers.subscribe([&](const CallEvent&) { ++heard; });
  support::run_together(4, [&](int i) {
    for (int n = 0; n < 200; ++n) {
      if (i == 0) {
        const Subscription brief = observers.subscribe([](const CallEvent&) {});
      } else {
        observers.deliver("h", Outcome::success, 0s, nullptr);
      }
    }
  });
  CHECK(heard == 600);
  CHECK(observers.is_observed());
}
