// fusebox/circuit_breaker/detail/drive.hpp: CircuitBreaker::execute, once its arguments are known: an
// optional fallback around the breaker, then options; blocking, or in a coroutine.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/circuit_breaker/detail/layer.hpp>
#include <fusebox/detail/flow/carry.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/fallback.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class T>
inline constexpr bool is_execute_option = is_one_of<T, IsCallOptions, IsFailureIf, IsPriority, IsCall>;

template <class... Options>
consteval void check_execute_options() {
  static_assert((... && is_execute_option<Options>),
                "fusebox: unknown option: execute accepts, after op and an optional fallback, CallOptions, "
                "failure_if and a Priority, and the Call of an op around");
  static_assert(count_of<IsCallOptions, Options...> <= 1 && count_of<IsFailureIf, Options...> <= 1 &&
                    count_of<IsPriority, Options...> <= 1 && count_of<IsCall, Options...> <= 1,
                "fusebox: two options of one kind: execute accepts at most one each of CallOptions, "
                "failure_if and a Priority, and the Call of an op around");
}

/// CircuitBreaker::execute: an optional fallback around the breaker, then options.
struct BreakerDrive {
  /// Blocking, or in a coroutine.
  template <class C, class Op, class... Args>
  FUSEBOX_DETAIL_INLINE static decltype(auto) call(CircuitBreaker<C>& breaker, Op&& op, Args&&... args) {
    if constexpr (returns_task<Op, Takes::deadline>()) {
      return start(breaker, std::forward<Op>(op), std::forward<Args>(args)...);
    } else {
      return execute(breaker, op, args...);
    }
  }

  template <class C, class Op>
  FUSEBOX_DETAIL_INLINE static decltype(auto) execute(CircuitBreaker<C>& breaker, Op& op) {
    return run(with_options(breaker), op);
  }
  template <class C, class Op, class First, class... Rest>
  FUSEBOX_DETAIL_INLINE static decltype(auto) execute(CircuitBreaker<C>& breaker, Op& op, First& first,
                                                      Rest&... rest) {
    if constexpr (is_execute_option<First>) {
      return run(with_options(breaker, first, rest...), op, first, rest...);
    } else {
      check_fallback<First>();
      using Fallback = FallbackPolicy<First&, FallsBack::when_failed, true>;
      return run(std::tuple_cat(PartTuple<Fallback>{Fallback{first}}, with_options(breaker, rest...)), op,
                 rest...);
    }
  }

 private:
  template <class C, class Op>
  [[nodiscard]] static auto start(CircuitBreaker<C>& breaker, Op&& op) {
    return run_task(with_options(breaker), std::forward<Op>(op));
  }
  template <class C, class Op, class First, class... Rest>
  [[nodiscard]] static auto start(CircuitBreaker<C>& breaker, Op&& op, First&& first, Rest&&... rest) {
    if constexpr (is_execute_option<First>) {
      check(first, rest...);
      return run_task(with_options(breaker, first, rest...), std::forward<Op>(op), std::forward<First>(first),
                      std::forward<Rest>(rest)...);
    } else {
      using Kept = std::decay_t<First>;
      check_fallback<Kept>();
      check_kept<Kept, First>();
      check(rest...);
      using Fallback = FallbackPolicy<Kept, FallsBack::when_failed, true>;
      return run_task(std::tuple_cat(PartTuple<Fallback>{Fallback{std::forward<First>(first)}},
                                     with_options(breaker, rest...)),
                      std::forward<Op>(op), std::forward<Rest>(rest)...);
    }
  }
  template <class... Parts, class Op, class... Options>
  [[nodiscard]] static auto run_task(PartTuple<Parts...>&& parts, Op&& op, Options&&... options) {
    return detail::start_task<Takes::deadline>(detail::keep_parts(parts), std::forward<Op>(op),
                                               std::forward<Options>(options)...);
  }
  /// Bad CallOptions are refused before there is a coroutine (A2).
  template <class... Options>
  static void check(Options&... options) {
    if constexpr (count_of<IsCallOptions, Options...> != 0) {
      const CallOptions none;
      throw_if("CallOptions", detail::check(option_or<IsCallOptions>(none, options...)));
    } else {
      ((void)options, ...);
    }
  }
  template <class First>
  static consteval void check_fallback() {
    static_assert(
        is_fallback<First>,
        "fusebox: unknown option: what follows op must be a fallback (callable with nothing or with a "
        "const Failure&), CallOptions or failure_if");
  }

  template <class C, class... Options>
  FUSEBOX_DETAIL_INLINE static auto with_options(CircuitBreaker<C>& breaker, Options&... options) {
    check_execute_options<Options...>();
    if constexpr (count_of<IsCallOptions, Options...> == 0) {
      return PartTuple<CircuitBreaker<C>&>{breaker};
    } else {
      const CallOptions none;
      return PartTuple<TimedBreaker<C>>{TimedBreaker<C>{breaker, option_or<IsCallOptions>(none, options...)}};
    }
  }

  template <class... Parts, class Op, class... Options>
  FUSEBOX_DETAIL_INLINE static auto run(PartTuple<Parts...> parts, Op& op, Options&... options) ->
      typename ResultOf<ValueOf<takes<Op, Takes::deadline>, Op>, Parts...>::type {
    constexpr Takes what = takes<Op, Takes::deadline>;
    check_operation<what, Op, Options...>();
    using V = ValueOf<what, Op>;
    using R = typename ResultOf<V, Parts...>::type;
    static_assert(
        exceptions_are_on<V> || sizeof...(Parts) > 1 || carries_rejection<V>,
        "fusebox: without exceptions a rejection cannot be thrown: give execute a fallback, or let op "
        "return a type that can carry it (expected-like, std::error_code, with failure_traits)");
    SlotBase failure;
    Slot<V, R, RuleOf<Options...>> slot{failure};
    return detail::finish(detail::run_flow<what>(parts, slot, op, options...), slot);
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
