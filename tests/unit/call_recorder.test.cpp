#include <fusebox/call_recorder.hpp>

#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

namespace {

using Recorder = CallRecorder<FakeClock>;

/// A steady clock that shows any time.
struct ClockAt {
  const detail::Tick* ticks;

  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    return std::chrono::steady_clock::time_point{std::chrono::nanoseconds{*ticks}};
  }
  [[nodiscard]] static std::chrono::system_clock::time_point wall_now() { return {}; }
};

}  // namespace

TEST_CASE("O1 a recorder keeps when a call began, its latency and how it ended", "[O1]") {
  const FakeClock clock;
  CircuitBreaker breaker{"payments", {}, clock};
  Recorder recorder{{}, clock};
  recorder.watch(breaker);
  clock.advance(2s);
  breaker.execute([&] { clock.advance(30ms); });
  CHECK_THROWS(breaker.execute([&] {
    clock.advance(1ms);
    throw ApiError{ErrorCode::bad_gateway};
  }));
  CHECK_THROWS(
      breaker.execute([] { throw std::system_error{make_error_code(NetworkErrc::connection_reset)}; }));
  CHECK_THROWS(breaker.execute([] { throw CancelledError{}; }));
  CHECK(recorder.calls() == std::vector<RecordedCall>{
                                {"payments", 2s, 30ms, Outcome::success, std::nullopt, false},
                                {"payments", 2s + 30ms, 1ms, Outcome::failure, 502, false},
                                {"payments", 2s + 31ms, 0ms, Outcome::failure, std::nullopt, true},
                                {"payments", 2s + 31ms, 0ms, Outcome::ignored, 503, false},
                            });
  CHECK(recorder.started_at() == clock.wall_now() - 2s - 31ms);
}

TEST_CASE("O1 every policy with on_call() can be watched, several at once", "[O1]") {
  const FakeClock clock;
  Recorder recorder{{}, clock};
  Bulkhead bulkhead{"k", {}, clock};
  RateLimiter limiter{"q", {}, clock};
  auto limit = attempt_timeout(1s, clock);
  auto again = retry(RetryConfig{}, clock);
  recorder.watch(bulkhead);
  recorder.watch(limiter);
  recorder.watch(limit);
  recorder.watch(again);
  bulkhead.execute(
      [&] { limiter.execute([&] { limit.execute([&] { again.execute([] { return 1; }); }); }); });
  CHECK(recorder.stats().recorded == 4);
  CHECK(recorder.to_csv("q") == "time_s,latency_ms,outcome,code\n0.000000,0.000,success,\n");
  CHECK(recorder.to_csv("none") == "time_s,latency_ms,outcome,code\n");
}

TEST_CASE("O1 a policy may go before the recorder, and the recorder before the policy", "[O1]") {
  const FakeClock clock;
  auto recorder = std::make_unique<Recorder>(CallRecorderConfig{}, clock);
  {
    Bulkhead bulkhead{"k", {}, clock};
    recorder->watch(bulkhead);
    bulkhead.execute([] {});
  }
  CHECK(recorder->stats().recorded == 1);
  Bulkhead other{"o", {}, clock};
  recorder->watch(other);
  recorder.reset();
  other.execute([] {});
}

TEST_CASE("O1 a callback of one's own may record what it chooses", "[O1]") {
  const FakeClock clock;
  Recorder recorder{{}, clock};
  clock.advance(1s);
  recorder.record({.name = "log", .outcome = Outcome::success, .duration = 3s});
  recorder.record({.name = "log", .outcome = Outcome::failure});
  CHECK(recorder.to_csv() ==
        "time_s,latency_ms,outcome,code\n-2.000000,3000.000,success,\n1.000000,,failure,\n");
}

TEST_CASE("O1 a clock that goes back, a latency without end and a status that is none", "[O1]") {
  detail::Tick now = detail::ticks(1h);
  CallRecorder recorder{{}, ClockAt{&now}};
  now -= detail::ticks(1s);
  const auto longest = std::chrono::nanoseconds::max();
  const Failure odd = Failure::from_status(65'536 + 503);
  recorder.record({"own", Outcome::failure, longest, &odd});
  const auto calls = recorder.calls();
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].time == std::chrono::nanoseconds::min());
  CHECK(calls[0].latency == longest);
  CHECK(calls[0].status == std::nullopt);
  CHECK(recorder.to_csv("own") ==
        "time_s,latency_ms,outcome,code\n-9223372036.854775,9223372036854.775,failure,\n");
}

TEST_CASE("O2 it keeps the last calls, counts those that it drops, and allocates for none", "[O2]") {
  const FakeClock clock;
  Recorder recorder{{.capacity = 2}, clock};
  const CallEvent event{.name = "a name that is too long to lie within its string",
                        .outcome = Outcome::success};
  recorder.record(event);
  CHECK(support::allocations_of([&] {
          for (int i = 0; i < 5; ++i) recorder.record(event);
        }) == 0);
  CHECK(recorder.calls().size() == 2);
  CHECK(recorder.stats() == CallRecorderStats{.recorded = 6, .dropped = 4});
  recorder.clear();
  CHECK(recorder.stats() == CallRecorderStats{});
  CHECK(recorder.calls().empty());
}

TEST_CASE("O3 write_csv() appends", "[O3]") {
  const FakeClock clock;
  Recorder recorder{{}, clock};
  recorder.record({.name = "a", .outcome = Outcome::success, .duration = 1ms});
  std::string out = "before\n";
  recorder.write_csv(out);
  CHECK(out == "before\n" + recorder.to_csv());
}

TEST_CASE("O1 threads may record at once", "[O1]") {
  CallRecorder<> recorder;
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<CallRecorder<>>);
  CircuitBreaker<> breaker{"b"};
  recorder.watch(breaker);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) breaker.execute([] {});
    });
  }
  for (int i = 0; i < 10; ++i) CHECK(recorder.to_csv().size() > 10);
  for (auto& thread : threads) thread.join();
  CHECK(recorder.stats().recorded == 2000);
  CHECK(recorder.calls().size() == 2000);
}
