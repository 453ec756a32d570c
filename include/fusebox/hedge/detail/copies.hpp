// fusebox/hedge/detail/copies.hpp: HedgeCopies, what the copies of one hedged call need.
//
// It lives until the last of them has ended: op, the rule, the policies inside, and what each copy leaves.
// Two drivers share it: threads (threads.hpp), and coroutines (tasks.hpp).
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/hedge/detail/budget.hpp>
#include <fusebox/hedge/detail/meeting.hpp>
#include <fusebox/hedge/detail/race.hpp>
#include <fusebox/hedge/detail/state.hpp>

#if FUSEBOX_DETAIL_STOP_TOKEN
#include <stop_token>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// `Inside` is the tuple of the policies inside.
template <class C, class Budget, class Inside, class Slot, class Op, class Rule>
class HedgeCopies : public HedgeMeeting<C> {
  using Base = HedgeMeeting<C>;

 public:
  struct Copy : Base::Runner {
    Copy(int given, const Call& around) : Base::Runner{given}, call{around} {
      if (Base::Runner::token.stop_possible()) CallAccess::set_token(call, Base::Runner::token);
    }
    Call call;
    SlotBase failure;
    Slot slot{failure};
    Verdict verdict = Verdict::cancelled;
    std::exception_ptr exception;  // of a hook: it goes through to the caller (P11)
  };

  /// A copy that runs in the function, or the coroutine, that has this object. Nothing comes of one that ends
  /// before it has told how.
  class Ending {
   public:
    Ending(HedgeCopies& copies, Copy& copy) noexcept : copies_{copies}, copy_{copy} {}
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    ~Ending() {
      if (!is_told_) copies_.drop(copy_);
    }
    /// The copy has left a verdict, or an exception.
    void tell() {
      copies_.end(copy_);
      is_told_ = true;
    }

   private:
    HedgeCopies& copies_;
    Copy& copy_;
    bool is_told_ = false;
  };

  /// The caller leaves, maybe by an exception: the copies that run are stopped.
  class Leaving {
   public:
    explicit Leaving(HedgeCopies& copies) noexcept : copies_{copies} {}
    Leaving(const Leaving&) = delete;
    Leaving& operator=(const Leaving&) = delete;
    ~Leaving() { copies_.cancel(); }

   private:
    HedgeCopies& copies_;
  };

  /// Passes the caller's stop on, while it lives.
  class OnStop {
   public:
#if FUSEBOX_DETAIL_STOP_TOKEN
    OnStop(HedgeCopies& copies, const Call& call) : on_stop_{call.stop_token(), Cancel { copies }} {}

   private:
    struct Cancel {
      HedgeCopies& copies;
      void operator()() const noexcept { copies.cancel(); }
    };
    std::stop_callback<Cancel> on_stop_;
#else
    OnStop(HedgeCopies& /*copies*/, const Call& /*call*/) noexcept {}
#endif
  };

  HedgeCopies(std::shared_ptr<HedgeState> state, const C& clock, const HedgeBudget<Budget>& budget,
              Inside&& inside, const Call& call, const Op& op, const Rule& rule)
      : Base{std::move(state), clock, call.deadline()},
        budget_{budget},
        inside_{std::move(inside)},
        op_(op),
        rule_(rule),
        call_{CallAccess::detached(call, Base::deadline())} {
    if (CallAccess::has_key(call)) {
      key_ = call.idempotency_key();  // made now: copies only read it
      CallAccess::set_key(call_, key_);
    }
    copies_.reserve(static_cast<std::size_t>(Base::state().config.max_hedges) + 1);
  }

  void begin() { budget_.on_call(); }

  /// The copy that next() named starts: start(copy) of it. None if it is a hedge that the budget does not
  /// pay, or the race has been decided meanwhile. What was paid is given back unless spend() says that it
  /// runs.
  class Starting {
   public:
    Starting(HedgeCopies& copies, int number) : copies_{copies} {
      if (number != 0) {
        if (!copies.budget_.try_withdraw([&] { return copies.cause(); })) {
          refuse();
          return;
        }
        is_paid_ = true;
      }
      Copy& copy = *copies.copies_.emplace_back(std::make_unique<Copy>(number, copies.call_));
      if (copies.start(copy)) copy_ = &copy;
    }
    Starting(const Starting&) = delete;
    Starting& operator=(const Starting&) = delete;
    ~Starting() {
      if (is_paid_) copies_.budget_.give_back();
    }

    [[nodiscard]] Copy* copy() const noexcept { return copy_; }
    /// It runs.
    void spend() {
      if (!std::exchange(is_paid_, false)) return;
      totals().count_hedge();
      totals().tell(HedgeEventKind::available, copies_.clock());
    }
    /// Nobody runs it.
    void count_refused() {
      if (!is_paid_) return;
      totals().count_refused();
      totals().tell(HedgeEventKind::exhausted, copies_.clock());
    }

   private:
    void refuse() {
      totals().count_refused();  // before the call can end
      copies_.close();
      totals().tell(HedgeEventKind::exhausted, copies_.clock());
    }
    [[nodiscard]] HedgeTotals& totals() const noexcept { return *copies_.state().counts; }

    HedgeCopies& copies_;
    Copy* copy_ = nullptr;
    bool is_paid_ = false;
  };

  /// A copy has ended in a way that is its result.
  void note(Copy& copy, Verdict verdict) {
    copy.verdict = verdict;
    if (verdict == Verdict::failure && !Base::is_over()) budget_.on_failure(copy.failure);
  }

  /// A copy has left a verdict, or an exception; or the clock throws one now.
  void end(Copy& copy) {
    if (!copy.exception) {
      FUSEBOX_DETAIL_TRY { return Base::report(copy, copy.verdict); }
      FUSEBOX_DETAIL_CATCH_ALL {
        copy.exception = detail::caught_exception();
        if (!copy.exception) FUSEBOX_DETAIL_RETHROW;
      }
    }
    Base::decide(copy);
  }

  /// Moves what the call ends with into the slot. After next() has said that it is done.
  [[nodiscard]] Verdict finish(Slot& slot) {
    const int number = Base::race().result();
    if (number == HedgeRace::nobody) {
      slot.base().fail_own(
          Failure{CancelledError{"cancelled while copies of the call ran", Base::wall_now()}});
      return Verdict::cancelled;
    }
    Copy& copy = *copies_[static_cast<std::size_t>(number)];
    if (copy.exception) std::rethrow_exception(std::move(copy.exception));
    if (detail::has_value(copy.verdict)) {
      Base::state().win(number == 0, Base::latency());
      budget_.deposit();
    }
    slot.take_from(copy.slot, copy.verdict);
    return copy.verdict;
  }

  [[nodiscard]] Inside& inside() noexcept { return inside_; }
  [[nodiscard]] const Op& op() const noexcept { return op_; }
  [[nodiscard]] const Rule& rule() const noexcept { return rule_; }

 private:
  /// Why a hedge starts.
  [[nodiscard]] Failure cause() {
    const int failed = Base::first_to_fail();
    if (failed == HedgeRace::nobody) return Failure{make_error_code(PolicyErrc::timed_out)};
    return copies_[static_cast<std::size_t>(failed)]->failure.failure();
  }

  HedgeBudget<Budget> budget_;
  Inside inside_;
  const Op op_;
  const Rule rule_;
  Call call_;
  std::optional<std::string> key_;
  std::vector<std::unique_ptr<Copy>> copies_;  // the caller alone makes it longer
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
