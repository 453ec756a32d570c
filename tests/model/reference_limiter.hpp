// model/reference_limiter.hpp: rules Q1 to Q8 in plain code: a bucket that fills, and a list of who took.
#pragma once

#include <fusebox/rate_limiter.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace model {

/// Times are nanoseconds since the limiter was made.
class ReferenceLimiter {
 public:
  using Nanoseconds = std::int64_t;

  explicit ReferenceLimiter(const fusebox::RateLimiterConfig& config)
      : permit_{(config.per.count() + config.permits - 1) / config.permits},
        capacity_{permit_ * (config.burst == 0 ? config.permits : config.burst)},
        level_{capacity_},
        max_wait_{config.max_wait.count()} {}

  /// Of a call that took permits, or may not have them.
  struct Answer {
    bool taken;
    Nanoseconds wait;
    int number;  // to give it back
  };

  void advance(Nanoseconds duration) {
    now_ += duration;
    level_ = std::min(capacity_, level_ + duration);
  }

  [[nodiscard]] Nanoseconds wait_for(int n) const { return place(n).wait; }

  Answer take(int n, Nanoseconds longest_wait) {
    const Place at = place(n);
    if (at.wait > longest_wait) return {false, at.wait, 0};
    if (at.after_reset) {
      const Nanoseconds reset = reset_ - now_;
      // What would be saved up beyond the burst until the reset is dropped: no place before it returns.
      if (level_ + reset > capacity_) first_that_returns_ = static_cast<int>(takes_.size());
      level_ = std::min(capacity_, level_ + reset) - reset;
      report_left_ = 0;
    }
    if (at.counts) report_left_ -= n;
    level_ -= n * permit_;
    takes_.push_back({n, true, at.counts ? report_ : 0});
    in_force_.push_back({now_ + at.wait, n});
    return {true, at.wait, static_cast<int>(takes_.size()) - 1};
  }
  /// As long as a call may wait for a deadline that is `left` away; negative for none.
  [[nodiscard]] Nanoseconds longest_wait(Nanoseconds left) const {
    return left < 0 ? max_wait_ : std::max<Nanoseconds>(0, std::min(max_wait_, left - 1));
  }

  /// Returns only to a bucket that nobody took from since.
  void give_back(int number) {
    Take& take = takes_.at(static_cast<std::size_t>(number));
    in_force_.at(static_cast<std::size_t>(number)).n = 0;
    if (take.report == report_ && report_ != 0) report_left_ += take.n;
    const bool is_last = std::none_of(takes_.begin() + number + 1, takes_.end(),
                                      [](const Take& later) { return later.holds; });
    if (!is_last || number < first_that_returns_) return;
    take.holds = false;
    level_ = std::min(capacity_, level_ + take.n * permit_);
  }

  void sync(std::int64_t remaining, Nanoseconds reset) {
    remaining = std::max<std::int64_t>(0, remaining);
    if (reset <= 0 || remaining >= (capacity_ + reset) / permit_) return;
    if (now_ < reset_) {
      if (remaining > report_left_) return;
      reset_ = std::max(reset_, now_ + reset);
    } else {
      reset_ = now_ + reset;
    }
    report_left_ = remaining;
    ++report_;
  }

  /// Q2: in no interval more than the burst and what the time in it brings.
  [[nodiscard]] bool keeps_the_bound() const {
    auto sorted = in_force_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const InForce& a, const InForce& b) { return a.at < b.at; });
    for (std::size_t first = 0; first < sorted.size(); ++first) {
      Nanoseconds sum = 0;
      for (std::size_t last = first; last < sorted.size(); ++last) {
        sum += sorted[last].n * permit_;
        if (sum > capacity_ + sorted[last].at - sorted[first].at) return false;
      }
    }
    return true;
  }

 private:
  struct Take {
    int n;
    bool holds;
    int report;
  };
  struct InForce {
    Nanoseconds at;
    int n;
  };
  struct Place {
    Nanoseconds wait;
    bool counts;
    bool after_reset;
  };

  [[nodiscard]] Place place(int n) const {
    const Nanoseconds wait = std::max<Nanoseconds>(0, n * permit_ - level_);
    const Nanoseconds reset = reset_ - now_;
    if (wait >= reset) return {wait, false, false};
    if (n <= report_left_) return {wait, true, false};
    const Nanoseconds by_then = std::min(capacity_, level_ + reset);
    return {reset + std::max<Nanoseconds>(0, n * permit_ - by_then), false, true};
  }

  Nanoseconds permit_;
  Nanoseconds capacity_;
  Nanoseconds level_;  // below 0: reserved
  Nanoseconds max_wait_;
  Nanoseconds now_ = 0;
  Nanoseconds reset_ = 0;
  std::int64_t report_left_ = 0;
  int report_ = 0;
  int first_that_returns_ = 0;
  std::vector<Take> takes_;
  std::vector<InForce> in_force_;
};

}  // namespace model
