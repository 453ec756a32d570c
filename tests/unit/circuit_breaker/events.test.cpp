#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/changes.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {
using Breaker = CircuitBreaker<test::FakeClock>;
using Reason = StateChangeReason;
using support::Changes;
using support::is_chain;
using support::record;

void fail(Breaker& breaker) { breaker.try_acquire().failure(); }
void succeed(Breaker& breaker) { breaker.try_acquire().success(); }
void wait(Breaker& breaker) { breaker.clock().advance(breaker.config().reset_timeout); }
}  // namespace

TEST_CASE("B14 a change tells the breaker's name, from, to, the time and the reason") {
  const test::FakeClock clock;
  const auto start = clock.wall_now();
  Breaker breaker{"payments", {.failure_threshold = 2, .success_threshold = 2}, clock};
  Changes changes;
  const Subscription subscription = record(breaker, changes);
  const auto last_is = [&](State from, State to, std::chrono::nanoseconds after, Reason reason) {
    REQUIRE_FALSE(changes.empty());
    const StateChange& last = changes.back();
    CHECK(last.name == "payments");
    CHECK(last.from == from);
    CHECK(last.to == to);
    CHECK(last.at == start + after);
    CHECK(last.reason == reason);
    CHECK(breaker.state() == to);
  };

  fail(breaker);
  CHECK(changes.empty());
  clock.advance(1s);
  fail(breaker);
  last_is(State::closed, State::open, 1s, Reason::failure_threshold);

  clock.advance(60s - 1ns);
  CHECK_FALSE(breaker.try_acquire());
  CHECK(changes.size() == 1);
  clock.advance(1ns);
  Permit probe = breaker.try_acquire();
  last_is(State::open, State::half_open, 61s, Reason::probe_admitted);
  clock.advance(1s);
  probe.failure();
  last_is(State::half_open, State::open, 62s, Reason::probe_failed);

  clock.advance(60s);
  succeed(breaker);
  last_is(State::open, State::half_open, 122s, Reason::probe_admitted);
  CHECK(changes.size() == 4);
  clock.advance(1s);
  succeed(breaker);
  last_is(State::half_open, State::closed, 123s, Reason::probes_succeeded);

  breaker.force_open();
  last_is(State::closed, State::forced_open, 123s, Reason::forced);
  breaker.disable();
  last_is(State::forced_open, State::disabled, 123s, Reason::disabled);
  clock.advance(1s);
  breaker.reset();
  last_is(State::disabled, State::closed, 124s, Reason::reset);
  CHECK(changes.size() == 8);
  CHECK(is_chain(changes));
}

TEST_CASE("B14 rate rules give their own reasons") {
  const auto reason_of = [](const CircuitBreakerConfig& config, std::chrono::nanoseconds took,
                            Outcome outcome) {
    Breaker breaker{"b", config};
    Changes changes;
    const Subscription subscription = record(breaker, changes);
    for (int i = 0; i < 2; ++i) {
      Permit permit = breaker.try_acquire();
      breaker.clock().advance(took);
      permit.report(outcome);
    }
    REQUIRE(changes.size() == 1);
    return changes[0].reason;
  };
  const FailureRate rate{.threshold = 1.0, .minimum_calls = 2, .window = last_calls(2)};
  const SlowCalls slow{.slower_than = 1s, .threshold = 1.0, .minimum_calls = 2, .window = last_calls(2)};
  CHECK(reason_of({.failure_rate = rate}, 0s, Outcome::failure) == Reason::failure_rate);
  CHECK(reason_of({.slow_calls = slow}, 2s, Outcome::success) == Reason::slow_calls);
  CHECK(reason_of({.failure_threshold = 2, .slow_calls = slow}, 1s, Outcome::failure) ==
        Reason::failure_threshold);
}

TEST_CASE("B14 a slow probe opens with the reason slow_calls") {
  Breaker breaker{"b", {.failure_threshold = 1, .slow_calls = SlowCalls{.slower_than = 1s}}};
  fail(breaker);
  wait(breaker);
  Permit probe = breaker.try_acquire();
  Changes changes;
  const Subscription subscription = record(breaker, changes);
  breaker.clock().advance(1s + 1ns);
  probe.success();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].from == State::half_open);
  CHECK(changes[0].to == State::open);
  CHECK(changes[0].reason == Reason::slow_calls);
}

