// Probes whose op suspends, moves to another thread, and ends in any order (B7). The test schedules.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "fibers/fiber.hpp"
#include "fibers/probe_calls.hpp"
#include "fibers/stacks.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fibers::admitted;
using fibers::call;
using fibers::Fiber;
using fibers::one_probe;
using fibers::recover;
using fibers::rejected;
using fibers::Stacks;
using fibers::Worker;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::trip_and_wait;

namespace {

/// As call(), `depth` stack frames of 16 KiB further in.
[[gnu::noinline]] std::string call_deep_inside(Breaker& breaker, int depth) {
  volatile char frame[16 * 1024];
  frame[0] = 0;
  std::string answer = depth > 0 ? call_deep_inside(breaker, depth - 1) : call(breaker);
  frame[sizeof frame - 1] = 0;
  return answer;
}

/// A breaker whose next call is its first probe.
struct Tripped {
  explicit Tripped(const CircuitBreakerConfig& config = one_probe) : breaker{"b", config} {
    trip_and_wait(breaker);
  }
  Breaker breaker;
};

}  // namespace

TEST_CASE("B7 a call of another fiber on the thread is no part of a probe, wherever their stacks lie",
          "[B7]") {
  constexpr std::size_t count = 8;
  for (std::size_t probing = 0; probing < count; ++probing) {
    CAPTURE(probing);
    Stacks stacks;
    Tripped tripped;
    Breaker& breaker = tripped.breaker;
    std::array<std::string, count> answers;
    std::deque<Fiber> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.emplace_back(stacks, [&, i](Fiber& self) {
        answers[i] = breaker.execute(
            [&] {
              if (i == probing) self.suspend();
              return admitted();
            },
            rejected);
      });
    }
    all[probing].resume();
    for (std::size_t i = 0; i < count; ++i) {
      if (i == probing) continue;
      all[i].resume();
      CHECK(answers[i] == "rejected");
    }
    CHECK(call(breaker) == "rejected");
    CHECK(call_deep_inside(breaker, 200) == "rejected");
    all[probing].resume();
    CHECK(answers[probing] == "admitted");
    CHECK(breaker.state() == State::closed);
    CHECK(counts_of(breaker) == Counts{1, 1, 0});
    CHECK(breaker.stats().rejected_count == count + 1);
  }
}

TEST_CASE("B7 a fiber that the op of a probe starts and waits for is no part of it", "[B7]") {
  Stacks stacks;
  Tripped tripped;
  Breaker& breaker = tripped.breaker;
  std::string inner;
  Fiber fiber{stacks, [&](Fiber& self) {
                inner = call(breaker);
                self.suspend();
                inner += ", " + call(breaker);
              }};
  SECTION("on the stack of the thread") {
    const std::string outer = breaker.execute(
        [&] {
          fiber.resume();
          fiber.resume();
          return call(breaker);
        },
        rejected);
    CHECK(outer == "admitted");
  }
  SECTION("on another fiber") {
    std::string outer;
    Fiber starter{stacks, [&](Fiber&) {
                    outer = breaker.execute(
                        [&] {
                          fiber.resume();
                          fiber.resume();
                          return call(breaker);
                        },
                        rejected);
                  }};
    starter.resume();
    CHECK(outer == "admitted");
  }
  CHECK(inner == "rejected, rejected");
  CHECK(counts_of(breaker) == Counts{1, 1, 0});
}

TEST_CASE("B7 a nested call on the fiber of a probe is part of it, on every thread and at every depth",
          "[B7]") {
  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Tripped tripped;
  Breaker& breaker = tripped.breaker;
  std::vector<std::string> nested;
  std::vector<std::string> foreign;
  std::string outer;
  Fiber fiber{stacks, [&](Fiber& self) {
                outer = breaker.execute(
                    [&] {
                      for (int i = 0; i < 3; ++i) {
                        nested.push_back(call(breaker));
                        nested.push_back(call_deep_inside(breaker, 20));
                        nested.push_back(breaker.execute(
                            [&] {
                              self.suspend();
                              return call(breaker);
                            },
                            rejected));
                        self.suspend();
                      }
                      return admitted();
                    },
                    rejected);
              }};
  for (int i = 0; i < 6; ++i) {
    (i % 2 == 0 ? first : second).run([&] { fiber.resume(); });
    for (Worker* worker : {&first, &second}) worker->run([&] { foreign.push_back(call(breaker)); });
  }
  REQUIRE_FALSE(fiber.is_done());
  second.run([&] { fiber.resume(); });
  REQUIRE(fiber.is_done());
  CHECK(outer == "admitted");
  CHECK(nested == std::vector<std::string>(9, "admitted"));
  CHECK(foreign == std::vector<std::string>(12, "rejected"));
  CHECK(breaker.state() == State::closed);
  CHECK(counts_of(breaker) == Counts{1, 1, 0});
}

