// fusebox/circuit_breaker/detail/layer.hpp: a circuit breaker as a layer of the flow of a call.
//
// The frame asks the core to admit the call and settles it exactly once (B9 to B12). TimedBreaker is a
// breaker with the CallOptions of one call.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/circuit_breaker/detail/admit.hpp>
#include <fusebox/circuit_breaker/detail/core.hpp>
#include <fusebox/circuit_breaker/detail/settle.hpp>
#include <fusebox/circuit_breaker/detail/transitions.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/unwinding.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class T>
struct IsCallOptions : std::is_same<T, CallOptions> {};

/// Room for a T that few calls need. A std::optional without the flag, which would cost every call a write:
/// the flow knows where it is full.
template <class T>
class Room {
 public:
  Room() noexcept {}  // NOLINT(*-use-equals-default)
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() {}  // NOLINT(*-use-equals-default)

  template <class... Args>
  void fill(Args&&... args) noexcept {
    std::construct_at(&held_, std::forward<Args>(args)...);
  }
  [[nodiscard]] T& operator*() noexcept { return held_; }
  [[nodiscard]] T* operator->() noexcept { return &held_; }
  /// Call it once after fill().
  void empty() noexcept { std::destroy_at(&held_); }

 private:
  union {
    T held_;  // NOLINT(readability-identifier-naming)
  };
};

/// How a call of a breaker begins and ends.
template <class C>
struct BreakerSteps {
  using Breaker = CircuitBreaker<C>;
  using Core = BreakerCore<C>;

  // The timer of a call: none without CallOptions.

