// model/reference_throttle.hpp: rules V1 to V10 in plain code: a list of calls.
#pragma once

#include <fusebox/throttle.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace model {

/// Times are nanoseconds on the throttle's clock.
class ReferenceThrottle {
 public:
  using Nanoseconds = std::int64_t;

  ReferenceThrottle(const fusebox::ThrottleConfig& config, Nanoseconds now) : config_{config}, now_{now} {}

  void advance(Nanoseconds duration) { now_ += duration; }
  [[nodiscard]] Nanoseconds now() const { return now_; }

  /// Is the call admitted? A rejected one counts.
  bool admit(int priority) {
    const double probability = probability_of(priority);
    is_throttling_ = ratio_of(deciding()) > 0;
    if (probability <= 0) return true;
    if (next_draw() >= probability) return true;
    ++rejected_;
    calls_.push_back({now_, priority, false});
    return false;
  }
  void end(Nanoseconds admitted_at, int priority, bool is_accepted) {
    calls_.push_back({admitted_at, priority, is_accepted});
  }

  [[nodiscard]] double probability_of(int priority) const {
    const std::vector<Call> calls = deciding();
    const double ratio = ratio_of(calls);
    if (ratio <= 0) return 0;
    double lower = 0;
    double own = 0;
    for (const Call& call : calls) {
      if (call.priority > priority) ++lower;
      if (call.priority == priority) ++own;
    }
    const auto all = static_cast<double>(calls.size());
    const double left = ratio - config_.max_rejection * (lower / all);
    if (left <= 0) return 0;
    return own == 0 ? config_.max_rejection : std::min(config_.max_rejection, left / (own / all));
  }

  [[nodiscard]] fusebox::ThrottleStats stats() const {
    const std::vector<Call> calls = last_steps(12);
    return {calls.size(), accepts_of(calls), ratio_of(deciding()),
            rejected_,    calls_.size(),     accepts_of(calls_)};
  }
  /// What the last call found.
  [[nodiscard]] bool is_throttling() const { return is_throttling_; }

 private:
  struct Call {
    Nanoseconds admitted_at;
    int priority;
    bool is_accepted;
  };

  [[nodiscard]] Nanoseconds step_of(Nanoseconds time) const {
    const Nanoseconds width = (config_.window.count() + 11) / 12;
    Nanoseconds step = time / width;
    if (step * width > time) --step;
    return step;
  }
  [[nodiscard]] std::vector<Call> last_steps(Nanoseconds steps) const {
    std::vector<Call> calls;
    for (const Call& call : calls_) {
      if (step_of(call.admitted_at) > step_of(now_) - steps) calls.push_back(call);
    }
    return calls;
  }
  [[nodiscard]] static std::uint64_t accepts_of(const std::vector<Call>& calls) {
    return static_cast<std::uint64_t>(
        std::count_if(calls.begin(), calls.end(), [](const Call& call) { return call.is_accepted; }));
  }
  [[nodiscard]] double ratio_of(const std::vector<Call>& calls) const {
    if (calls.size() < static_cast<std::size_t>(config_.minimum_calls)) return 0;
    const auto requests = static_cast<double>(calls.size());
    const double excess = requests - config_.k * static_cast<double>(accepts_of(calls));
    return excess <= 0 ? 0 : std::min(config_.max_rejection, excess / (requests + 1));
  }
  [[nodiscard]] std::vector<Call> deciding() const {
    const std::vector<Call> all = last_steps(12);
    const std::vector<Call> newer = last_steps(6);
    const bool is_known = newer.size() >= static_cast<std::size_t>(std::max(1, config_.minimum_calls));
    return is_known && ratio_of(newer) < ratio_of(all) ? newer : all;
  }

  /// SplitMix64, written out.
  double next_draw() {
    std::uint64_t x = config_.seed + ++draws_ * 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    x ^= x >> 31U;
    return static_cast<double>(x / 2048) / 9'007'199'254'740'992.0;
  }

  fusebox::ThrottleConfig config_;
  Nanoseconds now_;
  std::vector<Call> calls_;
  std::uint64_t draws_ = 0;
  std::uint64_t rejected_ = 0;
  bool is_throttling_ = false;
};

}  // namespace model
