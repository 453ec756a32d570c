// A breaker without exceptions: permits, ops that return their errors, fallbacks, probes, events.
#include <fusebox/circuit_breaker.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "reduced/check.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Unexpected;

namespace {

template <class E>
using Answer = support::Expected<int, E>;

Answer<ApiError> api_down() { return Unexpected{ApiError{ErrorCode::service_unavailable, "busy"}}; }
Answer<std::error_code> code_down() {
  return Unexpected<std::error_code>{make_error_code(NetworkErrc::connection_reset)};
}

/// What somebody else's headers say of a type that is neither expected-like nor an error code.
struct Response {
  int status = 200;
};
std::optional<Failure> failure_of(const Response& response) {
  if (response.status < 500) return std::nullopt;
  return Failure::from_status(response.status);
}

void permits() {
  const test::FakeClock clock;
  Breaker breaker{"permits", {.failure_threshold = 2, .success_threshold = 2, .reset_timeout = 1s}, clock};
  breaker.try_acquire().success();
  breaker.try_acquire().ignore();
  for (int i = 0; i < 2; ++i) {
    Permit permit = breaker.try_acquire();
    CHECK(permit);
    permit.failure();
    permit.success();  // only the first report counts
  }
  CHECK(breaker.state() == State::open);
  CHECK(!breaker.try_acquire());
  CHECK(breaker.retry_after() == 1s);
  clock.advance(1s);
  {
    const Permit dropped = breaker.try_acquire();
    CHECK(dropped);
    CHECK(breaker.state() == State::half_open);
  }
  for (int i = 0; i < 2; ++i) breaker.try_acquire().report(Outcome::success);
  CHECK(breaker.state() == State::closed);
  const auto stats = breaker.stats();
  CHECK(stats.failure_count == 2);
  CHECK(stats.success_count == 3);
  CHECK(stats.ignored_count == 2);
  CHECK(stats.rejected_count == 1);
  CHECK(stats.opened_count == 1);
}

void results_carry_failures_and_rejections() {
  const test::FakeClock clock;
  const CircuitBreakerConfig config{.failure_threshold = 1, .reset_timeout = 30s};

  Breaker api{"api", config, clock};
  CHECK(*api.execute([] { return Answer<ApiError>{7}; }) == 7);
  CHECK(api.execute(api_down).error().code() == ErrorCode::service_unavailable);
  const auto rejected = api.execute(api_down);
  CHECK(rejected.error().reason() == PolicyErrc::circuit_open);
  CHECK(rejected.error().retry_after() == 30s);

  Breaker codes{"codes", config, clock};
  CHECK(codes.execute(code_down).error() == NetworkErrc::connection_reset);
  CHECK(codes.execute(code_down).error() == PolicyErrc::circuit_open);

  Breaker bare{"bare", config, clock};
  const auto busy = [] { return make_error_code(ErrorCode::service_unavailable); };
  CHECK(bare.execute(busy) == ErrorCode::service_unavailable);
  CHECK(bare.execute(busy) == PolicyErrc::circuit_open);

  Breaker failures{"failures", config, clock};
  const auto fail = [] { return Answer<Failure>{Unexpected{Failure::from_status(504)}}; };
  CHECK(failures.execute(fail).error().status() == 504);
  CHECK(failures.execute(fail).error().is_rejection());
}

void fallbacks() {
  Breaker breaker{"fallbacks", {.failure_threshold = 2}, test::FakeClock{}};
  CHECK(*breaker.execute(api_down, [] { return Answer<ApiError>{1}; }) == 1);
  std::string why;
  const auto tell = [&](const Failure& failure) {
    why = failure.message();
    return Answer<ApiError>{2};
  };
  CHECK(*breaker.execute(api_down, tell) == 2);
  CHECK(why == "busy");
  CHECK(breaker.state() == State::open);
  CHECK(*breaker.execute(api_down, tell) == 2);
  CHECK(why.find("fallbacks") != std::string::npos);

  // Of an op that cannot tell of a failure, only the rejection is answered.
  CHECK(breaker.execute([] { return 3; }, [] { return 4; }) == 4);
  bool called = false;
  breaker.execute([] {}, [&] { called = true; });
  CHECK(called);
}

void options() {
  const test::FakeClock clock;
  Breaker judged{"judged", {.failure_threshold = 1}, clock};
  const auto busy = [](int status) { return status >= 500; };
  CHECK(judged.execute([] { return 503; }, [] { return 0; }, failure_if(busy)) == 0);
  CHECK(judged.state() == State::open);

  Breaker late{"late", {.failure_threshold = 1}, clock};
  const auto slow = [&](Deadline deadline) {
    clock.advance(2s);
    return Answer<ApiError>{deadline.expired(clock) ? 1 : 0};
  };
  CHECK(*late.execute(slow, {.timeout = 1s}) == 1);
  CHECK(late.state() == State::open);

  Breaker known{"known", {.failure_threshold = 1}, clock};
  const auto unavailable = [] { return Response{503}; };
  CHECK(known.execute(unavailable, [] { return Response{200}; }).status == 200);
  CHECK(known.state() == State::open);
}

void judgement() {
  Breaker breaker{"judgement", {.failure_threshold = 1}, test::FakeClock{}};
  const auto not_found = [] { return make_error_code(ErrorCode::not_found); };
  CHECK(breaker.execute(not_found) == ErrorCode::not_found);  // it answered
  CHECK(breaker.stats().success_count == 1);
  const auto cancelled = [] { return std::make_error_code(std::errc::operation_canceled); };
  CHECK(breaker.execute(cancelled) == std::errc::operation_canceled);
  CHECK(breaker.stats().ignored_count == 1);

  const auto classify = +[](const Failure&) { return Outcome::failure; };
  Breaker strict{"strict", {.failure_threshold = 1, .classify = classify}, test::FakeClock{}};
  CHECK(strict.execute(not_found) == ErrorCode::not_found);
  CHECK(strict.state() == State::open);
}

void events() {
  const test::FakeClock clock;
  Breaker breaker{"events", {.failure_threshold = 1, .success_threshold = 1, .reset_timeout = 1s}, clock};
  std::vector<std::pair<State, State>> seen;
  const auto subscription =
      breaker.on_state_change([&](const StateChange& change) { seen.emplace_back(change.from, change.to); });
  CHECK(breaker.execute(api_down).has_value() == false);
  clock.advance(1s);
  CHECK(breaker.execute([] { return Answer<ApiError>{1}; }).has_value());
  CHECK(seen == std::vector<std::pair<State, State>>{{State::closed, State::open},
                                                     {State::open, State::half_open},
                                                     {State::half_open, State::closed}});
}

}  // namespace

int main() {
  permits();
  results_carry_failures_and_rejections();
  fallbacks();
  options();
  judgement();
  events();
  return reduced::report();
}
