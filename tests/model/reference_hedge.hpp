// model/reference_hedge.hpp: a hedged call by the rules J1, J2, J4 and J6 alone: a history, and what follows
// from it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <fusebox/failure.hpp>

namespace model {

class ReferenceHedge {
 public:
  using Nanoseconds = std::chrono::nanoseconds;
  struct Ended {
    std::size_t copy;
    fusebox::Outcome outcome;
    Nanoseconds at;
    std::size_t started_before;  // how many copies had started
  };

  ReferenceHedge(std::size_t max_hedges, Nanoseconds delay, std::optional<Nanoseconds> deadline)
      : max_hedges_{max_hedges}, delay_{delay}, deadline_{deadline} {}

  /// A hedge that was due is not paid.
  void refuse() { is_refused_ = true; }
  void start(Nanoseconds now) { starts_.push_back(now); }
  void cancel() {
    if (!is_over()) is_cancelled_ = true;
  }
  void end(std::size_t copy, fusebox::Outcome outcome, Nanoseconds now) {
    if (!is_running(copy)) return;
    if (is_over()) {
      losers_.push_back(copy);
    } else {
      ends_.push_back({copy, outcome, now, starts_.size()});
    }
  }

  [[nodiscard]] bool is_running(std::size_t copy) const {
    if (copy >= starts_.size()) return false;
    for (const Ended& end : ends_) {
      if (end.copy == copy) return false;
    }
    for (const std::size_t loser : losers_) {
      if (loser == copy) return false;
    }
    return true;
  }
  /// When the next copy starts; nothing if none will, as far as is known.
  [[nodiscard]] std::optional<Nanoseconds> due() const {
    if (starts_.empty()) return Nanoseconds::zero();
    if (is_refused_ || starts_.size() > max_hedges_) return std::nullopt;
    for (const Ended& end : ends_) {
      if (end.outcome == fusebox::Outcome::ignored) return std::nullopt;
    }
    for (const Ended& end : ends_) {
      const bool since_the_last_start = end.started_before == starts_.size();
      if (end.outcome == fusebox::Outcome::failure && since_the_last_start && is_before_deadline(end.at))
        return end.at;
    }
    if (delay_ == Nanoseconds::max() || !is_before_deadline(starts_.back() + delay_)) return std::nullopt;
    return starts_.back() + delay_;
  }
  /// Is it due now?
  [[nodiscard]] bool is_due(Nanoseconds now) const {
    const auto at = due();
    if (!at || *at > now) return false;
    if (starts_.empty() || is_before_deadline(now)) return true;
    return follows_failure(*at);
  }
  [[nodiscard]] bool is_over() const {
    if (is_cancelled_ || winner()) return true;
    if (starts_.empty() || ends_.size() < starts_.size()) return false;
    const auto next = due();  // all have ended
    return !next || !follows_failure(*next);
  }
  [[nodiscard]] bool is_cancelled() const { return is_cancelled_; }
  [[nodiscard]] std::optional<std::size_t> winner() const { return first(fusebox::Outcome::success); }
  [[nodiscard]] std::optional<std::size_t> result() const {
    if (is_cancelled_) return std::nullopt;
    if (const auto won = winner()) return won;
    if (const auto failed = first(fusebox::Outcome::failure)) return failed;
    return first(fusebox::Outcome::ignored);
  }
  [[nodiscard]] std::size_t started() const { return starts_.size(); }

 private:
  [[nodiscard]] bool is_before_deadline(Nanoseconds time) const { return !deadline_ || time < *deadline_; }
  [[nodiscard]] bool follows_failure(Nanoseconds at) const {
    for (const Ended& end : ends_) {
      if (end.outcome == fusebox::Outcome::failure && end.started_before == starts_.size() && end.at == at &&
          is_before_deadline(end.at))
        return true;
    }
    return false;
  }
  [[nodiscard]] std::optional<std::size_t> first(fusebox::Outcome outcome) const {
    for (const Ended& end : ends_) {
      if (end.outcome == outcome) return end.copy;
    }
    return std::nullopt;
  }

  std::size_t max_hedges_;
  Nanoseconds delay_;
  std::optional<Nanoseconds> deadline_;
  std::vector<Nanoseconds> starts_;
  std::vector<Ended> ends_;  // up to the end of the call
  std::vector<std::size_t> losers_;
  bool is_refused_ = false;
  bool is_cancelled_ = false;
};

}  // namespace model
