// support/retry.hpp: random sources, a clock, a budget and an op whose every answer a test knows beforehand.
#pragma once

#include <fusebox/clock.hpp>
#include <fusebox/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace support {

using Delays = std::vector<std::chrono::nanoseconds>;

/// Draws the same number forever.
template <class Bits, Bits bits>
struct Constant {
  using result_type = Bits;
  static constexpr Bits min() { return 0; }
  static constexpr Bits max() { return std::numeric_limits<Bits>::max(); }
  Bits operator()() const { return bits; }
};
using Smallest = Constant<std::uint64_t, 0>;
using Middle = Constant<std::uint64_t, std::uint64_t{1} << 63U>;
using Largest = Constant<std::uint64_t, std::numeric_limits<std::uint64_t>::max()>;

/// Draws the given numbers in turn, again and again, and counts the draws.
class Script {
 public:
  using result_type = std::uint64_t;
  static constexpr result_type smallest = 0;
  static constexpr result_type middle = std::uint64_t{1} << 63U;
  static constexpr result_type largest = std::numeric_limits<std::uint64_t>::max();

  explicit Script(std::vector<result_type> numbers = {smallest}) : numbers_{std::move(numbers)} {}
  static constexpr result_type min() { return smallest; }
  static constexpr result_type max() { return largest; }
  result_type operator()() { return numbers_[draws_++ % numbers_.size()]; }
  [[nodiscard]] std::size_t draws() const { return draws_; }

 private:
  std::vector<result_type> numbers_;
  std::size_t draws_ = 0;
};

/// Stands still at the epoch and counts its readings and sleeps; copies share the counts.
class CountingClock {
 public:
  struct Counts {
    int now = 0;
    int wall_now = 0;
    int sleeps = 0;
  };

  [[nodiscard]] std::chrono::steady_clock::time_point now() const {
    ++counts_->now;
    return {};
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    ++counts_->wall_now;
    return {};
  }
  bool sleep_for(std::chrono::nanoseconds, fusebox::StopToken) const {
    ++counts_->sleeps;
    return true;
  }
  [[nodiscard]] const Counts& counts() const { return *counts_; }

 private:
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

struct Budget {
  int tokens = 0;
  int asked = 0;
  int deposits = 0;

  bool try_withdraw() {
    ++asked;
    if (tokens == 0) return false;
    --tokens;
    return true;
  }
  void deposit() { ++deposits; }
};

/// An op that returns `code` `failures` times, then a success.
struct Flaky {
  int failures = std::numeric_limits<int>::max();
  std::error_code code = fusebox::NetworkErrc::connection_reset;
  int calls = 0;

  std::error_code operator()() { return ++calls <= failures ? code : std::error_code{}; }
};

}  // namespace support
