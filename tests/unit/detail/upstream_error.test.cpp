#include <fusebox/api_error.hpp>
#include <fusebox/detail/upstream_error.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::detail::upstream_error;

TEST_CASE("E5 the error of an upstream's failure keeps what the failure says", "[E5]") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  const auto busy = upstream_error(Failure::from_status(503, 1500ms), "stock");
  REQUIRE(busy);
  CHECK(busy->code() == ErrorCode::service_unavailable);
  CHECK(busy->category() == ErrorCategory::external_service);
  CHECK(busy->reason() == make_error_code(ErrorCode::service_unavailable));
  CHECK(busy->message() == "stock: " + Failure::from_status(503).message());
  CHECK(busy->retry_after() == 1500ms);
  CHECK(busy->timestamp() == clock.wall_now());
  CHECK(busy->is_upstream());
  CHECK(busy->upstream() == "stock");
}

TEST_CASE("E5 the error of an upstream that gave no status is a 502", "[E5]") {
  const auto lost = upstream_error(Failure{NetworkErrc::connection_reset}, "stock");
  REQUIRE(lost);
  CHECK(lost->code() == ErrorCode::bad_gateway);
  CHECK(lost->category() == ErrorCategory::network);
  CHECK(lost->reason() == NetworkErrc::connection_reset);
  CHECK_FALSE(lost->retry_after());
}

TEST_CASE("E5 the error of an upstream's failure has the text that its adapter gives", "[E5]") {
  CHECK(upstream_error(Failure::from_status(503), "cache", "LOADING wait")->message() ==
        "cache: LOADING wait");
  CHECK(upstream_error(Failure::from_status(503), "cache", "")->message() == "cache: ");
}

TEST_CASE("E5 no failure of an upstream is no error", "[E5]") {
  CHECK_FALSE(upstream_error(std::nullopt, "stock"));
  CHECK_FALSE(upstream_error(std::nullopt, "stock", "text"));
}
