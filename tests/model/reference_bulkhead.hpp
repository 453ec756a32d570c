// model/reference_bulkhead.hpp: a bulkhead as rules K1 to K11, P18 and P19 describe it, without threads,
// locks or packed words.
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
  [[nodiscard]] Begun begin(fusebox::Priority priority, bool may_wait, std::optional<Time> deadline) {
    if (has_room(priority)) {
      ++in_use_;
      ++admitted_;
      return Begun::admitted;
    }
    const Time longest = std::min(config_.max_wait.count(), deadline.value_or(config_.max_wait.count()));
    const bool is_full = static_cast<int>(queue_.size()) >= config_.max_waiting;
    const bool displaces = is_full && !queue_.empty() && waits_[queue_.back()].priority > priority;
    if (!may_wait || (is_full && !displaces) || longest <= 0) {
      reject(priority);
      return Begun::rejected;
    }
    if (displaces) shed();
    waits_.push_back({priority, now_, longest, deadline ? std::optional{now_ + *deadline} : std::nullopt});
    const auto behind =
        std::ranges::find_if(queue_, [&](std::size_t wait) { return waits_[wait].priority > priority; });
    queue_.insert(behind, waits_.size() - 1);
    saturate();
    return Begun::waits;
  }

  /// Would a call get a slot at once?
  [[nodiscard]] bool has_room(fusebox::Priority priority) const {
    return in_use_ < limit_of(priority) && (queue_.empty() || waits_[queue_.front()].priority > priority);
  }

  /// Of the latest wait.
  [[nodiscard]] std::size_t last_wait() const { return waits_.size() - 1; }
  [[nodiscard]] Time longest(std::size_t wait) const { return waits_[wait].longest; }
  /// Is there a reason to end the wait?
  [[nodiscard]] bool is_awake(std::size_t wait) const { return is_signalled(wait) || is_due(wait); }
  [[nodiscard]] bool is_due(std::size_t wait) const { return now_ - waits_[wait].since >= longest(wait); }
  [[nodiscard]] bool is_signalled(std::size_t wait) const {
    return waits_[wait].granted || waits_[wait].stopped || waits_[wait].displaced;
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
    if (one.displaced) return Ended::rejected;  // and counted
    if (!by_time && one.cancelled) return Ended::cancelled;
    reject(one.priority);
    return Ended::rejected;
  }
  void abandon(std::size_t wait) {
    const bool granted = waits_[wait].granted;
    leave(wait);
    if (granted) release();
  }

  void release() {
    if (!queue_.empty() && in_use_ <= limit_of(waits_[queue_.front()].priority)) {
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
    while (!queue_.empty() && in_use_ < limit_of(waits_[queue_.front()].priority)) {
      ++in_use_;
      grant();
    }
    set_free();
  }

  [[nodiscard]] fusebox::BulkheadStats stats() const {
    Time longest = longest_wait_;
    for (const std::size_t wait : queue_) longest = std::max(longest, now_ - waits_[wait].since);
    return {in_use_,   static_cast<int>(queue_.size()),   limit_, admitted_,
            rejected_, std::chrono::nanoseconds{longest}, shed_};
  }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }

 private:
  struct Wait {
    fusebox::Priority priority;
    Time since;
    Time longest;
    std::optional<Time> deadline;
    bool granted = false;
    bool displaced = false;
    bool stopped = false;
    bool cancelled = false;  // stopped before the deadline
  };

  /// The slots that calls of a priority may take.
  [[nodiscard]] int limit_of(fusebox::Priority priority) const {
    int free = 0;
    while (free < static_cast<double>(priority) * config_.headroom * limit_ - 1e-6) ++free;
    return std::max(limit_ - free, 1);
  }

  void shed() {
    waits_[queue_.back()].displaced = true;
    queue_.pop_back();
    ++shed_;
    ++rejected_;
  }
  void grant() {
    ++admitted_;
    waits_[queue_.front()].granted = true;
    queue_.pop_front();
  }
  void leave(std::size_t wait) {
    longest_wait_ = std::max(longest_wait_, now_ - waits_[wait].since);
    std::erase(queue_, wait);
  }
  void reject(fusebox::Priority priority) {
    ++rejected_;
    if (in_use_ >= limit_of(priority) || !queue_.empty()) saturate();
  }
  void saturate() {
    if (saturated_) return;
    saturated_ = true;
    events_.push_back({Kind::saturated, limit_, limit_, now_});
  }
  void set_free() {
    if (!saturated_ || in_use_ >= limit_of(fusebox::Priority::background) || !queue_.empty()) return;
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
  std::uint64_t shed_ = 0;
  std::vector<Wait> waits_;
  std::deque<std::size_t> queue_;
  std::vector<Event> events_;
};

}  // namespace model
