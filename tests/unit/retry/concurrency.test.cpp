#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/retry.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Delays;
using support::Flaky;
using support::Script;

namespace {

constexpr RetryConfig spread{.max_retries = 3, .base_delay = 1s, .jitter = Jitter::full};

template <class... Options>
Delays waits(Options&&... options) {
  test::FakeClock clock;
  (void)try_retry_with_backoff(Flaky{}, spread, clock, std::forward<Options>(options)...);
  return clock.sleeps();
}

/// The waits of a call made in a child process.
Delays waits_in_child() {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    const Delays made = waits();
    std::int64_t counts[3];
    for (std::size_t i = 0; i < 3; ++i) counts[i] = made[i].count();
    const auto written = write(ends[1], counts, sizeof counts);
    _exit(written == static_cast<ssize_t>(sizeof counts) ? 0 : 1);
  }
  close(ends[1]);
  std::int64_t counts[3] = {};
  const bool complete = read(ends[0], counts, sizeof counts) == static_cast<ssize_t>(sizeof counts);
  close(ends[0]);
  int status = -1;
  waitpid(child, &status, 0);
  if (!complete || status != 0) return {};
  return {std::chrono::nanoseconds{counts[0]}, std::chrono::nanoseconds{counts[1]},
          std::chrono::nanoseconds{counts[2]}};
}

}  // namespace

TEST_CASE("R9 calls at the same time have each its own value, stats, waits and key", "[R9]") {
  constexpr int callers = 4;
  for (int round = 0; round < 50; ++round) {
    struct Seen {
      int value = 0;
      int attempts = 0;
      std::size_t errors = 0;
      std::chrono::nanoseconds total_delay{};
      Delays waits;
      std::string key;
    };
    std::vector<Seen> seen(callers);
    support::run_together(callers, [&](int i) {
      test::FakeClock clock;
      Seen& own = seen[static_cast<std::size_t>(i)];
      const auto op = [&](const Attempt& attempt) {
        own.key = attempt.idempotency_key();
        if (attempt.number <= i) throw ApiError{ErrorCode::bad_gateway};
        return 100 + i;
      };
      const auto result = try_retry_with_backoff(op, {.jitter = Jitter::none}, clock);
      own.value = result.value();
      own.attempts = result.stats.attempts;
      own.errors = result.stats.errors.size();
      own.total_delay = result.stats.total_delay;
      own.waits = clock.sleeps();
    });
    std::set<std::string> keys;
    const Delays all{1s, 2s, 4s};
    for (int i = 0; i < callers; ++i) {
      CAPTURE(i);
      const Seen& one = seen[static_cast<std::size_t>(i)];
      CHECK(one.value == 100 + i);
      CHECK(one.attempts == 1 + i);
      CHECK(one.errors == static_cast<std::size_t>(i));
      CHECK(one.waits == Delays(all.begin(), all.begin() + i));
      CHECK(one.total_delay == 1s * ((1 << i) - 1));
      keys.insert(one.key);
    }
    CHECK(keys.size() == callers);
  }
}

TEST_CASE("R9 options without state serve calls at the same time", "[R9]") {
  constexpr int callers = 4;
  const auto accepts_all = retry_if([](const Failure&) { return true; });
  const auto silent = on_retry([](int, const Failure&, std::chrono::nanoseconds) {});
  const auto op = []() -> int { throw ApiError{ErrorCode::bad_gateway}; };
  const test::FakeClock clock;
  std::vector<int> attempts(callers);
  support::run_together(callers, [&](int i) {
    for (int n = 0; n < 50; ++n) {
      attempts[static_cast<std::size_t>(i)] +=
          try_retry_with_backoff(op, spread, clock, accepts_all, silent).stats.attempts;
    }
  });
  CHECK(attempts == std::vector<int>(callers, 200));
  CHECK(clock.sleeps().size() == callers * 150);
}

TEST_CASE("R9 threads that start together draw different jitter", "[R9]") {
  constexpr int callers = 4;
  std::vector<Delays> drawn(callers);
  support::run_together(callers, [&](int i) { drawn[static_cast<std::size_t>(i)] = waits(); });
  CHECK(std::set<Delays>(drawn.begin(), drawn.end()).size() == callers);
}

TEST_CASE("R9 the two sides of a fork draw different jitter, and so do processes started together", "[R9]") {
  const Delays before = waits();
  const Delays first = waits_in_child();
  const Delays second = waits_in_child();
  const Delays parent = waits();
  REQUIRE(first.size() == 3);
  REQUIRE(second.size() == 3);
  CHECK(std::set<Delays>{before, first, second, parent}.size() == 4);
}

TEST_CASE("R9 the two sides of a fork make different idempotency keys", "[R9]") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const auto key = [] {
    return retry_with_backoff([](const Attempt& attempt) { return attempt.idempotency_key(); }).value();
  };
  const pid_t child = fork();
  if (child == 0) {
    const std::string made = key();
    const auto written = write(ends[1], made.data(), made.size());
    _exit(written == 36 ? 0 : 1);
  }
  close(ends[1]);
  const std::string ours = key();
  std::string theirs(36, '?');
  CHECK(read(ends[0], theirs.data(), theirs.size()) == 36);
  close(ends[0]);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(ours != theirs);
}

TEST_CASE("R9 a generator given by reference advances from call to call", "[R9]") {
  Script generator{{Script::smallest, Script::smallest, Script::smallest, Script::largest}};
  CHECK(waits(with_random(generator)) == Delays{0s, 0s, 0s});
  CHECK(generator.draws() == 3);
  CHECK(waits(with_random(generator)) == Delays{1s, 0s, 0s});
  CHECK(generator.draws() == 6);
}

TEST_CASE("R9 a generator given by value leaves the caller's untouched", "[R9]") {
  std::mt19937_64 generator{7};
  const auto untouched = generator;
  const Delays first = waits(with_random(std::mt19937_64{generator}));
  const Delays second = waits(with_random(std::mt19937_64{generator}));
  CHECK(generator == untouched);
  CHECK(first == second);
  CHECK(first == waits(with_random(generator)));
  CHECK(generator != untouched);
}