TEST_CASE("B14 there is no event where the state stays what it was") {
  Breaker breaker{"b", {.failure_threshold = 2}};
  Changes changes;
  const Subscription subscription = record(breaker, changes);
  breaker.reset();
  fail(breaker);
  succeed(breaker);
  breaker.reset();
  CHECK(changes.empty());
  for (int i = 0; i < 3; ++i) breaker.force_open();
  CHECK(changes.size() == 1);
  for (int i = 0; i < 3; ++i) breaker.disable();
  CHECK(changes.size() == 2);
  for (int i = 0; i < 5; ++i) fail(breaker);
  CHECK(changes.size() == 2);
  for (int i = 0; i < 3; ++i) breaker.reset();
  CHECK(changes.size() == 3);
}

TEST_CASE("B14 reset, force_open and disable tell from where they came, from every state") {
  const auto reach = [](Breaker& breaker, State state) {
    if (state == State::forced_open) breaker.force_open();
    if (state == State::disabled) breaker.disable();
    if (state == State::open || state == State::half_open) fail(breaker);
    if (state == State::half_open) {
      wait(breaker);
      breaker.try_acquire().ignore();
    }
    REQUIRE(breaker.state() == state);
  };
  struct Move {
    void (Breaker::*call)();
    State to;
    Reason reason;
  };
  for (const State from :
       {State::closed, State::open, State::half_open, State::forced_open, State::disabled}) {
    for (const Move& move : {Move{&Breaker::reset, State::closed, Reason::reset},
                             Move{&Breaker::force_open, State::forced_open, Reason::forced},
                             Move{&Breaker::disable, State::disabled, Reason::disabled}}) {
      Breaker breaker{"b", {.failure_threshold = 1}};
      reach(breaker, from);
      Changes changes;
      const Subscription subscription = record(breaker, changes);
      (breaker.*move.call)();
      CHECK(breaker.state() == move.to);
      if (from == move.to) {
        CHECK(changes.empty());
        continue;
      }
      REQUIRE(changes.size() == 1);
      CHECK(changes[0].from == from);
      CHECK(changes[0].to == move.to);
      CHECK(changes[0].reason == move.reason);
    }
  }
}

TEST_CASE("B14 late reports and rejections cause no event") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  Permit late_failure = breaker.try_acquire();
  Permit late_success = breaker.try_acquire();
  fail(breaker);
  Changes changes;
  const Subscription subscription = record(breaker, changes);
  late_failure.failure();
  late_success.success();
  CHECK_FALSE(breaker.try_acquire());
  CHECK(changes.empty());
}

TEST_CASE("B14 the time of a change is the breaker's own clock's wall time") {
  const test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1}, clock};
  Changes changes;
  const Subscription subscription = record(breaker, changes);
  const std::chrono::system_clock::time_point jumped{std::chrono::seconds{5}};
  clock.set_wall(jumped);
  fail(breaker);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].at == jumped);
}

TEST_CASE("B14 when the causing call returns its event has been delivered") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  Changes changes;
  const Subscription subscription = record(breaker, changes);
  CHECK_THROWS_AS(breaker.execute([]() -> int { throw std::runtime_error{"down"}; }), std::runtime_error);
  CHECK(changes.size() == 1);
  wait(breaker);
  CHECK(breaker.execute([&] { return changes.size(); }) == 2);  // the probe's event comes before its op
  CHECK(changes.size() == 3);
  CHECK(breaker.execute([]() -> int { throw 1; }, [&] { return static_cast<int>(changes.size()); }) == 4);
  wait(breaker);
  {
    const Permit permit = breaker.try_acquire();
    CHECK(changes.size() == 5);
  }
  CHECK(changes.size() == 5);
}

TEST_CASE("B14 an event comes on the thread that caused it, where nobody else is delivering") {
  Breaker breaker{"b"};
  std::thread::id ran_on;
  const Subscription subscription =
      breaker.on_state_change([&](const StateChange&) { ran_on = std::this_thread::get_id(); });
  breaker.force_open();
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("B14 inside a callback the breaker is in the state it tells of") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  std::vector<State> seen;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    CHECK(breaker.state() == change.to);
    CHECK(breaker.stats().state == change.to);
    seen.push_back(change.to);
  });
  fail(breaker);
  wait(breaker);
  succeed(breaker);
  CHECK(seen == std::vector{State::open, State::half_open, State::closed});
}

