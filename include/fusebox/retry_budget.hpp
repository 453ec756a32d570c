// fusebox/retry_budget.hpp: RetryBudget and RetryThrottle, which limit the retries of many calls together.
//
//   RetryBudget               retries are a share of the first attempts, and a few more with time
//   RetryThrottle             no retries while too many calls fail, as in gRPC
//   retry_budget/config.hpp   RetryBudgetConfig, RetryThrottleConfig, validate
//   retry_budget/state.hpp    RetryBudgetEvent, RetryBudgetEventKind
//   retry_budget/stats.hpp    RetryBudgetStats
//
// Both are RetryBudgetLike: pass one as an lvalue to every retry that shares it.
#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/edge_events.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/retry_budget/config.hpp>  // IWYU pragma: export
#include <fusebox/retry_budget/detail/balance.hpp>
#include <fusebox/retry_budget/state.hpp>  // IWYU pragma: export
#include <fusebox/retry_budget/stats.hpp>  // IWYU pragma: export
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a budget and a throttle have in common: a name, counts and events.
class BudgetReport {
 public:
  BudgetReport(const char* type, std::string name) : name_{std::move(name)} {
    if (!name_.empty()) check_name(type, name_);
  }

  template <class C>
  void count(bool permitted, const C& clock) {
    (permitted ? withdrawn_ : refused_).add();
    using Kind = RetryBudgetEventKind;
    events_.observe(permitted ? Kind::available : Kind::exhausted, clock);
  }
  [[nodiscard]] RetryBudgetStats stats(double balance) const noexcept {
    return {balance, withdrawn_.value(), refused_.value()};
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  template <class F>
  [[nodiscard]] Subscription subscribe(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const RetryBudgetEvent&>,
                  "fusebox: on_event takes a callback(const RetryBudgetEvent&)");
    return events_.subscribe(name_, std::forward<F>(callback));
  }
  [[nodiscard]] EdgeEvents<RetryBudgetEvent>& events() noexcept { return events_; }

 private:
  std::string name_;
  EdgeEvents<RetryBudgetEvent> events_;
  ShardedCounter<> withdrawn_;
  ShardedCounter<> refused_;
};

}  // namespace detail

/// Permits as many retries as `ratio` of the first attempts, and `min_per_second` more with time (U1 to U6).
/// So a dependency that fails for everybody gets 1 + ratio times its load, instead of four times. All members
/// are thread-safe.
///
///     fusebox::RetryBudget budget{"orders", {.ratio = 0.1}};
///     auto order = fusebox::retry_with_backoff(fetch_order, fusebox::retry_presets::quick, budget);
template <class C>
class FUSEBOX_API RetryBudget {
  static_assert(TimeSource<C>, "fusebox: RetryBudget<C> needs a TimeSource");

 public:
  /// Throws ConfigError for a config that `validate` refuses, and for a name longer than 512 bytes.
  explicit RetryBudget(RetryBudgetConfig config = {}, C clock = {})
      : RetryBudget{std::string{}, config, std::move(clock)} {}
  /// A template, so that a braced config is never taken for a string.
  template <std::convertible_to<std::string> Name>
  explicit RetryBudget(Name&& name, RetryBudgetConfig config = {}, C clock = {})
      : report_{"RetryBudget", std::forward<Name>(name)},
        config_{checked(config)},
        clock_{std::move(clock)},
        balance_{config_},
        start_{config_.min_per_second == 0 ? 0 : detail::coarse_tick(clock_)} {}
  RetryBudget(const RetryBudget&) = delete;
  RetryBudget& operator=(const RetryBudget&) = delete;

  /// A call begins: its first attempt deposits `ratio` of a retry, and never spends.
  void on_call() { balance_.deposit(now()); }
  /// Pays one retry; false if the balance is below 1, which changes nothing. Runs callbacks of on_event().
  [[nodiscard]] bool try_withdraw() {
    const bool permitted = balance_.try_withdraw(now());
    report_.count(permitted, clock_);
    return permitted;
  }
  /// The retry that was paid never happened (R13).
  void give_back() noexcept { balance_.give_back(now()); }

