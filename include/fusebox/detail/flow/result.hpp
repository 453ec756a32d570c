// fusebox/detail/flow/result.hpp: what a call with a fallback returns (B10, B11).
//
// Knows no policy. A policy whose results wrap op's value specialises Unwrapped.
#pragma once
// IWYU pragma: private

#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fusebox/detail/flow/task.hpp>
#include <fusebox/detail/invoke.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What op returned: a value made in place by calling op, a pointer for a reference, nothing for void.
template <class T>
struct ResultStorage {
  T value;
  template <class Call>
  ResultStorage(std::in_place_t, Call& call) : value(call()) {}
  [[nodiscard]] T& get() noexcept { return value; }
  [[nodiscard]] const T& get() const noexcept { return value; }
};
template <class T>
  requires std::is_reference_v<T>
struct ResultStorage<T> {
  std::remove_reference_t<T>* value;
  template <class Call>
  ResultStorage(std::in_place_t, Call& call) : value(address_of(call())) {}
  [[nodiscard]] std::remove_reference_t<T>& get() const noexcept { return *value; }
  [[nodiscard]] static std::remove_reference_t<T>* address_of(std::remove_reference_t<T>& object) noexcept {
    return std::addressof(object);
  }
  [[nodiscard]] static std::remove_reference_t<T>* address_of(std::remove_reference_t<T>&& object) noexcept {
    return std::addressof(object);
  }
};
template <class T>
  requires std::is_void_v<T>
struct ResultStorage<T> {
  template <class Call>
  ResultStorage(std::in_place_t, Call& call) {
    call();
  }
};

/// The access to the value of a result: the members that RetryResult and CallResult share. Result has
/// has_value() and, private, `get(self)`, which gives the value of a Result& or throws its error.
template <class Result, class T>
class ValueAccess {
  static constexpr bool is_void = std::is_void_v<T>;
  static constexpr bool not_void = !is_void;

 public:
  /// The value. Without a value it throws the error: op's own exception, or the library's; CancelledError if
  /// a stop cut a wait short. If exceptions are disabled it aborts.
  decltype(auto) value() & { return Result::get(self()); }
  decltype(auto) value() const& { return Result::get(self()); }
  T value() && {
    if constexpr (is_void || std::is_reference_v<T>) {
      return Result::get(self());
    } else {
      return std::move(Result::get(self()));
    }
  }

  decltype(auto) operator*() & { return value(); }
  decltype(auto) operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }

  [[nodiscard]] auto* operator->()
    requires not_void
  {
    return std::addressof(Result::get(self()));
  }
  [[nodiscard]] auto* operator->() const
    requires not_void
  {
    return std::addressof(Result::get(self()));
  }

  /// The value if op succeeded, else the default. Throws nothing of op's.
  template <class U = std::remove_cvref_t<T>>
  [[nodiscard]] std::remove_cvref_t<T> value_or(U&& default_value) const&
    requires not_void
  {
    return self().has_value() ? Result::get(self())
                              : static_cast<std::remove_cvref_t<T>>(std::forward<U>(default_value));
  }
  template <class U = std::remove_cvref_t<T>>
  [[nodiscard]] std::remove_cvref_t<T> value_or(U&& default_value) &&
    requires not_void
  {
    if (!self().has_value()) return static_cast<std::remove_cvref_t<T>>(std::forward<U>(default_value));
    return std::move(*this).value();
  }

 private:
  friend Result;
  ValueAccess() = default;

  [[nodiscard]] Result& self() noexcept { return static_cast<Result&>(*this); }
  [[nodiscard]] const Result& self() const noexcept { return static_cast<const Result&>(*this); }
};

/// Stands for "no fallback was given".
struct NoFallback {};

/// What T wraps; a type that wraps nothing is its own `type`. With a fallback, a call returns the unwrapped
/// value. The specialisation for a wrapper also has
///
///     template <class Result>
///     static decltype(auto) value_of(Result&& result);  // its value; throws if it has none
template <class T>
struct Unwrapped {
  using type = T;
};

