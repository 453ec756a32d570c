// fusebox/hedge/detail/tasks.hpp: HedgeTasks, one hedged call whose op returns a task (J12).
//
// The coroutine of the call drives the race; each copy is a coroutine of its own kind, which runs a CopyPlan
// (see detail/flow/plan.hpp) and tells how it ended.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <fusebox/detail/flow/operation.hpp>
#include <fusebox/detail/flow/plan.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/hedge/detail/copies.hpp>
#include <fusebox/hedge/detail/race.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class C, class Budget, class Task, Takes what, class Slot, class Inside, class Op, class Rule>
class HedgeTasks final : public HedgeCopies<C, Budget, Inside, Slot, Op, Rule> {
  using Base = HedgeCopies<C, Budget, Inside, Slot, Op, Rule>;

 public:
  using Clock = C;
  using What = HedgeRace::What;
  using Base::Base;
  using typename Base::Copy;

  /// What one copy runs.
  class CopyPlan;
};

template <class C, class Budget, class TaskType, Takes what_op_takes, class SlotType, class Inside, class Op,
          class Rule>
class HedgeTasks<C, Budget, TaskType, what_op_takes, SlotType, Inside, Op, Rule>::CopyPlan {
  using Tasks = HedgeTasks;

 public:
  using Task = TaskType;
  using Returned = void;
  static constexpr Takes what = what_op_takes;
  /// Its op is cancelled by the token of its Call, whoever stops that.
  static constexpr bool may_lose = true;

  CopyPlan(const std::shared_ptr<Tasks>& tasks, Copy& copy) : op{tasks->op()}, tasks_{tasks}, copy_{copy} {}

  class State {
   public:
    explicit State(CopyPlan& plan)
        : slot{plan.copy_.slot},
          rule{plan.tasks_->rule()},
          flow{plan.tasks_->inside(), slot, plan.copy_.call},
          tasks_{*plan.tasks_},
          copy_{plan.copy_} {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() = default;

    void finish() { tasks_.note(copy_, flow.verdict()); }

    SlotType& slot;
    const Rule& rule;
    CoroutineFlow<TaskType, what, SlotType, Inside> flow;

   private:
    Tasks& tasks_;
    Copy& copy_;
  };

  const Op& op;

 private:
  std::shared_ptr<Tasks> tasks_;
  Copy& copy_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
