#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using test::FakeClock;

namespace {

/// What an op that sleeps on `clock` does when it is stopped.
template <class Throw>
auto sleeper(const FakeClock& clock, nanoseconds duration, Throw throws) {
  return [&clock, duration, throws](std::stop_token token) {
    if (!clock.sleep_for(duration, token)) throws();
    return 1;
  };
}
const auto cancels = [] { throw std::system_error{std::make_error_code(std::errc::operation_canceled)}; };

/// A clock that counts its readings.
struct CountingClock {
  FakeClock inner;
  int* readings;
  [[nodiscard]] auto now() const {
    ++*readings;
    return inner.now();
  }
  [[nodiscard]] auto wall_now() const { return inner.wall_now(); }
  bool sleep_for(nanoseconds duration, const StopToken& token) const {
    return inner.sleep_for(duration, token);
  }
};

/// As the system's clock where no thread can be started.
struct NoThreadClock : FakeClock {
  template <class Node>
  void arm(Node& /*node*/, std::chrono::steady_clock::time_point /*due*/) const {
    throw std::system_error{std::make_error_code(std::errc::resource_unavailable_try_again)};
  }
};

}  // namespace

TEST_CASE("D1 an op that takes a token is stopped when the limit is over, not before", "[D1]") {
  const FakeClock clock;
  const auto start = clock.now();
  CHECK_THROWS_AS(with_timeout(10s, sleeper(clock, 1h, cancels), clock), TimeoutError);
  CHECK(clock.now() == start + 10s);
  CHECK(with_timeout(10s, sleeper(clock, 9s, cancels), clock) == 1);
}

TEST_CASE("D1 an op that takes a Call is stopped too", "[D1]") {
  const FakeClock clock;
  auto timeout = attempt_timeout(10s, clock);
  const auto op = [&](const Call& call) {
    CHECK(call.deadline().remaining() == 10s);
    CHECK_FALSE(call.stop_requested());
    CHECK_FALSE(clock.sleep_for(1h, call.stop_token()));
    CHECK(call.stop_requested());
    cancels();
  };
  CHECK_THROWS_AS(timeout.execute(op), TimeoutError);
}

TEST_CASE("D1 an op that takes a Deadline or nothing is not interrupted", "[D1]") {
  const FakeClock clock;
  CHECK(with_timeout(10s, [&] { return clock.sleep_for(1h); }, clock));
  nanoseconds left{};
  CHECK(with_timeout(
      10s,
      [&](Deadline deadline) {
        left = deadline.remaining();
        return clock.sleep_for(1h);
      },
      clock));
  CHECK(left == 10s);
}

TEST_CASE("D1 a stop by the limit reaches a token that op gave to others", "[D1]") {
  const FakeClock clock;
  std::stop_token kept;
  CHECK(with_timeout(
            10s,
            [&](std::stop_token token) {
              kept = token;
              return 1;
            },
            clock) == 1);
  clock.advance(1h);
  CHECK_FALSE(kept.stop_requested());  // the call had ended
}

TEST_CASE("D1 the system's clock stops an op by its own thread", "[D1]") {
  const auto start = std::chrono::steady_clock::now();
  const auto op = [](std::stop_token token) {
    if (!SystemClock{}.sleep_for(1h, token)) cancels();
  };
  CHECK_THROWS_AS(with_timeout(5ms, op), TimeoutError);
  CHECK(std::chrono::steady_clock::now() - start >= 5ms);
  CHECK(std::chrono::steady_clock::now() - start < 1min);
}

