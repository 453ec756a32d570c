#include <fusebox/retry/config.hpp>

#include <chrono>
#include <climits>
#include <limits>
#include <string_view>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr bool is_good(const RetryConfig& config) { return !detail::check(config); }

/// Is this what is said of the first wrong field?
constexpr bool refuses(const RetryConfig& config, std::string_view field, std::string_view rule) {
  const detail::Problem problem = detail::check(config);
  return problem && problem.field == field && problem.rule == rule;
}
constexpr bool refuses_retries(int value) {
  const RetryConfig config{.max_retries = value};
  return refuses(config, "max_retries", "in [0, 65535]") && detail::check(config).number == value;
}
constexpr bool refuses_base(nanoseconds value) {
  const RetryConfig config{.base_delay = value};
  return refuses(config, "base_delay", "at least 0") && detail::check(config).number == value.count();
}
constexpr bool refuses_max(nanoseconds value, std::string_view rule) {
  const RetryConfig config{.max_delay = value};
  return refuses(config, "max_delay", rule) && detail::check(config).number == value.count();
}
constexpr bool refuses_multiplier(double value) {
  const RetryConfig config{.multiplier = value};
  const double got = detail::check(config).real;
  return refuses(config, "multiplier", "finite and at least 1") && (got == value || value != value);
}
constexpr bool refuses_total_timeout(nanoseconds value) {
  const RetryConfig config{.total_timeout = value};
  return refuses(config, "total_timeout", "above 0") && detail::check(config).number == value.count();
}
constexpr bool refuses_jitter(int value) {
  const RetryConfig config{.jitter = static_cast<Jitter>(value)};
  return refuses(config, "jitter", "one of none, full, equal, decorrelated, proportional") &&
         detail::check(config).number == value;
}
constexpr bool refuses_factor(double value) {
  const RetryConfig config{.jitter_factor = value};
  const double got = detail::check(config).real;
  return refuses(config, "jitter_factor", "in [0, 1]") && (got == value || value != value);
}

}  // namespace

TEST_CASE("R16 the presets are the guide's, and otherwise the defaults", "[R16]") {
  using namespace retry_presets;
  static_assert(quick == RetryConfig{.max_retries = 2, .base_delay = 500ms, .max_delay = 5s});
  static_assert(standard == RetryConfig{});
  static_assert(slow == RetryConfig{.max_retries = 5, .base_delay = 2s, .max_delay = 60s});
  static_assert(aggressive == RetryConfig{.max_retries = 3, .base_delay = 100ms, .max_delay = 5s});
  static_assert(is_good(quick) && is_good(standard) && is_good(slow) && is_good(aggressive));
  SUCCEED();
}

TEST_CASE("R1 exponential_delay takes its numbers from the config", "[R1]") {
  static_assert(exponential_delay({}, 0) == 1s);
  static_assert(exponential_delay({}, 4) == 16s);
  static_assert(exponential_delay({}, 5) == 30s);
  static_assert(exponential_delay({}, ~std::uint32_t{0}) == 30s);
  static_assert(exponential_delay({.base_delay = 100ms, .max_delay = 3s, .multiplier = 1.5}, 2) == 225ms);
  static_assert(exponential_delay({.base_delay = 100ms, .max_delay = 3s, .multiplier = 10}, 2) == 3s);
  static_assert(noexcept(exponential_delay(retry_presets::standard, 0)));
  SUCCEED();
}

TEST_CASE("C2 validate names the field, the rule and the value of what it refuses", "[C2]") {
  CHECK(validate(RetryConfig{}).empty());
  CHECK(validate(RetryConfig{.max_retries = -1}) == "RetryConfig.max_retries must be in [0, 65535], got -1");
  CHECK(validate(RetryConfig{.max_delay = 500ms}) ==
        "RetryConfig.max_delay must be at least base_delay, got 500ms");
  CHECK(validate(RetryConfig{.jitter_factor = 1.5}) ==
        "RetryConfig.jitter_factor must be in [0, 1], got 1.5");
  CHECK(validate(RetryConfig{.multiplier = 0.5}) ==
        "RetryConfig.multiplier must be finite and at least 1, got 0.5");
}