TEST_CASE("B14 an event caused inside a callback is delivered after that callback returns") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  std::vector<std::string> log;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    log.push_back("> " + std::string{to_string(change.to)});
    if (change.to == State::open) breaker.reset();
    if (change.to == State::closed && change.reason == Reason::reset) breaker.disable();
    log.push_back("< " + std::string{to_string(change.to)});
  });
  fail(breaker);
  CHECK(log ==
        std::vector<std::string>{"> open", "< open", "> closed", "< closed", "> disabled", "< disabled"});
}

TEST_CASE("B14 an event of another breaker, caused inside a callback, is delivered after that callback") {
  Breaker a{"a"};
  Breaker b{"b"};
  std::vector<std::string> log;
  const Subscription on_a = a.on_state_change([&](const StateChange&) {
    log.emplace_back("> a");
    b.force_open();
    CHECK(b.state() == State::forced_open);
    log.emplace_back("< a");
  });
  const Subscription on_b = b.on_state_change([&](const StateChange&) { log.emplace_back("b"); });
  a.force_open();
  CHECK(log == std::vector<std::string>{"> a", "< a", "b"});
}

TEST_CASE("B14 a callback may call the breaker in every way") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  Changes late;
  Subscription more;
  int called = 0;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    ++called;
    if (change.to != State::open) return;
    CHECK(breaker.retry_after() == 60s);
    CHECK(breaker.stats().opened_count == 1);
    CHECK_FALSE(breaker.try_acquire());
    CHECK(breaker.execute([] { return 1; }, [] { return 2; }) == 2);
    more = record(breaker, late);
    wait(breaker);
    CHECK(breaker.execute([] { return 1; }) == 1);
    CHECK(breaker.state() == State::closed);
    CHECK(called == 1);
  });
  fail(breaker);
  CHECK(called == 3);
  CHECK(late.size() == 2);
  CHECK(late[0].from == State::open);
}

TEST_CASE("B14 events are delivered outside every lock: other threads may use the breaker meanwhile") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  std::vector<Reason> reasons;
  const Subscription subscription = breaker.on_state_change([&](const StateChange& change) {
    reasons.push_back(change.reason);
    if (reasons.size() > 1) return;
    std::jthread{[&] {
      (void)breaker.stats();
      (void)breaker.try_acquire();
      Changes none;
      {
        const Subscription other = record(breaker, none);
      }
      breaker.reset();
      fail(breaker);
      breaker.force_open();
    }}.join();
    CHECK(reasons.size() == 1);
  });
  fail(breaker);
  CHECK(reasons ==
        std::vector{Reason::failure_threshold, Reason::reset, Reason::failure_threshold, Reason::forced});
}

TEST_CASE("B14 a callback that throws harms nobody") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  Changes changes;
  int thrown = 0;
  const Subscription bad = breaker.on_state_change([&](const StateChange& change) {
    ++thrown;
    if (change.to == State::open) throw std::runtime_error{"no"};
    throw 42;
  });
  const Subscription good = record(breaker, changes);
  CHECK_NOTHROW(fail(breaker));
  wait(breaker);
  CHECK(breaker.execute([] { return 7; }) == 7);
  CHECK(breaker.state() == State::closed);
  CHECK_NOTHROW(breaker.force_open());
  CHECK_NOTHROW(breaker.disable());
  CHECK_NOTHROW(breaker.reset());
  CHECK(thrown == 6);
  CHECK(changes.size() == 6);
  CHECK(is_chain(changes));
}

