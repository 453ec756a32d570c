// fusebox/retry/detail/layer.hpp: a retry as a layer of the flow of a call.
//
// The frame asks a RetryState what follows a failure; a driver waits and calls again. Without a failure there
// is no RetryState. LoneRetry is the policy of retry_with_backoff, whose call leaves a RetryResult.
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry/attempt.hpp>
#include <fusebox/retry/config.hpp>
#include <fusebox/retry/counts.hpp>
#include <fusebox/retry/detail/table.hpp>
#include <fusebox/retry/options.hpp>
#include <fusebox/retry/result.hpp>
#include <fusebox/retry/state.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a call has of a retry beside the hot fields of its frame. Most calls never touch it.
struct RetrySide {
  RetrySide() noexcept {}  // NOLINT(*-use-equals-default)
  RetrySide(const RetrySide&) = delete;
  RetrySide& operator=(const RetrySide&) = delete;
  FUSEBOX_DETAIL_INLINE ~RetrySide() {
    if (has_state) [[unlikely]]
      destroy();
  }

  union {
    RetryState state;  // from the first failure on
  };
  bool has_state = false;
  union {
    Call own;  // if the retry changes the Call from outside
  };

 private:
  FUSEBOX_DETAIL_COLD void destroy() noexcept { std::destroy_at(&state); }
};

/// What follows a failure: one set of functions for all calls.
struct RetrySteps {
  /// A call's retry, whatever its options.
  struct Rules {
    const RetryTable* table;
    void* pack;
    RetryOutcome* outcome;  // of retry_with_backoff; else null
  };

  /// What follows a failed attempt: another one, after a wait; the failure; or a cancellation.
  enum class Next : unsigned char { attempt, failure, cancellation };

  FUSEBOX_DETAIL_COLD static Next decide(RetrySide& side, const RetryConfig& config, Rules rules,
                                         const Call& call, SlotBase& slot) {
    begin(side, config, rules, call);
    RetryState& state = side.state;
    // The history is kept for those who ask for it; the slot has the latest failure also during the wait.
    if (rules.outcome != nullptr) {
      state.record(slot.release_failure());
    } else if (rules.table->on_give_up != nullptr) {
      state.record(Failure{slot.failure()});
    }
    const Failure& failure = latest(state, rules, slot);
    if (state.decide(failure)) return Next::attempt;
    const bool is_cut_short = rules.outcome == nullptr && stop_cut_short(state, failure, call);
    end(side, rules, true);
    if (!is_cut_short) return Next::failure;
    slot.fail_own(Failure{
        CancelledError{"cancelled during an attempt that failed", wall_now(rules), Failure{failure}}});
    return Next::cancellation;
  }

  /// The attempt before succeeded.
  FUSEBOX_DETAIL_COLD static void succeed(RetrySide& side, Rules rules) {
    side.state.succeed();
    end(side, rules, false);
  }

  /// A stop came before the first attempt (R4).
  FUSEBOX_DETAIL_COLD static void cancel_before_first(const RetryConfig& config, Rules rules) {
    RetrySide side;
    begin(side, config, rules, plain_call);
    rules.outcome->set_own(Failure{CancelledError{"cancelled before the first attempt", wall_now(rules)}});
    side.state.cancel();
    end(side, rules, true);
  }

  /// The wait is over. False if a stop cut it short.
  FUSEBOX_DETAIL_COLD static bool waited(RetrySide& side, Rules rules, bool to_its_end, SlotBase& slot) {
    RetryState& state = side.state;
    if (to_its_end && !state.token_.stop_requested()) {
      state.begin_attempt();
      return true;
    }
    const Failure cancelled{CancelledError{"cancelled during the wait before the next attempt",
                                           wall_now(rules), latest(state, rules, slot)}};
    if (rules.outcome != nullptr) {
      rules.outcome->wait_was_cancelled = true;
      rules.outcome->set_own(cancelled);
    }
    state.cancel();
    end(side, rules, true);
    slot.fail_own(cancelled);
    return false;
  }

  [[nodiscard]] static std::chrono::nanoseconds wait_time(const RetrySide& side) noexcept {
    return *side.state.wait_;
  }
  [[nodiscard]] static const StopToken& wait_token(const RetrySide& side) noexcept {
    return side.state.token_;
  }
  [[nodiscard]] static int attempts(const RetrySide& side) noexcept { return side.state.stats_.attempts; }

  FUSEBOX_DETAIL_COLD static bool sleep(const RetrySide& side) {
    const RetryState& state = side.state;
    return state.table_->sleep != nullptr ? state.table_->sleep(state.pack_, *state.wait_, state.token_)
                                          : SystemClock{}.sleep_for(*state.wait_, state.token_);
  }

