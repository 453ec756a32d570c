#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::fail;
using support::succeed;
using support::trip_and_wait;

namespace {

constexpr auto rejected = [] { return std::string{"rejected"}; };
constexpr auto admitted = [] { return std::string{"admitted"}; };

/// "admitted" or "rejected", by execute.
std::string call(Breaker& breaker) { return breaker.execute(admitted, rejected); }

/// As call(), on another thread.
std::string call_elsewhere(Breaker& breaker) {
  std::string result;
  std::thread{[&] { result = call(breaker); }}.join();
  return result;
}

[[noreturn]] void throw_unavailable() { throw support::unavailable(); }

}  // namespace

TEST_CASE("B5 a probe silent for probe_timeout loses its slot to the next caller, not a nanosecond before",
          "[B5]") {
  struct Row {
    std::chrono::nanoseconds probe_timeout;
    std::chrono::nanoseconds effective;
  };
  for (const auto& [probe_timeout, effective] : {Row{0s, 30s}, Row{5s, 5s}, Row{100s, 100s}, Row{1ns, 1ns}}) {
    CAPTURE(probe_timeout.count());
    test::FakeClock clock;
    Breaker breaker{
        "b", {.failure_threshold = 1, .reset_timeout = 30s, .probe_timeout = probe_timeout}, clock};
    trip_and_wait(breaker);
    const Permit silent = breaker.try_acquire();
    REQUIRE(silent);
    clock.advance(effective - 1ns);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(1ns);
    const Permit next = breaker.try_acquire();
    CHECK(next);
    CHECK_FALSE(breaker.try_acquire());
  }
}

TEST_CASE("B5 the loss of a silent probe's slot is no transition and no escalation", "[B5]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 10s, .reset_backoff = 2.0}, clock};
  int changes = 0;
  trip_and_wait(breaker);
  const Permit first = breaker.try_acquire();
  const auto subscription = breaker.on_state_change([&](const StateChange&) { ++changes; });
  const auto before = breaker.stats();
  std::vector<Permit> silent;
  for (int i = 0; i < 5; ++i) {
    clock.advance(10s);
    silent.push_back(breaker.try_acquire());
    CHECK(silent.back());
  }
  const auto after = breaker.stats();
  CHECK(after.state == State::half_open);
  CHECK(after.opened_count == 1);
  CHECK(after.ignored_count == before.ignored_count);
  CHECK(after.failure_count == before.failure_count);
  CHECK(changes == 0);
  silent.back().failure();
  CHECK(breaker.retry_after() == 20s);
}

TEST_CASE("B5 the late report of a silent probe still counts while its half-open generation lasts", "[B5]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2, .reset_timeout = 10s}, clock};
  trip_and_wait(breaker);
  Permit silent = breaker.try_acquire();
  clock.advance(10s);
  Permit next = breaker.try_acquire();
  REQUIRE(next);

  SECTION("a success towards closing") {
    silent.success();
    CHECK(breaker.state() == State::half_open);
    next.success();
    CHECK(breaker.state() == State::closed);
  }
  SECTION("a failure opens") {
    silent.failure();
    CHECK(breaker.state() == State::open);
    CHECK(breaker.stats().consecutive_failures == 1);
    CHECK(breaker.retry_after() == 10s);
    next.success();
    CHECK(breaker.state() == State::open);
    CHECK(breaker.stats().success_count == 1);
  }
  SECTION("an ignored one is counted") {
    silent.ignore();
    CHECK(breaker.stats().ignored_count == 1);
  }
  SECTION("after that generation it counts in the totals only") {
    next.failure();
    clock.advance(10s);
    const Permit later = breaker.try_acquire();
    silent.success();
    CHECK(breaker.state() == State::half_open);
    CHECK(breaker.stats().success_count == 1);
    CHECK_FALSE(breaker.try_acquire());
  }
}

TEST_CASE("B5 the late report of a silent probe frees nobody else's slot", "[B5]") {
  for (const Outcome outcome : {Outcome::success, Outcome::ignored}) {
    CAPTURE(to_string(outcome));
    test::FakeClock clock;
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 9, .reset_timeout = 10s}, clock};
    trip_and_wait(breaker);
    Permit silent = breaker.try_acquire();
    clock.advance(10s);
    Permit next = breaker.try_acquire();
    silent.report(outcome);
    CHECK_FALSE(breaker.try_acquire());
    clock.advance(10s - 1ns);
    CHECK_FALSE(breaker.try_acquire());
    next.report(outcome);
    CHECK(breaker.try_acquire());
  }
}