TEST_CASE("B14 a callback may let go of the breaker, whatever the change") {
  using Owner = std::shared_ptr<Breaker>;
  using Step = std::function<void(Owner&)>;
  const Step nothing = [](Owner&) {};
  const Step become_due = [](Owner& owner) {
    fail(*owner);
    wait(*owner);
  };
  const Step half_open = [&](Owner& owner) {
    become_due(owner);
    owner->try_acquire().ignore();
  };
  const auto down = []() -> int { throw std::runtime_error{"down"}; };
  const FailureRate rate{.threshold = 1.0, .minimum_calls = 1, .window = last_calls(1)};
  const SlowCalls slow{.slower_than = 1s, .threshold = 1.0, .minimum_calls = 1, .window = last_calls(1)};
  const CircuitBreakerConfig plain{.failure_threshold = 1, .success_threshold = 1};
  const auto throws = [&](Owner& owner) { CHECK_THROWS_AS(owner->execute(down), std::runtime_error); };
  const auto runs_slowly = [](Owner& owner) {
    const test::FakeClock clock = owner->clock();
    CHECK(owner->execute([&] {
      clock.advance(2s);
      return std::string(100, 'x');
    }) == std::string(100, 'x'));
  };
  struct Row {
    const char* what;
    CircuitBreakerConfig config;
    Step prepare;
    Step cause;
    Reason reason;
  };
  const Row rows[] = {
      {"execute that throws", plain, nothing, throws, Reason::failure_threshold},
      {"execute with a fallback", plain, nothing,
       [&](Owner& owner) { CHECK(owner->execute(down, [] { return 5; }) == 5); }, Reason::failure_threshold},
      {"execute with a fallback that takes the failure", plain, nothing,
       [&](Owner& owner) {
         const auto length = [](const Failure& failure) {
           return static_cast<int>(failure.message().size());
         };
         CHECK(owner->execute(down, length) == 4);
       },
       Reason::failure_threshold},
      {"execute that returns a failure", plain, nothing,
       [](Owner& owner) {
         const auto refused = make_error_code(NetworkErrc::connection_refused);
         CHECK(owner->execute([&] { return refused; }) == refused);
       },
       Reason::failure_threshold},
      {"execute of void that ends late", plain, nothing,
       [](Owner& owner) {
         const test::FakeClock clock = owner->clock();
         owner->execute([&] { clock.advance(2s); }, {.timeout = 1s});
       },
       Reason::failure_threshold},
      {"a failure rate", {.failure_rate = rate}, nothing, throws, Reason::failure_rate},
      {"slow calls", {.slow_calls = slow}, nothing, runs_slowly, Reason::slow_calls},
      {"a slow probe",
       {.failure_threshold = 1, .slow_calls = slow},
       half_open,
       runs_slowly,
       Reason::slow_calls},
      {"a probe that fails", plain, half_open, throws, Reason::probe_failed},
      {"a probe that succeeds", plain, half_open,
       [](Owner& owner) { CHECK(owner->execute([] { return std::string(100, 'x'); }).size() == 100); },
       Reason::probes_succeeded},
      {"the admission of a probe", plain, become_due,
       [](Owner& owner) {
         CHECK(owner
                   ->execute([&owner] {
                     CHECK(owner == nullptr);
                     return std::string(100, 'x');
                   })
                   .size() == 100);
       },
       Reason::probe_admitted},
      {"the admission of a probe that fails", plain, become_due, throws, Reason::probe_admitted},
      {"the admission of a probe by try_acquire", plain, become_due,
       [](Owner& owner) {
         Permit permit = try_acquire(owner);
         CHECK(owner == nullptr);
         CHECK(permit);
         permit.success();
       },
       Reason::probe_admitted},
      {"a permit's report", plain, nothing, [](Owner& owner) { try_acquire(owner).failure(); },
       Reason::failure_threshold},
      {"force_open", plain, nothing, [](Owner& owner) { owner->force_open(); }, Reason::forced},
      {"disable", plain, nothing, [](Owner& owner) { owner->disable(); }, Reason::disabled},
      {"reset", plain, half_open, [](Owner& owner) { owner->reset(); }, Reason::reset},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Owner owner = std::make_shared<Breaker>("b", row.config);
    const std::weak_ptr<Breaker> alive = owner;
    row.prepare(owner);
    Changes changes;
    const Subscription subscription = owner->on_state_change([&](const StateChange& change) {
      owner.reset();
      changes.push_back(change);
    });
    row.cause(owner);
    REQUIRE_FALSE(changes.empty());
    CHECK(changes[0].reason == row.reason);
    CHECK(alive.expired());
    CHECK(is_chain(changes));
  }
}

TEST_CASE("B14 the events that were queued when the breaker was let go of are still delivered") {
  auto owner = std::make_shared<Breaker>("b");
  Changes changes;
  const Subscription subscription = owner->on_state_change([&](const StateChange& change) {
    changes.push_back(change);
    if (!owner) return;
    owner->disable();
    owner->reset();
    owner.reset();
    CHECK(changes.size() == 1);
  });
  owner->force_open();
  REQUIRE(changes.size() == 3);
  CHECK(is_chain(changes));
  CHECK(changes[2].to == State::closed);
  CHECK(changes[2].name == "b");
}
