// fusebox/detail/budget.hpp: how policies ask a budget, whose type is the user's choice (RetryBudgetLike).
#pragma once
// IWYU pragma: private

#include <concepts>
#include <memory>
#include <type_traits>

#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class B>
concept BudgetLike = requires(B& budget, const Failure& failure) {
  { budget.try_withdraw(failure) } -> std::same_as<bool>;
} || requires(B& budget) {
  { budget.try_withdraw() } -> std::same_as<bool>;
};

/// Asks a budget in the way that it has.
template <class B>
[[nodiscard]] bool withdraw_from(B& budget, [[maybe_unused]] const Failure& failure) {
  if constexpr (requires {
                  { budget.try_withdraw(failure) } -> std::same_as<bool>;
                }) {
    return budget.try_withdraw(failure);
  } else {
    return budget.try_withdraw();
  }
}

template <class T>
struct IsBudget : std::bool_constant<BudgetLike<T>> {};

template <class T>
struct IsSharedBudget : std::false_type {};
template <BudgetLike B>
struct IsSharedBudget<std::shared_ptr<B>> : std::true_type {};

/// A budget that the policy keeps alive.
template <class B>
struct SharedBudget {
  std::shared_ptr<B> budget;

  bool try_withdraw(const Failure& failure) { return withdraw_from(*budget, failure); }
  void deposit()
    requires requires(B& b) { b.deposit(); }
  {
    budget->deposit();
  }
  void give_back()
    requires requires(B& b) { b.give_back(); }
  {
    budget->give_back();
  }
  void on_call()
    requires requires(B& b) { b.on_call(); }
  {
    budget->on_call();
  }
  void on_failure(const Failure& failure)
    requires requires(B& b) { b.on_failure(failure); }
  {
    budget->on_failure(failure);
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