TEST_CASE("B5 a silent probe that nobody replaced keeps its slot, and frees it by its report", "[B5]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 9, .reset_timeout = 10s}, clock};
  trip_and_wait(breaker);
  Permit silent = breaker.try_acquire();
  clock.advance(1h);
  silent.success();
  const Permit next = breaker.try_acquire();
  CHECK(next);
  CHECK_FALSE(breaker.try_acquire());
}

TEST_CASE("B5 only slots of silent probes change hands, that of the longest silent first", "[B5]") {
  test::FakeClock clock;
  Breaker breaker{
      "b",
      {.failure_threshold = 1, .success_threshold = 9, .reset_timeout = 10s, .half_open_max_calls = 3},
      clock};
  trip_and_wait(breaker);
  Permit first = breaker.try_acquire();
  clock.advance(4s);
  Permit second = breaker.try_acquire();
  clock.advance(4s);
  Permit third = breaker.try_acquire();
  CHECK_FALSE(breaker.try_acquire());
  clock.advance(2s);
  Permit after_first = breaker.try_acquire();
  CHECK(after_first);
  CHECK_FALSE(breaker.try_acquire());
  first.success();
  CHECK_FALSE(breaker.try_acquire());
  third.success();
  Permit after_third = breaker.try_acquire();
  CHECK(after_third);
  CHECK_FALSE(breaker.try_acquire());
  clock.advance(4s);
  Permit after_second = breaker.try_acquire();
  CHECK(after_second);
  second.ignore();
  CHECK_FALSE(breaker.try_acquire());
}

TEST_CASE("B5 65,535 probes are in flight at once, and each slot changes hands when its time is over",
          "[B5]") {
  Breaker breaker{"b",
                  {.failure_threshold = 1,
                   .success_threshold = 1,
                   .reset_timeout = 10s,
                   .half_open_max_calls = 65'535,
                   .probe_timeout = 20s}};
  trip_and_wait(breaker);
  std::vector<Permit> probes;
  for (int i = 0; i < 65'535; ++i) probes.push_back(breaker.try_acquire());
  CHECK(breaker.stats().rejected_count == 0);
  CHECK_FALSE(breaker.try_acquire());
  breaker.clock().advance(20s);
  for (int i = 0; i < 65'535; ++i) probes[static_cast<std::size_t>(i)] = breaker.try_acquire();
  CHECK(breaker.stats().rejected_count == 1);
  CHECK_FALSE(breaker.try_acquire());
  probes[30'000].ignore();
  CHECK(breaker.try_acquire());
  CHECK(breaker.state() == State::half_open);
}

TEST_CASE("B4 B21 half_open_max_calls probes are in flight at once, however often they end", "[B4][B21]") {
  for (const int slots : {1, 2, 7}) {
    CAPTURE(slots);
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1000, .half_open_max_calls = slots}};
    trip_and_wait(breaker);
    std::vector<Permit> probes;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < slots; ++i) {
        probes.push_back(breaker.try_acquire());
        CHECK(probes.back());
      }
      CHECK_FALSE(breaker.try_acquire());
      for (Permit& probe : probes) probe.success();
      probes.clear();
    }
    CHECK(breaker.state() == State::half_open);
  }
}

TEST_CASE("B6 after a probe has closed or opened, the reports of the others move nothing", "[B6]") {
  for (const Outcome first : {Outcome::success, Outcome::failure}) {
    for (const Outcome other : {Outcome::success, Outcome::failure}) {
      CAPTURE(to_string(first), to_string(other));
      Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .half_open_max_calls = 2}};
      trip_and_wait(breaker);
      Permit one = breaker.try_acquire();
      Permit two = breaker.try_acquire();
      one.report(first);
      const State state = breaker.state();
      CHECK(state == (first == Outcome::success ? State::closed : State::open));
      two.report(other);
      CHECK(breaker.state() == state);
    }
  }
}