TEST_CASE("D1 no_timeout is never over", "[D1]") {
  const FakeClock clock;
  CHECK(with_timeout(no_timeout, sleeper(clock, 100'000h, cancels), clock) == 1);
  CHECK(with_timeout(no_timeout, [](Deadline deadline) { return deadline.is_never(); }, clock));
}

TEST_CASE("D2 what a connection closed under op looks like ends in TimeoutError after the limit", "[D2]") {
  const FakeClock clock;
  const auto end_with = [&](auto error) {
    return [&clock, error] {
      clock.advance(10s);
      throw std::system_error{make_error_code(error)};
    };
  };
  using std::errc;
  for (const errc error :
       {errc::operation_canceled, errc::bad_file_descriptor, errc::broken_pipe, errc::connection_aborted,
        errc::interrupted, errc::not_connected, errc::connection_reset, errc::timed_out}) {
    CHECK_THROWS_AS(with_timeout(10s, end_with(error), clock), TimeoutError);
  }
  CHECK_THROWS_AS(with_timeout(10s, end_with(NetworkErrc::connection_reset), clock), TimeoutError);
  CHECK_THROWS_AS(with_timeout(10s, end_with(PolicyErrc::cancelled), clock), TimeoutError);
}

TEST_CASE("D2 the same before the limit goes on unchanged", "[D2]") {
  const FakeClock clock;
  const auto op = [&] {
    clock.advance(10s - 1ns);
    throw std::system_error{std::make_error_code(std::errc::broken_pipe)};
  };
  try {
    with_timeout(10s, op, clock);
    FAIL("nothing was thrown");
  } catch (const TimeoutError&) {
    FAIL("a TimeoutError");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::broken_pipe);
  }
}

TEST_CASE("D2 any other failure after the limit goes on unchanged", "[D2]") {
  const FakeClock clock;
  const auto not_found = [&] {
    clock.advance(1h);
    throw ApiError{ErrorCode::not_found, "no such order"};
  };
  try {
    with_timeout(10s, not_found, clock);
    FAIL("nothing was thrown");
  } catch (const ApiError& error) {
    CHECK(error.code() == ErrorCode::not_found);
    CHECK(std::string{error.what()}.find("no such order") != std::string::npos);
  }
  const auto misuse = [&] {
    clock.advance(1h);
    throw std::logic_error{"a bug"};
  };
  CHECK_THROWS_AS(with_timeout(10s, misuse, clock), std::logic_error);
  const auto rejected = [&] {
    clock.advance(1h);
    throw BulkheadFullError{"orders"};
  };
  CHECK_THROWS_AS(with_timeout(10s, rejected, clock), BulkheadFullError);
}

TEST_CASE("D2 a TimeoutError is a 504, transient, and says by whose clock and after what time", "[D2]") {
  const FakeClock clock;
  try {
    with_timeout(1500ms, sleeper(clock, 1h, cancels), clock);
    FAIL("nothing was thrown");
  } catch (const TimeoutError& error) {
    CHECK(error.code() == ErrorCode::gateway_timeout);
    CHECK(std::string{error.what()}.find("timed out after 1500ms") != std::string::npos);
    CHECK(error.timestamp() == clock.wall_now());
    const Failure failure{error};
    CHECK(failure.is_transient());
    CHECK(failure.is_timeout());
    CHECK_FALSE(failure.is_rejection());
  }
}

TEST_CASE("D2 a result that can carry it carries the timeout", "[D2]") {
  const FakeClock clock;
  const std::error_code code = with_timeout(
      10s,
      [&](std::stop_token token) {
        clock.sleep_for(1h, token);
        return std::make_error_code(std::errc::operation_canceled);
      },
      clock);
  CHECK(code == PolicyErrc::timed_out);
}

TEST_CASE("D4 the caller's stop wins over a limit that passed too", "[D4]") {
  const FakeClock clock;
  std::stop_source caller;
  const auto stopped_and_late = [&](auto error) {
    return [&clock, &caller, error](std::stop_token token) {
      caller.request_stop();
      CHECK(token.stop_requested());
      clock.advance(1h);
      throw std::system_error{make_error_code(error)};
    };
  };
  for (const auto error : {std::errc::operation_canceled, std::errc::broken_pipe}) {
    caller = std::stop_source{};
    try {
      with_timeout(10s, stopped_and_late(error), clock, caller.get_token());
      FAIL("nothing was thrown");
    } catch (const CancelledError& cancelled) {
      REQUIRE(cancelled.cause());
      CHECK(cancelled.cause()->code() == error);
    }
  }
}

TEST_CASE("D4 the caller's stop reaches op, and its cancellation goes on unchanged", "[D4]") {
  const FakeClock clock;
  std::stop_source caller;
  auto timeout = total_timeout(10s, clock);
  const auto op = [&](std::stop_token token) {
    CHECK_FALSE(token.stop_requested());
    caller.request_stop();
    CHECK_FALSE(clock.sleep_for(1s, token));
    cancels();
  };
  CHECK_THROWS_AS(timeout.execute(op, caller.get_token()), std::system_error);
  CHECK(timeout.stats().timed_out == 0);
}

TEST_CASE("P8 a token that is stopped before the call: op is not called, and nobody counts it", "[P8]") {
  const FakeClock clock;
  std::stop_source caller;
  caller.request_stop();
  auto timeout = total_timeout(10s, clock);
  int calls = 0;
  CHECK_THROWS_AS(timeout.execute([&] { ++calls; }, caller.get_token()), CancelledError);
  CHECK_THROWS_AS(with_timeout(10s, [&] { ++calls; }, clock, caller.get_token()), CancelledError);
  CHECK(calls == 0);
  CHECK(timeout.stats().calls == 0);
}

TEST_CASE("D5 a deadline that is over on entry: op is not called", "[D5]") {
  const FakeClock clock;
  auto timeout = total_timeout(10s, clock);
  int calls = 0;
  const auto op = [&](std::stop_token) { ++calls; };
  CHECK_THROWS_AS(timeout.execute(op, Deadline::at(clock.now(), clock)), TimeoutError);
  CHECK_THROWS_AS(
      with_timeout(10s, [&] { ++calls; }, clock, Deadline::at(clock.now() - 1h, clock)), TimeoutError);
  CHECK(calls == 0);
  CHECK(timeout.stats().timed_out == 1);
}

TEST_CASE("D3 a Deadline of the call that is earlier than the limit stops op", "[D3]") {
  const FakeClock clock;
  const auto start = clock.now();
  CHECK_THROWS_AS(with_timeout(10s, sleeper(clock, 1h, cancels), clock, Deadline::after(3s, clock)),
                  TimeoutError);
  CHECK(clock.now() == start + 3s);
  CHECK_THROWS_AS(with_timeout(2s, sleeper(clock, 1h, cancels), clock, Deadline::after(3s, clock)),
                  TimeoutError);
  CHECK(clock.now() == start + 5s);
}

TEST_CASE("D6 a value that comes late is handed over", "[D6]") {
  const FakeClock clock;
  const auto late = [&] {
    clock.advance(1h);
    return std::string{"late"};
  };
  CHECK(with_timeout(10s, late, clock) == "late");
  auto timeout = total_timeout(10s, clock);
  CHECK(timeout.execute([&](std::stop_token token) {
    CHECK_FALSE(clock.sleep_for(1h, token));
    return std::string{"after the stop"};
  }) == "after the stop");
  CHECK(timeout.stats().late == 1);
  CHECK(timeout.stats().timed_out == 0);
}

TEST_CASE("D8 an exception of the clock's arm leaves execute before op is called", "[D8]") {
  int calls = 0;
  auto timeout = total_timeout(10s, NoThreadClock{});
  CHECK_THROWS_AS(timeout.execute([&](std::stop_token) { ++calls; }), std::system_error);
  CHECK(calls == 0);
  timeout.execute([&] { ++calls; });  // needs no thread
  CHECK(calls == 1);
}

TEST_CASE("D9 ScopedSystemClock governs limits of the system's clock", "[D9]") {
  const FakeClock fake;
  const test::ScopedSystemClock guard{fake};
  auto timeout = total_timeout(10s);
  CHECK_THROWS_AS(timeout.execute(sleeper(fake, 1h, cancels)), TimeoutError);
  CHECK_THROWS_AS(with_timeout(10s, sleeper(fake, 1h, cancels)), TimeoutError);
  CHECK(timeout.execute(sleeper(fake, 9s, cancels)) == 1);
}

TEST_CASE("D9 a guard may end or begin inside op", "[D9]") {
  const FakeClock fake;
  std::optional<test::ScopedSystemClock> guard;
  guard.emplace(fake);
  auto timeout = total_timeout(10s);
  CHECK(timeout.execute([&](std::stop_token token) {
    guard.reset();
    return !token.stop_requested();
  }));
  fake.advance(1h);
  CHECK(timeout.execute([&](std::stop_token token) {
    guard.emplace(FakeClock{});
    return !token.stop_requested();
  }));
}

TEST_CASE("P6 the clock is read once for a call that succeeds, unless a policy outside asks", "[P6]") {
  int readings = 0;
  auto timeout = total_timeout(10s, CountingClock{{}, &readings});
  timeout.execute([] { return 1; });
  CHECK(readings == 1);
}

TEST_CASE("D10 on_call reports how each call of a timeout and of its copies ended", "[D10]") {
  const FakeClock clock;
  auto timeout = total_timeout(10s, clock);
  auto copy = timeout;
  std::vector<CallEvent> events;
  std::vector<std::error_code> codes;
  auto subscription = timeout.on_call([&](const CallEvent& event) {
    events.push_back(event);
    codes.push_back(event.failure != nullptr ? event.failure->code() : std::error_code{});
  });
  timeout.execute([&] { clock.advance(3s); });
  CHECK_THROWS_AS(copy.execute(sleeper(clock, 1h, cancels)), TimeoutError);
  timeout.execute(sleeper(clock, 1h, [] {}));
  REQUIRE(events.size() == 3);
  CHECK(events[0].outcome == Outcome::success);
  CHECK(events[0].duration == 3s);
  CHECK(events[1].outcome == Outcome::failure);
  CHECK(events[1].duration == 10s);
  CHECK(codes[1] == PolicyErrc::timed_out);
  CHECK(events[2].outcome == Outcome::failure);  // late
  CHECK(codes[2] == PolicyErrc::timed_out);
  subscription.unsubscribe();
  timeout.execute([] {});
  CHECK(events.size() == 3);
}

TEST_CASE("C2 a limit that is not above 0 is refused by name", "[C2]") {
  const auto text = [](auto make) -> std::string {
    try {
      make();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "nothing";
  };
  CHECK(text([] { static_cast<void>(total_timeout(0s)); }) == "Timeout.limit must be above 0, got 0s");
  CHECK(text([] { static_cast<void>(attempt_timeout(-1ns)); }) == "Timeout.limit must be above 0, got -1ns");
  int calls = 0;
  CHECK(text([&] { with_timeout(-5ms, [&] { ++calls; }); }) == "Timeout.limit must be above 0, got -5ms");
  CHECK(calls == 0);
}

TEST_CASE("D1 the two names give two types", "[D1]") {
  STATIC_REQUIRE(std::is_same_v<decltype(total_timeout(1s)), Timeout<>>);
  STATIC_REQUIRE(!std::is_same_v<decltype(attempt_timeout(1s)), Timeout<>>);
  STATIC_REQUIRE(
      std::is_same_v<decltype(attempt_timeout(1s, FakeClock{})), Timeout<FakeClock, TimeoutKind::attempt>>);
}

TEST_CASE("P2 op's result is returned as it is: a reference, nothing, a value that cannot be copied",
          "[P2]") {
  int value = 7;
  int& reference = with_timeout(1s, [&](std::stop_token) -> int& { return value; });
  CHECK(&reference == &value);
  CHECK(*with_timeout(1s, [] { return std::make_unique<int>(3); }) == 3);
  auto timeout = total_timeout(1s);
  int& same = timeout.execute([&]() -> int& { return value; });
  CHECK(&same == &value);
  CHECK(with_timeout(1s, [] { return -1; }, failure_if([](int n) { return n < 0; })) == -1);
}
