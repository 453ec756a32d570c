// Callbacks that end their thread.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <thread>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/changes.hpp"
#include "support/forced_unwinding.hpp"

#if HAS_FORCED_UNWINDING
using namespace fusebox;
using namespace std::chrono_literals;
using support::all_ends;
using support::Breaker;
using support::Changes;
using support::Counts;
using support::counts_of;
using support::end_by_exit;
using support::is_chain;
using support::record;
using support::returns;

namespace {

constexpr CircuitBreakerConfig opens_at_once{
    .failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s};

/// A breaker with three subscribers, the one in the middle of which ends its thread while `ends` is set.
struct Observed {
  explicit Observed(const CircuitBreakerConfig& config = opens_at_once) : breaker{"b", config, {}} {}

  Breaker breaker;
  std::function<void()> ends;
  Changes first;
  Changes last;
  int ended = 0;
  Subscription on_first = record(breaker, first);
  Subscription on_ending = breaker.on_state_change([this](const StateChange&) {
    if (!ends) return;
    ++ended;
    ends();
  });
  Subscription on_last = record(breaker, last);

  /// Later changes arrive, also where the thread ended, and the subscriptions can be ended.
  void check_usable() {
    ends = nullptr;
    const auto before = last.size();
    breaker.disable();
    breaker.reset();
    CHECK(first.size() == before + 2);
    CHECK(last.size() == before + 2);
    CHECK(is_chain(last));
    for (Subscription* one : {&on_first, &on_ending, &on_last}) one->unsubscribe();
    breaker.force_open();
    CHECK(last.size() == before + 2);
  }
};

}  // namespace

TEST_CASE("B14 a callback that ends its thread ends only that thread: changes by hand", "[B14]") {
  for (const auto end : all_ends) {
    Observed observed;
    observed.ends = end;
    Breaker& breaker = observed.breaker;
    CHECK_FALSE(returns([&] { breaker.force_open(); }));
    CHECK_FALSE(returns([&] { breaker.disable(); }));
    CHECK_FALSE(returns([&] { breaker.reset(); }));
    CHECK(breaker.state() == State::closed);
    CHECK(observed.first.size() == 3);
    CHECK(observed.ended == 3);
    CHECK(observed.last.size() == 3);
    observed.check_usable();
  }
}

TEST_CASE("B14 a callback that ends its thread ends only that thread: a call that opens", "[B14]") {
  for (const auto end : all_ends) {
    int fallbacks = 0;
    const std::array<std::function<void(Breaker&)>, 6> calls{
        [](Breaker& breaker) { breaker.execute([]() -> int { throw TimeoutError{}; }); },
        [&](Breaker& breaker) { breaker.execute([] { throw TimeoutError{}; }, [&] { ++fallbacks; }); },
        [&](Breaker& breaker) { breaker.execute([] { throw 1; }, [&](const Failure&) { ++fallbacks; }); },
        [&](Breaker& breaker) {
          (void)breaker.execute([] { return std::make_error_code(std::errc::timed_out); },
                                [&] { return ++fallbacks, std::error_code{}; });
        },
        [](Breaker& breaker) {
          (void)breaker.execute([] { return Failure{NetworkErrc::connection_reset}; });
        },
        [](Breaker& breaker) {
          breaker.execute([&] { breaker.clock().advance(2s); }, CallOptions{.timeout = 1s});
        }};
    for (const auto& call : calls) {
      Observed observed;
      observed.ends = end;
      CHECK_FALSE(returns([&] { call(observed.breaker); }));
      CHECK(observed.breaker.state() == State::open);
      CHECK(counts_of(observed.breaker) == Counts{0, 1, 0});
      CHECK(observed.last.size() == 1);
      CHECK(fallbacks == 0);
      observed.check_usable();
    }
  }
}

TEST_CASE("B14 a callback that ends its thread ends only that thread: rates", "[B14]") {
  const bool slow = GENERATE(false, true);
  Observed observed{
      {.failure_threshold = 0,
       .failure_rate = FailureRate{.threshold = 0.5, .minimum_calls = 2, .window = last_calls(2)},
       .slow_calls =
           SlowCalls{.slower_than = 1s, .threshold = 0.5, .minimum_calls = 2, .window = last_calls(2)}}};
  observed.ends = end_by_exit;
  observed.breaker.execute([] {});
  CHECK_FALSE(returns([&] {
    observed.breaker.execute([&] {
      if (!slow) throw 1;
      observed.breaker.clock().advance(2s);
    });
  }));
  CHECK(observed.breaker.state() == State::open);
  observed.check_usable();
}