TEST_CASE("B7 a call from inside the op of a probe is part of that probe and reports nothing of its own",
          "[B7]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2}};
  trip_and_wait(breaker);
  const auto before = breaker.stats();

  SECTION("successes") {
    CHECK(breaker.execute([&] { return call(breaker) + call(breaker); }, rejected) == "admittedadmitted");
    CHECK(breaker.state() == State::half_open);
    CHECK(breaker.stats().success_count == before.success_count + 1);
    CHECK(breaker.stats().rejected_count == before.rejected_count);
  }
  SECTION("a failure that op swallows") {
    breaker.execute([&] { CHECK_THROWS_AS(breaker.execute(throw_unavailable), ApiError); });
    CHECK(breaker.state() == State::half_open);
    CHECK(breaker.stats().failure_count == before.failure_count);
    CHECK(breaker.stats().success_count == before.success_count + 1);
  }
  SECTION("a failure that goes through op is one failure") {
    CHECK_THROWS_AS(breaker.execute([&] { breaker.execute(throw_unavailable); }), ApiError);
    CHECK(breaker.state() == State::open);
    CHECK(breaker.stats().failure_count == before.failure_count + 1);
    CHECK(breaker.stats().opened_count == 2);
  }
  SECTION("a cancellation that op swallows") {
    breaker.execute(
        [&] { CHECK_THROWS_AS(breaker.execute([] { throw CancelledError{}; }), CancelledError); });
    CHECK(breaker.stats().ignored_count == before.ignored_count);
  }
  SECTION("with its own fallback and value") {
    const auto broken = []() -> std::string { throw_unavailable(); };
    CHECK(breaker.execute([&] { return breaker.execute(broken, rejected); }) == "rejected");
    CHECK(breaker.stats().failure_count == before.failure_count);
  }
}

TEST_CASE("B7 nesting goes as deep as the calls do", "[B7]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  trip_and_wait(breaker);
  int depth = 0;
  const auto dive = [&](const auto& self) -> void {
    if (++depth < 20) breaker.execute([&] { self(self); });
  };
  breaker.execute([&] { dive(dive); });
  CHECK(depth == 20);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("B7 a nested call's fallback is still inside the op of the probe", "[B7]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  trip_and_wait(breaker);
  std::string seen;
  breaker.execute([&] { breaker.execute(throw_unavailable, [&] { seen = call(breaker); }); });
  CHECK(seen == "admitted");
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("B7 the fallback of a probe runs after the probe is settled: its calls are ordinary ones", "[B7]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2, .reset_timeout = 10s}, clock};
  trip_and_wait(breaker);
  const auto before = breaker.stats();
  std::string seen;
  const auto fallback = [&] { seen = call(breaker); };

  SECTION("after a failure they are rejected") {
    breaker.execute(throw_unavailable, fallback);
    CHECK(seen == "rejected");
    CHECK(breaker.stats().rejected_count == before.rejected_count + 1);
  }
  SECTION("after a failure, once the wait is over, the first is a probe of its own") {
    breaker.execute(throw_unavailable, [&] {
      clock.advance(10s);
      fallback();
    });
    CHECK(seen == "admitted");
    CHECK(breaker.state() == State::half_open);
    CHECK(breaker.stats().success_count == before.success_count + 1);
  }
  SECTION("after an answered 4xx they take the slot that is free again, and count") {
    breaker.execute([] { throw ApiError{ErrorCode::not_found}; }, fallback);
    CHECK(seen == "admitted");
    CHECK(breaker.state() == State::closed);
    CHECK(breaker.stats().success_count == before.success_count + 2);
  }
  SECTION("after another breaker's rejection too") {
    breaker.execute([] { throw BulkheadFullError{}; }, fallback);
    CHECK(seen == "admitted");
    CHECK(breaker.state() == State::half_open);
    CHECK(breaker.stats().success_count == before.success_count + 1);
    CHECK(breaker.stats().ignored_count == before.ignored_count + 1);
  }
  SECTION("they are rejected if somebody else holds the slot") {
    Permit other;
    breaker.execute([] { throw BulkheadFullError{}; },
                    [&] {
                      other = breaker.try_acquire();
                      fallback();
                    });
    CHECK(other);
    CHECK(seen == "rejected");
  }
}

TEST_CASE("B7 a call on another thread is no part of the probe", "[B7]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  trip_and_wait(breaker);
  CHECK(breaker.execute([&] { return call_elsewhere(breaker); }) == "rejected");
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B7 a call on another thread takes a slot of its own if one is free", "[B7]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2, .half_open_max_calls = 2}};
  trip_and_wait(breaker);
  CHECK(breaker.execute([&] { return call_elsewhere(breaker); }) == "admitted");
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().success_count == 2);
}

TEST_CASE("B7 a permit is never nested, neither inside a probe nor around a call", "[B7]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2}};
  trip_and_wait(breaker);
  breaker.execute([&] { CHECK_FALSE(breaker.try_acquire()); });
  {
    const Permit probe = breaker.try_acquire();
    REQUIRE(probe);
    CHECK(call(breaker) == "rejected");
  }
  CHECK(call(breaker) == "admitted");
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B7 a permit taken inside a probe has its own slot and reports for itself", "[B7]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2, .half_open_max_calls = 2}};
  trip_and_wait(breaker);
  breaker.execute([&] {
    Permit own = breaker.try_acquire();
    CHECK(own);
    CHECK_FALSE(breaker.try_acquire());
    own.success();
    CHECK(call(breaker) == "admitted");
  });
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().success_count == 2);
}

