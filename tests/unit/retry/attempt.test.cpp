#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("R18 an attempt knows its number, and how often the request was sent again", "[R18]") {
  std::vector<int> numbers;
  std::vector<std::optional<int>> resends;
  (void)try_retry_with_backoff(
      [&](const Attempt& attempt) {
        numbers.push_back(attempt.number);
        resends.push_back(attempt.resend_count);
        return make_error_code(NetworkErrc::timed_out);
      },
      test::FakeClock{});
  CHECK(numbers == std::vector<int>{1, 2, 3, 4});
  CHECK(resends == std::vector<std::optional<int>>{std::nullopt, 1, 2, 3});
}

TEST_CASE("R18 an attempt's deadline is the end of total_timeout, the same for every attempt", "[R18]") {
  const test::FakeClock clock;
  const auto end = clock.now() + 5s;
  int attempts = 0;
  (void)try_retry_with_backoff(
      [&](const Attempt& attempt) {
        ++attempts;
        CHECK(attempt.deadline == Deadline::at(end));
        CHECK(attempt.deadline.remaining(clock) == (attempts == 1 ? 5s : attempts == 2 ? 4s : 2s));
        return make_error_code(NetworkErrc::timed_out);
      },
      {.max_retries = 2, .jitter = Jitter::none, .total_timeout = 5s}, clock);
  CHECK(attempts == 3);
  CHECK(retry_with_backoff([](const Attempt& attempt) { return attempt.deadline.is_never(); }).value());
}

TEST_CASE("T6 R18 an attempt's deadline knows the clock of the call", "[T6][R18]") {
  const test::FakeClock clock;
  std::vector<std::chrono::nanoseconds> left;
  (void)try_retry_with_backoff(
      [&](const Attempt& attempt) {
        left.push_back(attempt.deadline.remaining());
        return make_error_code(NetworkErrc::timed_out);
      },
      {.max_retries = 2, .jitter = Jitter::none, .total_timeout = 5s}, clock);
  CHECK(left == std::vector<std::chrono::nanoseconds>{5s, 4s, 2s});
  const auto never = retry_with_backoff([](const Attempt& attempt) { return attempt.deadline.remaining(); });
  CHECK(never.value() == no_timeout);
}

TEST_CASE("R18 an attempt carries the call's stop token, or one that cannot be stopped", "[R18]") {
  std::stop_source stop;
  const auto token = stop.get_token();
  CHECK(
      retry_with_backoff([&](const Attempt& attempt) { return attempt.stop_token == token; }, token).value());
  CHECK_FALSE(
      retry_with_backoff([](const Attempt& attempt) { return attempt.stop_token.stop_possible(); }).value());
}

TEST_CASE("R18 the idempotency key is the same within a call and differs between calls", "[R18]") {
  std::set<std::string> keys;
  for (int call = 0; call < 50; ++call) {
    std::vector<std::string> seen;
    (void)try_retry_with_backoff(
        [&](const Attempt& attempt) {
          seen.push_back(attempt.idempotency_key());
          seen.push_back(attempt.idempotency_key());
          return make_error_code(NetworkErrc::timed_out);
        },
        test::FakeClock{});
    REQUIRE(seen.size() == 8);
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 1);
    keys.insert(seen.front());
  }
  CHECK(keys.size() == 50);
}

TEST_CASE("R18 the idempotency key is made at its first use, once, also in a later attempt", "[R18]") {
  std::size_t first = 0;
  std::size_t again = 0;
  CHECK(support::allocations_of(
            [] { retry_with_backoff([](const Attempt& attempt) { return attempt.number; }); }) == 0);
  (void)try_retry_with_backoff(
      [&](const Attempt& attempt) {
        if (attempt.number == 2)
          first = support::allocations_of([&] { (void)attempt.idempotency_key(); });
        else if (attempt.number == 3)
          again = support::allocations_of([&] { (void)attempt.idempotency_key(); });
        return make_error_code(NetworkErrc::timed_out);
      },
      test::FakeClock{});
  CHECK(first == 1);
  CHECK(again == 0);
}

TEST_CASE("R18 the idempotency key takes nothing from the generator of the jitter", "[R18]") {
  support::Script random{{support::Script::smallest, support::Script::largest}};
  const test::FakeClock clock;
  (void)try_retry_with_backoff(
      [](const Attempt& attempt) {
        (void)attempt.idempotency_key();
        return make_error_code(NetworkErrc::timed_out);
      },
      {.max_retries = 2}, clock, with_random(random));
  CHECK(clock.sleeps() == support::Delays{500ms, 2s});
  CHECK(random.draws() == 2);
}