  [[nodiscard]] static ClockRef clock(Rules rules) {
    return rules.table->clock != nullptr ? rules.table->clock(rules.pack) : ClockRef{SystemClock{}};
  }

 private:
  [[nodiscard]] static const Failure& latest(const RetryState& state, Rules rules, SlotBase& slot) {
    return rules.outcome != nullptr ? state.stats_.errors.back() : slot.failure();
  }

  /// Would the last failure have been retried but for the caller's stop? To the policies outside that is a
  /// cancellation (F7). A stop by a limit is for the timeout to name (D2).
  [[nodiscard]] static bool stop_cut_short(const RetryState& state, const Failure& failure,
                                           const Call& call) {
    if (!state.token_.stop_requested() || failure.is_cancellation() || failure.is_config_error())
      return false;
    return state.has_retries_left() && state.is_retryable(failure) && !call.deadline().expired();
  }
  static void begin(RetrySide& side, const RetryConfig& config, Rules rules, const Call& call) {
    if (std::exchange(side.has_state, true)) return;
    std::construct_at(&side.state, RetryState{RetryState::Borrowed{rules.table, rules.pack}, config});
    side.state.deadline_ = call.deadline();
    if (const StopToken* token = CallAccess::token(call)) side.state.token_ = *token;
  }
  static void end(RetrySide& side, Rules rules, bool failed) noexcept {
    if (rules.outcome == nullptr) return;
    rules.outcome->failed = failed;
    rules.outcome->stats = std::move(side.state.stats_);
  }
  [[nodiscard]] static std::chrono::system_clock::time_point wall_now(Rules rules) {
    return rules.table->wall_now != nullptr ? rules.table->wall_now(rules.pack) : SystemClock{}.wall_now();
  }
};

/// What one call has of a retry. A Policy has config(), rules(), and `Pack`, the RetryPack of its options.
template <class Policy, class Context>
class RetryFrame {
  using Pack = typename Policy::Pack;
  /// Does anybody look at a rejection, or at how the retry ended? Else a rejection makes no Failure (P4, P5).
  static constexpr bool looks_at_all =
      Policy::leaves_result || Pack::template has<IsRetryIf> || Pack::template has<IsOnGiveUp>;
  static constexpr bool counts_attempts = Pack::template has<IsRetryCounts>;

 public:
  FUSEBOX_DETAIL_INLINE RetryFrame(Policy& policy, const Call& call, RetrySide& side)
      : policy_{policy}, side_{side}, call_{&call} {
    if constexpr (Context::shows_attempt) {
      std::construct_at(&side_.own, CallAccess::with_attempt(call, 1, key_));
      if (policy_.config().total_timeout != no_timeout)
        limit(side_, policy_.config().total_timeout, policy_.rules());
      call_ = &side_.own;
    } else if (policy_.config().total_timeout != no_timeout) [[unlikely]] {
      std::construct_at(&side_.own, call);
      limit(side_, policy_.config().total_timeout, policy_.rules());
      call_ = &side_.own;
    }
  }
  RetryFrame(const RetryFrame&) = delete;
  RetryFrame& operator=(const RetryFrame&) = delete;
  FUSEBOX_DETAIL_INLINE ~RetryFrame() = default;

  FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& /*slot*/) {
    Pack::begin_call(policy_.rules().pack);
    if constexpr (counts_attempts) counts().count_call();
    return Verdict::success;
  }
  [[nodiscard]] const Call& call() const noexcept { return *call_; }

  template <class Slot>
  FUSEBOX_DETAIL_INLINE bool again(Verdict& verdict, Slot& slot) {
    if constexpr (counts_attempts) counts().count_attempt(outcome_of(verdict));
    if (detail::has_value(verdict)) [[likely]] {
      if (side_.has_state) [[unlikely]] {
        RetrySteps::succeed(side_, policy_.rules());
      } else {
        if constexpr (Policy::leaves_result) policy_.rules().outcome->stats.attempts = 1;
        Pack::deposit(policy_.rules().pack);
      }
      return false;
    }
    if (!looks_at_all && verdict != Verdict::failure) return false;
    // A copy, so that a call that succeeds need not have the config in memory.
    const auto next =
        RetrySteps::decide(side_, RetryConfig{policy_.config()}, policy_.rules(), *call_, slot.base());
    if (next == RetrySteps::Next::cancellation) verdict = Verdict::cancelled;
    return next == RetrySteps::Next::attempt;
  }

  [[nodiscard]] std::chrono::nanoseconds wait_time() const noexcept { return RetrySteps::wait_time(side_); }
  [[nodiscard]] StopToken wait_token() const { return RetrySteps::wait_token(side_); }
  FUSEBOX_DETAIL_INLINE bool sleep() {
    static_assert(fusebox::Clock<std::remove_cvref_t<decltype(policy_.clock())>>,
                  "fusebox: op returns no coroutine, so a retry waits on this thread: it needs a clock whose "
                  "sleep_for blocks and returns bool (a Clock)");
    return RetrySteps::sleep(side_);
  }
  FUSEBOX_DETAIL_INLINE Verdict waited(bool to_its_end, SlotBase& slot) {
    if (!RetrySteps::waited(side_, policy_.rules(), to_its_end, slot)) return Verdict::cancelled;
    if constexpr (Context::shows_attempt) CallAccess::set_attempt(side_.own, RetrySteps::attempts(side_) + 1);
    return Verdict::success;
  }

 private:
  /// Has the call a key of this retry? The copies of a hedged call share one (J4).
  static constexpr bool has_key = Context::shows_attempt && !Context::in_copy;

  [[nodiscard]] RetryCounts& counts() noexcept {
    return *Pack::template get<IsRetryCounts>(policy_.rules().pack);
  }
  [[nodiscard]] static constexpr Outcome outcome_of(Verdict verdict) noexcept {
    if (detail::has_value(verdict)) return Outcome::success;
    return verdict == Verdict::failure ? Outcome::failure : Outcome::ignored;
  }

  /// The call's deadline, on the timeline of the retry's clock (R3).
  FUSEBOX_DETAIL_COLD static void limit(RetrySide& side, std::chrono::nanoseconds timeout,
                                        RetrySteps::Rules rules) {
    const Deadline end = DeadlineOf::after(timeout, RetrySteps::clock(rules));
    std::construct_at(&side.own, CallAccess::with_deadline(side.own, end));
  }

  Policy& policy_;
  RetrySide& side_;
  const Call* call_;
  [[no_unique_address]] std::conditional_t<has_key, std::optional<std::string>, CallAccess::OuterKey> key_;
};

/// The type of the clock among the options, else SystemClock.
template <class... Options>
struct ClockAmong {
  using type = SystemClock;
};
template <class First, class... Rest>
struct ClockAmong<First, Rest...> {
  using type =
      typename std::conditional_t<IsClock<std::remove_cvref_t<First>>::value,
                                  std::type_identity<std::remove_cvref_t<First>>, ClockAmong<Rest...>>::type;
};

inline constexpr SystemClock system_clock;

/// The clock of a retry's options.
template <class Pack>
[[nodiscard]] const auto& clock_of([[maybe_unused]] Pack& pack) noexcept {
  if constexpr (Pack::template has<IsClock>) {
    return Pack::template get<IsClock>(&pack);
  } else {
    return system_clock;
  }
}

/// The retry of one call of retry_with_backoff.
template <class... Options>
struct LoneRetry {
  using Pack = RetryPack<typename Referred<Options>::type...>;
  static constexpr bool leaves_result = true;

  const RetryConfig kept;  // op may change the one that was given (R16)
  Pack pack;
  RetryOutcome* outcome;

  [[nodiscard]] FUSEBOX_DETAIL_INLINE const RetryConfig& config() const noexcept { return kept; }
  [[nodiscard]] FUSEBOX_DETAIL_INLINE RetrySteps::Rules rules() noexcept {
    if constexpr (sizeof...(Options) == 0) {
      return {&no_retry_options, nullptr, outcome};
    } else {
      return {&retry_table<Pack>, &pack, outcome};
    }
  }
  [[nodiscard]] const typename ClockAmong<Options...>::type& clock() { return clock_of<Pack>(pack); }
};

template <class... Options>
struct Layer<LoneRetry<Options...>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  using Clock = typename ClockAmong<Options...>::type;
  static constexpr bool sets_attempt = true;
  using Side = RetrySide;
  template <class Context>
  using Frame = RetryFrame<LoneRetry<Options...>, Context>;
};

/// The slot of retry_with_backoff: op's value is made in the result itself.
template <class R>
class RetrySlot {
 public:
  using value_type = typename R::value_type;
  using result_type = R;

  RetrySlot(R& result, SlotBase& failure) noexcept : result_{result}, failure_{failure} {}

  [[nodiscard]] SlotBase& base() const noexcept { return failure_; }

  template <class F>
  FUSEBOX_DETAIL_INLINE void make(F&& op) {
    result_.make(op);
  }
  void drop_value() noexcept { result_.drop_value(); }
  static void blank() noexcept {}  // the result knows whether it has a value
  [[nodiscard]] bool has_value() const noexcept { return result_.holds_value(); }
  [[nodiscard]] const auto& peek() const noexcept { return result_.peek(); }

