#include <fusebox/chaos.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using test::FakeClock;

namespace {
using Core = detail::ChaosCore<FakeClock>;
}

TEST_CASE("X2 the error of a fault has the config's status, and says that it was injected", "[X2]") {
  const FakeClock clock;
  Core core{"payments", {.fault = ErrorCode::rate_limit_exceeded, .retry_after = 1500ms}, clock};
  const ApiError error = core.make_fault();
  CHECK(error.code() == ErrorCode::rate_limit_exceeded);
  CHECK(error.category() == ErrorCategory::rate_limit);
  CHECK(error.reason() == make_error_code(ErrorCode::rate_limit_exceeded));
  CHECK(error.retry_after() == 1500ms);
  CHECK(error.message() == std::string{"fault injected by chaos 'payments'"});
  CHECK(error.is_upstream());
  CHECK(error.timestamp() == clock.wall_now());
  REQUIRE(error.details().fields().size() == 1);
  CHECK(error.details().fields().front() == ErrorDetails::Field{"injected_by", "chaos 'payments'"});
  CHECK(is_injected(error));
  CHECK(core.stats() == ChaosStats{.faults = 1});
}

TEST_CASE("X2 without a name and a retry_after the error has none", "[X2]") {
  Core core{"", {}, FakeClock{}};
  const ApiError error = core.make_fault();
  CHECK(error.code() == ErrorCode::service_unavailable);
  CHECK(error.message() == std::string{"fault injected by chaos"});
  CHECK_FALSE(error.retry_after());
}

TEST_CASE("X2 a network fault looks as if nobody had answered", "[X2]") {
  Core core{"", {.network_fault = NetworkErrc::connection_refused}, FakeClock{}};
  const Failure failure{core.make_fault()};
  CHECK(failure.code() == make_error_code(NetworkErrc::connection_refused));
  CHECK(failure.category() == ErrorCategory::network);
  CHECK_FALSE(failure.status());
  CHECK(failure.is_transient());
}

TEST_CASE("X2 another ApiError was not injected", "[X2]") {
  CHECK_FALSE(is_injected(ApiError{ErrorCode::service_unavailable}));
  CHECK_FALSE(is_injected(ApiError{ErrorCode::service_unavailable, "fault injected by chaos"}));
  CHECK_FALSE(is_injected(ApiError{ErrorCode::conflict}.with_details({{"email", "injected_by"}})));
}

TEST_CASE("X4 the seed 0 draws one, which seed() gives", "[X4]") {
  const Core first{"", {}, FakeClock{}};
  const Core second{"", {}, FakeClock{}};
  CHECK(first.seed() != 0);
  CHECK(first.seed() != second.seed());
  const Core third{"", {.seed = 7}, FakeClock{}};
  CHECK(third.seed() == 7);
  CHECK(first.config().seed == 0);
}

TEST_CASE("X4 the n-th call gets the n-th plan", "[X4]") {
  const ChaosConfig config{.fault_rate = 0.5, .latency_rate = 0.5, .seed = 3};
  Core core{"", config, FakeClock{}};
  for (unsigned call = 0; call < 50; ++call) {
    const auto plan = core.begin_call();
    const auto expected = detail::chaos_plan(config, 3, call);
    CHECK(plan.fails == expected.fails);
    CHECK(plan.is_delayed == expected.is_delayed);
  }
  CHECK(core.stats().calls == 50);
}
