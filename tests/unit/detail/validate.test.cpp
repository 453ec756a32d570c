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

/// What the text says after "got ".
template <class T>
std::string got(T value) {
  const std::string text = to_text("T", problem("f", "r", value));
  return text.substr(text.find("got ") + 4);
}

}  // namespace

TEST_CASE("a duration is written in the largest unit that holds it exactly") {
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
  CHECK(duration_text(60s) == "60s");
  CHECK(duration_text(1h) == "3600s");
  CHECK(duration_text(1h + 1ns) == "3600000000001ns");
  CHECK(duration_text(nanoseconds::max()) == "9223372036854775807ns");
  CHECK(duration_text(nanoseconds::min()) == "-9223372036854775808ns");
}

TEST_CASE("a problem's text names the type, the field, the rule and the value") {
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

TEST_CASE("integers are written in full") {
  CHECK(got(0LL) == "0");
  CHECK(got(65'536LL) == "65536");
  CHECK(got(std::numeric_limits<long long>::max()) == "9223372036854775807");
  CHECK(got(std::numeric_limits<long long>::min()) == "-9223372036854775808");
}

TEST_CASE("reals are written so that what was refused does not look as if it were allowed") {
  CHECK(got(0.0) == "0");
  CHECK(got(1.5) == "1.5");
  CHECK(got(-0.25) == "-0.25");
  CHECK(got(2.0) == "2");
  CHECK(got(0.1) == "0.1");
  CHECK(got(1.0000001) == "1.0000001");
  CHECK(got(0.9999999999) == "0.9999999999");
  CHECK(got(1e300) == "1e+300");
  CHECK(got(infinity) == "inf");
  CHECK(got(-infinity) == "-inf");
  CHECK(got(not_a_number) == "nan");
}

TEST_CASE("the longest reals fit") {
  for (const double value : {-std::numeric_limits<double>::max(), -std::numeric_limits<double>::min(),
                             -smallest, -1.2345678901234567e-300}) {
    CHECK(std::stold(got(value)) == Approx(value));
    CHECK(got(value).front() == '-');
  }
}

TEST_CASE("no problem has no text and throws nothing") {
  static_assert(!Problem{});
  CHECK(to_text("RetryConfig", Problem{}).empty());
  CHECK_NOTHROW(throw_if("RetryConfig", Problem{}));
}

TEST_CASE("a problem is thrown as std::invalid_argument with its text") {
  const Problem found = problem("base_delay", "at least 0", nanoseconds{-1ms});
  CHECK_THROWS_AS(throw_if("RetryConfig", found), std::invalid_argument);
  CHECK_THROWS_WITH(throw_if("RetryConfig", found), "RetryConfig.base_delay must be at least 0, got -1ms");
}

TEST_CASE("a problem is found at compile time where the config is known there") {
  static_assert(problem("f", "r", 0LL));
  static_assert(problem("f", "r", 0.0));
  static_assert(problem("f", "r", nanoseconds{}));
  static_assert(problem("f", "r", "text"));
  static_assert(problem("f", "r", 7LL).number == 7);
  static_assert(problem("f", "r", 0.5).real == 0.5);
  static_assert(problem("f", "r", nanoseconds{9}).number == 9);
  static_assert(problem("f", "r", 7LL).kind == Problem::Kind::integer);
  static_assert(problem("f", "r", 0.5).kind == Problem::Kind::real);
  static_assert(problem("f", "r", nanoseconds{}).kind == Problem::Kind::duration);
  static_assert(problem("f", "r", "t").kind == Problem::Kind::text);
  SUCCEED();
}

TEST_CASE("counts are 0 to 65,535, positive counts begin at 1") {
  constexpr int int_min = std::numeric_limits<int>::min();
  constexpr int int_max = std::numeric_limits<int>::max();
  for (const int value : {0, 1, 2, 65'534, 65'535}) {
    CAPTURE(value);
    CHECK(is_count(value));
    CHECK(is_positive_count(value) == (value > 0));
  }
  for (const int value : {int_min, -1, 65'536, int_max}) {
    CAPTURE(value);
    CHECK_FALSE(is_count(value));
    CHECK_FALSE(is_positive_count(value));
  }
}

TEST_CASE("rates are in (0, 1]") {
  for (const double value : {smallest, 0.5, 1.0}) CHECK(is_rate(value));
  for (const double value :
       {0.0, -0.0, -smallest, -1.0, 1.0 + 1e-15, 2.0, infinity, -infinity, not_a_number}) {
    CAPTURE(value);
    CHECK_FALSE(is_rate(value));
  }
}

TEST_CASE("multipliers are finite and at least 1") {
  for (const double value : {1.0, 1.5, 2.0, std::numeric_limits<double>::max()}) CHECK(is_multiplier(value));
  for (const double value : {0.0, 1.0 - 1e-15, -2.0, infinity, -infinity, not_a_number}) {
    CAPTURE(value);
    CHECK_FALSE(is_multiplier(value));
  }
}

TEST_CASE("durations are at least 0, positive ones above") {
  CHECK(is_duration(0ns));
  CHECK_FALSE(is_positive_duration(0ns));
  CHECK(is_duration(1ns));
  CHECK(is_positive_duration(1ns));
  CHECK(is_positive_duration(nanoseconds::max()));
  for (const nanoseconds value : {nanoseconds{-1ns}, nanoseconds::min()}) {
    CHECK_FALSE(is_duration(value));
    CHECK_FALSE(is_positive_duration(value));
  }
}