 private:
  R& result_;
  SlotBase& failure_;
};

inline constexpr RetryConfig default_retry_config;

/// The call of a retry in a coroutine: the plan of TaskFlow::run(). In retry/detail/plan.hpp.
template <class Task, Takes what, bool throws, class Op, class... Options>
class RetryPlan;

/// How that coroutine keeps an option.
template <class Option>
using KeptByRetry = std::conditional_t<is_one_of<Option, IsBudget>, Option&&, std::decay_t<Option>>;

/// retry_with_backoff (throws) and try_retry_with_backoff, once their options are checked.
struct RetryDrive {
  /// As it is, or in a coroutine, which keeps everything but a budget and a generator by lvalue (A3).
  template <bool throws, class Op, class... Options>
  FUSEBOX_DETAIL_INLINE static auto call(Op&& op, const RetryConfig& given, Options&&... options) {
    if constexpr (returns_task<Op, Takes::attempt>()) {
      return start_task<throws>(std::forward<Op>(op), given, std::forward<Options>(options)...);
    } else {
      return run<throws>(op, given, options...);
    }
  }

  template <bool throws, class Op, class... Options>
  FUSEBOX_DETAIL_INLINE static auto run(Op& op, const RetryConfig& given, Options&... options) {
    constexpr Takes what = takes<Op, Takes::attempt>;
    check_operation<what, Op, Options...>();
    using T = ValueOf<what, Op>;
    check_without_exceptions<T, throws, Options...>();
    using R = RetryResult<std::conditional_t<std::is_reference_v<T>, T, std::remove_cv_t<T>>>;
    using Policy = LoneRetry<Options...>;
    if (may_be_bad(given)) [[unlikely]]
      refuse_if_bad(given);
    R result{typename R::Begun{}};
    SlotBase failure;
    RetrySlot<R> slot{result, failure};
    PartTuple<Policy> parts{Policy{given, {{options...}}, &result}};
    if (is_stopped(options...)) [[unlikely]] {
      auto& policy = std::get<0>(parts);
      RetrySteps::cancel_before_first(policy.config(), policy.rules());
    } else {
      static_cast<void>(detail::run_flow<what, false>(parts, slot, op, options...));
    }
    if constexpr (throws) {
      if (result.failed) [[unlikely]]
        throw_unless_returned(result, slot.has_value());
    }
    return result;
  }

 private:
  template <class Task, Takes what, bool throws, class Op, class... Options>
  friend class RetryPlan;

  template <class T, bool throws, class... Options>
  static consteval void check_without_exceptions() {
    static_assert(
        exceptions_are_on<T> || count_of<IsFailureIf, Options...> != 0 ||
            can_fail<std::remove_cvref_t<T>, NoRule>,
        "fusebox: without exceptions op's result must be able to express a failure: an expected-like "
        "type, a std::error_code, a type with failure_traits or failure_of, or any type with failure_if");
    static_assert(
        exceptions_are_on<T> || !throws || count_of<IsStopToken, Options...> == 0,
        "fusebox: without exceptions retry_with_backoff cannot throw CancelledError: with a stop token "
        "use try_retry_with_backoff");
  }

  template <bool throws, class Op, class... Options>
  [[nodiscard]] static auto start_task(Op&& op, const RetryConfig& config, Options&&... options) {
    check_kept<std::decay_t<Op>, Op>();
    (check_kept<KeptByRetry<Options>, Options>(), ...);
    constexpr Takes what = takes<std::decay_t<Op>, Takes::attempt>;
    using Task = KeptValueOf<Op, what>;
    if (may_be_bad(config)) [[unlikely]]
      refuse_if_bad(config);
    using Plan = RetryPlan<Task, what, throws, std::decay_t<Op>, KeptByRetry<Options>...>;
    return TaskFlow<Task>::run(Plan{config, std::forward<Op>(op), std::forward<Options>(options)...});
  }

  /// Checks once more, so that the caller's check makes no Problem.
  FUSEBOX_DETAIL_COLD static void refuse_if_bad(const RetryConfig& config) {
    throw_if("RetryConfig", check(config));
  }
  template <class... Options>
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static bool is_stopped(Options&... options) {
    if constexpr (count_of<IsStopToken, Options...> == 0) {
      return false;
    } else {
      int none = 0;
      return option_or<IsStopToken>(none, options...).stop_requested();
    }
  }
  /// A failed value is in the result.
  FUSEBOX_DETAIL_COLD static void throw_unless_returned(const RetryOutcome& outcome, bool has_returned) {
    if (!has_returned || outcome.wait_was_cancelled) outcome.throw_error();
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
