#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/failures.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using support::Delays;
using support::Flaky;
using support::Largest;
using support::Smallest;
using support::unavailable;

namespace {

/// The waits of a call that always fails.
template <class... Options>
Delays waits(const RetryConfig& config, Options&&... options) {
  const test::FakeClock clock;
  (void)try_retry_with_backoff(Flaky{}, config, clock, std::forward<Options>(options)...);
  return clock.sleeps();
}

constexpr RetryConfig exact{.max_retries = 4, .jitter = Jitter::none};

}  // namespace

TEST_CASE("R11 backoff(f) gives the delays, for the number of the failed attempt and its failure", "[R11]") {
  std::vector<int> attempts;
  std::vector<std::optional<int>> statuses;
  const auto delays = backoff([&](int attempt, const Failure& failure) -> nanoseconds {
    attempts.push_back(attempt);
    statuses.push_back(failure.status());
    return attempt * attempt * 1s;
  });
  const test::FakeClock clock;
  (void)try_retry_with_backoff([] { throw unavailable(); }, exact, clock, delays);
  CHECK(clock.sleeps() == Delays{1s, 4s, 9s, 16s});
  CHECK(attempts == std::vector<int>{1, 2, 3, 4});
  CHECK(statuses == std::vector<std::optional<int>>(4, 503));
}

TEST_CASE("R11 a list of delays repeats its last", "[R11]") {
  CHECK(waits(exact, backoff({100ms, 500ms, 2s})) == Delays{100ms, 500ms, 2s, 2s});
  CHECK(waits(exact, backoff({3s})) == Delays{3s, 3s, 3s, 3s});
  CHECK(waits(exact, backoff({1s, 2s, 3s, 4s, 5s})) == Delays{1s, 2s, 3s, 4s});
  CHECK(waits(exact, backoff({0s, 1s})) == Delays{0s, 1s, 1s, 1s});
}

TEST_CASE("R11 linear(step) grows by a step each time, and saturates", "[R11]") {
  CHECK(waits(exact, linear(2s)) == Delays{2s, 4s, 6s, 8s});
  CHECK(waits(exact, backoff(linear(2s))) == Delays{2s, 4s, 6s, 8s});
  CHECK(waits(exact, linear(0s)) == Delays{0s, 0s, 0s, 0s});
  CHECK(waits(exact, linear(12s)) == Delays{12s, 24s, 30s, 30s});
  const RetryConfig longest{.max_retries = 3, .max_delay = nanoseconds::max(), .jitter = Jitter::none};
  CHECK(waits(longest, linear(nanoseconds::max() / 2)) ==
        Delays{nanoseconds::max() / 2, nanoseconds::max() - 1ns, nanoseconds::max()});
}

TEST_CASE("R11 max_delay caps what backoff gives, and a negative delay is 0", "[R11]") {
  CHECK(waits({.max_retries = 1, .jitter = Jitter::none}, backoff({31s})) == Delays{30s});
  const auto negative = backoff([](int, const Failure&) { return -5s; });
  CHECK(waits({.max_retries = 1, .jitter = Jitter::none}, negative) == Delays{0s});
  CHECK(waits({.max_retries = 1, .jitter = Jitter::full}, negative, with_random(Largest{})) == Delays{0s});
}

TEST_CASE("R11 R1 jitter spreads what backoff gives", "[R11][R1]") {
  const auto of = [](Jitter jitter) { return RetryConfig{.max_retries = 1, .jitter = jitter}; };
  const auto ten = backoff({10s});
  CHECK(waits(of(Jitter::full), ten, with_random(Smallest{})) == Delays{0s});
  CHECK(waits(of(Jitter::full), ten, with_random(Largest{})) == Delays{10s});
  CHECK(waits(of(Jitter::equal), ten, with_random(Smallest{})) == Delays{5s});
  CHECK(waits(of(Jitter::proportional), ten, with_random(Smallest{})) == Delays{7500ms});
  CHECK(waits(of(Jitter::proportional), ten, with_random(Largest{})) == Delays{12500ms});
}

