#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/settings.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using Settings = detail::Settings<detail::StdSync>;
using detail::StateWord;

namespace {

std::unique_ptr<Settings> make(const CircuitBreakerConfig& config) {
  return std::make_unique<Settings>(config);
}

std::unique_ptr<Settings> make_after(std::unique_ptr<Settings> before, const CircuitBreakerConfig& config) {
  auto settings = make(config);
  settings->inherit(std::move(before));
  return settings;
}

CircuitBreakerConfig rate_of(Window window) { return {.failure_rate = FailureRate{.window = window}}; }

}  // namespace

TEST_CASE("B19 settings take over a window of the same kind and size, and no other", "[B19]") {
  for (const auto& [before, after, same] : {
           std::tuple{last_calls(30), last_calls(30), true},
           std::tuple{last_calls(30), last_calls(31), false},
           std::tuple{within(10s), within(10s), true},
           std::tuple{within(10s), within(11s), false},
           std::tuple{within(10s), last_calls(30), false},
       }) {
    auto first = make(rate_of(before));
    const auto window = first->failures;
    const auto second = make_after(std::move(first), rate_of(after));
    CHECK((second->failures == window) == same);
    CHECK(second->has_window(window) == same);
    CHECK(second->previous->failures == window);
  }
}

TEST_CASE("B19 the windows of failures and of slow calls are not each other's", "[B19]") {
  auto first = make(rate_of(last_calls(30)));
  const auto window = first->failures;
  const auto second = make_after(std::move(first), {.slow_calls = SlowCalls{.window = last_calls(30)}});
  CHECK_FALSE(second->failures);
  CHECK(second->slow != window);
}

TEST_CASE("B19 each config has the next number, modulo 16", "[B19]") {
  auto settings = make({});
  for (std::uint32_t number = 0; number < 40; ++number) {
    CHECK(StateWord{settings->word_bits}.config_number() == number % 16);
    settings = make_after(std::move(settings), {});
  }
}

TEST_CASE("T1 what the state word says of the config", "[T1][B19]") {
  const auto bits = [](const CircuitBreakerConfig& config) { return make(config)->word_bits; };
  CHECK(bits({}) == 0);
  CHECK(bits({.reset_timeout = 999ms}) == StateWord::waits_finely);
  CHECK(bits({.reset_timeout = 1s}) == 0);
  CHECK(bits({.reset_timeout = 1s, .reset_jitter = 0.1}) == StateWord::waits_finely);
  CHECK(bits({.probe_timeout = 999ms}) == StateWord::waits_finely);
  CHECK(bits(rate_of(last_calls(30))) == StateWord::rated);
  CHECK(bits(rate_of(within(10s))) == (StateWord::rated | StateWord::windowed));
  CHECK(bits({.slow_calls = SlowCalls{}}) == StateWord::timed);
}

TEST_CASE("T1 limits of 100 ms and more are timed on the coarse clock", "[T1]") {
  CHECK_FALSE(make({})->times_coarsely());
  CHECK_FALSE(make({.slow_calls = SlowCalls{.slower_than = 99ms}})->times_coarsely());
  CHECK(make({.slow_calls = SlowCalls{.slower_than = 100ms}})->times_coarsely());
}

TEST_CASE("B5 a probe may be silent for probe_timeout, or as long as reset_timeout", "[B5]") {
  CHECK(make({.reset_timeout = 7s})->probe_timeout() == 7s);
  CHECK(make({.reset_timeout = 7s, .probe_timeout = 3s})->probe_timeout() == 3s);
}

TEST_CASE("B19 a long chain of settings is destroyed without recursion", "[B19]") {
  auto settings = make({});
  for (int i = 0; i < 200'000; ++i) settings = make_after(std::move(settings), {});
  settings = nullptr;
  SUCCEED();
}