TEST_CASE("B14 if the callback of a probe's own event ends the thread, the probe goes back as ignored",
          "[B14]") {
  const bool closes = GENERATE(false, true);
  for (const auto end : all_ends) {
    Observed observed;
    Breaker& breaker = observed.breaker;
    support::trip_and_wait(breaker);
    observed.ends = end;
    int calls = 0;
    CHECK_FALSE(returns([&] { breaker.execute([&] { ++calls; }); }));
    CHECK(calls == 0);
    CHECK(breaker.state() == State::half_open);
    CHECK(counts_of(breaker) == Counts{0, 1, 1});
    CHECK(breaker.stats().in_flight == 0U);
    CHECK(observed.last.back().to == State::half_open);
    CHECK_FALSE(returns([&] {
      breaker.execute([&] {
        ++calls;
        if (!closes) throw 1;
      });
    }));
    CHECK(breaker.state() == (closes ? State::closed : State::open));
    CHECK(calls == 1);
    observed.check_usable();
  }
}

TEST_CASE("B14 a probe whose event ends the thread releases the breaker", "[B14]") {
  auto breaker = std::make_shared<Breaker>("b", opens_at_once, test::FakeClock{});
  const std::weak_ptr<Breaker> alive = breaker;
  support::trip_and_wait(*breaker);
  const Subscription subscription = breaker->on_state_change([&](const StateChange& change) {
    if (change.to != State::closed) return;
    breaker = nullptr;
    end_by_exit();
  });
  CHECK_FALSE(returns([&] { breaker->execute([] {}); }));
  CHECK(alive.expired());
}

TEST_CASE("B14 what other threads queued while a callback ran is delivered by the thread that it ends",
          "[B14]") {
  const bool ends_always = GENERATE(false, true);
  CAPTURE(ends_always);
  Breaker breaker{"b"};
  Changes before;
  Changes after;
  const Subscription on_before = record(breaker, before);
  std::latch running{1};
  std::latch go_on{1};
  bool has_ended = false;
  Subscription ending = breaker.on_state_change([&](const StateChange&) {
    if (has_ended && !ends_always) return;
    if (!std::exchange(has_ended, true)) {
      running.count_down();
      go_on.wait();
    }
    end_by_exit();
  });
  const Subscription on_after = record(breaker, after);
  {
    bool returned = true;
    const std::jthread deliverer{[&] { returned = returns([&] { breaker.force_open(); }); }};
    running.wait();
    for (int i = 0; i < 20; ++i) {
      breaker.disable();
      breaker.reset();
    }
    CHECK(before.size() == 1);
    CHECK(after.empty());
    go_on.count_down();
  }
  CHECK(before.size() == 41);
  CHECK(after.size() == 41);
  CHECK(is_chain(after));
  ending.unsubscribe();
  breaker.force_open();
  CHECK(after.size() == 42);
}

TEST_CASE("B14 what a callback that ends its thread has caused is delivered", "[B14]") {
  Breaker a{"a"};
  Breaker b{"b"};
  Breaker c{"c"};
  Changes of_b;
  Changes of_c;
  const Subscription on_b = record(b, of_b);
  const Subscription on_c = record(c, of_c);
  const Subscription ends_b = b.on_state_change([&](const StateChange&) {
    a.reset();
    end_by_exit();
  });
  const Subscription ends_a = a.on_state_change([&](const StateChange& change) {
    if (change.to == State::closed) return;
    b.force_open();
    c.force_open();
    CHECK(of_b.empty());
    end_by_exit();
  });
  Changes of_a;
  const Subscription on_a = record(a, of_a);
  CHECK_FALSE(returns([&] { a.force_open(); }));
  CHECK(of_b.size() == 1);
  CHECK(of_c.size() == 1);
  CHECK(of_a.size() == 2);
  CHECK(is_chain(of_a));
}

TEST_CASE("B14 a callback that ends its thread may end its subscription first, and is destroyed", "[B14]") {
  Breaker breaker{"b"};
  auto held = std::make_shared<int>(7);
  const std::weak_ptr<int> alive = held;
  Subscription subscription;
  subscription = breaker.on_state_change([&, held = std::move(held)](const StateChange&) {
    subscription.unsubscribe();
    CHECK(*held == 7);
    end_by_exit();
  });
  CHECK_FALSE(returns([&] { breaker.force_open(); }));
  CHECK(alive.expired());
}

