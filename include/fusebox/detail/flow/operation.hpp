// fusebox/detail/flow/operation.hpp: the innermost step of a call: op is called, and judged once (P2, P3).
#pragma once
// IWYU pragma: private

#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/flow/task.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/invoke.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What op takes.
enum class Takes : unsigned char { call, attempt, token, deadline, nothing, no_way };

template <class Op, Takes what>
inline constexpr bool can_take = false;
template <class Op>
inline constexpr bool can_take<Op, Takes::call> = std::is_invocable_v<Op&, const Call&>;
template <class Op>
inline constexpr bool can_take<Op, Takes::attempt> = std::is_invocable_v<Op&, const Attempt&>;
template <class Op>
inline constexpr bool can_take<Op, Takes::token> = std::is_invocable_v<Op&, StopToken>;
template <class Op>
inline constexpr bool can_take<Op, Takes::deadline> = std::is_invocable_v<Op&, Deadline>;
template <class Op>
inline constexpr bool can_take<Op, Takes::nothing> = std::is_invocable_v<Op&>;

/// The first of these that op can take. No other is tried, since a generic op may not compile with it.
template <class Op, Takes first, Takes... rest>
[[nodiscard]] consteval Takes first_that_fits() noexcept {
  if constexpr (can_take<Op, first>) {
    return first;
  } else if constexpr (sizeof...(rest) != 0) {
    return first_that_fits<Op, rest...>();
  } else {
    return Takes::no_way;
  }
}

/// P2; a policy's own execute() may prefer another one (B12, R17).
template <class Op, Takes preferred = Takes::call>
inline constexpr Takes takes = first_that_fits<Op, preferred, Takes::call, Takes::attempt, Takes::token,
                                               Takes::deadline, Takes::nothing>();

/// Can op be stopped? Only then does a limit arm a timer (P2).
[[nodiscard]] constexpr bool is_interruptible(Takes what) noexcept {
  return what == Takes::call || what == Takes::attempt || what == Takes::token;
}
/// Does op see its deadline?
[[nodiscard]] constexpr bool sees_deadline(Takes what) noexcept {
  return what == Takes::call || what == Takes::attempt || what == Takes::deadline;
}
/// Does op see the number and the key of its attempt?
[[nodiscard]] constexpr bool sees_attempt(Takes what) noexcept {
  return what == Takes::call || what == Takes::attempt;
}

/// A is a parameter, since only an op that takes an Attempt knows the type.
template <Takes what, class Op, class A = Attempt>
FUSEBOX_DETAIL_INLINE decltype(auto) invoke_op(Op& op, [[maybe_unused]] const Call& call) {
  static_assert(what != Takes::no_way,
                "fusebox: op must be callable without arguments, or with a const Call&, a const Attempt&, a "
                "std::stop_token or a Deadline");
  if constexpr (what == Takes::call) {
    return detail::invoke(op, call);
  } else if constexpr (what == Takes::attempt) {
    const auto attempt = CallAccess::template attempt<A>(call);
    return detail::invoke(op, attempt);
  } else if constexpr (what == Takes::token) {
    return op(call.stop_token());
  } else if constexpr (what == Takes::deadline) {
    return op(Deadline{call.deadline()});
  } else if constexpr (what == Takes::nothing) {
    return op();
  }
}

/// What op returns.
template <Takes what, class Op>
using ValueOf = decltype(detail::invoke_op<what>(std::declval<Op&>(), std::declval<const Call&>()));

/// What an op returns that lives in a coroutine.
template <class Op, Takes what>
using KeptValueOf = std::remove_cv_t<ValueOf<what, std::decay_t<Op>>>;

/// Does op return a task?
template <class Op, Takes preferred = Takes::call>
[[nodiscard]] consteval bool returns_task() noexcept {
  constexpr Takes what = takes<std::decay_t<Op>, preferred>;
  if constexpr (what == Takes::no_way) {
    return false;
  } else {
    return is_task_type<KeptValueOf<Op, what>>;
  }
}

