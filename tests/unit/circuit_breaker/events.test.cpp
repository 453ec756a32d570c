#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/changes.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Changes;
using support::fail;
using support::is_chain;
using support::record;
using support::succeed;

namespace {

using Reason = StateChangeReason;

void wait(Breaker& breaker) { breaker.clock().advance(breaker.config().reset_timeout); }

}  // namespace

TEST_CASE("B14 B21 a change has the breaker's name, from, to, the time and the reason", "[B14][B21]") {
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

TEST_CASE("B14 B21 no event goes from a state to itself", "[B14][B21]") {
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

TEST_CASE("B14 B21 reset(), force_open() and disable() report where they came from, from every state",
          "[B14][B21]") {
  struct Move {
    void (Breaker::*call)();
    State to;
    Reason reason;
  };
  for (const State from : support::all_states) {
    for (const Move& move : {Move{&Breaker::reset, State::closed, Reason::reset},
                             Move{&Breaker::force_open, State::forced_open, Reason::forced},
                             Move{&Breaker::disable, State::disabled, Reason::disabled}}) {
      Breaker breaker{"b", {.failure_threshold = 1}};
      support::bring_to(breaker, from);
      REQUIRE(breaker.state() == from);
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

TEST_CASE("B14 late reports and rejections cause no event", "[B14]") {
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

TEST_CASE("B14 when the causing call returns, its event has been delivered", "[B14]") {
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

TEST_CASE("B14 a callback may call the breaker in every way", "[B14]") {
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

TEST_CASE("B14 events are delivered outside every lock: other threads may use the breaker meanwhile",
          "[B14]") {
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

TEST_CASE("B14 a subscriber that comes while a slow callback has filled the queue hears what comes next",
          "[B14]") {
  Breaker breaker{"b"};
  Changes early;
  Changes late;
  std::promise<void> began;
  std::promise<void> go_on;
  const Subscription slow = breaker.on_state_change([&](const StateChange& change) {
    early.push_back(change);
    if (early.size() > 1) return;
    began.set_value();
    go_on.get_future().wait();
  });
  std::jthread thread{[&] { breaker.force_open(); }};
  began.get_future().wait();
  for (int i = 0; i < 32; ++i) {
    breaker.disable();
    breaker.force_open();
  }
  const Subscription subscription = record(breaker, late);
  breaker.reset();
  go_on.set_value();
  thread.join();
  REQUIRE(late.size() == 1);
  CHECK(late[0].from == State::forced_open);
  CHECK(late[0].to == State::closed);
  CHECK(late[0].reason == Reason::reset);
  CHECK(early.size() == 1 + 64 + 1);
  CHECK(is_chain(early));
}

TEST_CASE("B14 a callback may release the breaker, whatever the change", "[B14]") {
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

TEST_CASE("B14 events that are queued when the breaker is released are still delivered", "[B14]") {
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
