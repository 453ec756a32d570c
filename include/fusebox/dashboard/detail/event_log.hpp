// fusebox/dashboard/detail/event_log.hpp: EventLog, the newest events of a registry's policies (H72).
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <fusebox/detail/iso_time.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/detail/utf8.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/policy_registry.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// An event of a policy as the page shows it. The texts that are no std::string are literals.
struct LoggedEvent {
  std::uint64_t number = 0;  // 1, 2, …: in the order in which they came
  std::chrono::system_clock::time_point at;
  std::uint32_t times = 1;     // how often within a second
  std::string_view kind = {};  // the member of the health document in which the policy stands
  std::string_view what = {};  // the new state of a breaker, else the kind of event
  std::string_view from = {};  // the state of a breaker before
  std::string_view reason = {};
  std::string name = {};
  std::string cause = {};
};

/// At most `size` bytes of the text, and no half of a character.
[[nodiscard]] constexpr std::string_view cut_text(std::string_view text, std::size_t size) noexcept {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80) --size;
  return text.substr(0, size);
}

/// The last `capacity` events. Its slots, and the texts in them, are reused: it allocates while it fills, and
/// for a text that is longer than those before it in its slot. Not thread-safe.
class EventRing {
 public:
  static constexpr std::size_t max_cause = 240;  // bytes

  explicit EventRing(std::size_t capacity) : slots_(capacity) {}

  /// An event that repeats one of the last few, within a second, is counted there.
  void push(const LoggedEvent& event, std::string_view name, std::string_view cause, std::uint64_t& number) {
    name = cut_text(name, max_name);
    cause = cut_text(cause, max_cause);
    const std::uint64_t oldest = pushed_ - std::min<std::uint64_t>({pushed_, slots_.size(), 16});
    for (std::uint64_t i = pushed_; i > oldest; --i) {
      LoggedEvent& earlier = slot(i - 1);
      const auto apart = event.at - earlier.at;  // negative if the clock was set back
      if (apart > std::chrono::seconds{1} || apart < std::chrono::seconds{-1}) break;
      if (earlier.kind == event.kind && earlier.what == event.what && earlier.from == event.from &&
          earlier.reason == event.reason && earlier.name == name && earlier.cause == cause) {
        ++earlier.times;
        return;
      }
    }
    LoggedEvent& free = slot(pushed_);
    free.number = ++number;
    free.at = event.at;
    free.times = 1;
    free.kind = event.kind;
    free.what = event.what;
    free.from = event.from;
    free.reason = event.reason;
    free.name.assign(name);
    free.cause.assign(cause);
    ++pushed_;
  }

  void copy_to(std::vector<LoggedEvent>& events) const {
    for (std::uint64_t i = pushed_ - std::min<std::uint64_t>(pushed_, slots_.size()); i < pushed_; ++i)
      events.push_back(slots_[static_cast<std::size_t>(i % slots_.size())]);
  }

 private:
  [[nodiscard]] LoggedEvent& slot(std::uint64_t i) noexcept {
    return slots_[static_cast<std::size_t>(i % slots_.size())];
  }

  std::vector<LoggedEvent> slots_;
  std::uint64_t pushed_ = 0;
};

/// The events of all policies: those of breakers have room of their own, which others do not take.
/// Thread-safe.
class EventLog {
 public:
  explicit EventLog(std::size_t capacity) : capacity_{capacity}, breakers_{capacity}, others_{capacity} {}

  void add(const StateChange& change) {
    const std::string cause = change.cause ? change.cause->message() : std::string{};
    const std::lock_guard lock{mutex_};
    breakers_.push({.at = change.at,
                    .kind = "circuitBreakers",
                    .what = to_string(change.to),
                    .from = to_string(change.from),
                    .reason = to_string(change.reason)},
                   change.name, cause, number_);
  }
  void add(const BulkheadEvent& event) { add_edge("bulkheads", event); }
  /// A rule moves its limit many times a second: that is in the stats.
  void add(const AdaptiveLimitEvent& event) {
    if (event.kind != AdaptiveLimitEventKind::limit_changed) add_edge("adaptiveLimits", event);
  }
  void add(const RateLimiterEvent& event) { add_edge("rateLimiters", event); }
  void add(const ThrottleEvent& event) { add_edge("throttles", event); }
  void add(const RetryBudgetEvent& event) { add_edge("retryBudgets", event); }
  void add(const HedgeEvent& event) { add_edge("hedges", event); }
  /// Each fault and each delay is an event: they are in the stats.
  void add(const ChaosEvent& event) {
    if (event.kind == ChaosEventKind::enabled || event.kind == ChaosEventKind::disabled)
      add_edge("chaos", event);
  }

  /// A copy, the newest in front.
  [[nodiscard]] std::vector<LoggedEvent> newest_first() const {
    std::vector<LoggedEvent> events;
    events.reserve(2 * capacity_);  // before the lock
    {
      const std::lock_guard lock{mutex_};
      breakers_.copy_to(events);
      others_.copy_to(events);
    }
    std::sort(events.begin(), events.end(),
              [](const LoggedEvent& a, const LoggedEvent& b) { return a.number > b.number; });
    return events;
  }

 private:
  template <class Event>
  void add_edge(std::string_view kind, const Event& event) {
    const std::lock_guard lock{mutex_};
    others_.push({.at = event.at, .kind = kind, .what = to_string(event.kind)}, event.name, {}, number_);
  }

  const std::size_t capacity_;  // of each ring
  mutable std::mutex mutex_;    // guards all below
  EventRing breakers_;
  EventRing others_;
  std::uint64_t number_ = 0;  // of the newest event
};

/// An array of the events.
inline void append_events(std::string& out, const std::vector<LoggedEvent>& events) {
  out.push_back('[');
  for (const LoggedEvent& event : events) {
    if (out.back() != '[') out.push_back(',');
    JsonObject object{out};
    object.number("number", event.number);
    object.text("time", IsoTime{event.at}.text());
    object.number("times", event.times);
    object.text("kind", event.kind);
    object.text("name", event.name);
    object.text("what", event.what);
    if (!event.from.empty()) object.text("from", event.from);
    if (!event.reason.empty()) object.text("reason", event.reason);
    if (!event.cause.empty()) object.text("cause", event.cause);
  }
  out.push_back(']');
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