/// Refuses an op that returns before its operation has ended (F5).
template <class V>
consteval void check_finished() {
  using T = std::remove_cvref_t<V>;
  if constexpr (is_task_type<T>) {
    static_assert(
        !std::is_reference_v<V>,
        "fusebox: op returns a reference to a coroutine, which can be awaited only once: let it return "
        "the coroutine");
    static_assert(
        std::is_reference_v<V>,
        "fusebox: op returns a coroutine, which cannot be awaited here: give it to execute() of a policy "
        "or of a Pipeline, or to retry_with_backoff()");
  } else if constexpr (FutureLike<T>) {
    static_assert(!FutureLike<T>,
                  "fusebox: op returns a future: its failure would come after the policies have recorded a "
                  "success; wait for it inside op");
  } else if constexpr (SenderLike<T>) {
    static_assert(
        !SenderLike<T>,
        "fusebox: op returns a sender, which has not started: wait for it inside op, or let op be a "
        "coroutine that awaits it");
  } else if constexpr (is_asio_operation<T>()) {
    static_assert(
        !is_asio_operation<T>(),
        "fusebox: op returns a deferred operation of Asio, or a promise: let op be a coroutine that "
        "awaits it");
  } else if constexpr (TaskFlow<T>::has_promise) {
    static_assert(
        !TaskFlow<T>::has_promise,
        "fusebox: op returns a coroutine that its like cannot await, such as a generator, or one that "
        "nobody waits for: let op return a task; if co_await takes it, specialise "
        "fusebox::task_traits");
  } else if constexpr (TaskFlow<T>::knows_tasks) {
    static_assert(
        !TaskFlow<T>::knows_tasks,
        "fusebox: op returns an awaitable that is no coroutine: let op be a coroutine that awaits it");
  } else {
    static_assert(
        !unfinished<T>,
        "fusebox: op returns a coroutine or another awaitable: include <fusebox/coro.hpp>, which lets "
        "policies await it; or wait for it inside op");
  }
}

/// The verdict on a value that is probably a failure.
template <class Slot, class Rule>
FUSEBOX_DETAIL_INLINE Verdict judge_value(Slot& slot, const Rule& rule) {
  using V = std::remove_cvref_t<typename Slot::value_type>;
  if constexpr (is_judged_by_code<V, Rule>) {
    const std::error_code code = detail::code_of_value<V, Rule>(slot.peek());
    slot.base().fail_by_code(code);
    return detail::verdict_of(code);
  } else {
    auto failure = detail::failure_of_value<V>(slot.peek(), rule);
    if (!failure) return Verdict::success;
    slot.base().fail(*std::move(failure));
    return detail::verdict_of(slot.base().failure());
  }
}

/// The rule is the failure_if of the call, or NoRule. What it throws goes through (P11).
template <class Slot, class Rule>
FUSEBOX_DETAIL_INLINE Verdict judge(Slot& slot, [[maybe_unused]] const Rule& rule) {
  using V = std::remove_cvref_t<typename Slot::value_type>;
  if constexpr (can_fail<V, Rule>) {
    if (detail::may_be_failure<V>(slot.peek(), rule)) [[unlikely]]
      return detail::judge_value(slot, rule);
  }
  return Verdict::success;
}

/// Calls op.
template <Takes what, class Slot, class Op, class Rule>
FUSEBOX_DETAIL_INLINE Verdict call_op(Slot& slot, const Call& call, Op& op, const Rule& rule) {
  FUSEBOX_DETAIL_TRY {
    slot.make([&]() -> decltype(auto) { return detail::invoke_op<what>(op, call); });
  }
  FUSEBOX_DETAIL_CATCH_ALL {
    const Verdict verdict = detail::catch_into(slot.base());
    slot.blank();
    return detail::has_value(verdict) ? Verdict::failure : verdict;  // it has none: so that g++ knows
  }
  return detail::judge(slot, rule);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
