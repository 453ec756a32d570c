// Timeouts inside timeouts, retries and breakers.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <system_error>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::TimerNode;
using std::chrono::nanoseconds;
using test::FakeClock;

namespace {

/// Counts what is armed and disarmed, and when it is due.
struct WatchedClock : FakeClock {
  struct Log {
    std::vector<nanoseconds> armed;  // after now
    int disarmed = 0;
    int readings = 0;
  };
  std::shared_ptr<Log> log = std::make_shared<Log>();

  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    ++log->readings;
    return FakeClock::now();
  }
  void arm(TimerNode& node, std::chrono::steady_clock::time_point due) const {
    log->armed.emplace_back(due - FakeClock::now());
    FakeClock::arm(node, due);
  }
  void disarm(TimerNode& node) const noexcept {
    ++log->disarmed;
    FakeClock::disarm(node);
  }
};

/// The policies, outermost first, around op.
template <class Op, class... Policies>
decltype(auto) run(Op op, Policies&... policies) {
  return detail::drive(detail::PartTuple<Policies&...>{policies...}, op);
}
template <class Op, class... Policies>
decltype(auto) run_until(const Deadline& deadline, Op op, Policies&... policies) {
  return detail::drive(detail::PartTuple<Policies&...>{policies...}, op, deadline);
}

void cancel() { throw std::system_error{std::make_error_code(std::errc::operation_canceled)}; }
void close_connection() { throw std::system_error{std::make_error_code(std::errc::bad_file_descriptor)}; }

/// An op that sleeps until it is stopped, and then ends as `end` does.
auto hang(const WatchedClock& clock, void (*end)() = cancel) {
  return [&clock, end](std::stop_token token) {
    CHECK_FALSE(clock.sleep_for(1000h, token));
    end();
  };
}

using Log = std::vector<nanoseconds>;

/// A layer that notes how what is inside it ended.
struct Witness {
  std::optional<detail::Verdict> verdict;
};

}  // namespace

namespace fusebox::detail {
template <>
struct Layer<Witness> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  using Clock = void;
  template <class Context>
  struct Frame {
    Frame(Witness& policy, const Call& outer, NoSide&) : witness{policy}, call_{outer} {}
    static Verdict enter(SlotBase& /*slot*/) { return Verdict::success; }
    [[nodiscard]] const Call& call() const { return call_; }
    template <class Slot>
    bool again(Verdict& verdict, Slot& /*slot*/) {
      witness.verdict = verdict;
      return false;
    }
    Witness& witness;
    const Call& call_;
  };
};
/// The same, and it asks for late values.
struct LateWitness : Witness {};
template <>
struct Layer<LateWitness> : Layer<Witness> {
  static constexpr bool watches_late = true;
};
}  // namespace fusebox::detail

using detail::LateWitness;
using detail::Verdict;

TEST_CASE("D3 of nested limits the earliest alone is armed, and its policy says TimeoutError", "[D3]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto inner = attempt_timeout(3s, clock);
  Witness between;
  void (*const end)() = GENERATE(&cancel, &close_connection);
  SECTION("the outer one is the earliest") {
    auto longer = attempt_timeout(30s, clock);
    CHECK_THROWS_AS(run(hang(clock, end), outer, between, longer), TimeoutError);
    CHECK(between.verdict == Verdict::cancelled);
    CHECK(clock.log->armed == Log{10s});
    CHECK(outer.stats().timed_out == 1);
    CHECK(longer.stats().timed_out == 0);
    CHECK(longer.stats().calls == 1);
  }
  SECTION("both are the same: the outer one holds") {
    auto equal = attempt_timeout(10s, clock);
    CHECK_THROWS_AS(run(hang(clock, end), outer, between, equal), TimeoutError);
    CHECK(between.verdict == Verdict::cancelled);
    CHECK(equal.stats().timed_out == 0);
    CHECK(outer.stats().timed_out == 1);
  }
  SECTION("the inner one is the earliest") {
    CHECK_THROWS_AS(run(hang(clock, end), outer, between, inner), TimeoutError);
    CHECK(between.verdict == Verdict::failure);
    CHECK(clock.log->armed == Log{10s, 3s});
    CHECK(outer.stats().timed_out == 0);
    CHECK(inner.stats().timed_out == 1);
  }
}