  struct NoTimer {
    [[nodiscard]] static constexpr bool is_late() noexcept { return false; }
  };
  struct Timer {
    const C& clock;
    std::chrono::nanoseconds timeout;
    Tick start;
    [[nodiscard]] FUSEBOX_DETAIL_NOINLINE Call call(const Call& outer) const noexcept {
      if (timeout == no_timeout) return outer;
      const auto end = saturating_add(start, timeout.count());
      return CallAccess::with_deadline(
          outer, Deadline::at(std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}}, clock));
    }
    [[nodiscard]] FUSEBOX_DETAIL_NOINLINE bool is_late() const {
      return timeout != no_timeout && elapsed(start, detail::fine_tick(clock)) > timeout.count();
    }
  };

  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE static Timer timer_of(const Breaker& breaker, CallOptions call) {
    throw_if("CallOptions", check(call));
    const C& clock = breaker.core_.clock();
    return Timer{clock, call.timeout, call.timeout == no_timeout ? 0 : detail::fine_tick(clock)};
  }

  /// What a probe holds beside that.
  struct Probe {
    Probe(typename Core::ProbeCall index, std::shared_ptr<void> owner) noexcept
        : running{index}, keep_alive{std::move(owner)} {}

    typename Core::ProbeCall running;
    std::shared_ptr<void> keep_alive;
    ProbeMark mark{};                // for calls that get the Call inside (A9)
    Call call = CallAccess::make();  // of what is inside, if the flow is driven step by step
  };

  /// What a call holds beside the word of its admission. Most calls never touch it.
  struct Scope {
    Tick start;
    Room<Probe> probe;
  };

  [[nodiscard]] static StateWord load(const Breaker& breaker) noexcept { return breaker.core_.load(); }

  [[nodiscard]] static Failure make_rejection(const void* core, Admission admission) {
    return static_cast<const Core*>(core)->rejection(StateWord{admission},
                                                     std::chrono::nanoseconds{admission.time});
  }
  FUSEBOX_DETAIL_INLINE static void refuse(Breaker& breaker, SlotBase& slot, StateWord word,
                                           Tick wait) noexcept {
    slot.refuse(PolicyErrc::circuit_open, &make_rejection, &breaker.core_, {word.bits(), wait});
  }
  /// True if an open breaker rejects the call; `wait` is then the time left.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static bool rejects(Breaker& breaker, StateWord word, Tick& wait) {
    return breaker.core_.rejects(word, wait);
  }
  /// Admits or rejects a call that the word alone does not admit.
  template <bool blocking>
  FUSEBOX_DETAIL_NOINLINE static StateWord begin(Breaker& breaker, StateWord word, Scope& scope) {
    const Admission admission = breaker.core_.admit_slow_path(word, true);
    scope.start = admission.time;
    const StateWord admitted{admission};
    if (admitted.is_probe()) begin_probe<blocking>(breaker, admission, scope);
    return admitted;
  }

  /// Is the call part of a probe around, whose Call it got (A9)?
  [[nodiscard]] FUSEBOX_DETAIL_COLD static bool is_inside(const ProbeMark* mark, const Breaker& breaker,
                                                          StateWord word) noexcept {
    if (!word.is_half_open()) return false;
    for (; mark != nullptr; mark = mark->outer) {
      if (mark->breaker == &breaker && mark->generation == word.generation()) return true;
    }
    return false;
  }
  /// The Call of what is inside a probe that is driven step by step.
  FUSEBOX_DETAIL_COLD static void mark_probe(const Breaker& breaker, StateWord word, Scope& scope,
                                             const Call& outer) noexcept {
    scope.probe->mark = {&breaker, word.generation(), CallAccess::probe(outer)};
    scope.probe->call = outer;
    CallAccess::set_probe(scope.probe->call, scope.probe->mark);
  }

  /// Driven step by step, op is not called from here, and calls inside it are no part of the probe (B7).
  template <bool blocking>
  FUSEBOX_DETAIL_COLD static void begin_probe(Breaker& breaker, Admission admission, Scope& scope) {
    auto keep_alive = breaker.weak_from_this().lock();  // a callback may release the breaker
    bool has_begun = false;
    const auto step = [&] {
      if (!std::exchange(has_begun, true)) {
        breaker.core_.deliver_events();
      } else {  // a callback has ended the thread: the call is not made
        breaker.core_.settle(admission, Outcome::ignored);
      }
      return false;
    };
    run_to_end(step);
    // Just below the frame that will call op, and so above all that op calls. Not the address of a local
    // variable, which need not lie on the stack (AddressSanitizer).
    [[maybe_unused]] const void* const frame = __builtin_frame_address(0);
    auto call = Core::no_probe_call;
    if constexpr (blocking) call = breaker.core_.begin_probe_call(StateWord{admission}, frame);
    scope.probe.fill(call, std::move(keep_alive));
  }

  FUSEBOX_DETAIL_INLINE static void succeed(Breaker& breaker, StateWord word, Scope& scope, bool late) {
    if (late) [[unlikely]] {
      settle_late_success(breaker, word, scope);
    } else if (!breaker.core_.settle_plain_success(word)) [[unlikely]] {
      settle(breaker, word, scope, Outcome::success, nullptr);
    }
  }
  FUSEBOX_DETAIL_COLD static void settle_late_success(Breaker& breaker, StateWord word, Scope& scope) {
    const Failure late{make_error_code(PolicyErrc::timed_out)};
    settle(breaker, word, scope, Outcome::failure, &late);
  }

  FUSEBOX_DETAIL_NOINLINE static void settle(Breaker& breaker, StateWord word, Scope& scope, Outcome outcome,
                                             const Failure* failure) {
    const Admission admission{word.bits(), word.admits_at_once() ? 0 : scope.start};
    if (!word.is_probe()) [[likely]]
      return breaker.core_.settle_slow_path(admission, outcome, failure);  // a tail call: no stack frame
    settle_probe_call(breaker, admission, scope, outcome, failure);
  }
  FUSEBOX_DETAIL_COLD static void settle_probe_call(Breaker& breaker, Admission admission, Scope& scope,
                                                    Outcome outcome, const Failure* failure) {
    breaker.core_.end_probe_call(StateWord{admission}, scope.probe->running);
    struct Emptying {
      Scope& scope;
      ~Emptying() { scope.probe.empty(); }  // may destroy the breaker
    } emptying{scope};
    breaker.core_.settle_slow_path(admission, outcome, failure);
  }

  /// Does a code say all that the config's classify looks at?
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static bool judges_codes(const Breaker& breaker,
                                                               StateWord word) noexcept {
    return breaker.core_.config_at(word).classify == &default_outcome;
  }
  /// As fail() without a timer, for a classify that is default_outcome: no Failure is made.
  FUSEBOX_DETAIL_INLINE static void settle_by_code(Breaker& breaker, StateWord word, Scope& scope,
                                                   const std::error_code& code) {
    const Outcome outcome = detail::outcome_of_code(code);
    if (outcome == Outcome::failure && breaker.core_.settle_closed_failure(word, code)) [[likely]]
      return;
    const Failure failure{code};
    settle(breaker, word, scope, outcome, &failure);
  }

  /// Judges in the order of B12. Settles the call also if classify or the clock throws. Touches nothing of
  /// the breaker afterwards.
  template <class AnyTimer>
  FUSEBOX_DETAIL_NOINLINE static void fail(Breaker& breaker, StateWord word, Scope& scope,
                                           const Failure& failure, const AnyTimer& timer) {
    struct Settling {
      Breaker& breaker;
      StateWord word;
      Scope& scope;
      const Failure& failure;
      bool is_judged = false;
      ~Settling() {
        if (!is_judged) BreakerSteps::settle(breaker, word, scope, Outcome::ignored, &failure);
      }
    } settling{breaker, word, scope, failure};
    Outcome outcome = Outcome::ignored;
    const auto classify = breaker.core_.config_at(word).classify;
    if (classify == &default_outcome &&
        std::is_same_v<AnyTimer, NoTimer>) {  // it recognises cancellations itself
      outcome = default_outcome(failure);
    } else if (!failure.is_rejection() && !detail::is_nobodys(failure)) {
      outcome = timer.is_late() ? Outcome::failure : classify(failure);
    }
    settling.is_judged = true;
    settle(breaker, word, scope, outcome, &failure);
  }

  /// A call that did not succeed in time.
  template <class AnyTimer>
  FUSEBOX_DETAIL_NOINLINE static void settle_failed(Breaker& breaker, StateWord word, Scope& scope,
                                                    Verdict verdict, SlotBase& slot, const AnyTimer& timer) {
    if (verdict == Verdict::late) return settle_late_success(breaker, word, scope);
    const Failure* failure = nullptr;
    if (verdict == Verdict::failure || word.is_observed()) {
      FUSEBOX_DETAIL_TRY { failure = &slot.failure(); }
      FUSEBOX_DETAIL_CATCH_ALL {  // out of memory for the error of a rejection inside
        settle(breaker, word, scope, Outcome::ignored, nullptr);
        FUSEBOX_DETAIL_RETHROW;
      }
    }
    if (verdict == Verdict::failure) return fail(breaker, word, scope, *failure, timer);
    settle(breaker, word, scope, Outcome::ignored, failure);
  }
};