template <class T>
inline constexpr bool is_wrapper = !std::is_same_v<typename Unwrapped<T>::type, T>;

/// Does a T only refer to what another object owns, as a std::string_view or a std::span does?
template <class T>
inline constexpr bool is_view = std::ranges::enable_borrowed_range<T>;
template <class T>
inline constexpr bool is_view<std::optional<T>> = is_view<T>;

/// Would the common type refer to a temporary that A is?
template <class A, class CommonType>
inline constexpr bool dangles = is_view<CommonType> && std::is_class_v<A> && !is_view<std::remove_cv_t<A>>;

/// The common type of op's result and the fallback's; T& only if both are that T&.
template <class A, class B>
struct Common {
  static_assert(!std::is_void_v<A> || std::is_void_v<B>,
                "fusebox: op returns void, so its fallback must return void too");
  static_assert(std::is_void_v<A> || !std::is_void_v<B>,
                "fusebox: op returns a value, so its fallback must return one too");
  static_assert(
      requires { typename std::common_type_t<std::remove_cvref_t<A>, std::remove_cvref_t<B>>; },
      "fusebox: op and its fallback return types that have no common type");
  using type = std::common_type_t<std::remove_cvref_t<A>, std::remove_cvref_t<B>>;
  static_assert(!dangles<A, type> && !dangles<B, type>,
                "fusebox: op and its fallback return an owner and a view (such as std::string and "
                "std::string_view), whose common type is the view: it would outlive the owner");
};
template <>
struct Common<void, void> {
  using type = void;
};
template <class T>
struct Common<T&, T&> {
  using type = T&;
};

/// The fallback's value. A fallback that can be called both ways gets the failure.
template <class F>
decltype(auto) invoke_fallback(F& fallback, const Failure& failure) {
  if constexpr (std::is_invocable_v<F&, const Failure&>) {
    return detail::invoke(fallback, failure);
  } else {
    return fallback();
  }
}

template <class F>
inline constexpr bool is_fallback = std::is_invocable_v<F&> || std::is_invocable_v<F&, const Failure&>;

template <class V, class F>
struct Guarded {
  static_assert(is_fallback<F>,
                "fusebox: the fallback must be callable with nothing or with a const Failure&");
  using type = typename Common<typename Unwrapped<V>::type,
                               typename Unwrapped<Finished<decltype(detail::invoke_fallback(
                                   std::declval<F&>(), std::declval<const Failure&>()))>>::type>::type;
};
template <class V>
struct Guarded<V, NoFallback> {
  using type = std::remove_cv_t<V>;  // a const value could not be moved out of
};

/// What a call returns whose op returns V and whose fallback is an F, or NoFallback.
template <class V, class F>
using GuardedResult = typename Guarded<V, F>::type;

/// op's or the fallback's value as the result R; unwrapped unless R is a wrapper too.
template <class R, class V>
R convert_result(V&& value) {
  using Wrapper = std::remove_cvref_t<V>;
  if constexpr (is_wrapper<Wrapper> && !is_wrapper<std::remove_cvref_t<R>>) {
    return static_cast<R>(Unwrapped<Wrapper>::value_of(std::forward<V>(value)));
  } else {
    return static_cast<R>(std::forward<V>(value));
  }
}

/// f() as the result R.
template <class R, class F>
R call_as(F&& f) {
  using V = decltype(f());
  if constexpr (std::is_void_v<V> || std::is_same_v<std::remove_cv_t<V>, R>) {
    return f();
  } else if constexpr (std::is_reference_v<V>) {
    return detail::convert_result<R>(f());
  } else {
    std::remove_cv_t<V> value = f();  // of a const value: one that can be moved from
    return detail::convert_result<R>(std::move(value));
  }
}

/// As invoke_fallback, as the result R.
template <class R, class F>
R call_fallback(F& fallback, const Failure& failure) {
  return detail::call_as<R>([&]() -> decltype(auto) { return detail::invoke_fallback(fallback, failure); });
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