TEST_CASE("B7 a nested call is part of a probe that another fiber has replaced", "[B7][B5]") {
  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Tripped tripped{
      {.failure_threshold = 1, .success_threshold = 2, .reset_timeout = 10s, .probe_timeout = 5s}};
  Breaker& breaker = tripped.breaker;
  std::vector<std::string> of_silent;
  std::vector<std::string> of_next;
  const auto probe = [&](std::vector<std::string>& answers) {
    return [&](Fiber& self) {
      answers.push_back(breaker.execute(
          [&] {
            self.suspend();
            answers.push_back(call(breaker));
            self.suspend();
            return admitted();
          },
          rejected));
      answers.push_back(call(breaker));
    };
  };
  Fiber silent{stacks, probe(of_silent)};
  Fiber next{stacks, probe(of_next)};
  first.run([&] { silent.resume(); });
  breaker.clock().advance(5s);
  first.run([&] { next.resume(); });
  second.run([&] { silent.resume(); });
  CHECK(of_silent == std::vector<std::string>{"admitted"});
  second.run([&] { next.resume(); });
  CHECK(of_next == std::vector<std::string>{"admitted"});
  CHECK(call(breaker) == "rejected");
  first.run([&] { silent.resume(); });
  CHECK(of_silent == std::vector<std::string>{"admitted", "admitted", "rejected"});
  CHECK(breaker.state() == State::half_open);
  first.run([&] { next.resume(); });
  CHECK(of_next == std::vector<std::string>{"admitted", "admitted", "admitted"});
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B7 a call after the period of a probe is an ordinary one, though its op still runs", "[B7]") {
  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Tripped tripped;
  Breaker& breaker = tripped.breaker;
  std::string nested;
  Fiber fiber{stacks, [&](Fiber& self) {
                breaker.execute([&] {
                  self.suspend();
                  nested = call(breaker);
                });
              }};
  first.run([&] { fiber.resume(); });
  breaker.reset();
  SECTION("closed") {
    second.run([&] { fiber.resume(); });
    CHECK(nested == "admitted");
    CHECK(counts_of(breaker) == Counts{1, 0, 0});
  }
  SECTION("half open again, with a probe of its own") {
    trip_and_wait(breaker);
    const Permit other = breaker.try_acquire();
    second.run([&] { fiber.resume(); });
    CHECK(nested == "rejected");
  }
}

