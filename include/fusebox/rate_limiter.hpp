// fusebox/rate_limiter.hpp: RateLimiter, which admits calls at a rate.
//
//   RateLimiter               execute(op), try_acquire(), acquire(), retry_after(), sync()
//   rate_limiter/config.hpp   RateLimiterConfig, validate
//   rate_limiter/state.hpp    RateLimiterEvent, RateLimiterEventKind
//   rate_limiter/stats.hpp    RateLimiterStats
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/edge_events.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/rate_limiter/config.hpp>  // IWYU pragma: export
#include <fusebox/rate_limiter/detail/gcra.hpp>
#include <fusebox/rate_limiter/detail/layer.hpp>
#include <fusebox/rate_limiter/state.hpp>  // IWYU pragma: export
#include <fusebox/rate_limiter/stats.hpp>  // IWYU pragma: export
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Admits at most `burst` calls at once and `permits` more within each `per`; refuses the others with a
/// RateLimitedError, or lets them wait up to `max_wait` (Q1 to Q8). All members are thread-safe. The limiter
/// must live until the calls that it admits return.
///
///     fusebox::RateLimiter limiter{"geocoder", {.permits = 50, .per = 1s, .max_wait = 200ms}};
///     auto place = limiter.execute([&] { return geocode(address); });
template <class C>
class FUSEBOX_API RateLimiter {
  static_assert(TimeSource<C>, "fusebox: RateLimiter<C> needs a TimeSource");

