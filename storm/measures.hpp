// storm/measures.hpp: Measures, what a simulation counts: by the second, and over the whole run.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "result.hpp"
#include "timers.hpp"

namespace storm {

/// Durations, counted in classes that are at most 0.8 % wide.
class Histogram {
 public:
  void add(Tick duration) {
    const std::size_t at = index(static_cast<std::uint64_t>(std::max<Tick>(duration, 0)));
    if (at >= counts_.size()) counts_.resize(at + 1);
    ++counts_[at];
    ++size_;
  }
  /// In ms; 0 of nothing.
  [[nodiscard]] double quantile(double q) const noexcept {
    if (size_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(size_ - 1));
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      below += counts_[i];
      if (below > rank) return middle(i) / 1e6;
    }
    return 0;
  }

 private:
  static constexpr int bits = 7;

  [[nodiscard]] static std::size_t index(std::uint64_t value) noexcept {
    const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - bits - 1);
    return static_cast<std::size_t>((static_cast<std::uint64_t>(shift) << bits) + (value >> shift));
  }
  [[nodiscard]] static double middle(std::size_t at) noexcept {
    const std::uint64_t shift = at < (std::size_t{2} << bits) ? 0 : (at >> bits) - 1;
    const std::uint64_t low = (at - (shift << bits)) << shift;
    return static_cast<double>(low) + static_cast<double>((std::uint64_t{1} << shift) - 1) / 2;
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t size_ = 0;
};

/// How a client's call ended.
enum class Ending : std::uint8_t { succeeded, failed, rejected };

class Measures {
 public:
  static constexpr Tick second = 1'000'000'000;

  /// All of them from the beginning of the simulation. `first_from` and `last_to`: when the disturbances
  /// begin and have ended; at `end` if there is none.
  struct Times {
    Tick warm_up;
    Tick end;
    Tick first_from;
    Tick last_to;
    bool is_disturbed;
  };
  /// `nominal`: calls in a second without a disturbance; 0 if it is to be measured.
  Measures(const Times& times, double nominal) : times_{times}, nominal_{nominal} {}

  [[nodiscard]] Second& now() noexcept { return current_; }
  [[nodiscard]] Tick second_ends() const noexcept { return static_cast<Tick>(seconds_.size() + 1) * second; }

  void begin_call(Tick now) {
    ++current_.calls;
    if (now >= times_.warm_up) ++calls_;
  }
  void end_call(Tick began, Tick now, Ending ending) {
    const bool counts = began >= times_.warm_up;
    if (ending == Ending::succeeded) {
      ++current_.succeeded;
      latencies_.push_back(now - began);
      if (counts) {
        ++succeeded_;
        histogram_.add(now - began);
      }
      return;
    }
    ++current_.failed;
    if (counts) ++failed_;
    if (ending != Ending::rejected) return;
    ++current_.rejected;
    if (counts) ++rejected_;
  }
  /// The caller has set what is measured at the end of the second.
  void end_second() {
    std::sort(latencies_.begin(), latencies_.end());
    current_.p50_ms = quantile(0.5);
    current_.p99_ms = quantile(0.99);
    latencies_.clear();
    seconds_.push_back(current_);
    current_ = {};
  }

  [[nodiscard]] const std::vector<Second>& seconds() const noexcept { return seconds_; }
  [[nodiscard]] Summary summary() const {
    Summary sum;
    sum.calls = calls_;
    const std::uint64_t ended = succeeded_ + failed_;
    sum.success_ratio = ratio(succeeded_, ended);
    sum.rejected_ratio = ratio(rejected_, ended);
    sum.p50_ms = histogram_.quantile(0.5);
    sum.p99_ms = histogram_.quantile(0.99);

    const std::size_t from = index(times_.warm_up);
    std::uint64_t calls = 0;
    std::uint64_t attempts = 0;
    std::uint64_t successes = 0;
    for (std::size_t i = from; i < seconds_.size(); ++i) {
      calls += seconds_[i].calls;
      attempts += seconds_[i].attempts;
      successes += seconds_[i].succeeded;
    }
    sum.amplification = ratio(attempts, calls);
    sum.wasted_ratio = attempts > successes ? ratio(attempts - successes, attempts) : 0;
    const double steady = steady_load();
    sum.peak_load_ratio_overall = steady > 0 ? peak(from) / steady : 0;
    // A run that ends with its disturbance shows no recovery.
    const bool recovers = times_.is_disturbed && index(times_.last_to) < index(times_.end);
    sum.peak_load_ratio =
        steady > 0 && recovers ? peak(index(times_.last_to)) / steady : sum.peak_load_ratio_overall;
    sum.recovery_s = recovery();
    return sum;
  }

 private:
  [[nodiscard]] static double ratio(std::uint64_t part, std::uint64_t whole) noexcept {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
  /// The first whole second from then on.
  [[nodiscard]] static std::size_t index(Tick time) noexcept {
    return static_cast<std::size_t>((time + second - 1) / second);
  }
  [[nodiscard]] double quantile(double q) const noexcept {
    if (latencies_.empty()) return 0;
    return static_cast<double>(
               latencies_[static_cast<std::size_t>(q * static_cast<double>(latencies_.size() - 1))]) /
           1e6;
  }
  [[nodiscard]] double peak(std::size_t from) const noexcept {
    std::uint64_t most = 0;
    for (std::size_t i = from; i < seconds_.size(); ++i) most = std::max(most, seconds_[i].attempts);
    return static_cast<double>(most);
  }
  [[nodiscard]] std::size_t seconds_before() const noexcept {
    return std::min(static_cast<std::size_t>(times_.first_from / second), seconds_.size());
  }
  [[nodiscard]] double steady_load() const noexcept {
    if (nominal_ > 0) return nominal_;
    std::uint64_t calls = 0;
    const std::size_t from = index(times_.warm_up);
    const std::size_t to = seconds_before();
    for (std::size_t i = from; i < to; ++i) calls += seconds_[i].calls;
    return to > from ? static_cast<double>(calls) / static_cast<double>(to - from) : 0;
  }
  [[nodiscard]] double recovery() const noexcept {
    if (!times_.is_disturbed) return 0;
    std::uint64_t good = 0;
    std::uint64_t ended = 0;
    for (std::size_t i = index(times_.warm_up); i < seconds_before(); ++i) {
      good += seconds_[i].succeeded;
      ended += seconds_[i].succeeded + seconds_[i].failed;
    }
    const double wanted = (ended == 0 ? 1 : ratio(good, ended)) - 0.01;
    constexpr int enough = 10;
    int in_a_row = 0;
    for (std::size_t i = index(times_.last_to); i < seconds_.size(); ++i) {
      const Second& one = seconds_[i];
      const bool is_good = one.succeeded > 0 && ratio(one.succeeded, one.succeeded + one.failed) >= wanted;
      in_a_row = is_good ? in_a_row + 1 : 0;
      if (in_a_row == enough) {
        const auto first = static_cast<Tick>(i + 1 - enough) * second;
        return static_cast<double>(std::max<Tick>(first - times_.last_to, 0)) / 1e9;
      }
    }
    return std::numeric_limits<double>::infinity();
  }

  Times times_;
  double nominal_;
  Second current_;
  std::vector<Second> seconds_;
  std::vector<Tick> latencies_;  // of the calls that succeeded in this second
  Histogram histogram_;
  std::uint64_t calls_ = 0;  // of those that began after the warm-up
  std::uint64_t succeeded_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t rejected_ = 0;
};

}  // namespace storm
