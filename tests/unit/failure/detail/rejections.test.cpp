#include <fusebox/failure/detail/rejections.hpp>

#include <fusebox/failure.hpp>

#include <chrono>
#include <optional>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::PolicyRejection;

namespace {

constexpr std::chrono::system_clock::time_point noon{12h};

}  // namespace

TEST_CASE("E4 the rejections of a policy have its name, its code, and the time that it says", "[E4]") {
  const auto full = PolicyRejection::source<BulkheadFullError>("reports");
  const RejectedError error = PolicyRejection::error(full, 3s, noon);
  CHECK(error.name() == "reports");
  CHECK(std::string{error.what()} == "bulkhead 'reports' is full");
  CHECK(error.reason() == PolicyErrc::bulkhead_full);
  CHECK(error.code() == ErrorCode::service_unavailable);
  CHECK(error.retry_after() == 3s);
  CHECK(error.timestamp() == noon);
  CHECK(BulkheadFullError{error}.name() == "reports");

  const auto limited = PolicyRejection::source<RateLimitedError>("api");
  CHECK(PolicyRejection::error(limited, std::nullopt, noon).reason() == PolicyErrc::rate_limited);
  CHECK_FALSE(PolicyRejection::error(limited, std::nullopt, noon).retry_after());
}

TEST_CASE("F9 a rejection as a Failure restores the policy's error", "[F9][E4]") {
  const auto source = PolicyRejection::source<BulkheadFullError>("reports");
  const Failure failure = PolicyRejection::failure(source, std::nullopt, noon);
  CHECK(failure.is_rejection());
  CHECK(failure.code() == PolicyErrc::bulkhead_full);
  CHECK(failure.message() == "bulkhead 'reports' is full");
  CHECK_FALSE(failure.retry_after());
  try {
    failure.rethrow();
  } catch (const BulkheadFullError& error) {
    CHECK(error.name() == "reports");
    CHECK(error.timestamp() == noon);
    CHECK_FALSE(error.retry_after());
  }

  const Failure open = detail::CircuitRejection::failure(detail::CircuitRejection::source("b"), 2s, noon, 7);
  CHECK_THROWS_AS(open.rethrow(), CircuitOpenError);
  CHECK(open.retry_after() == 2s);
}
