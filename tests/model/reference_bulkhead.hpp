// model/reference_bulkhead.hpp: a bulkhead as rules K1 to K11 describe it, without threads, locks or packed
// words.
#pragma once

#include <fusebox/bulkhead.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace model {

class ReferenceBulkhead {
 public:
  using Time = std::int64_t;  // nanoseconds
  using Kind = fusebox::BulkheadEventKind;

  struct Event {
    Kind kind;
    int limit;
    int previous_limit;
    Time at;
    friend bool operator==(const Event&, const Event&) = default;
  };
  enum class Begun { admitted, rejected, waits };
  enum class Ended { admitted, rejected, cancelled };

  explicit ReferenceBulkhead(const fusebox::BulkheadConfig& config)
      : config_{config}, limit_{config.max_concurrent} {}

  void advance(Time by) { now_ += by; }

  /// `deadline` is the time until it.
  [[nodiscard]] Begun begin(bool may_wait, std::optional<Time> deadline) {
    if (in_use_ < limit_ && queue_.empty()) {
      ++in_use_;
      ++admitted_;
      return Begun::admitted;
    }
    const Time longest = std::min(config_.max_wait.count(), deadline.value_or(config_.max_wait.count()));
    if (!may_wait || static_cast<int>(queue_.size()) >= config_.max_waiting || longest <= 0) {
      reject();
      return Begun::rejected;
    }
    waits_.push_back({now_, longest, deadline ? std::optional{now_ + *deadline} : std::nullopt});
    queue_.push_back(waits_.size() - 1);
    saturate();
    return Begun::waits;
  }

  /// Of the latest wait.
  [[nodiscard]] std::size_t last_wait() const { return waits_.size() - 1; }
  [[nodiscard]] Time longest(std::size_t wait) const { return waits_[wait].longest; }
  /// Is there a reason to end the wait?
  [[nodiscard]] bool is_awake(std::size_t wait) const {
    return waits_[wait].granted || waits_[wait].stopped || is_due(wait);
  }
  [[nodiscard]] bool is_due(std::size_t wait) const { return now_ - waits_[wait].since >= longest(wait); }
  [[nodiscard]] bool is_signalled(std::size_t wait) const {
    return waits_[wait].granted || waits_[wait].stopped;
  }

  void stop(std::size_t wait) {
    Wait& one = waits_[wait];
    if (one.stopped) return;
    one.stopped = true;
    one.cancelled = !one.deadline || now_ < *one.deadline;
  }

  /// `by_time`: the sleep went to its end.
  [[nodiscard]] Ended finish(std::size_t wait, bool by_time) {
    const Wait one = waits_[wait];
    leave(wait);
    if (one.granted) return Ended::admitted;
    if (!by_time && one.cancelled) return Ended::cancelled;
    reject();
    return Ended::rejected;
  }
  void abandon(std::size_t wait) {
    const bool granted = waits_[wait].granted;
    leave(wait);
    if (granted) release();
  }

  void release() {
    if (!queue_.empty() && in_use_ <= limit_) {
      grant();
      return;
    }
    --in_use_;
    set_free();
  }

  void set_limit(int limit) {
    if (limit != limit_) {
      events_.push_back({Kind::limit_changed, limit, limit_, now_});
      limit_ = limit;
    }
    while (!queue_.empty() && in_use_ < limit_) {
      ++in_use_;
      grant();
    }
    set_free();
  }

  [[nodiscard]] fusebox::BulkheadStats stats() const {
    const Time waits = queue_.empty() ? 0 : now_ - waits_[queue_.front()].since;
    return {in_use_,   static_cast<int>(queue_.size()),
            limit_,    admitted_,
            rejected_, std::chrono::nanoseconds{std::max(longest_wait_, waits)}};
  }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }

 private:
  struct Wait {
    Time since;
    Time longest;
    std::optional<Time> deadline;
    bool granted = false;
    bool stopped = false;
    bool cancelled = false;  // stopped before the deadline
  };

  void grant() {
    ++admitted_;
    waits_[queue_.front()].granted = true;
    queue_.pop_front();
  }
  void leave(std::size_t wait) {
    longest_wait_ = std::max(longest_wait_, now_ - waits_[wait].since);
    std::erase(queue_, wait);
  }
  void reject() {
    ++rejected_;
    if (in_use_ >= limit_ || !queue_.empty()) saturate();
  }
  void saturate() {
    if (saturated_) return;
    saturated_ = true;
    events_.push_back({Kind::saturated, limit_, limit_, now_});
  }
  void set_free() {
    if (!saturated_ || in_use_ >= limit_ || !queue_.empty()) return;
    saturated_ = false;
    events_.push_back({Kind::free, limit_, limit_, now_});
  }

  fusebox::BulkheadConfig config_;
  int limit_;
  int in_use_ = 0;
  bool saturated_ = false;
  Time now_ = 0;
  Time longest_wait_ = 0;
  std::uint64_t admitted_ = 0;
  std::uint64_t rejected_ = 0;
  std::vector<Wait> waits_;
  std::deque<std::size_t> queue_;
  std::vector<Event> events_;
};

}  // namespace model
