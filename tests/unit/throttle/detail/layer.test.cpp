#include <fusebox/pipeline.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/throttle/detail/layer.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/throttle.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeThrottle;
using test::FakeClock;

namespace {

/// Rejects practically every call once all have failed.
constexpr ThrottleConfig strict{.k = 1, .max_rejection = 1, .minimum_calls = 0, .seed = 1};

/// So many failures that it does.
void refuse(FakeThrottle& throttle) { support::count(throttle, 0, 100'000); }

struct Seen {
  std::uint64_t requests;
  std::uint64_t accepts;
  friend bool operator==(const Seen&, const Seen&) = default;
};
template <class T>
Seen seen(const T& throttle) {
  const ThrottleStats stats = throttle.stats();
  return {stats.requests, stats.accepts};
}

}  // namespace

TEST_CASE("V6 a rejected call is a ThrottledError, and op is not called", "[V6]") {
  const FakeClock clock;
  FakeThrottle throttle{"search", strict, clock};
  refuse(throttle);
  clock.set_wall(std::chrono::system_clock::time_point{5h});
  int calls = 0;
  try {
    throttle.execute([&] { ++calls; });
    FAIL("it was not rejected");
  } catch (const ThrottledError& error) {
    CHECK(error.name() == "search");
    CHECK(std::string{error.what()} == "throttle 'search' rejected the call");
    CHECK(error.reason() == PolicyErrc::throttled);
    CHECK(static_cast<int>(error.code()) == 503);
    CHECK_FALSE(error.retry_after());
    CHECK(error.timestamp() == std::chrono::system_clock::time_point{5h});
  }
  CHECK(calls == 0);
  CHECK(throttle.stats().rejected == 1);
}

TEST_CASE("V6 a result that can carry the error carries it, without an allocation", "[V6]") {
  const FakeClock clock;
  FakeThrottle throttle{"search", strict, clock};
  refuse(throttle);
  const auto ok = [] { return std::error_code{}; };
  std::error_code refused;
  CHECK(support::allocations_of([&] { refused = throttle.execute(ok); }) == 0);
  CHECK(refused == PolicyErrc::throttled);
}

TEST_CASE("V2 an admitted call hands over what op gives, also an exception", "[V2]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {}, clock};
  CHECK_THROWS_AS(throttle.execute([]() -> int { throw std::logic_error{"op"}; }), std::logic_error);
  CHECK(seen(throttle) == Seen{1, 0});
  std::string text = "text";
  CHECK(&throttle.execute([&]() -> std::string& { return text; }) == &text);
  throttle.execute([] {});
  CHECK(seen(throttle) == Seen{3, 2});
}

TEST_CASE("V2 what the dependency has answered is accepted, what it has not is not", "[V2][F2]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {}, clock};
  const auto status = [&](int code) {
    CHECK_THROWS_AS(throttle.execute([&] { Failure::from_status(code).rethrow(); }), ApiError);
  };
  for (const int answered : {400, 401, 404, 422, 499}) status(answered);
  CHECK(seen(throttle) == Seen{5, 5});
  for (const int refused : {408, 429, 500, 502, 503, 504}) status(refused);
  CHECK(seen(throttle) == Seen{11, 5});
  const auto code = [](auto error) { return [error] { return std::error_code{error}; }; };
  static_cast<void>(throttle.execute(code(make_error_code(ErrorCode::not_found))));
  CHECK(seen(throttle) == Seen{12, 6});
  static_cast<void>(throttle.execute(code(make_error_code(std::errc::connection_refused))));
  CHECK(seen(throttle) == Seen{13, 6});
  static_cast<void>(throttle.execute([] { return 404; }, failure_if([](int value) { return value == 404; })));
  CHECK(seen(throttle) == Seen{14, 6});  // without a status
}

TEST_CASE("V2 P5 a call that was rejected inside, or cancelled, is as if it had not been made", "[V2][P5]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {}, clock};
  const auto code = [](auto error) { return [error] { return make_error_code(error); }; };
  for (const auto reason : {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full, PolicyErrc::rate_limited,
                            PolicyErrc::throttled, PolicyErrc::cancelled})
    static_cast<void>(throttle.execute(code(reason)));
  CHECK_THROWS_AS(throttle.execute([] { throw CircuitOpenError{}; }), CircuitOpenError);
  CHECK_THROWS_AS(throttle.execute([] { throw CancelledError{}; }), CancelledError);
  CHECK_THROWS_AS(throttle.execute([] { throw ConfigError{"bad"}; }), ConfigError);
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(throttle.execute([] {}, stop.get_token()), CancelledError);
  CHECK(throttle.stats() == ThrottleStats{});
}

TEST_CASE("V2 P6 a late value is not accepted, and is handed over", "[V2][P6]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {}, clock};
  auto late = compose(throttle, attempt_timeout(1s, clock));
  CHECK(late.execute([&] {
    clock.advance(2s);
    return 7;
  }) == 7);
  CHECK(seen(throttle) == Seen{1, 0});
  CHECK(late.execute([] { return 8; }) == 8);
  CHECK(seen(throttle) == Seen{2, 1});
}

TEST_CASE("V2 a call under way is no request", "[V2]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {.minimum_calls = 0}, clock};
  auto pipeline = compose(throttle);
  auto run = pipeline.start<int>();
  CHECK(run.next().kind == Step::Kind::call);
  CHECK(throttle.stats().requests == 0);
  run.report(1);
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(seen(throttle) == Seen{1, 1});
  {
    auto abandoned = pipeline.start<int>();
    CHECK(abandoned.next().kind == Step::Kind::call);
  }
  CHECK(seen(throttle) == Seen{1, 1});
}

TEST_CASE("V3 a call counts in the step of its admission", "[V3]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", {.window = 12s}, clock};
  throttle.execute([&] { clock.advance(5s); });
  CHECK(seen(throttle) == Seen{1, 1});
  clock.advance(6s);
  CHECK(seen(throttle) == Seen{1, 1});
  clock.advance(1s);
  CHECK(seen(throttle) == Seen{0, 0});
  throttle.execute([&] { clock.advance(12s); });
  CHECK(throttle.stats() == ThrottleStats{.total_requests = 2, .total_accepts = 2});
}

TEST_CASE("V4 P17 a call has the priority of its option", "[V4][P17]") {
  const FakeClock clock;
  FakeThrottle throttle{"t", strict, clock};
  support::count(throttle, 0, 100'000, Priority::background);
  CHECK_THROWS_AS(throttle.execute([] {}, Priority::background), ThrottledError);
  CHECK(throttle.rejection_ratio(Priority::background) > 0.99);
  CHECK(throttle.rejection_ratio(Priority::critical) == 0);
  for (int call = 0; call < 100; ++call) throttle.execute([] {}, Priority::critical);
  CHECK(throttle.stats().accepts == 100);
}
