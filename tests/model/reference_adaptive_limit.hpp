// model/reference_adaptive_limit.hpp: an adaptive limit with the rule Measured, written from W1 to W6 alone:
// with a list of the calls of a window, and no thought of costs.
#pragma once

#include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace model {

class ReferenceAdaptiveLimit {
 public:
  enum class End { success, failure, ignored };

  struct Call {
    std::int64_t began = 0;
    int window = 0;
  };

  explicit ReferenceAdaptiveLimit(const fusebox::Measured& rule) : rule_{rule}, exact_{1.0 * rule.initial} {
    limit_ = rule.initial;
    highest_ = exact_;
  }

  void advance(std::int64_t time) { now_ += time; }
  /// Is there a slot?
  [[nodiscard]] bool begin(Call& call) {
    if (in_use_ >= limit_) return false;
    ++in_use_;
    call = {now_, window_};
    return true;
  }
  void end(const Call& call, End end) {
    const int in_flight = in_use_--;
    if (end == End::ignored) return;
    if (!measuring_ || call.window == window_) {
      ++calls_;
      in_flight_ = std::max(in_flight_, in_flight);
      if (end == End::success) latencies_.push_back(now_ - call.began);
    }
    if (measuring_ && call.window != window_) return;
    if (now_ - ended_ >= rule_.window.count() && calls_ >= rule_.min_samples) end_window();
  }

  [[nodiscard]] int limit() const { return limit_; }
  [[nodiscard]] int in_use() const { return in_use_; }
  [[nodiscard]] bool measuring() const { return measuring_; }
  [[nodiscard]] std::int64_t base() const { return static_cast<std::int64_t>(base_); }
  [[nodiscard]] std::uint64_t windows() const { return ended_windows_; }
  [[nodiscard]] int growths() const { return growths_; }
  [[nodiscard]] int measurements() const { return measurements_; }

 private:
  void end_window() {
    ++ended_windows_;
    ended_ = now_;
    if (measuring_) {
      if (is_uncertain() && lasted_ < 5) {
        ++lasted_;
        return;
      }
      measured();
      next(false);
      return;
    }
    if (base_ > 0) move();
    ++since_;
    const bool has_fallen = exact_ <= highest_ / 2;
    const bool measures = base_ == 0 || since_ >= rule_.measure_every || has_fallen;
    if (measures) lasted_ = 1;
    next(measures);
  }
  void next(bool measures) {
    measuring_ = measures;
    limit_ = static_cast<int>(exact_);
    if (measures) limit_ = std::max(rule_.min, std::min({rule_.measure_limit, limit_, rule_.max}));
    ++window_;
    calls_ = 0;
    in_flight_ = 0;
    latencies_.clear();
  }

  /// In whole nanoseconds.
  [[nodiscard]] double mean() const {
    std::int64_t sum = 0;
    for (const std::int64_t latency : latencies_) sum += latency;
    return static_cast<double>(sum / static_cast<std::int64_t>(latencies_.size()));
  }
  [[nodiscard]] bool is_uncertain() const {
    if (latencies_.size() < 2) return false;
    double sum = 0;
    for (const std::int64_t latency : latencies_) sum += static_cast<double>(latency);
    const double count = static_cast<double>(latencies_.size());
    const double of_all = sum / count;
    double squares = 0;
    for (const std::int64_t latency : latencies_)
      squares += std::pow(static_cast<double>(latency) - of_all, 2);
    return std::floor(std::sqrt(squares / (count - 1) / count)) > 0.08 * mean();
  }

  void measured() {
    ++measurements_;
    since_ = 0;
    if (!latencies_.empty()) {
      const double now = std::max(1.0, mean());
      const bool is_near = now / base_ < 1.5 && base_ / now < 1.5;
      const double next = is_near ? (base_ + now) / 2 : now;
      if (base_ > 0 && next > base_ && highest_ > exact_) exact_ = std::min(highest_, exact_ * next / base_);
      base_ = next;
    }
    highest_ = exact_;
  }

  void move() {
    if (in_flight_ < exact_ / 2) return;
    const double dropped = (calls_ - static_cast<double>(latencies_.size())) / calls_;
    const bool drops = dropped > rule_.tolerated_drops;
    const double ratio = latencies_.empty() ? 0 : rule_.tolerance * base_ / std::max(1.0, mean());
    double g = std::min(1.0, std::max(0.5, ratio));
    if (drops) g = std::min(g, std::max(0.5, 1 - dropped));
    if (g < 1) {
      exact_ = exact_ * g;
    } else {
      ++growths_;
      exact_ = std::min(exact_ + std::sqrt(exact_), exact_ * ratio);
    }
    exact_ = std::min(1.0 * rule_.max, std::max(1.0 * rule_.min, exact_));
    highest_ = drops ? exact_ : std::max(highest_, exact_);
  }

  fusebox::Measured rule_;
  double exact_;
  double highest_ = 0;
  double base_ = 0;
  int limit_ = 0;
  int in_use_ = 0;
  int window_ = 0;
  int calls_ = 0;
  int in_flight_ = 0;
  int since_ = 0;
  int lasted_ = 0;
  int growths_ = 0;
  int measurements_ = 0;
  bool measuring_ = false;
  std::int64_t now_ = 0;
  std::int64_t ended_ = 0;
  std::uint64_t ended_windows_ = 0;
  std::vector<std::int64_t> latencies_;
};

}  // namespace model
