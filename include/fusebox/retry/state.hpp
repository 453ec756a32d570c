// fusebox/retry/state.hpp: RetryState, the rules of a retry without a loop (R14).
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/backoff.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry/config.hpp>
#include <fusebox/retry/detail/table.hpp>
#include <fusebox/retry/options.hpp>
#include <fusebox/retry/result.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The end of total_timeout, or of the deadline given if that is earlier, on the timeline of the clock (R3,
/// R12).
[[nodiscard]] FUSEBOX_DETAIL_COLD inline Deadline retry_deadline(std::chrono::nanoseconds total_timeout,
                                                                 const Deadline& given, ClockRef clock) {
  return earliest(DeadlineOf::after(total_timeout, clock), DeadlineOf::moved_to(given, clock));
}

struct RetrySteps;

/// How a RetryState keeps an option: by value, but a budget by reference.
template <class Option>
using Kept =
    std::conditional_t<IsBudget<std::remove_cvref_t<Option>>::value, Option, std::remove_cvref_t<Option>>;

}  // namespace detail

/// One call of a retry, driven by hand: for an event loop, where no thread can wait. It decides after each
/// failure; the program calls op and waits. retry_with_backoff drives the same object.
///
///     RetryState state{{.max_retries = 5}, clock};
///     void failed(Failure failure) {
///       if (const auto wait = state.next(std::move(failure))) {
///         timer.start(*wait, [&] { send(); });
///       } else {
///         give_up(state.stop_reason());
///       }
///     }
///     void answered() { state.succeed(); }
///
/// It takes the options of retry_with_backoff except failure_if, and calls their hooks. It keeps options that
/// are given by value, budgets by reference; so is a generator that is given to with_random as an lvalue.
/// Not thread-safe: one thread at a time.
class RetryState {
 public:
  /// total_timeout counts from here. Throws std::invalid_argument for an invalid config.
  explicit RetryState(const RetryConfig& config = {})
      : RetryState{Borrowed{&detail::no_retry_options, nullptr}, config} {
    detail::throw_if("RetryConfig", detail::check(config));
    start(Deadline::never());
  }

  template <class First, class... Rest>
  explicit RetryState(const RetryConfig& config, First&& first, Rest&&... rest) : RetryState{config} {
    detail::check_retry_options<First, Rest...>();
    static_assert(detail::count_of<detail::IsFailureIf, First, Rest...> == 0,
                  "fusebox: RetryState sees failures, not values: judge the value and give its Failure to "
                  "next()");
    keep_options(std::forward<First>(first), std::forward<Rest>(rest)...);
  }

  RetryState(RetryState&& other) noexcept
      : config_{other.config_},
        stats_{std::move(other.stats_)},
        deadline_{other.deadline_},
        token_{std::move(other.token_)},
        table_{std::exchange(other.table_, &detail::no_retry_options)},
        pack_{std::exchange(other.pack_, nullptr)},
        owns_pack_{std::exchange(other.owns_pack_, false)},
        previous_{other.previous_},
        wait_{std::exchange(other.wait_, std::nullopt)} {}
  RetryState& operator=(RetryState&&) = delete;
  /// Gives the token of a wait that did not end back to the budget.
  ~RetryState() {
    give_back();
    if (owns_pack_) table_->destroy(pack_);
  }