/// A breaker, and the CallOptions of one call.
template <class C>
struct TimedBreaker {
  CircuitBreaker<C>& breaker;
  CallOptions options;

  [[nodiscard]] const C& clock() const noexcept { return breaker.clock(); }
  [[nodiscard]] auto weak_from_this() const noexcept { return breaker.weak_from_this(); }
};

/// What one call has of a breaker.
template <class C, class Context, class AnyTimer, bool limits_call = false>
class BreakerFrame {
  using Steps = BreakerSteps<C>;
  using Breaker = CircuitBreaker<C>;
  using Scope = typename Steps::Scope;

 public:
  FUSEBOX_DETAIL_INLINE BreakerFrame(Breaker& breaker, const Call& call, Scope& scope) noexcept
      : breaker_{breaker}, scope_{scope}, call_{call} {}
  FUSEBOX_DETAIL_INLINE BreakerFrame(TimedBreaker<C>& timed, const Call& call, Scope& scope)
      : breaker_{timed.breaker},
        scope_{scope},
        timer_{Steps::timer_of(timed.breaker, timed.options)},
        call_{limited(timer_, call)} {}
  BreakerFrame(const BreakerFrame&) = delete;
  BreakerFrame& operator=(const BreakerFrame&) = delete;
  FUSEBOX_DETAIL_INLINE ~BreakerFrame() {
    if constexpr (!Context::blocking) abandon();
  }
  /// Something passes that is no failure of op's: the call counts as ignored.
  FUSEBOX_DETAIL_INLINE void abandon() {
    if (is_admitted_) [[unlikely]]
      Steps::settle(breaker_, word_, scope_, Outcome::ignored, nullptr);
  }

  FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
    word_ = Steps::load(breaker_);
    if (!word_.admits_at_once()) [[unlikely]] {
      Tick wait = 0;
      bool is_rejected = Steps::rejects(breaker_, word_, wait);
      if (!is_rejected) {
        const ProbeMark* const around = CallAccess::probe(call_);  // a constant without a Call from outside
        word_ = around != nullptr && Steps::is_inside(around, breaker_, word_)
                    ? word_.marked(StateWord::nested)
                    : Steps::template begin<Context::blocking>(breaker_, word_, scope_);
        if constexpr (!Context::blocking) {
          if (word_.is_probe()) Steps::mark_probe(breaker_, word_, scope_, call_);
        }
        is_rejected = word_.is_rejected();
        if (is_rejected) wait = scope_.start;
      }
      if (is_rejected) {
        Steps::refuse(breaker_, slot, word_, wait);
        return Verdict::rejected;
      }
    }
    is_admitted_ = true;
    return Verdict::success;
  }
  [[nodiscard]] const Call& call() const noexcept {
    if constexpr (!Context::blocking) {
      if (word_.is_probe()) return scope_.probe->call;
    }
    return call_;
  }

  template <class Slot>
  FUSEBOX_DETAIL_INLINE bool again(Verdict& verdict, Slot& slot) {
    if (verdict == Verdict::success) [[likely]] {
      const bool late = is_late();
      is_admitted_ = false;
      Steps::succeed(breaker_, word_, scope_, late);
    } else {
      is_admitted_ = false;
      if constexpr (std::is_same_v<AnyTimer, typename Steps::NoTimer>) {
        if (verdict == Verdict::failure && slot.base().is_code() && Steps::judges_codes(breaker_, word_))
            [[likely]] {
          Steps::settle_by_code(breaker_, word_, scope_, slot.base().code());
          return false;
        }
      }
      Steps::settle_failed(breaker_, word_, scope_, verdict, slot.base(), timer_);
    }
    return false;
  }

 private:
  /// The clock may throw.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool is_late() {
    if constexpr (std::is_same_v<AnyTimer, typename Steps::NoTimer>) {
      return false;
    } else {
      FUSEBOX_DETAIL_TRY { return timer_.is_late(); }
      FUSEBOX_DETAIL_CATCH_ALL {
        abandon();
        is_admitted_ = false;
        FUSEBOX_DETAIL_RETHROW;
      }
    }
  }
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static decltype(auto) limited([[maybe_unused]] const AnyTimer& timer,
                                                                    const Call& call) noexcept {
    if constexpr (limits_call) {
      return timer.call(call);
    } else {
      return (call);
    }
  }

  Breaker& breaker_;
  Scope& scope_;
  StateWord word_{0};
  bool is_admitted_ = false;
  [[no_unique_address]] AnyTimer timer_;
  std::conditional_t<limits_call, const Call, const Call&> call_;
};

template <class C>
struct Layer<CircuitBreaker<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = true;
  using Clock = C;
  using Side = typename BreakerSteps<C>::Scope;
  template <class Context>
  using Frame = BreakerFrame<C, Context, typename BreakerSteps<C>::NoTimer>;

  template <class Explanation>
  static void explain(const CircuitBreaker<C>& breaker, Explanation& text) {
    text.say("circuit breaker", breaker.name(),
             std::string{"counts one outcome of each "} + text.unit() +
                 "; a rejection or a cancellation inside it counts as ignored. While it is open it rejects "
                 "at once");
  }
};

template <class C>
struct Layer<TimedBreaker<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = true;
  using Clock = C;
  using Side = typename BreakerSteps<C>::Scope;
  template <class Context>
  using Frame = BreakerFrame<C, Context, typename BreakerSteps<C>::Timer, Context::shows_deadline>;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
