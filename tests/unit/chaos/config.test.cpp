#include <fusebox/chaos.hpp>

#include <chrono>
#include <limits>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {
constexpr auto status = [](int value) { return static_cast<ErrorCode>(value); };
}  // namespace

TEST_CASE("C1 X1 by default chaos injects nothing", "[C1][X1]") {
  constexpr ChaosConfig config;
  STATIC_REQUIRE(config.fault_rate == 0);
  STATIC_REQUIRE(config.latency_rate == 0);
  STATIC_REQUIRE(config.fault == ErrorCode::service_unavailable);
  STATIC_REQUIRE_FALSE(config.network_fault);
  STATIC_REQUIRE(config.seed == 0);
  STATIC_REQUIRE(config == ChaosConfig{.latency = 1s});
  CHECK(validate(config).empty());
}

TEST_CASE("C2 C3 what is refused is named", "[C2][C3]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(validate({.fault_rate = 1, .fault = status(400), .latency_rate = 1}).empty());
  CHECK(validate({.fault = status(599), .latency = no_timeout, .latency_jitter = no_timeout}).empty());
  CHECK(validate({.latency = 0s}).empty());
  CHECK(validate({.fault_rate = -0.1}) == "ChaosConfig.fault_rate must be in [0, 1], got -0.1");
  CHECK(validate({.fault_rate = 1.1}) == "ChaosConfig.fault_rate must be in [0, 1], got 1.1");
  CHECK_FALSE(validate({.fault_rate = nan}).empty());
  CHECK(validate({.fault = status(399)}) == "ChaosConfig.fault must be in [400, 599], got 399");
  CHECK(validate({.fault = status(600)}) == "ChaosConfig.fault must be in [400, 599], got 600");
  CHECK(validate({.retry_after = -1ns}) == "ChaosConfig.retry_after must be at least 0, got -1ns");
  CHECK(validate({.latency_rate = 1.5}) == "ChaosConfig.latency_rate must be in [0, 1], got 1.5");
  CHECK_FALSE(validate({.latency_rate = nan}).empty());
  CHECK(validate({.latency = -1s}) == "ChaosConfig.latency must be at least 0, got -1s");
  CHECK(validate({.latency_jitter = -1s}) == "ChaosConfig.latency_jitter must be at least 0, got -1s");
  CHECK(validate({.latency = 1s, .latency_jitter = 2s}) ==
        "ChaosConfig.latency_jitter must be at most latency, 1s, got 2s");
}