  /// op failed. How long to wait before it is called again; nothing if the retry has ended. stop_reason()
  /// then says why. Ends the wait before, as begin_attempt() does. What a hook or a predicate throws goes
  /// through.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> next(Failure failure) {
    record(std::move(failure));
    return decide(stats_.errors.back());
  }

  /// The wait is over, and op is called next: the retry does happen. May be left out before next() and
  /// succeed().
  void begin_attempt() noexcept {
    if (!wait_) return;
    stats_.total_delay =
        std::chrono::nanoseconds{detail::saturating_add(stats_.total_delay.count(), wait_->count())};
    wait_.reset();
  }

  /// op succeeded: the retry has ended, and the budget receives its deposit.
  void succeed() {
    begin_attempt();
    ++stats_.attempts;
    stats_.stop_reason = StopReason::succeeded;
    if (table_->deposit != nullptr) table_->deposit(pack_);
  }

  /// The call is cancelled, and the wait, if any, cut short: the retry has ended.
  void cancel() {
    give_back();
    end(StopReason::cancelled);
  }

  /// Why the retry ended; StopReason::succeeded while it goes on.
  [[nodiscard]] StopReason stop_reason() const noexcept { return stats_.stop_reason; }
  /// So far.
  [[nodiscard]] const RetryStats& stats() const noexcept { return stats_; }
  /// The end of total_timeout or of the Deadline given, whichever is earlier; never without both.
  [[nodiscard]] const Deadline& deadline() const noexcept { return deadline_; }

 private:
  friend struct detail::RetrySteps;

  /// Options that outlive this object.
  struct Borrowed {
    const detail::RetryTable* table;
    void* pack;
  };
  RetryState(Borrowed options, const RetryConfig& config)
      : config_{config}, table_{options.table}, pack_{options.pack}, previous_{config.base_delay} {}

  template <class... Options>
  void keep_options(Options&&... options) {
    using Pack = detail::RetryPack<detail::Kept<Options>...>;
    const StopToken no_token;
    token_ = detail::option_or<detail::IsStopToken>(no_token, options...);
    const Deadline never;
    const Deadline given = detail::option_or<detail::IsDeadline>(never, options...);
    pack_ = new Pack{{std::forward<Options>(options)...}};  // from here on the options are moved from
    table_ = &detail::retry_table<Pack>;
    owns_pack_ = true;
    start(given);
  }

  /// A call begins now, unless it is stopped already.
  FUSEBOX_DETAIL_COLD void start(const Deadline& given) {
    deadline_ = detail::retry_deadline(config_.total_timeout, given, clock());
    if (table_->on_call != nullptr && !token_.stop_requested()) table_->on_call(pack_);
  }

  [[nodiscard]] detail::ClockRef clock() const {
    return table_->clock != nullptr ? table_->clock(pack_) : detail::ClockRef{SystemClock{}};
  }

  /// The latest failure. Room for a few at first, so that the usual retry allocates once.
  FUSEBOX_DETAIL_NOINLINE void record(Failure&& failure) {
    constexpr int few = 4;
    if (stats_.errors.empty())
      stats_.errors.reserve(
          static_cast<std::size_t>(config_.max_retries < few ? config_.max_retries + 1 : few));
    stats_.errors.push_back(std::move(failure));
  }

  /// After the latest failure: the first reason to stop that holds, in the order of R2, or the wait.
  FUSEBOX_DETAIL_COLD std::optional<std::chrono::nanoseconds> decide(const Failure& failure) {
    begin_attempt();
    ++stats_.attempts;
    const bool asks_budget = table_->on_failure != nullptr;
    const bool told_budget = asks_budget && failure.is_transient();
    if (told_budget) table_->on_failure(pack_, failure);
    if (token_.stop_requested() || failure.is_cancellation()) return end(StopReason::cancelled);
    if (failure.is_config_error()) return end(StopReason::not_retryable);
    if (!is_retryable(failure)) return end(StopReason::not_retryable);
    if (asks_budget && !told_budget) table_->on_failure(pack_, failure);
    if (!has_retries_left()) return end(StopReason::retries_exhausted);
    const auto asked = asked_wait(failure);
    if (asked && *asked > config_.max_delay) return end(StopReason::retry_after_too_long);
    const auto wait = draw_wait(asked, failure);
    if (!deadline_.is_never() && wait >= deadline_.remaining()) return end(StopReason::deadline);
    if (table_->withdraw != nullptr && !table_->withdraw(pack_, failure))
      return end(StopReason::budget_exhausted);
    wait_ = wait;
    if (table_->on_retry != nullptr) {
      struct GiveBack {
        RetryState* state;
        ~GiveBack() {
          if (state != nullptr) state->give_back();
        }
      } if_it_throws{this};
      table_->on_retry(pack_, stats_.attempts, failure, wait);
      if_it_throws.state = nullptr;
    }
    return wait;
  }

  std::nullopt_t end(StopReason reason) {
    stats_.stop_reason = reason;
    if (table_->on_give_up != nullptr) table_->on_give_up(pack_, stats_);
    return std::nullopt;
  }

  /// The wait did not end: its retry never happens (R13).
  void give_back() noexcept {
    if (!wait_) return;
    wait_.reset();
    if (table_->give_back != nullptr) table_->give_back(pack_);
  }

  /// By its kind (R2, R7).
  [[nodiscard]] bool is_retryable(const Failure& failure) const {
    return (config_.idempotent || surely_not_processed(failure)) && accepts(failure);
  }
  [[nodiscard]] bool has_retries_left() const noexcept { return stats_.attempts <= config_.max_retries; }

  [[nodiscard]] bool accepts(const Failure& failure) const {
    return table_->accepts != nullptr ? table_->accepts(pack_, failure) : failure.is_transient();
  }

  /// R7: what cannot have reached the dependency, or was rejected by it before it did anything.
  [[nodiscard]] static bool surely_not_processed(const Failure& failure) noexcept {
    const std::error_code code = failure.code();
    return detail::matches(code, std::errc::connection_refused) || code == NetworkErrc::host_not_found ||
           detail::is_foreign_host_not_found(code) || failure.status() == 429 ||
           (failure.status() == 503 && failure.retry_after());
  }

  /// The wait that the failure asks for, if it is to be honoured (R5).
  [[nodiscard]] std::optional<std::chrono::nanoseconds> asked_wait(const Failure& failure) const noexcept {
    if (!config_.honor_retry_after || !failure.retry_after()) return std::nullopt;
    return not_negative(detail::to_nanoseconds(*failure.retry_after()));
  }

  [[nodiscard]] static std::chrono::nanoseconds not_negative(std::chrono::nanoseconds duration) noexcept {
    return duration < std::chrono::nanoseconds::zero() ? std::chrono::nanoseconds::zero() : duration;
  }

  /// 64 random bits: from the generator of the call, or from the operating system.
  struct Random {
    const RetryState& state;
    [[nodiscard]] static constexpr std::uint64_t min() noexcept { return 0; }
    [[nodiscard]] static constexpr std::uint64_t max() noexcept {
      return std::numeric_limits<std::uint64_t>::max();
    }
    std::uint64_t operator()() const {
      return state.table_->random != nullptr ? state.table_->random(state.pack_) : detail::EntropySource{}();
    }
  };

  /// Before jitter: by the formula of R1, or what backoff() gives (R11).
  [[nodiscard]] std::chrono::nanoseconds delay_of(const Failure& failure) const {
    if (table_->delay == nullptr)
      return exponential_delay(config_, static_cast<std::uint32_t>(stats_.attempts - 1));
    const auto delay = not_negative(table_->delay(pack_, stats_.attempts, failure));
    return delay < config_.max_delay ? delay : config_.max_delay;
  }

  /// The delay (R1), or the wait that was asked for with its share of jitter, whichever is longer (R5).
  [[nodiscard]] std::chrono::nanoseconds draw_wait(std::optional<std::chrono::nanoseconds> asked,
                                                   const Failure& failure) {
    const Random random{*this};
    previous_ = detail::spread(delay_of(failure), config_.jitter, config_.base_delay, config_.max_delay,
                               previous_, random, config_.jitter_factor);
    if (!asked) return previous_;
    auto wait = *asked;
    if (config_.jitter != Jitter::none) {
      const auto room = config_.max_delay - wait;
      const auto added = room < config_.base_delay ? room : config_.base_delay;
      wait += std::chrono::nanoseconds{detail::uniform(random, 0, added.count())};
    }
    return wait < previous_ ? previous_ : wait;
  }

  RetryConfig config_;
  RetryStats stats_;
  Deadline deadline_;
  StopToken token_;
  const detail::RetryTable* table_;
  void* pack_;
  bool owns_pack_ = false;
  std::chrono::nanoseconds previous_;  // the delay drawn last; base_delay before the first
  std::optional<std::chrono::nanoseconds> wait_ = std::nullopt;  // under way, its token withdrawn
};

FUSEBOX_END_NAMESPACE