TEST_CASE("D3 an op that is not interrupted: the policy whose limit it was says TimeoutError, too", "[D3]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto inner = attempt_timeout(30s, clock);
  Witness between;
  const auto op = [&] {
    clock.advance(10s);
    close_connection();
  };
  CHECK_THROWS_AS(run(op, outer, between, inner), TimeoutError);
  CHECK(between.verdict == Verdict::cancelled);
  CHECK(outer.stats().timed_out == 1);
  CHECK(inner.stats().timed_out == 0);
}

TEST_CASE("D3 an inner limit is armed in place of the outer one, and given back", "[D3]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto inner = attempt_timeout(3s, clock);
  run([](std::stop_token) {}, outer, inner);
  // The outer one does not know what comes inside: it is armed first.
  CHECK(clock.log->armed == Log{10s, 3s});
  CHECK(clock.log->disarmed == 2);
}

TEST_CASE("D3 the limits of three policies: the one in the middle ends the call", "[D3]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto middle = total_timeout(5s, clock);
  auto inner = attempt_timeout(7s, clock);
  CHECK_THROWS_AS(run(hang(clock), outer, middle, inner), TimeoutError);
  CHECK(clock.log->armed == Log{10s, 5s});
  CHECK(outer.stats().timed_out == 0);
  CHECK(middle.stats().timed_out == 1);
  CHECK(inner.stats().timed_out == 0);
}

TEST_CASE("D3 a deadline that no timeout holds stops op, and the outermost timeout inside it says so",
          "[D3]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto inner = attempt_timeout(30s, clock);
  const Deadline deadline = Deadline::after(4s, clock);
  CHECK_THROWS_AS(run_until(deadline, hang(clock), outer, inner), TimeoutError);
  CHECK(clock.log->armed == Log{4s});
  CHECK(outer.stats().timed_out == 1);
  CHECK(inner.stats().timed_out == 0);
}

TEST_CASE("D3 so does a deadline between two timeouts, of which the inner one says so", "[D3]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto between = retry({.total_timeout = 2s}, clock);
  auto inner = attempt_timeout(30s, clock);
  CHECK_THROWS_AS(run(hang(clock), outer, between, inner), TimeoutError);
  CHECK(clock.log->armed == Log{10s, 2s});
  CHECK(outer.stats().timed_out == 0);
  CHECK(inner.stats().timed_out == 1);
}

TEST_CASE("D4 a stop of the caller's passes nested limits", "[D4]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto inner = attempt_timeout(3s, clock);
  std::stop_source caller;
  const auto op = [&](std::stop_token token) {
    caller.request_stop();
    CHECK(token.stop_requested());
    clock.advance(1h);
    close_connection();
  };
  detail::PartTuple<decltype(outer)&, decltype(inner)&> parts{outer, inner};
  const std::stop_token token = caller.get_token();
  CHECK_THROWS_AS(detail::drive(parts, op, token), CancelledError);
  CHECK(outer.stats().timed_out == 0);
  CHECK(inner.stats().timed_out == 0);
}

TEST_CASE("D5 an outer limit that is over on entry: op is not called, and the outer policy says so", "[D5]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto inner = attempt_timeout(3s, clock);
  int calls = 0;
  CircuitBreaker<WatchedClock> breaker{"b", {.failure_threshold = 1, .reset_timeout = 1ms}, clock};
  breaker.try_acquire().failure();
  clock.advance(1s);
  const auto slow = breaker.on_state_change([&](const StateChange&) { clock.advance(20s); });
  SECTION("and op is stopped") {
    CHECK_THROWS_AS(run([&](std::stop_token) { ++calls; }, outer, breaker, inner), TimeoutError);
  }
  SECTION("and op cannot be stopped") {
    CHECK_THROWS_AS(run([&] { ++calls; }, outer, breaker, inner), TimeoutError);
  }
  CHECK(calls == 0);
  CHECK(outer.stats().timed_out == 1);
  CHECK(inner.stats().calls == 0);
  CHECK(breaker.stats().ignored_count == 1);  // to it, a cancellation
}

TEST_CASE("D6 P6 a late value is handed over, and a failure to a breaker outside", "[D6][P6]") {
  const WatchedClock clock;
  auto timeout = attempt_timeout(3s, clock);
  CircuitBreaker<WatchedClock> breaker{"b", {.failure_threshold = 1}, clock};
  const auto late = [&] {
    clock.advance(3s);
    return 7;
  };
  CHECK(run(late, breaker, timeout) == 7);
  CHECK(breaker.state() == State::open);
  CHECK(timeout.stats().late == 1);
}