 public:
  /// Throws ConfigError for a config that `validate` refuses, and for a name that is empty or longer than 512
  /// bytes.
  explicit RateLimiter(std::string name, RateLimiterConfig config = {}, C clock = {})
      : name_{checked(std::move(name), config)},
        config_{config},
        clock_{std::move(clock)},
        gcra_{detail::permit_interval(config), detail::burst_of(config)},
        rejections_{detail::PolicyRejection::source<RateLimitedError>(name_)} {}
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  /// Calls op once a permit is there, and returns what op returns. Options: a std::stop_token, a Deadline,
  /// failure_if. A refusal is carried in the result if its type can carry one, else thrown as a
  /// RateLimitedError, whose retry_after() is the time until a permit fits (Q3). A wait that the token ends
  /// is a CancelledError.
  template <class Op, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Options&&... options) {
    return detail::drive(detail::PartTuple<RateLimiter&>{*this}, std::forward<Op>(op),
                         std::forward<Options>(options)...);
  }

  /// Takes n permits if they are there: never waits. Throws std::invalid_argument for an n below 1 or above
  /// the burst. Runs callbacks of on_event().
  [[nodiscard]] bool try_acquire(int n = 1) {
    check_permits(n);
    const detail::Tick now = detail::fine_tick(clock_);
    if (!gcra_.try_take(n, now)) [[unlikely]] {
      reject();
      return false;
    }
    admit();
    return true;
  }

  /// Takes n permits, and waits for them up to `max_wait`. Options: a std::stop_token, which ends the wait,
  /// and a Deadline. False if the wait would be too long, which it knows at once, or if it was cancelled.
  /// Throws as try_acquire() does.
  template <class... Options>
    requires(... && !std::is_same_v<std::remove_cvref_t<Options>, int>)
  [[nodiscard]] bool acquire(int n, Options&&... options) {
    check_acquire_options<Options...>();
    const StopToken no_token;
    const Deadline never;
    return acquire_by(n, detail::option_or<detail::IsStopToken>(no_token, options...),
                      detail::option_or<detail::IsDeadline>(never, options...));
  }
  /// One permit.
  template <class... Options>
    requires(... && !std::is_convertible_v<Options, int>)
  [[nodiscard]] bool acquire(Options&&... options) {
    return acquire(1, options...);
  }

  /// The time until n permits fit; 0 if they do now. Takes nothing. Throws as try_acquire() does.
  [[nodiscard]] std::chrono::nanoseconds retry_after(int n = 1) const {
    check_permits(n);
    return std::chrono::nanoseconds{gcra_.wait_for(n, detail::fine_tick(clock_))};
  }

  /// What the server says in its RateLimit headers: it admits `remaining` more permits until `reset` from
  /// now. Until then the limiter admits no more than that, and never more than its config (Q7).
  void sync(std::int64_t remaining, std::chrono::nanoseconds reset) {
    gcra_.report(remaining, detail::ticks(reset), detail::fine_tick(clock_));
  }

  [[nodiscard]] RateLimiterStats stats() const noexcept {
    return {admitted_.value(), rejected_.value(), waited_.value()};
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const RateLimiterConfig& config() const noexcept { return config_; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }

  /// Calls `callback(const RateLimiterEvent&)` when the limiter begins to refuse calls, and when it admits
  /// one again: on the thread of that call and outside every lock. What the callback throws is dropped (M3).
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const RateLimiterEvent&>,
                  "fusebox: on_event takes a callback(const RateLimiterEvent&)");
    return events_.subscribe(name_, std::forward<F>(callback));
  }

  /// Calls `callback(const CallEvent&)` after each admitted call of execute(), on the thread of the call; so
  /// several threads may run it at once (M5). Permits that are
  /// taken by hand and rejections are none.
  template <class F>
  [[nodiscard]] Subscription on_call(F&& callback) {
    return observers_.subscribe(std::forward<F>(callback));
  }

 private:
  template <class>
  friend struct detail::Layer;
  template <class>
  friend struct detail::PolicyKind;
  using Kind = RateLimiterEventKind;

  [[nodiscard]] static std::string checked(std::string name, const RateLimiterConfig& config) {
    detail::check_name("RateLimiter", name);
    detail::throw_if("RateLimiterConfig", detail::check(config));
    return name;
  }

  FUSEBOX_DETAIL_INLINE void check_permits(int n) const {
    if (n < 1 || n > detail::burst_of(config_)) [[unlikely]]
      refuse_permits(n);
  }
  [[noreturn]] FUSEBOX_DETAIL_COLD void refuse_permits(int n) const {
    detail::throw_invalid("RateLimiter: n must be in [1, " + std::to_string(detail::burst_of(config_)) +
                          "], the burst, got " + std::to_string(n));
  }

  template <class... Options>
  static consteval void check_acquire_options() {
    static_assert((... && detail::is_one_of<Options, detail::IsStopToken, detail::IsDeadline>) &&
                      detail::count_of<detail::IsStopToken, Options...> <= 1 &&
                      detail::count_of<detail::IsDeadline, Options...> <= 1,
                  "fusebox: acquire accepts, after n, at most one each of a std::stop_token and a Deadline");
  }

  // The steps of a call, which execute() and acquire() share.

  FUSEBOX_DETAIL_INLINE void admit() {
    admitted_.add();
    events_.observe(Kind::available, clock_);
  }
  FUSEBOX_DETAIL_COLD void reject() {
    rejected_.add();
    events_.observe(Kind::exhausted, clock_);
  }

  /// Of a call that no permit is there for: refuses it, or reserves, which waits if its `wait` is above 0.
  FUSEBOX_DETAIL_NOINLINE detail::Reservation reserve(int n, detail::Tick now, const Deadline& deadline) {
    detail::Tick longest = detail::ticks(config_.max_wait);
    if (longest > 0 && !deadline.is_never()) {
      const auto end = detail::DeadlineOf::moved_to(deadline, detail::ClockRef{clock_}).time();
      // No wait begins that the deadline ends (P7).
      longest = std::max<detail::Tick>(0, std::min(longest, detail::elapsed(now, detail::ticks(end)) - 1));
    }
    const detail::Reservation reserved = gcra_.take(n, now, longest);
    if (reserved.is_refused()) {
      reject();
    } else if (reserved.wait == 0) {
      admit();
    } else {
      waited_.add();
    }
    return reserved;
  }

  [[nodiscard]] bool acquire_by(int n, const StopToken& token, const Deadline& deadline) {
    check_permits(n);
    if (token.stop_requested()) return false;  // nobody counts the call (P8)
    const detail::Tick now = detail::fine_tick(clock_);
    if (gcra_.try_take(n, now)) [[likely]] {
      admit();
      return true;
    }
    const detail::Reservation reserved = reserve(n, now, deadline);
    if (reserved.is_refused()) return false;
    if (reserved.wait == 0) return true;
    struct GiveBack {
      detail::Gcra<>& gcra;
      const detail::Reservation& reserved;
      bool is_due = false;
      ~GiveBack() {
        if (!is_due) gcra.give_back(reserved);
      }
    } unless_due{gcra_, reserved};
    static_assert(Clock<C>,
                  "fusebox: acquire() waits on this thread: it needs a clock whose sleep_for blocks");
    if (!clock_.sleep_for(std::chrono::nanoseconds{reserved.wait}, token)) return false;
    unless_due.is_due = true;
    admit();
    return true;
  }

  [[nodiscard]] static Failure make_rejection(const void* limiter, detail::Admission admission) {
    const auto& self = *static_cast<const RateLimiter*>(limiter);
    return detail::PolicyRejection::failure(self.rejections_,
                                            detail::to_milliseconds(std::chrono::nanoseconds{admission.time}),
                                            detail::coarse_wall_time(self.clock_));
  }

  std::string name_;
  RateLimiterConfig config_;
  [[no_unique_address]] C clock_;
  detail::Gcra<> gcra_;
  std::shared_ptr<const detail::RejectionSource> rejections_;
  detail::EdgeEvents<RateLimiterEvent> events_;
  detail::CallObservers observers_;
  detail::ShardedCounter<> admitted_;
  detail::ShardedCounter<> rejected_;
  detail::ShardedCounter<> waited_;
};

RateLimiter(std::string) -> RateLimiter<SystemClock>;
RateLimiter(std::string, RateLimiterConfig) -> RateLimiter<SystemClock>;
template <class C>
RateLimiter(std::string, RateLimiterConfig, C) -> RateLimiter<C>;

FUSEBOX_END_NAMESPACE
