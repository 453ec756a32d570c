// fusebox/hedge/run.hpp: HedgeRun, one hedged call that the program drives by hand; HedgeStep (J10).
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/hedge/detail/budget.hpp>
#include <fusebox/hedge/detail/race.hpp>
#include <fusebox/hedge/detail/state.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What to do next with a HedgeRun.
struct HedgeStep {
  enum class Kind : unsigned char {
    start,  ///< start copy number `copy` of the call; report how it ended
    wait,   ///< wait so long, or until a copy ends; then ask next() again
    done,   ///< the call has ended: winner() or result(); stop the copies that still run
  };

  Kind kind;
  int copy;                       ///< of Kind::start: 0 is the primary, others are hedges
  std::chrono::nanoseconds wait;  ///< of Kind::wait: at most; no_timeout: until a copy ends
};

/// One hedged call, for an event loop, where no thread can wait: the program starts the copies, keeps their
/// values and waits; the hedge decides. `Hedge::start()` makes it.
///
///     auto run = hedge.start();
///     void go_on() {
///       for (;;) {
///         const HedgeStep step = run.next();
///         if (step.kind == HedgeStep::Kind::start) { send(step.copy); continue; }
///         if (step.kind == HedgeStep::Kind::wait && step.wait != no_timeout) timer.start(step.wait, go_on);
///         if (step.kind == HedgeStep::Kind::done) answer(run.result());
///         return;
///       }
///     }
///     void answered(int copy, bool succeeded) { run.report(copy, succeeded); go_on(); }
///
/// It refers to the hedge's budget and shares its counts. Not thread-safe: one thread at a time.
template <class C, class Budget>
class HedgeRun {
  using Race = detail::HedgeRace;

 public:
  /// What to do now. A copy that it names is one that the program starts: the next call names another one. A
  /// call that has begun counts with the first next(). Asks the budget before it names a hedge.
  [[nodiscard]] HedgeStep next() {
    for (;;) {
      const detail::Tick now = detail::fine_tick(clock_);
      const Race::Next next = race_.next(now);
      switch (next.what) {
        case Race::What::done: finish(); return {HedgeStep::Kind::done, -1, {}};
        case Race::What::wait: return {HedgeStep::Kind::wait, -1, std::chrono::nanoseconds{next.wait}};
        case Race::What::start: break;
      }
      if (next.copy != 0 && !pay()) continue;
      race_.start(now);
      return {HedgeStep::Kind::start, next.copy, {}};
    }
  }

  /// A copy has ended. Each copy reports once; another report is dropped, and so is one of a copy that lost.
  void report(int copy, bool succeeded) { report(copy, succeeded ? Outcome::success : Outcome::failure); }
  /// Outcome::ignored: a policy rejected it, or it was cancelled.
  void report(int copy, Outcome outcome) {
    using detail::Verdict;
    const bool was_over = race_.is_over();
    if (outcome == Outcome::failure && !was_over && race_.is_running(copy)) {
      detail::SlotBase failed;
      failed.fail(Failure{make_error_code(std::errc::io_error)});
      budget_.on_failure(failed);
    }
    const detail::Tick now = detail::fine_tick(clock_);
    race_.report(copy, verdict_of(outcome), now);
    if (!was_over && race_.is_over()) ended_ = now;
  }
  /// The call is stopped: no copy starts, and none wins.
  void cancel() noexcept { race_.cancel(); }

  [[nodiscard]] bool is_over() const noexcept { return race_.is_over(); }
  /// Has this copy been started, and not reported? After Kind::done these are the copies to stop.
  [[nodiscard]] bool is_running(int copy) const noexcept { return race_.is_running(copy); }
  /// How many copies were started.
  [[nodiscard]] int started() const noexcept { return race_.started(); }
  /// After Kind::done: the copy that succeeded first; -1 if none did.
  [[nodiscard]] int winner() const noexcept { return race_.winner(); }
  /// After Kind::done: the copy whose end is that of the call: the winner, else the first that failed, else
  /// the first that ended; -1 after cancel().
  [[nodiscard]] int result() const noexcept { return race_.result(); }

 private:
  template <class, class, class>
  friend class Hedge;

  HedgeRun(const std::shared_ptr<detail::HedgeState>& state, const C& clock,
           const detail::HedgeBudget<Budget>& budget, const Deadline& deadline)
      : state_{state},
        clock_{clock},
        budget_{budget},
        began_{detail::fine_tick(clock_)},
        race_{state->config.max_hedges, state->delay(),
              detail::ticks(detail::DeadlineOf::moved_to(deadline, detail::ClockRef{clock_}).time())} {
    state_->counts->count_call();
    budget_.on_call();
  }

  [[nodiscard]] static constexpr detail::Verdict verdict_of(Outcome outcome) noexcept {
    switch (outcome) {
      case Outcome::success: return detail::Verdict::success;
      case Outcome::failure: return detail::Verdict::failure;
      case Outcome::ignored: break;
    }
    return detail::Verdict::cancelled;
  }

  [[nodiscard]] bool pay() {
    const auto why = [this] {
      return Failure{race_.first_to_fail() == Race::nobody ? make_error_code(PolicyErrc::timed_out)
                                                           : make_error_code(std::errc::io_error)};
    };
    if (budget_.try_withdraw(why)) {
      state_->counts->count_hedge();
      state_->counts->tell(HedgeEventKind::available, clock_);
      return true;
    }
    race_.close();
    state_->counts->count_refused();
    state_->counts->tell(HedgeEventKind::exhausted, clock_);
    return false;
  }
  void finish() {
    if (is_counted_) return;
    is_counted_ = true;
    if (race_.winner() == Race::nobody) return;
    state_->win(race_.winner() == 0, detail::elapsed(began_, ended_));
    budget_.deposit();
  }

  std::shared_ptr<detail::HedgeState> state_;
  [[no_unique_address]] C clock_;
  detail::HedgeBudget<Budget> budget_;
  detail::Tick began_;
  detail::Tick ended_ = 0;
  detail::HedgeRace race_;
  bool is_counted_ = false;
};

FUSEBOX_END_NAMESPACE
