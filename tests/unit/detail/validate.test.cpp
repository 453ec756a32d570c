#include <fusebox/detail/validate.hpp>

#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>

#include "catch.hpp"

using namespace fusebox::detail;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double smallest = std::numeric_limits<double>::denorm_min();
constexpr double largest = std::numeric_limits<double>::max();
constexpr int int_min = std::numeric_limits<int>::min();
constexpr int int_max = std::numeric_limits<int>::max();

static_assert(!Problem{});
static_assert(problem("f", "r", 7LL) && problem("f", "r", 0.5) && problem("f", "r", 9ns) &&
              problem("f", "r", "text"));

template <class... Values>
constexpr bool all_rates(Values... values) {
  return (... && is_rate(values));
}
template <class... Values>
constexpr bool no_rates(Values... values) {
  return (... && !is_rate(values));
}
template <class... Values>
constexpr bool all_multipliers(Values... values) {
  return (... && is_multiplier(values));
}
template <class... Values>
constexpr bool no_multipliers(Values... values) {
  return (... && !is_multiplier(values));
}

/// What the text says after "got ".
template <class T>
std::string got(T value) {
  const std::string text = to_text("T", problem("f", "r", value));
  return text.substr(text.find("got ") + 4);
}

}  // namespace

TEST_CASE("C2 a problem's text names the type, the field, the rule and the value", "[C2]") {
  CHECK(to_text("RetryConfig", problem("max_retries", count_rule, -1LL)) ==
        "RetryConfig.max_retries must be in [0, 65535], got -1");
  CHECK(to_text("CircuitBreakerConfig", problem("failure_rate.threshold", rate_rule, 1.5)) ==
        "CircuitBreakerConfig.failure_rate.threshold must be in (0, 1], got 1.5");
  CHECK(to_text("CircuitBreakerConfig", problem("reset_timeout", positive_duration_rule, nanoseconds{-5s})) ==
        "CircuitBreakerConfig.reset_timeout must be above 0, got -5s");
  CHECK(to_text("CircuitBreaker", problem("name", "not empty", "\"\"")) ==
        "CircuitBreaker.name must be not empty, got \"\"");
  CHECK(to_text("T", problem("count", positive_count_rule, 0LL)) == "T.count must be in [1, 65535], got 0");
}

TEST_CASE("C2 integers are written in full", "[C2]") {
  CHECK(got(0LL) == "0");
  CHECK(got(std::numeric_limits<long long>::max()) == "9223372036854775807");
  CHECK(got(std::numeric_limits<long long>::min()) == "-9223372036854775808");
}

TEST_CASE("C2 a refused real number is not rounded to an accepted one", "[C2]") {
  CHECK(got(0.0) == "0");
  CHECK(got(-0.25) == "-0.25");
  CHECK(got(0.1) == "0.1");
  CHECK(got(1.0000001) == "1.0000001");
  CHECK(got(0.9999999999) == "0.9999999999");
  CHECK(got(1e300) == "1e+300");
  CHECK(got(infinity) == "inf");
  CHECK(got(-infinity) == "-inf");
  CHECK(got(not_a_number) == "nan");
}

TEST_CASE("C2 the longest reals fit", "[C2]") {
  for (const double value :
       {-largest, -std::numeric_limits<double>::min(), -smallest, -1.2345678901234567e-300}) {
    CHECK(std::stold(got(value)) == Approx(value));
    CHECK(got(value).front() == '-');
  }
}

TEST_CASE("C2 a duration is written in the largest unit that divides it", "[C2]") {
  CHECK(duration_text(0ns) == "0s");
  CHECK(duration_text(1ns) == "1ns");
  CHECK(duration_text(-1ns) == "-1ns");
  CHECK(duration_text(999ns) == "999ns");
  CHECK(duration_text(1000ns) == "1us");
  CHECK(duration_text(1001ns) == "1001ns");
  CHECK(duration_text(1500us) == "1500us");
  CHECK(duration_text(1ms) == "1ms");
  CHECK(duration_text(1500ms) == "1500ms");
  CHECK(duration_text(-1500ms) == "-1500ms");
  CHECK(duration_text(1s) == "1s");
  CHECK(duration_text(1h) == "3600s");
  CHECK(duration_text(1h + 1ns) == "3600000000001ns");
  CHECK(duration_text(nanoseconds::max()) == "9223372036854775807ns");
  CHECK(duration_text(nanoseconds::min()) == "-9223372036854775808ns");
}

TEST_CASE("C2 a problem is thrown as std::invalid_argument with its text, no problem is not", "[C2]") {
  const Problem found = problem("base_delay", "at least 0", nanoseconds{-1ms});
  CHECK_THROWS_AS(throw_if("RetryConfig", found), std::invalid_argument);
  CHECK_THROWS_WITH(throw_if("RetryConfig", found), "RetryConfig.base_delay must be at least 0, got -1ms");
  CHECK(to_text("RetryConfig", Problem{}).empty());
  CHECK_NOTHROW(throw_if("RetryConfig", Problem{}));
}

TEST_CASE("C3 counts are 0 to 65,535, positive counts begin at 1", "[C3]") {
  static_assert(is_count(0) && is_count(1) && is_count(65'534) && is_count(65'535));
  static_assert(!is_count(int_min) && !is_count(-1) && !is_count(65'536) && !is_count(int_max));
  static_assert(!is_positive_count(0) && is_positive_count(1) && is_positive_count(65'535));
  static_assert(!is_positive_count(int_min) && !is_positive_count(-1));
  static_assert(!is_positive_count(65'536) && !is_positive_count(int_max));
  SUCCEED();
}

TEST_CASE("C3 rates are in (0, 1]", "[C3]") {
  static_assert(all_rates(smallest, 0.5, 1.0));
  static_assert(no_rates(0.0, -0.0, -smallest, -1.0, 1.0 + 1e-15, 2.0, infinity, -infinity, not_a_number));
  SUCCEED();
}

TEST_CASE("C3 multipliers are finite and at least 1", "[C3]") {
  static_assert(all_multipliers(1.0, 1.5, 2.0, largest));
  static_assert(no_multipliers(0.0, 1.0 - 1e-15, -2.0, infinity, -infinity, not_a_number));
  SUCCEED();
}

TEST_CASE("C3 durations are at least 0, positive ones above", "[C3]") {
  static_assert(is_duration(0ns) && is_duration(1ns) && is_duration(nanoseconds::max()));
  static_assert(!is_duration(-1ns) && !is_duration(nanoseconds::min()));
  static_assert(!is_positive_duration(0ns) && is_positive_duration(1ns));
  static_assert(is_positive_duration(nanoseconds::max()));
  static_assert(!is_positive_duration(-1ns) && !is_positive_duration(nanoseconds::min()));
  SUCCEED();
}