TEST_CASE("C2 the first wrong field is named, in reading order", "[C2]") {
  constexpr Jitter wrong = static_cast<Jitter>(9);
  static_assert(refuses({.max_retries = -1,
                         .base_delay = -1s,
                         .max_delay = -2s,
                         .multiplier = 0,
                         .jitter = wrong,
                         .jitter_factor = 2,
                         .total_timeout = 0s},
                        "max_retries", "in [0, 65535]"));
  static_assert(
      refuses({.base_delay = -1s, .max_delay = -2s, .multiplier = 0, .jitter = wrong, .total_timeout = 0s},
              "base_delay", "at least 0"));
  static_assert(refuses({.max_delay = -2s, .multiplier = 0, .jitter = wrong, .total_timeout = 0s},
                        "max_delay", "at least 0"));
  static_assert(refuses({.multiplier = 0, .jitter = wrong, .total_timeout = 0s}, "multiplier",
                        "finite and at least 1"));
  static_assert(refuses({.jitter = wrong, .total_timeout = 0s}, "jitter",
                        "one of none, full, equal, decorrelated, proportional"));
  SUCCEED();
}

TEST_CASE("C2 jitter_factor is checked after jitter and before total_timeout, whatever the jitter", "[C2]") {
  static_assert(refuses({.jitter_factor = 2, .total_timeout = 0s}, "jitter_factor", "in [0, 1]"));
  static_assert(refuses({.jitter = static_cast<Jitter>(9), .jitter_factor = 2}, "jitter",
                        "one of none, full, equal, decorrelated, proportional"));
  SUCCEED();
}

TEST_CASE("C3 what is just outside a range is refused", "[C3]") {
  static_assert(refuses_retries(INT_MIN) && refuses_retries(-1));
  static_assert(refuses_retries(65'536) && refuses_retries(INT_MAX));
  static_assert(refuses_base(-1ns) && refuses_base(nanoseconds::min()));
  static_assert(refuses_max(-30s, "at least 0"));
  static_assert(refuses({.base_delay = 0s, .max_delay = -1ns}, "max_delay", "at least 0"));
  static_assert(refuses_max(0s, "at least base_delay") && refuses_max(1s - 1ns, "at least base_delay"));
  static_assert(refuses({.base_delay = 31s}, "max_delay", "at least base_delay"));
  static_assert(refuses_multiplier(1 - std::numeric_limits<double>::epsilon() / 2) && refuses_multiplier(0));
  static_assert(refuses_multiplier(-2) && refuses_multiplier(not_a_number));
  static_assert(refuses_multiplier(infinity) && refuses_multiplier(-infinity));
  static_assert(refuses_jitter(5) && refuses_jitter(255));
  static_assert(refuses_factor(1 + std::numeric_limits<double>::epsilon()) && refuses_factor(2));
  static_assert(refuses_factor(-std::numeric_limits<double>::denorm_min()) && refuses_factor(-1));
  static_assert(refuses_factor(not_a_number) && refuses_factor(infinity) && refuses_factor(-infinity));
  static_assert(refuses_total_timeout(0s) && refuses_total_timeout(-1ns));
  static_assert(refuses_total_timeout(nanoseconds::min()));
  SUCCEED();
}

TEST_CASE("C3 what is just inside a range is accepted", "[C3]") {
  static_assert(is_good({.max_retries = 0}) && is_good({.max_retries = 65'535}));
  static_assert(is_good({.base_delay = 0s}) && is_good({.base_delay = 1ns}) && is_good({.base_delay = 30s}));
  static_assert(is_good({.max_delay = 1s}) && is_good({.base_delay = 0s, .max_delay = 0s}));
  static_assert(is_good({.max_delay = nanoseconds::max()}));
  static_assert(is_good({.base_delay = nanoseconds::max(), .max_delay = nanoseconds::max()}));
  static_assert(is_good({.multiplier = 1}) && is_good({.multiplier = std::numeric_limits<double>::max()}));
  static_assert(is_good({.multiplier = 1 + std::numeric_limits<double>::epsilon()}));
  static_assert(is_good({.jitter = Jitter::none}) && is_good({.jitter = Jitter::full}));
  static_assert(is_good({.jitter = Jitter::equal}) && is_good({.jitter = Jitter::decorrelated}));
  static_assert(is_good({.jitter = Jitter::proportional}));
  static_assert(is_good({.jitter_factor = 0}) && is_good({.jitter_factor = 1}));
  static_assert(is_good({.jitter_factor = -0.0}) && is_good({.jitter_factor = 0.5}));
  static_assert(is_good({.total_timeout = 1ns}) && is_good({.total_timeout = no_timeout - 1ns}));
  SUCCEED();
}
