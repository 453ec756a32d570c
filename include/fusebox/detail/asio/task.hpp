// fusebox/detail/asio/task.hpp: a coroutine of Asio that a stop token cancels (A14): one text for Asio and
// Boost.Asio. See detail/asio/clock.hpp about Net.
#pragma once
// IWYU pragma: private

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/asio/stop.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Runs `task` with a cancellation slot of its own, so that a stop ends it and not the coroutine around. What
/// cancels that one cancels both.
template <class Net, class T, class Executor>
[[nodiscard]] typename Net::template Awaitable<T, Executor> asio_stopped_by(
    typename Net::template Awaitable<T, Executor> task, StopToken token) {
  using Done = typename Net::template Awaitable<void, Executor>;
  using Kept = std::conditional_t<std::is_void_v<T>, bool, T>;
  const Executor executor = co_await Net::this_executor();
  std::optional<Kept> value;
  auto body = [&]() -> Done {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
    } else {
      value.emplace(co_await std::move(task));
    }
  };
  AsioLink<Net> link;
  const auto begin = [&](auto&& handler) {
    Net::spawn(executor, body(), link.tie(handler, token, executor));
  };
  co_await Net::template initiate<Executor, void(std::exception_ptr)>(begin);
  link.cut();
  if constexpr (!std::is_void_v<T>) co_return std::move(*value);
}

/// Begins `task` on the executor of the coroutine that awaits this, and does not wait for it (J12). What it
/// throws is dropped.
template <class Net, class Executor>
[[nodiscard]] typename Net::template Awaitable<void, Executor> asio_start(
    typename Net::template Awaitable<void, Executor> task) {
  const Executor executor = co_await Net::this_executor();
  Net::spawn(executor, std::move(task), [](const std::exception_ptr&) {});
}

/// Parallel operations, such as those of awaitable_operators, end with one exception for all. The first
/// counts: if the operations were cancelled, so was op (A7).
template <class MultipleExceptions>
[[nodiscard]] std::optional<Failure> translate_multiple_exceptions(
    [[maybe_unused]] const std::exception_ptr& exception) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  try {
    std::rethrow_exception(exception);
  } catch (const MultipleExceptions& several) {
    if (auto first = several.first_exception()) return Failure::from_exception(std::move(first));
  } catch (...) {  // something else
  }
#endif
  return std::nullopt;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