TEST_CASE("B7 a nested call is admitted even if the probe has lost its slot", "[B7]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2, .reset_timeout = 10s}, clock};
  trip_and_wait(breaker);
  std::optional<Permit> next;
  breaker.execute([&] {
    clock.advance(10s);
    next = breaker.try_acquire();
    CHECK(*next);
    CHECK(call(breaker) == "admitted");
    CHECK(call_elsewhere(breaker) == "rejected");
  });
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.stats().success_count == 1);
  next->success();
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B7 after the half-open generation a call from inside the op is an ordinary one", "[B7]") {
  test::FakeClock clock;
  Breaker breaker{
      "b",
      {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s, .half_open_max_calls = 2},
      clock};
  trip_and_wait(breaker);
  const auto before = breaker.stats();

  SECTION("closed: it counts for itself") {
    breaker.execute([&] {
      succeed(breaker);
      REQUIRE(breaker.state() == State::closed);
      CHECK(call(breaker) == "admitted");
      CHECK(breaker.stats().success_count == before.success_count + 2);
    });
    CHECK(breaker.stats().success_count == before.success_count + 3);
  }
  SECTION("open: it is rejected, and counted so") {
    breaker.execute([&] {
      fail(breaker);
      REQUIRE(breaker.state() == State::open);
      CHECK(call(breaker) == "rejected");
    });
    CHECK(breaker.stats().rejected_count == before.rejected_count + 1);
  }
  SECTION("forced open: it is rejected") {
    breaker.execute([&] {
      breaker.force_open();
      CHECK(call(breaker) == "rejected");
    });
  }
  SECTION("the next half-open generation: it is a probe of its own, and may nest in turn") {
    breaker.execute([&] {
      fail(breaker);
      clock.advance(10s);
      CHECK(breaker.execute([&] { return call(breaker); }, rejected) == "admitted");
      CHECK(breaker.state() == State::closed);
      CHECK(breaker.stats().success_count == before.success_count + 1);
    });
    CHECK(breaker.stats().success_count == before.success_count + 2);
  }
  SECTION("the next half-open generation, all its slots held: it is rejected") {
    breaker.execute([&] {
      fail(breaker);
      clock.advance(10s);
      const Permit held[] = {breaker.try_acquire(), breaker.try_acquire()};
      CHECK(held[1]);
      CHECK(call(breaker) == "rejected");
    });
  }
}

TEST_CASE("B7 a probe whose event moved the breaker on does not end the next generation's nesting", "[B7]") {
  const test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s}, clock};
  std::string nested;
  bool moved_on = false;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    if (change.to != State::half_open || moved_on) return;
    moved_on = true;
    breaker.reset();
    trip_and_wait(breaker);
  });
  trip_and_wait(breaker);
  // The first probe's op calls the breaker, which is open again: that call is the next probe.
  breaker.execute([&] {
    CHECK(moved_on);
    breaker.execute([&] { nested = call(breaker); });
  });
  CHECK(nested == "admitted");
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B7 a call from inside an op that began while closed is an ordinary one", "[B7]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s}, clock};
  breaker.execute([&] {
    trip_and_wait(breaker);
    const Permit probe = breaker.try_acquire();
    CHECK(call(breaker) == "rejected");
  });
  CHECK(breaker.state() == State::half_open);
}

TEST_CASE("B7 two breakers whose calls interleave on one thread each know their own probe", "[B7]") {
  Breaker a{"a", {.failure_threshold = 1, .success_threshold = 1}};
  Breaker b{"b", {.failure_threshold = 1, .success_threshold = 1}};
  trip_and_wait(a);
  trip_and_wait(b);

  SECTION("both are probes") {
    const auto result = a.execute(
        [&] { return b.execute([&] { return call(a) + call(b) + a.execute([&] { return call(b); }); }); });
    CHECK(result == "admittedadmittedadmitted");
    CHECK(a.state() == State::closed);
    CHECK(b.state() == State::closed);
    CHECK(a.stats().success_count == 1);
    CHECK(b.stats().success_count == 1);
  }
  SECTION("a probe of one admits no call of the other") {
    const Permit held = b.try_acquire();
    REQUIRE(held);
    CHECK(a.execute([&] { return call(b); }) == "rejected");
  }
  SECTION("the end of the inner probe is not the end of the outer one") {
    a.execute([&] {
      b.execute([] {});
      CHECK(b.state() == State::closed);
      CHECK(call(a) == "admitted");
    });
    CHECK(a.stats().success_count == 1);
  }
  SECTION("in the fallback of the inner probe the outer one still runs") {
    std::string seen;
    a.execute([&] { b.execute(throw_unavailable, [&] { seen = call(a) + call(b); }); });
    CHECK(seen == "admittedrejected");
    CHECK(a.state() == State::closed);
    CHECK(b.state() == State::open);
  }
}