TEST_CASE("P6 a value in time is a success to a breaker outside", "[P6]") {
  const WatchedClock clock;
  auto timeout = attempt_timeout(3s, clock);
  CircuitBreaker<WatchedClock> breaker{"b", {.failure_threshold = 1}, clock};
  CHECK(run(
            [&] {
              clock.advance(3s - 1ns);
              return 7;
            },
            breaker, timeout) == 7);
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().success_count == 1);
}

TEST_CASE("P6 the clock is read after a success only if a policy outside asks for late values", "[P6]") {
  const WatchedClock clock;
  auto timeout = attempt_timeout(3s, clock);
  Witness plain;
  LateWitness watching;
  const auto readings_of = [&](auto&... policies) {
    const int before = clock.log->readings;
    run([](std::stop_token) { return 1; }, policies...);
    return clock.log->readings - before;
  };
  CHECK(readings_of(plain, timeout) == 1);
  CHECK(readings_of(timeout, watching) == 1);
  CHECK(readings_of(watching, timeout) == 2);
  CHECK(readings_of(watching, plain, timeout) == 2);
}

TEST_CASE("P6 with two limits, the outer one is not what the breaker between them watches", "[P6]") {
  const WatchedClock clock;
  auto outer = total_timeout(2s, clock);
  auto inner = attempt_timeout(3s, clock);
  LateWitness between;
  CHECK(run(
            [&] {
              clock.advance(2s);
              return 7;
            },
            outer, between, inner) == 7);
  CHECK(between.verdict == Verdict::success);
  CHECK(inner.stats().late == 0);
}

TEST_CASE("P7 the deadline that reaches op is the earliest of all", "[P7]") {
  const WatchedClock clock;
  auto outer = total_timeout(10s, clock);
  auto inner = attempt_timeout(3s, clock);
  auto longer = attempt_timeout(30s, clock);
  const auto left = [](const Call& call) { return call.deadline().remaining(); };
  CHECK(run(left, outer, inner) == 3s);
  CHECK(run(left, outer, longer) == 10s);
  CHECK(run_until(Deadline::after(1s, clock), left, outer, inner) == 1s);
  const auto by_value = [](Deadline deadline) { return deadline.remaining(); };
  CHECK(run(by_value, outer, inner) == 3s);
}

TEST_CASE("P7 a retry inside a limit does not begin a wait that the limit ends", "[P7]") {
  const WatchedClock clock;
  const auto start = clock.now();
  int calls = 0;
  const auto op = [&](std::stop_token token) {
    const auto attempt = [&](const Attempt&) -> int {
      ++calls;
      throw ApiError{ErrorCode::service_unavailable};
    };
    return *retry_with_backoff(attempt, {.max_retries = 10, .base_delay = 2s, .jitter = Jitter::none}, clock,
                               token, Deadline::at(start + 10s, clock));
  };
  auto timeout = total_timeout(10s, clock);
  CHECK_THROWS_AS(timeout.execute(op), ApiError);
  CHECK(calls == 3);  // at 0, 2 and 6 s; the next wait would end at 14 s
  CHECK(clock.now() == start + 6s);
}

TEST_CASE("D1 each call arms a timer of its own and gives it back, however it ends", "[D1]") {
  const WatchedClock clock;
  auto timeout = total_timeout(3s, clock);
  run([](std::stop_token) {}, timeout);
  CHECK_THROWS_AS(run([](std::stop_token) { throw std::runtime_error{"down"}; }, timeout),
                  std::runtime_error);
  CHECK_THROWS_AS(run(hang(clock), timeout), TimeoutError);
  const auto hook = failure_if([](int) -> bool { throw std::logic_error{"a hook"}; });
  CHECK_THROWS_AS(timeout.execute([](std::stop_token) { return 1; }, hook), std::logic_error);
  CHECK(clock.log->armed == Log{3s, 3s, 3s, 3s});
  CHECK(clock.log->disarmed == 4);
}

TEST_CASE("P2 an op that cannot be stopped arms no timer", "[P2]") {
  const WatchedClock clock;
  auto timeout = total_timeout(3s, clock);
  run([] {}, timeout);
  run([](Deadline) {}, timeout);
  CHECK(clock.log->armed.empty());
  run([](const Call&) {}, timeout);
  CHECK(clock.log->armed.size() == 1);
}
