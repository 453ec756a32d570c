// fusebox/adapters/asio.hpp: policies for standalone Asio, 1.22 or newer.
//
// AsioClock, the clock of coroutines that return asio::awaitable. A call that names no clock uses it (A11):
//
//     asio::awaitable<Order> fetch_order();
//     const auto order = co_await retry_with_backoff(fetch_order, retry_presets::quick);
//
// Asio 1.22 needs -DASIO_HAS_CO_AWAIT=1 with clang.
#pragma once

#include <chrono>
#include <system_error>
#include <type_traits>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>
#include <asio/compose.hpp>
#include <asio/error_code.hpp>
#include <asio/multiple_exceptions.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/wait_traits.hpp>

#include <fusebox/coro.hpp>
#include <fusebox/detail/asio/clock.hpp>
#include <fusebox/detail/asio/completion.hpp>
#include <fusebox/detail/asio/task.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What the adapter needs of Asio.
struct StandaloneAsio {
  using Code = asio::error_code;
  template <class T, class Executor>
  using Awaitable = asio::awaitable<T, Executor>;
  template <class Executor>
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>, Executor>;

  [[nodiscard]] static constexpr auto this_executor() noexcept { return asio::this_coro::executor; }
  /// What a coroutine awaits: an operation that `initiation`, given a handler, begins. `code` gets its error.
  template <class Executor, class Signature, class Initiation>
  [[nodiscard]] static auto initiate(const Initiation& initiation, Code& code) {
    auto token = asio::redirect_error(asio::use_awaitable_t<Executor>{}, code);
    return asio::async_initiate<decltype(token), Signature>(initiation, token);
  }
  /// As it is, or throws the exception that it completed with.
  template <class Executor, class Signature, class Initiation>
  [[nodiscard]] static auto initiate(const Initiation& initiation) {
    asio::use_awaitable_t<Executor> token;
    return asio::async_initiate<asio::use_awaitable_t<Executor>, Signature>(initiation, token);
  }
  template <class Executor, class Handler>
  static void spawn(const Executor& executor, Awaitable<void, Executor>&& task, Handler&& handler) {
    asio::co_spawn(executor, std::move(task), std::forward<Handler>(handler));
  }

  // For completion tokens.

  template <class Signature, class Implementation, class Token, class Executor>
  static auto compose(Implementation&& implementation, Token& token, const Executor& executor) {
    return asio::async_compose<Token, Signature>(std::forward<Implementation>(implementation), token,
                                                 executor);
  }
  template <class Executor, class F>
  static void post(const Executor& executor, F&& function) {
    asio::post(executor, std::forward<F>(function));
  }
  template <class Self, class Executor>
  [[nodiscard]] static auto executor_of(const Self& self, const Executor& otherwise) {
    return asio::get_associated_executor(self, otherwise);
  }
  template <class Self>
  [[nodiscard]] static auto allocator_of(const Self& self) {
    return asio::get_associated_allocator(self);
  }
  [[nodiscard]] static Code code_of(const std::error_code& code) { return code; }

  static constexpr bool cancels = true;
  using Signal = asio::cancellation_signal;
  static void cancel(Signal& signal) { signal.emit(asio::cancellation_type::terminal); }
  template <class Handler>
  [[nodiscard]] static auto slot_of(const Handler& handler) noexcept {
    return asio::get_associated_cancellation_slot(handler);
  }
  template <class Slot, class Handler>
  [[nodiscard]] static auto bind_slot(const Slot& slot, Handler&& handler) {
    return asio::bind_cancellation_slot(slot, std::forward<Handler>(handler));
  }
  template <class Self>
  static void accept_cancellation(Self& self) {
    self.reset_cancellation_state(asio::enable_total_cancellation());
  }
  template <class Self>
  [[nodiscard]] static bool is_cancelled(const Self& self) noexcept {
    return self.get_cancellation_state().cancelled() != asio::cancellation_type::none;
  }
};