TEST_CASE("B14 ending the subscription of a callback that ends its thread waits for it, not for ever",
          "[B14]") {
  Breaker breaker{"b"};
  std::latch running{1};
  std::atomic<bool> may_end{false};
  struct AtEnd {
    std::atomic<bool>& flag;
    ~AtEnd() { flag = true; }
  };
  std::atomic<bool> is_unwound{false};
  Subscription subscription = breaker.on_state_change([&](const StateChange&) {
    const AtEnd at_end{is_unwound};
    running.count_down();
    while (!may_end) std::this_thread::yield();
    end_by_exit();
  });
  const std::jthread thread{[&] { breaker.force_open(); }};
  running.wait();
  const std::jthread other{[&] { may_end = true; }};
  subscription.unsubscribe();
  CHECK(is_unwound);
}

TEST_CASE("B14 a callback that ends its thread takes a retry and an outer breaker with it", "[B14]") {
  Observed observed;
  observed.ends = end_by_exit;
  Breaker outer{"outer", opens_at_once, {}};
  int calls = 0;
  int fallbacks = 0;
  CHECK_FALSE(returns([&] {
    outer.execute(
        [&] {
          retry_with_backoff([&] { observed.breaker.execute([&] { ++calls, throw TimeoutError{}; }); },
                             test::FakeClock{});
        },
        [&] { ++fallbacks; });
  }));
  CHECK(calls == 1);
  CHECK(fallbacks == 0);
  CHECK(counts_of(outer) == Counts{0, 0, 1});
  CHECK(outer.state() == State::closed);
  observed.check_usable();
}

TEST_CASE("B14 a callback ends its thread also while an exception is handled", "[B14]") {
  Observed observed;
  observed.ends = end_by_exit;
  CHECK_FALSE(returns([&] {
    try {
      throw std::string{"handled"};
    } catch (const std::string&) {
      observed.breaker.force_open();
    }
  }));
  CHECK(observed.last.size() == 1);
  observed.check_usable();
}

TEST_CASE("B14 after the callbacks a handler has its exception again", "[B14]") {
  Observed observed;
  std::exception_ptr before;
  std::exception_ptr after;
  try {
    throw std::string{"handled"};
  } catch (const std::string&) {
    before = std::current_exception();
    observed.breaker.force_open();
    after = std::current_exception();
  }
  CHECK(before != nullptr);
  CHECK(after == before);
}

TEST_CASE("B18 a callback of on_call that ends its thread ends only that thread", "[B18]") {
  for (const auto end : all_ends) {
    Breaker breaker{"b", opens_at_once, {}};
    int first = 0;
    int last = 0;
    bool ends = true;
    Changes changes;
    const Subscription on_first = breaker.on_call([&](const CallEvent&) { ++first; });
    const Subscription ending = breaker.on_call([&](const CallEvent&) {
      if (ends) end();
    });
    Subscription on_last = breaker.on_call([&](const CallEvent&) { ++last; });
    const Subscription on_change = record(breaker, changes);
    CHECK_FALSE(returns([&] { breaker.execute([] {}); }));
    CHECK(breaker.stats().in_flight == 0U);
    CHECK_FALSE(returns([&] { breaker.execute([] { throw 1; }); }));
    CHECK(breaker.state() == State::open);
    CHECK(changes.size() == 1);
    CHECK(counts_of(breaker) == Counts{1, 1, 0});
    CHECK(first == 2);
    CHECK(last == 2);
    breaker.reset();
    // The end of the thread inside op is a call that ends too.
    CHECK_FALSE(returns([&] { breaker.execute([&] { end(); }); }));
    CHECK(counts_of(breaker) == Counts{0, 0, 1});
    CHECK(last == 3);
    ends = false;
    breaker.execute([] {});
    CHECK(first == 4);
    CHECK(last == 4);
    CHECK(breaker.stats().in_flight == 0U);
    on_last.unsubscribe();
  }
}

TEST_CASE("B18 if a state change ends the thread, the listeners of the call hear it nevertheless", "[B18]") {
  Observed observed;
  observed.ends = end_by_exit;
  std::vector<Outcome> heard;
  const Subscription listener =
      observed.breaker.on_call([&](const CallEvent& call) { heard.push_back(call.outcome); });
  CHECK_FALSE(returns([&] { observed.breaker.execute([] { throw 1; }); }));
  CHECK(heard == std::vector{Outcome::failure});
  observed.check_usable();
}

#else
TEST_CASE("B14 no thread ends by unwinding its stack here", "[B14]") { SUCCEED(); }
#endif
