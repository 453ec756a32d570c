// fusebox/hedge/detail/threads.hpp: HedgeThreads, one hedged call that blocks its caller (J8).
//
// The caller's thread runs the race: it gives copies to an executor, waits, and takes what the deciding copy
// left.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <atomic>
#include <memory>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/native_thread.hpp>
#include <fusebox/detail/task_pool.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>
#include <fusebox/hedge/detail/budget.hpp>
#include <fusebox/hedge/detail/copies.hpp>
#include <fusebox/hedge/detail/race.hpp>
#include <fusebox/hedge/detail/running.hpp>
#include <fusebox/hedge/detail/state.hpp>
#include <fusebox/hedge/executor.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// `Flow` runs what is inside.
template <class C, class Budget, class Flow, class Slot, class Op, class Rule>
class HedgeThreads final : public HedgeCopies<C, Budget, typename Flow::Tuple, Slot, Op, Rule> {
  using Base = HedgeCopies<C, Budget, typename Flow::Tuple, Slot, Op, Rule>;
  using Copy = typename Base::Copy;
  using Self = std::shared_ptr<HedgeThreads>;

 public:
  using Base::Base;

  /// Runs the race on the caller's thread.
  template <class Executor>
  [[nodiscard]] static Verdict run(const Self& self, Executor& executor, const Call& call, Slot& slot) {
    static const bool stays = keep_this_module();
    static_cast<void>(stays);
    const typename Base::Leaving leaving{*self};
    self->begin();
    const typename Base::OnStop on_stop{*self, call};
    for (;;) {
      const HedgeRace::Next next = self->next();
      if (next.what == HedgeRace::What::done) return self->finish(slot);
      start(self, executor, next.copy);
    }
  }

 private:
  /// What an executor gets. Whoever claims it first runs it; destroyed unclaimed, the copy never runs.
  class Ticket final : public PoolTask {
   public:
    Ticket(Self copies, Copy& copy)
        : state_{copies->shared_state()}, copies_{std::move(copies)}, copy_{copy} {
      state_->running.enter();
    }
    ~Ticket() override { static_cast<void>(discard()); }

    /// True: it has not run, and never will.
    bool discard() noexcept {
      if (is_claimed_.exchange(true, std::memory_order_relaxed)) return false;
      copies_->drop(copy_);
      copies_.reset();
      state_->running.leave();
      return true;
    }

    void run() override {
      // Relaxed: who hands the ticket over synchronises.
      if (is_claimed_.exchange(true, std::memory_order_relaxed)) return;
      const std::shared_ptr<HedgeState> state = std::move(state_);
      const HedgeRunning::Here here{state->running};
      const Self copies = std::move(copies_);  // op, and what it refers to, goes before ~Hedge may return
      copies->run_copy(copy_);
    }

   private:
    std::shared_ptr<HedgeState> state_;
    Self copies_;
    Copy& copy_;
    std::atomic<bool> is_claimed_{false};
  };

  /// A thread may come back from a copy, to code of this module, after ~Hedge.
  [[nodiscard]] static bool keep_this_module() noexcept {
#if FUSEBOX_DETAIL_PTHREADS
    keep_loaded(reinterpret_cast<const void*>(&keep_this_module));
#endif
    return true;
  }

  template <class Executor>
  static void start(const Self& self, Executor& executor, int number) {
    typename Base::Starting starting{*self, number};
    if (starting.copy() == nullptr) return;
    const auto ticket = std::make_shared<Ticket>(self, *starting.copy());
    if (submit(executor, ticket)) return starting.spend();
    if (number == 0) return ticket->run();            // nobody else does
    if (!ticket->discard()) return starting.spend();  // it ran, whatever the executor says
    starting.count_refused();
  }

  /// False: nobody runs it.
  template <class Executor>
  [[nodiscard]] static bool submit(Executor& executor, const std::shared_ptr<Ticket>& ticket) {
    FUSEBOX_DETAIL_TRY { return submit_to(executor, ticket); }
    FUSEBOX_DETAIL_CATCH_ALL {
      if (!detail::caught_exception()) FUSEBOX_DETAIL_RETHROW;
      return false;
    }
  }

  void run_copy(Copy& copy) {
    typename Base::Ending ending{*this, copy};
    if (Base::is_over()) return;  // before it began
    FUSEBOX_DETAIL_TRY {
      Base::note(copy, Flow::template run<1>(Base::inside(), copy.slot, copy.call, Base::op(), Base::rule()));
    }
    FUSEBOX_DETAIL_CATCH_ALL {
      copy.exception = detail::caught_exception();
      if (!copy.exception) FUSEBOX_DETAIL_RETHROW;  // the thread ends
    }
    ending.tell();
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