TEST_CASE("B7 probes of several breakers may end in any order, each with its stack", "[B7]") {
  constexpr std::size_t count = 4;
  std::array<std::size_t, count> order{0, 1, 2, 3};
  do {
    CAPTURE(order);
    Stacks stacks;
    std::array<Tripped, count> tripped;
    std::array<std::string, count> nested;
    std::deque<Fiber> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.emplace_back(stacks, [&, i](Fiber& self) {
        Breaker& breaker = tripped[i].breaker;
        breaker.execute([&] {
          self.suspend();
          nested[i] = call(breaker);
          self.suspend();
        });
      });
    }
    for (int step = 0; step < 2; ++step) {
      for (Fiber& fiber : all) fiber.resume();
    }
    CHECK(nested == std::array<std::string, count>{"admitted", "admitted", "admitted", "admitted"});
    for (const std::size_t i : order) {
      CHECK(tripped[i].breaker.state() == State::half_open);
      CHECK(call(tripped[i].breaker) == "rejected");
      all[i].resume();
      CHECK(tripped[i].breaker.state() == State::closed);
      CHECK(counts_of(tripped[i].breaker) == Counts{1, 1, 0});
    }
    for (Tripped& each : tripped) CHECK(recover(each.breaker) == "admitted");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("B7 after a probe has moved on, its first thread probes as if it had never been there", "[B7]") {
  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Tripped tripped;
  Tripped other;
  std::array<std::string, 4> answers;
  Fiber fiber{stacks, [&](Fiber& self) { tripped.breaker.execute([&] { self.suspend(); }); }};
  first.run([&] { fiber.resume(); });
  second.run([&] { fiber.resume(); });
  REQUIRE(fiber.is_done());
  CHECK(tripped.breaker.state() == State::closed);
  for (Worker* worker : {&first, &second}) {
    worker->run([&] {
      answers[0] = recover(tripped.breaker);
      answers[1] = recover(other.breaker);
    });
    CHECK(answers[0] == "admitted");
    CHECK(answers[1] == "admitted");
  }
}

TEST_CASE("B7 a probe may end on another thread after its first one is gone with all its stack", "[B7]") {
  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Tripped tripped;
  Tripped around;
  std::string nested;
  std::string after;
  Fiber fiber{stacks, [&](Fiber& self) {
                tripped.breaker.execute([&] {
                  self.suspend();
                  nested = call(tripped.breaker);
                });
              }};
  SECTION("which had nothing else to do") {
    first.run([&] { fiber.resume(); });
  }
  SECTION("which was inside a probe of its own") {
    first.run([&] { around.breaker.execute([&] { fiber.resume(); }); });
  }
  first.end();
  second.run([&] { fiber.resume(); });
  CHECK(nested == "admitted");
  CHECK(tripped.breaker.state() == State::closed);
  CHECK(counts_of(tripped.breaker) == Counts{1, 1, 0});
  second.run([&] { after = recover(around.breaker); });
  CHECK(after == "admitted");
}

TEST_CASE("B7 a probe that fails on another thread opens the breaker, whichever way it fails", "[B7][B10]") {
  Stacks stacks;
  Worker first{stacks};
  Worker second{stacks};
  Tripped tripped;
  Breaker& breaker = tripped.breaker;
  std::string answer;
  std::string after;
  bool throws = false;
  SECTION("by an exception") { throws = true; }
  SECTION("by its value") {}
  Fiber fiber{stacks, [&](Fiber& self) {
                answer = breaker.execute(
                    [&] {
                      self.suspend();
                      if (throws) throw std::runtime_error{"down"};
                      return std::string{"down"};
                    },
                    rejected, failure_if([](const std::string& value) { return value == "down"; }));
              }};
  first.run([&] { fiber.resume(); });
  second.run([&] { fiber.resume(); });
  CHECK(answer == "rejected");
  CHECK(breaker.state() == State::open);
  for (Worker* worker : {&first, &second}) {
    breaker.reset();
    worker->run([&] { after = recover(breaker); });
    CHECK(after == "admitted");
  }
}

TEST_CASE("B7 fibers that go from thread to thread at random are probes within the limit and nothing else",
          "[B7][B5]") {
  constexpr std::size_t fibers = 24;
  constexpr int limit = 3;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    const auto draw = [&](std::size_t below) { return static_cast<std::size_t>(random()) % below; };
    Stacks stacks;
    std::deque<Worker> workers;
    for (int i = 0; i < 3; ++i) workers.emplace_back(stacks);
    const CircuitBreakerConfig config{.failure_threshold = 1,
                                      .success_threshold = 1000,
                                      .reset_timeout = 10s,
                                      .half_open_max_calls = limit,
                                      .probe_timeout = 1h};
    std::array<Tripped, 3> tripped{Tripped{config}, Tripped{config}, Tripped{config}};
    struct Probe {
      std::size_t breaker;
      bool inside = false;
    };
    std::array<Probe, fibers> probes;
    std::array<int, 3> inside{};
    int misjudged = 0;
    std::deque<Fiber> all;
    for (Probe& probe : probes) {
      probe.breaker = draw(tripped.size());
      all.emplace_back(stacks, [&](Fiber& self) {
        Breaker& breaker = tripped[probe.breaker].breaker;
        const bool is_free = inside[probe.breaker] < limit;
        const std::string answer = breaker.execute(
            [&] {
              probe.inside = true;
              ++inside[probe.breaker];
              if (!is_free) ++misjudged;
              for (int i = 0; i < 3; ++i) {
                self.suspend();
                if (call(breaker) != "admitted") ++misjudged;
              }
              --inside[probe.breaker];
              probe.inside = false;
              return admitted();
            },
            rejected);
        if ((answer == "admitted") != is_free) ++misjudged;
      });
    }
    std::vector<Fiber*> going;
    for (Fiber& fiber : all) going.push_back(&fiber);
    while (!going.empty()) {
      const std::size_t next = draw(going.size());
      Worker& worker = workers[draw(workers.size())];
      const std::size_t watched = draw(tripped.size());
      const bool is_free = inside[watched] < limit;
      worker.run([&] {
        // The worker itself calls too; its own probe, if it gets a slot, ends at once.
        if ((call(tripped[watched].breaker) == "admitted") != is_free) ++misjudged;
        going[next]->resume();
      });
      if (going[next]->is_done()) going.erase(going.begin() + static_cast<std::ptrdiff_t>(next));
    }
    REQUIRE(misjudged == 0);
    for (Tripped& each : tripped) CHECK(each.breaker.stats().ignored_count == 0);
  }
}