/// One registration for the whole program.
inline const bool knows_multiple_exceptions_of_asio = [] {
  register_failure_translator(&translate_multiple_exceptions<asio::multiple_exceptions>);
  return true;
}();

}  // namespace detail

/// An AsyncClock for awaitable<T, Executor>. It waits on a steady_timer of the executor of the coroutine that
/// awaits, so that it needs none itself. The coroutine's cancellation and the stop token end a wait at once.
/// Stateless and thread-safe.
template <class Executor = asio::any_io_executor>
class BasicAsioClock : public detail::AsioClockOf<detail::StandaloneAsio, Executor> {};

/// The clock of asio::awaitable<T>.
using AsioClock = BasicAsioClock<>;

template <class T, class Executor>
struct task_traits<asio::awaitable<T, Executor>> {
  using value_type = T;
  template <class U>
  using rebind = asio::awaitable<U, Executor>;
  using clock_type = BasicAsioClock<Executor>;
  /// By a cancellation slot (A14).
  [[nodiscard]] static asio::awaitable<T, Executor> stopped_by(asio::awaitable<T, Executor> task,
                                                               StopToken token)
    requires(detail::StandaloneAsio::cancels)
  {
    return detail::asio_stopped_by<detail::StandaloneAsio, T, Executor>(std::move(task), std::move(token));
  }
  /// On the executor of the coroutine that awaits it (J12).
  [[nodiscard]] static asio::awaitable<void, Executor> start(asio::awaitable<T, Executor> task)
    requires(std::is_void_v<T>)
  {
    return detail::asio_start<detail::StandaloneAsio, Executor>(std::move(task));
  }
};

static_assert(AsyncClock<AsioClock>);

/// Starts `op(handler)` if the policies let it, and completes `token` with what op completed with.
/// `Signature` is op's: void(asio::error_code, values...) or void(std::exception_ptr, values...). The
/// policies are a Pipeline, a policy, or a std::shared_ptr of one; lvalues must outlive the operation, unless
/// a std::shared_ptr owns them (A12).
///
///     async_execute<void(asio::error_code, std::size_t)>(
///         breaker, executor, [&](auto handler) { socket.async_read_some(buffer, std::move(handler)); },
///         token);
///
/// An error is a failure; so is a value that failure_traits call one. A call that a policy ended completes
/// with its PolicyErrc, or with its error as an exception, and with values made by default. It never
/// completes before async_execute has returned. `executor` runs the waits, on a steady_timer.
///
/// Options follow the token: a std::stop_token, a Deadline and failure_if. op may take a `const Call&` after
/// the handler. The handler's executor, allocator and cancellation slot hold for everything in between; a
/// timeout that ends cancels op by the slot of the handler that op got. What a hook throws leaves the
/// io_context's run().
template <class Signature, class P, class Executor, class Op, class Token, class... Options>
auto async_execute(P&& policies, const Executor& executor, Op&& op, Token&& token, Options&&... options) {
  return detail::asio_execute<detail::StandaloneAsio, Signature>(
      std::forward<P>(policies), executor, std::forward<Op>(op), std::forward<Token>(token),
      std::forward<Options>(options)...);
}

/// Starts `op(handler)` until it succeeds or the config says stop, and completes `token` with what the last
/// attempt completed with; with PolicyErrc::cancelled if a stop or the cancellation slot ended a wait. Takes
/// the options of retry_with_backoff. total_timeout counts from the first attempt, also of a deferred
/// operation (A12). Throws ConfigError for an invalid config.
template <class Signature, class Executor, class Op, class Token, class... Options>
auto async_retry(const Executor& executor, Op&& op, const RetryConfig& config, Token&& token,
                 Options&&... options) {
  return detail::asio_retry<detail::StandaloneAsio, Signature>(
      executor, std::forward<Op>(op), config, std::forward<Token>(token), std::forward<Options>(options)...);
}

FUSEBOX_END_NAMESPACE