TEST_CASE("B7 after op has ended, by return or by exception, nothing is nested any more", "[B7]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 3}};
  trip_and_wait(breaker);
  breaker.execute([] {});
  const Permit held = breaker.try_acquire();
  CHECK(call(breaker) == "rejected");
  breaker.reset();
  trip_and_wait(breaker);
  CHECK_THROWS_AS(breaker.execute([] { throw CancelledError{}; }), CancelledError);
  const Permit held_again = breaker.try_acquire();
  CHECK(held_again);
  CHECK(call(breaker) == "rejected");
}

TEST_CASE("B23 a healthy dependency closes the breaker, however slow its answers are", "[B23]") {
  for (const auto duration : {1ns, 10s - 1ns, 10s + 0ns, 10s + 1ns, 1000h + 0ns}) {
    CAPTURE(duration.count());
    test::FakeClock clock;
    Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 3, .reset_timeout = 10s}, clock};
    trip_and_wait(breaker);
    for (int i = 0; i < 3; ++i) breaker.execute([&] { clock.advance(duration); });
    CHECK(breaker.state() == State::closed);
  }
}

TEST_CASE("B23 slow probes close the breaker even if each has lost its slot to the next", "[B23]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 3, .reset_timeout = 10s}, clock};
  trip_and_wait(breaker);
  std::vector<Permit> running;
  for (int i = 0; i < 5; ++i) {
    running.push_back(breaker.try_acquire());
    REQUIRE(running.back());
    clock.advance(10s);
  }
  running[0].success();
  running[1].success();
  CHECK(breaker.state() == State::half_open);
  running[2].success();
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B23 probes that hang lose their slots to those that answer", "[B23]") {
  test::FakeClock clock;
  Breaker breaker{
      "b",
      {.failure_threshold = 1, .success_threshold = 2, .reset_timeout = 10s, .half_open_max_calls = 2},
      clock};
  trip_and_wait(breaker);
  const Permit hung[] = {breaker.try_acquire(), breaker.try_acquire()};
  REQUIRE(hung[1]);
  CHECK(call(breaker) == "rejected");
  clock.advance(10s);
  CHECK(call(breaker) == "admitted");
  CHECK(call(breaker) == "admitted");
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B23 answers of 4xx close the breaker", "[B23]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2}};
  trip_and_wait(breaker);
  for (const ErrorCode code : {ErrorCode::not_found, ErrorCode::validation_error}) {
    CHECK_THROWS_AS(breaker.execute([&] { throw ApiError{code}; }), ApiError);
  }
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B23 lost, dropped and thrown-through probes free their slots, without end", "[B23]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  trip_and_wait(breaker);
  for (int i = 0; i < 100; ++i) {
    {
      const Permit dropped = breaker.try_acquire();
    }
    Permit replaced = breaker.try_acquire();
    replaced = Permit{};
    CHECK_THROWS_AS(breaker.execute([] { throw CancelledError{}; }), CancelledError);
    CHECK_THROWS_AS(breaker.execute([] { throw RateLimitedError{}; }), RateLimitedError);
    CHECK(breaker.state() == State::half_open);
  }
  CHECK(call(breaker) == "admitted");
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B23 nested calls close the breaker as one probe each", "[B23]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 2, .reset_timeout = 10s}, clock};
  trip_and_wait(breaker);
  for (int i = 0; i < 2; ++i) {
    breaker.execute([&] {
      clock.advance(1h);
      breaker.execute([&] { breaker.execute([&] { clock.advance(1h); }); });
    });
  }
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().rejected_count == 0);
}

TEST_CASE("B23 nesting that began while closed does not wedge the recovery", "[B23]") {
  test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s}, clock};
  breaker.execute([&] {
    trip_and_wait(breaker);
    CHECK(call(breaker) == "admitted");
    CHECK(breaker.state() == State::closed);
    CHECK(call(breaker) == "admitted");
  });
  CHECK(breaker.state() == State::closed);
}
