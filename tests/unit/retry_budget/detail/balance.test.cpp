#include <fusebox/retry_budget/detail/balance.hpp>

#include <atomic>
#include <cmath>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using detail::Tick;
using detail::tick_max;
using Balance = detail::Balance<>;
using Tokens = detail::ThrottleTokens<>;

namespace {

constexpr Tick second = 1'000'000'000;

/// Atomics that count what is written.
struct CountingSync {
  static inline int writes = 0;

  template <class T>
  class Atomic : public std::atomic<T> {
   public:
    using std::atomic<T>::atomic;
    T fetch_sub(T value, std::memory_order order) {
      ++writes;
      return std::atomic<T>::fetch_sub(value, order);
    }
    bool compare_exchange_weak(T& expected, T value, std::memory_order order, std::memory_order failed) {
      ++writes;
      return std::atomic<T>::compare_exchange_weak(expected, value, order, failed);
    }
  };
};

int drain(Balance& balance, Tick now = 0) {
  int paid = 0;
  while (paid < 100'000 && balance.try_withdraw(now)) ++paid;
  return paid;
}

}  // namespace

TEST_CASE("U3 n first attempts pay for n times the ratio, rounded down", "[U3]") {
  struct Case {
    double ratio;
    int calls;
    int retries;
  };
  for (const Case& it : {Case{0.6, 10, 6},
                         {0.1, 10, 1},
                         {0.1, 9, 0},
                         {0.2, 5, 1},
                         {0.7, 10, 7},
                         {0.29, 100, 29},
                         {1.0 / 3, 3, 1},
                         {2.0 / 3, 300, 200},
                         {1, 3, 3},
                         {0, 1'000, 0},
                         {0.001, 1'000, 1}}) {
    for (const int rate : {0, 1, 10, 4'096, 65'535}) {
      INFO(it.ratio << " of " << it.calls << " with " << rate << " a second");
      Balance balance{{.ratio = it.ratio, .min_per_second = rate, .capacity = 1'000, .reserve = 0}};
      for (int i = 0; i < it.calls; ++i) balance.deposit(0);
      CHECK(drain(balance) == it.retries);
    }
  }
}

TEST_CASE("U3 shares are exact from withdrawal to withdrawal", "[U3]") {
  Balance balance{{.ratio = 0.3, .min_per_second = 0, .capacity = 2, .reserve = 0}};
  int paid = 0;
  for (int i = 1; i <= 10'000; ++i) {
    balance.deposit(0);
    paid += drain(balance);
    REQUIRE(paid == i * 3 / 10);
  }
}

TEST_CASE("U2 the balance begins with the reserve and never exceeds the capacity", "[U2]") {
  for (const int rate : {0, 10}) {
    Balance some{{.ratio = 1, .min_per_second = rate, .capacity = 10, .reserve = 3}};
    CHECK(some.value(0) == 3);
    for (int i = 0; i < 100; ++i) some.deposit(0);
    CHECK(some.value(0) == 10);
    CHECK(drain(some) == 10);
    some.give_back(0);
    CHECK(drain(some) == 1);
    Balance all{{.ratio = 0.2, .min_per_second = rate, .capacity = 10, .reserve = 65'535}};
    CHECK(all.value(0) == 10);
    all.give_back(0);
    CHECK(drain(all) == 10);
  }
}

TEST_CASE("U1 nothing is written while a balance or a throttle is full", "[U1]") {
  CountingSync::writes = 0;
  detail::Balance<CountingSync> balance{{.ratio = 1, .min_per_second = 10, .capacity = 2, .reserve = 2}};
  for (Tick time = 0; time < 100 * second; time += second) balance.deposit(balance.units_at(time));
  balance.give_back(balance.units_at(100 * second));
  detail::ThrottleTokens<CountingSync> tokens{{.max_tokens = 2}};
  for (int i = 0; i < 100; ++i) tokens.add_success();
  CHECK(CountingSync::writes == 0);
  CHECK(balance.try_withdraw(balance.units_at(100 * second)));
  balance.deposit(balance.units_at(100 * second));
  tokens.take_failure();
  CHECK(CountingSync::writes == 3);
}

TEST_CASE("U2 a refused withdrawal changes nothing", "[U2]") {
  Balance balance{{.ratio = 0.25, .min_per_second = 0, .reserve = 0}};
  for (int i = 0; i < 3; ++i) balance.deposit(0);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(balance.try_withdraw(0));
  CHECK(balance.value(0) == 0.75);
  balance.deposit(0);
  CHECK(balance.try_withdraw(0));
  CHECK(balance.value(0) == 0);
}

TEST_CASE("U3 time pays min_per_second, rounded down", "[U3]") {
  Balance balance{{.ratio = 0, .min_per_second = 10, .capacity = 5, .reserve = 0}};
  const auto at = [&](Tick time) { return balance.units_at(time); };
  CHECK(drain(balance, at(0)) == 0);
  CHECK(drain(balance, at(second / 10 - 1)) == 0);
  CHECK(drain(balance, at(second / 10)) == 1);
  CHECK(drain(balance, at(second / 10)) == 0);
  CHECK(balance.value(at(second / 10 + second / 20)) == 0.5);
  CHECK(drain(balance, at(3 * second)) == 5);
  CHECK(drain(balance, at(tick_max)) == 5);
  Balance thirds{{.ratio = 0, .min_per_second = 3, .capacity = 5, .reserve = 0}};
  CHECK(drain(thirds, thirds.units_at(333'333'333)) == 0);
  CHECK(drain(thirds, thirds.units_at(333'333'334)) == 1);
  CHECK(drain(thirds, thirds.units_at(second)) == 2);
}

TEST_CASE("U2 at the end of the timeline the balance stays between nothing and all", "[U2]") {
  for (const int rate : {1, 10, 65'535}) {
    Balance balance{{.ratio = 1, .min_per_second = rate, .capacity = 65'535, .reserve = 0}};
    const Tick end = balance.units_at(tick_max);
    CHECK(end > 0);
    CHECK(balance.value(end) == 65'535);
    CHECK(drain(balance, end) == 65'535);
    balance.deposit(end);
    CHECK(balance.value(end) == 1);
  }
}

TEST_CASE("U2 a clock that goes back pays nothing", "[U2]") {
  Balance balance{{.ratio = 0, .min_per_second = 10, .capacity = 5, .reserve = 0}};
  CHECK(drain(balance, balance.units_at(second)) == 5);
  CHECK(balance.value(0) == 0);
  CHECK(drain(balance, 0) == 0);
  CHECK(drain(balance, balance.units_at(second + second / 10)) == 1);
}

TEST_CASE("U2 U3 threads together withdraw what was deposited, and no more", "[U2][U3]") {
  Balance balance{{.ratio = 0.5, .min_per_second = 0, .capacity = 65'535, .reserve = 7}};
  constexpr int threads = 4;
  constexpr int calls = 10'000;
  std::atomic<int> paid{0};
  support::run_together(threads, [&](int thread) {
    for (int i = 0; i < calls; ++i) {
      balance.deposit(0);
      if (!balance.try_withdraw(0)) continue;
      if ((i + thread) % 5 == 0) {
        balance.give_back(0);
      } else {
        ++paid;
      }
    }
  });
  paid += drain(balance);
  CHECK(paid == 7 + threads * calls / 2);
}

TEST_CASE("U4 a throttle permits retries above half of its tokens", "[U4]") {
  Tokens tokens{{.max_tokens = 10, .token_ratio = 0.1}};
  CHECK(tokens.value() == 10);
  for (int i = 0; i < 4; ++i) tokens.take_failure();
  CHECK(tokens.permits_retry());
  tokens.take_failure();
  CHECK(tokens.value() == 5);
  CHECK_FALSE(tokens.permits_retry());
  tokens.add_success();
  CHECK(tokens.value() == 5.1);
  CHECK(tokens.permits_retry());
}

TEST_CASE("U4 half of an odd number of tokens is no whole one", "[U4]") {
  Tokens tokens{{.max_tokens = 3, .token_ratio = 0.5}};
  tokens.take_failure();
  CHECK(tokens.permits_retry());  // 2 > 1.5
  tokens.take_failure();
  CHECK_FALSE(tokens.permits_retry());
  tokens.add_success();
  CHECK_FALSE(tokens.permits_retry());  // 1.5
  Tokens one{{.max_tokens = 1, .token_ratio = 1}};
  CHECK(one.permits_retry());
  one.take_failure();
  CHECK_FALSE(one.permits_retry());
}

TEST_CASE("U2 the tokens of a throttle stay between 0 and all", "[U2]") {
  Tokens tokens{{.max_tokens = 10, .token_ratio = 0.3}};
  for (int i = 0; i < 100; ++i) tokens.add_success();
  CHECK(tokens.value() == 10);
  for (int i = 0; i < 100; ++i) tokens.take_failure();
  CHECK(tokens.value() == 0);
  for (int i = 0; i < 10; ++i) tokens.add_success();
  CHECK(tokens.value() == 3);
}