  [[nodiscard]] RetryBudgetStats stats() const { return report_.stats(balance_.value(now())); }
  /// Empty if it was given none.
  [[nodiscard]] const std::string& name() const noexcept { return report_.name(); }
  [[nodiscard]] const RetryBudgetConfig& config() const noexcept { return config_; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }

  /// Calls `callback(const RetryBudgetEvent&)` when the budget begins to refuse retries, and when it permits
  /// one again: on the thread of that call and outside every lock. What the callback throws is dropped (M3).
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    return report_.subscribe(std::forward<F>(callback));
  }

 private:
  template <class>
  friend struct detail::PolicyKind;

  [[nodiscard]] static const RetryBudgetConfig& checked(const RetryBudgetConfig& config) {
    detail::throw_if("RetryBudgetConfig", detail::check(config));
    return config;
  }

  /// In units. Stands still, and no clock is read, if nothing comes with time. Coarse: a tick of a few
  /// milliseconds delays what time pays, and never pays more.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE detail::Tick now() const {
    if (config_.min_per_second == 0) return 0;
    return balance_.units_at(detail::elapsed(start_, detail::coarse_tick(clock_)));
  }

  detail::BudgetReport report_;
  RetryBudgetConfig config_;
  [[no_unique_address]] C clock_;
  detail::Balance<> balance_;
  const detail::Tick start_;
};

/// Stops retries while too many calls fail, as gRPC does (proposal A6): a failed attempt takes a token, a
/// success returns `token_ratio` of one, and retries are made while there is more than half of `max_tokens`
/// (U4). All members are thread-safe.
class FUSEBOX_API RetryThrottle {
 public:
  /// Throws ConfigError for a config that `validate` refuses, and for a name longer than 512 bytes.
  explicit RetryThrottle(RetryThrottleConfig config = {}) : RetryThrottle{std::string{}, config} {}
  template <std::convertible_to<std::string> Name>
  explicit RetryThrottle(Name&& name, RetryThrottleConfig config = {})
      : report_{"RetryThrottle", std::forward<Name>(name)}, config_{checked(config)}, tokens_{config_} {}
  RetryThrottle(const RetryThrottle&) = delete;
  RetryThrottle& operator=(const RetryThrottle&) = delete;

  /// A call succeeded.
  void deposit() noexcept { tokens_.add_success(); }
  /// An attempt failed with an error that may be retried, also the last attempt of a call.
  void on_failure(const Failure& /*failure*/) noexcept { tokens_.take_failure(); }
  /// May a retry be made? Takes nothing. Runs callbacks of on_event().
  [[nodiscard]] bool try_withdraw() {
    const bool permitted = tokens_.permits_retry();
    report_.count(permitted, SystemClock{});
    return permitted;
  }

  /// `balance` is in tokens.
  [[nodiscard]] RetryBudgetStats stats() const noexcept { return report_.stats(tokens_.value()); }
  /// Empty if it was given none.
  [[nodiscard]] const std::string& name() const noexcept { return report_.name(); }
  [[nodiscard]] const RetryThrottleConfig& config() const noexcept { return config_; }

  /// As RetryBudget::on_event(). The times are of SystemClock: a throttle has no clock.
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    return report_.subscribe(std::forward<F>(callback));
  }

 private:
  template <class>
  friend struct detail::PolicyKind;

  [[nodiscard]] static const RetryThrottleConfig& checked(const RetryThrottleConfig& config) {
    detail::throw_if("RetryThrottleConfig", detail::check(config));
    return config;
  }

  detail::BudgetReport report_;
  RetryThrottleConfig config_;
  detail::ThrottleTokens<> tokens_;
};

FUSEBOX_END_NAMESPACE
