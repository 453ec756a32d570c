// model/reference_budget.hpp: rules U2 to U4 in whole numbers: a ratio is a fraction, a balance a numerator.
#pragma once

#include <algorithm>
#include <cstdint>

namespace model {

/// A ratio part ÷ whole.
struct Fraction {
  int part = 1;
  int whole = 5;
  [[nodiscard]] double value() const { return static_cast<double>(part) / whole; }
};

class ReferenceBudget {
 public:
  ReferenceBudget(Fraction ratio, int min_per_second, int capacity, int reserve)
      : ratio_{ratio},
        retry_{billion * ratio.whole},
        per_nanosecond_{static_cast<std::int64_t>(min_per_second) * ratio.whole},
        capacity_{retry_ * capacity},
        balance_{retry_ * std::min(capacity, reserve)} {}

  void advance(std::int64_t nanoseconds) {
    // No more than what fills it, so that nothing overflows.
    const std::int64_t most = per_nanosecond_ == 0 ? 0 : capacity_ / per_nanosecond_ + 1;
    add(std::min(nanoseconds, most) * per_nanosecond_);
  }
  void call() { add(billion * ratio_.part); }
  bool withdraw() {
    if (balance_ < retry_) return false;
    balance_ -= retry_;
    return true;
  }
  void give_back() { add(retry_); }
  [[nodiscard]] double balance() const { return static_cast<double>(balance_) / static_cast<double>(retry_); }

 private:
  static constexpr std::int64_t billion = 1'000'000'000;

  void add(std::int64_t amount) { balance_ = std::min(capacity_, balance_ + amount); }

  Fraction ratio_;
  std::int64_t retry_;  // in ns × whole: as finely as time and the ratio need
  std::int64_t per_nanosecond_;
  std::int64_t capacity_;
  std::int64_t balance_;
};

class ReferenceThrottle {
 public:
  ReferenceThrottle(Fraction ratio, int max_tokens)
      : ratio_{ratio}, most_{max_tokens * ratio.whole}, tokens_{most_} {}

  void success() { tokens_ = std::min(most_, tokens_ + ratio_.part); }
  void failure() { tokens_ = std::max(0, tokens_ - ratio_.whole); }
  [[nodiscard]] bool permits_retry() const { return 2 * tokens_ > most_; }
  [[nodiscard]] double tokens() const { return static_cast<double>(tokens_) / ratio_.whole; }

 private:
  Fraction ratio_;
  int most_;
  int tokens_;
};

}  // namespace model
