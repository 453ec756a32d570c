// fusebox/hedge/detail/budget.hpp: how a hedge uses a budget: hedges pay, the primary never does (J6).
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <type_traits>
#include <utility>

#include <fusebox/detail/budget.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// No budget was given.
struct NoHedgeBudget {};

/// B is NoHedgeBudget, a reference, or a SharedBudget.
template <class B>
class HedgeBudget {
  using Plain = std::remove_reference_t<B>;
  static constexpr bool is_none = std::is_same_v<Plain, NoHedgeBudget>;
  static constexpr bool asks_why = requires(Plain& budget, const Failure& failure) {
    { budget.try_withdraw(failure) } -> std::same_as<bool>;
  };

 public:
  explicit HedgeBudget(const std::remove_cvref_t<B>& budget)
    requires(!std::is_reference_v<B>)
      : budget_(budget) {}
  explicit HedgeBudget(B budget)
    requires(std::is_reference_v<B>)
      : budget_(budget) {}

  /// A call begins.
  void on_call() {
    if constexpr (requires(Plain& budget) { budget.on_call(); }) budget_.on_call();
  }
  /// May a hedge start? `why()` gives the failure that a budget may ask for.
  template <class Why>
  [[nodiscard]] bool try_withdraw([[maybe_unused]] Why why) {
    if constexpr (is_none) {
      return true;
    } else if constexpr (asks_why) {
      const Failure failure = why();
      return budget_.try_withdraw(failure);
    } else {
      return budget_.try_withdraw();
    }
  }
  /// A copy has failed.
  void on_failure([[maybe_unused]] SlotBase& slot) {
    if constexpr (requires(Plain& budget, const Failure& failure) { budget.on_failure(failure); })
      budget_.on_failure(slot.failure());
  }
  /// The call has succeeded.
  void deposit() {
    if constexpr (requires(Plain& budget) { budget.deposit(); }) budget_.deposit();
  }
  void give_back() noexcept {
    if constexpr (requires(Plain& budget) { budget.give_back(); }) budget_.give_back();
  }

 private:
  B budget_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
