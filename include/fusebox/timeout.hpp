// fusebox/timeout.hpp: Timeout, which ends what takes too long.
//
//   with_timeout        one call with a limit
//   total_timeout       the limit of a whole logical call, with all its attempts and waits
//   attempt_timeout     the limit of one attempt, inside a retry
//   timeout/counts.hpp  TimeoutCounts: the counts of several timeouts, by name
//   timeout/stats.hpp   TimeoutStats
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/subscription.hpp>
#include <fusebox/timeout/counts.hpp>  // IWYU pragma: export
#include <fusebox/timeout/detail/layer.hpp>
#include <fusebox/timeout/detail/totals.hpp>
#include <fusebox/timeout/stats.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

/// What a limit is meant for. It changes nothing but where a pipeline accepts the timeout.
enum class TimeoutKind : unsigned char { total, attempt };

/// A limit on how long a call may take (rules D1 to D10 in docs/rules.md). Made by total_timeout() and
/// attempt_timeout().
///
/// An op that takes a std::stop_token, a `const Call&` or a `const Attempt&` is stopped when the limit is
/// over. An op that takes a Deadline or nothing is not interrupted. If the op then ends with a cancellation,
/// or as one whose connection was closed, the call ends with TimeoutError; a value that comes late is handed
/// over.
///
/// Every member is thread-safe. A copy shares the counts of the original.
template <class C, TimeoutKind kind>
class Timeout {
  static_assert(TimeSource<C>, "fusebox: Timeout<C> needs a C that models fusebox::TimeSource");

 public:
  /// Throws ConfigError unless `limit` is above 0. `no_timeout` is a limit that is never over.
  explicit Timeout(std::chrono::nanoseconds limit, C clock = {}) : limit_{limit}, clock_{std::move(clock)} {
    detail::check_limit(limit);
  }
  /// Counts in `counts`, which must not be null, with all timeouts that got it.
  Timeout(std::chrono::nanoseconds limit, const std::shared_ptr<TimeoutCounts>& counts, C clock = {})
      : limit_{limit}, clock_{std::move(clock)}, counts_{counts, &counts->counts_} {
    detail::check_limit(limit);
  }

  /// Calls op and returns what it returns. Options follow in any order, each at most once: a std::stop_token,
  /// a Deadline, failure_if. Throws TimeoutError if the limit ended op, CancelledError if the token was
  /// stopped before the call (op is then not called) or ended op after the limit too, std::system_error if no
  /// thread for timeouts can be started (op is then not called), else what op throws.
  template <class Op, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Options&&... options) {
    return detail::drive(detail::PartTuple<Timeout&>{*this}, std::forward<Op>(op),
                         std::forward<Options>(options)...);
  }

  [[nodiscard]] std::chrono::nanoseconds limit() const noexcept { return limit_; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  [[nodiscard]] TimeoutStats stats() const noexcept { return counts_->stats(); }

  /// Calls `callback(const CallEvent&)` after each call of this timeout or of a copy, on the thread of the
  /// call; so several threads may run it at once. A late value is told as a failure.
  template <class F>
  [[nodiscard]] Subscription on_call(F&& callback) {
    return observers_->subscribe(std::forward<F>(callback));
  }

 private:
  template <class P>
  friend struct detail::Layer;
  template <class Policy, class Context>
  friend class detail::TimeoutFrame;
  friend struct detail::TimeoutSteps;

  [[nodiscard]] detail::TimeoutTotals& counts() noexcept { return *counts_; }

  std::chrono::nanoseconds limit_;
  [[no_unique_address]] C clock_;
  std::shared_ptr<detail::TimeoutTotals> counts_ = std::make_shared<detail::TimeoutTotals>();
  std::shared_ptr<detail::CallObservers> observers_ = std::make_shared<detail::CallObservers>();
};

namespace detail {
template <class C, TimeoutKind place>
struct Layer<Timeout<C, place>> : TimeoutLayer<Timeout<C, place>, C> {
  static constexpr LayerKind kind =
      place == TimeoutKind::total ? LayerKind::total_timeout : LayerKind::attempt_timeout;
  [[nodiscard]] static CallObservers& observers(Timeout<C, place>& timeout) noexcept {
    return *timeout.observers_;
  }

  template <class Explanation>
  static void explain(const Timeout<C, place>& timeout, Explanation& text) {
    const std::string unit{text.unit()};
    text.say(place == TimeoutKind::total ? "total timeout" : "attempt timeout", "",
             timeout.limit() == no_timeout ? "sets no limit to each " + unit
                                           : "limits each " + unit + " to " + duration_text(timeout.limit()) +
                                                 ", and stops an op that takes a stop token or a Call");
    text.limit(timeout.limit());
  }
};
}  // namespace detail

/// The limit of a whole logical call: of everything inside it, with all attempts and waits. Throws
/// ConfigError unless `limit` is above 0.
template <class C = SystemClock>
[[nodiscard]] Timeout<C, TimeoutKind::total> total_timeout(std::chrono::nanoseconds limit, C clock = {}) {
  return Timeout<C, TimeoutKind::total>{limit, std::move(clock)};
}
/// The same; counts in `counts`, which must not be null.
template <class C = SystemClock>
[[nodiscard]] Timeout<C, TimeoutKind::total> total_timeout(std::chrono::nanoseconds limit,
                                                           const std::shared_ptr<TimeoutCounts>& counts,
                                                           C clock = {}) {
  return Timeout<C, TimeoutKind::total>{limit, counts, std::move(clock)};
}

/// The limit of each attempt of a retry around it. Throws ConfigError unless `limit` is above 0.
template <class C = SystemClock>
[[nodiscard]] Timeout<C, TimeoutKind::attempt> attempt_timeout(std::chrono::nanoseconds limit, C clock = {}) {
  return Timeout<C, TimeoutKind::attempt>{limit, std::move(clock)};
}
/// The same; counts in `counts`, which must not be null.
template <class C = SystemClock>
[[nodiscard]] Timeout<C, TimeoutKind::attempt> attempt_timeout(std::chrono::nanoseconds limit,
                                                               const std::shared_ptr<TimeoutCounts>& counts,
                                                               C clock = {}) {
  return Timeout<C, TimeoutKind::attempt>{limit, counts, std::move(clock)};
}

/// Calls op with a limit of its own; as Timeout::execute(), without stats. The options may also contain a
/// clock. Throws ConfigError unless `limit` is above 0.
///
///     auto rates = with_timeout(2s, [](std::stop_token stop) { return fetch_rates(stop); });
template <class Op, class... Options>
FUSEBOX_DETAIL_INLINE decltype(auto) with_timeout(std::chrono::nanoseconds limit, Op&& op,
                                                  Options&&... options) {
  detail::check_timeout_options<Options...>();
  if constexpr (detail::returns_task<Op>()) {
    return detail::start_with_timeout(limit, std::forward<Op>(op), std::forward<Options>(options)...);
  } else {
    return detail::drive_with_timeout(limit, op, options...);
  }
}

FUSEBOX_END_NAMESPACE