TEST_CASE("R11 decorrelated jitter ignores what backoff gives", "[R11]") {
  const RetryConfig config{.max_retries = 3, .jitter = Jitter::decorrelated};
  CHECK(waits(config, backoff({10s}), with_random(Largest{})) == waits(config, with_random(Largest{})));
}

TEST_CASE("R11 R5 Retry-After applies to what backoff gives", "[R11][R5]") {
  const auto asks = [](std::chrono::seconds time) {
    const test::FakeClock clock;
    (void)try_retry_with_backoff([&] { throw unavailable().with_retry_after(time); }, {.max_retries = 1},
                                 clock, backoff({10s}), with_random(Smallest{}));
    return clock.sleeps();
  };
  CHECK(asks(20s) == Delays{20s});
  CHECK(asks(2s) == Delays{5s});
  CHECK(asks(31s).empty());
}

TEST_CASE("R11 R2 backoff is asked once for each wait, and never if none follows", "[R11][R2]") {
  int asked = 0;
  const auto counting = backoff([&](int, const Failure&) {
    ++asked;
    return 1s;
  });
  CHECK(waits({.max_retries = 2}, counting).size() == 2);
  CHECK(asked == 2);
  (void)try_retry_with_backoff([] { throw 42; }, counting);
  (void)try_retry_with_backoff([] { return 1; }, counting);
  (void)try_retry_with_backoff([] { throw unavailable().with_retry_after(1h); }, counting);
  CHECK(asked == 2);
}

TEST_CASE("R11 R10 what backoff's function throws goes through", "[R11][R10]") {
  const test::FakeClock clock;
  const auto throwing = backoff([](int, const Failure&) -> nanoseconds { throw std::logic_error{"f"}; });
  CHECK_THROWS_AS(try_retry_with_backoff(Flaky{}, clock, throwing), std::logic_error);
  CHECK(clock.sleeps().empty());
}

TEST_CASE("R11 a function of backoff may keep state and give any duration in whole units", "[R11]") {
  CHECK(waits(exact, backoff([next = 0](int, const Failure&) mutable { return ++next * 250ms; })) ==
        Delays{250ms, 500ms, 750ms, 1s});
  CHECK(waits({.max_retries = 1, .max_delay = 2h, .jitter = Jitter::none},
              backoff([](int, const Failure&) { return 1h; })) == Delays{1h});
}

TEST_CASE("R11 a negative delay of a list, or a negative step, is refused", "[R11]") {
  CHECK_THROWS_WITH(backoff({1s, -2s}), "fusebox::backoff: a delay must be at least 0, got -2s");
  CHECK_THROWS_AS(backoff({-1ns}), std::invalid_argument);
  CHECK_THROWS_WITH(linear(-1ms), "fusebox::linear: the step must be at least 0, got -1ms");
}

TEST_CASE("R11 lists and steps are constants", "[R11]") {
  static constexpr auto delays = backoff({100ms, 500ms});
  static constexpr auto step = linear(100ms);
  CHECK(waits({.max_retries = 2, .jitter = Jitter::none}, delays) == Delays{100ms, 500ms});
  CHECK(waits({.max_retries = 2, .jitter = Jitter::none}, step) == Delays{100ms, 200ms});
}

TEST_CASE("R1 proportional jitter of a retry: by its factor, never above max_delay, spread at the cap",
          "[R1]") {
  const auto of = [](double factor) {
    return RetryConfig{.max_retries = 6, .jitter = Jitter::proportional, .jitter_factor = factor};
  };
  CHECK(waits(of(0.25), with_random(Smallest{})) == Delays{750ms, 1500ms, 3s, 6s, 12s, 22500ms});
  CHECK(waits(of(0.25), with_random(Largest{})) == Delays{1250ms, 2500ms, 5s, 10s, 20s, 30s});
  CHECK(waits(of(1), with_random(Largest{})) == Delays{2s, 4s, 8s, 16s, 30s, 30s});
  CHECK(waits(of(0)) == waits({.max_retries = 6, .jitter = Jitter::none}));
}
