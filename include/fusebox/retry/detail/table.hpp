// fusebox/retry/detail/table.hpp: the options of a retry behind one type (R17).
//
// The rules of a retry are compiled once, whatever the options of a call. RetryPack holds the options of a
// call. Its RetryTable says how to use them: one function each, null for an option that was not given.
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/invoke.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry/options.hpp>
#include <fusebox/retry/result.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// How to use the options of a pack, which is the first argument of each function.
struct RetryTable {
  ClockRef (*clock)(void*) = nullptr;
  bool (*sleep)(void*, std::chrono::nanoseconds, const StopToken&) = nullptr;
  std::chrono::system_clock::time_point (*wall_now)(void*) = nullptr;
  bool (*accepts)(void*, const Failure&) = nullptr;
  std::chrono::nanoseconds (*delay)(void*, int, const Failure&) = nullptr;
  std::uint64_t (*random)(void*) = nullptr;
  void (*on_call)(void*) = nullptr;
  void (*on_failure)(void*, const Failure&) = nullptr;
  bool (*withdraw)(void*, const Failure&) = nullptr;
  void (*deposit)(void*) = nullptr;
  void (*give_back)(void*) = nullptr;
  void (*on_retry)(void*, int, const Failure&, std::chrono::nanoseconds) = nullptr;
  void (*on_give_up)(void*, const RetryStats&) = nullptr;
  void (*destroy)(void*) = nullptr;
};

/// How a pack holds an option: by reference, but a generator that was given by value is the call's own.
template <class Option>
struct Referred {
  using type = Option&;
};
template <class Option>
  requires(IsWithRandom<std::remove_const_t<Option>>::value)
struct Referred<Option> {
  using type = std::remove_const_t<Option>;
};

/// The options of one call.
template <class... Held>
struct RetryPack {
  std::tuple<Held...> options;

  template <template <class> class Kind>
  static constexpr bool has = count_of<Kind, Held...> != 0;

  template <template <class> class Kind>
  [[nodiscard]] static auto& get(void* pack) {
    return std::apply(
        [](auto&... held) -> auto& {
          int none = 0;
          return option_or<Kind>(none, held...);
        },
        static_cast<RetryPack*>(pack)->options);
  }

  /// The callable of an option. Checked here, where it is known whether the option is const.
  template <template <class> class Kind, class... Args>
  static decltype(auto) call(void* pack, Args&&... args) {
    auto& callable = get<Kind>(pack).call;
    static_assert(std::is_invocable_v<decltype(callable), Args...>,
                  "fusebox: this callable changes itself, so the option that holds it must not be const");
    return detail::invoke(callable, std::forward<Args>(args)...);
  }

  /// A first attempt follows.
  FUSEBOX_DETAIL_INLINE static void begin_call([[maybe_unused]] void* pack) {
    if constexpr (has<IsBudget>) {
      auto& budget = get<IsBudget>(pack);
      if constexpr (requires { budget.on_call(); }) budget.on_call();
    }
  }
  /// The call succeeded.
  FUSEBOX_DETAIL_INLINE static void deposit([[maybe_unused]] void* pack) {
    if constexpr (has<IsBudget>) {
      auto& budget = get<IsBudget>(pack);
      if constexpr (requires { budget.deposit(); }) budget.deposit();
    }
  }

  [[nodiscard]] static consteval RetryTable table() {
    RetryTable table;
    if constexpr (has<IsClock>) {
      table.clock = [](void* pack) { return ClockRef{get<IsClock>(pack)}; };
      if constexpr (Clock<std::remove_cvref_t<decltype(get<IsClock>(nullptr))>>) table.sleep = &sleep;
      table.wall_now = [](void* pack) { return get<IsClock>(pack).wall_now(); };
    }
    if constexpr (has<IsRetryIf>) {
      table.accepts = [](void* pack, const Failure& failure) {
        return static_cast<bool>(call<IsRetryIf>(pack, failure));
      };
    }
    if constexpr (has<IsBackoff>) {
      table.delay = &delay;
    }
    if constexpr (has<IsWithRandom>) {
      table.random = [](void* pack) { return detail::random_bits(get<IsWithRandom>(pack).generator); };
    }
    if constexpr (has<IsBudget>) add_budget(table);
    if constexpr (has<IsOnRetry>) {
      table.on_retry = &on_retry;
    }
    if constexpr (has<IsOnGiveUp>) {
      table.on_give_up = [](void* pack, const RetryStats& stats) {
        static_cast<void>(call<IsOnGiveUp>(pack, stats));
      };
    }
    table.destroy = [](void* pack) { delete static_cast<RetryPack*>(pack); };
    return table;
  }

 private:
  static bool sleep(void* pack, std::chrono::nanoseconds wait, const StopToken& token) {
    return get<IsClock>(pack).sleep_for(wait, token);
  }
  static std::chrono::nanoseconds delay(void* pack, int attempt, const Failure& failure) {
    return call<IsBackoff>(pack, int{attempt}, failure);
  }
  static void on_retry(void* pack, int attempt, const Failure& failure, std::chrono::nanoseconds wait) {
    static_cast<void>(call<IsOnRetry>(pack, int{attempt}, failure, std::chrono::nanoseconds{wait}));
  }
  static consteval void add_budget(RetryTable& table) {
    using Budget = std::remove_reference_t<decltype(get<IsBudget>(nullptr))>;
    table.withdraw = [](void* pack, const Failure& failure) -> bool {
      return withdraw_from(get<IsBudget>(pack), failure);
    };
    if constexpr (requires(Budget& budget) { budget.on_call(); })
      table.on_call = [](void* pack) { get<IsBudget>(pack).on_call(); };
    if constexpr (requires(Budget& budget, const Failure& failure) { budget.on_failure(failure); })
      table.on_failure = [](void* pack, const Failure& failure) { get<IsBudget>(pack).on_failure(failure); };
    if constexpr (requires(Budget& budget) { budget.deposit(); })
      table.deposit = [](void* pack) { get<IsBudget>(pack).deposit(); };
    if constexpr (requires(Budget& budget) { budget.give_back(); })
      table.give_back = [](void* pack) { get<IsBudget>(pack).give_back(); };
  }
};

template <class Pack>
inline constexpr RetryTable retry_table = Pack::table();

/// Of a call without options.
inline constexpr RetryTable no_retry_options;

}  // namespace detail

FUSEBOX_END_NAMESPACE
