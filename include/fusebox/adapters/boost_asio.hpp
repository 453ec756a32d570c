// fusebox/adapters/boost_asio.hpp: policies for Boost.Asio of Boost 1.74 or newer.
//
// As fusebox/adapters/asio.hpp, whose names it has in the namespace fusebox::boost_asio, so that a program
// can use both. It includes fusebox/adapters/boost_system.hpp.
//
// Boost 1.74 needs -DBOOST_ASIO_HAS_CO_AWAIT=1 with clang.
#pragma once

#include <chrono>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>  // IWYU pragma: keep: the awaitable.hpp of Boost 1.74 forgets it

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/wait_traits.hpp>
#include <boost/system/error_code.hpp>

#include <fusebox/adapters/boost_system.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/detail/asio/clock.hpp>
#include <fusebox/detail/asio/completion.hpp>
#include <fusebox/detail/asio/task.hpp>

/// FUSEBOX_DETAIL_BOOST_CANCELS: 1 if Boost.Asio has cancellation slots, as from Boost 1.77 on. Use it around
/// code that needs them.
#if __has_include(<boost/asio/bind_cancellation_slot.hpp>)
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#define FUSEBOX_DETAIL_BOOST_CANCELS 1
#else
#define FUSEBOX_DETAIL_BOOST_CANCELS 0
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// PolicyErrc as a category of Boost.System.
class FUSEBOX_API WrappedPolicyCategory final : public boost::system::error_category {
 public:
  // An id, so that the categories of two modules of a program are the same.
  constexpr WrappedPolicyCategory() noexcept : error_category{0xF05EB0CA7E60121D} {}
  [[nodiscard]] const char* name() const noexcept override { return policy_error_category().name(); }
  [[nodiscard]] std::string message(int value) const override {
    return policy_error_category().message(value);
  }
  [[nodiscard]] boost::system::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<PolicyErrc>(value)) {
      case PolicyErrc::timed_out: return make_error_condition(boost::system::errc::timed_out);
      case PolicyErrc::cancelled: return make_error_condition(boost::system::errc::operation_canceled);
      default: return {value, *this};
    }
  }
};

[[nodiscard]] FUSEBOX_API inline const boost::system::error_category& wrapped_policy_category() noexcept {
  static const NoDestroy<WrappedPolicyCategory> category;
  return *category;
}

/// What the adapter needs of Boost.Asio.
struct BoostAsio {
  using Code = boost::system::error_code;
  template <class T, class Executor>
  using Awaitable = boost::asio::awaitable<T, Executor>;
  template <class Executor>
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  [[nodiscard]] static constexpr auto this_executor() noexcept { return boost::asio::this_coro::executor; }
  /// What a coroutine awaits: an operation that `initiation`, given a handler, begins. `code` gets its error.
  template <class Executor, class Signature, class Initiation>
  [[nodiscard]] static auto initiate(const Initiation& initiation, Code& code) {
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable_t<Executor>{}, code);
    return boost::asio::async_initiate<decltype(token), Signature>(initiation, token);
  }
  /// As it is, or throws the exception that it completed with.
  template <class Executor, class Signature, class Initiation>
  [[nodiscard]] static auto initiate(const Initiation& initiation) {
    boost::asio::use_awaitable_t<Executor> token;
    return boost::asio::async_initiate<boost::asio::use_awaitable_t<Executor>, Signature>(initiation, token);
  }
  template <class Executor, class Handler>
  static void spawn(const Executor& executor, Awaitable<void, Executor>&& task, Handler&& handler) {
    boost::asio::co_spawn(executor, std::move(task), std::forward<Handler>(handler));
  }

  // For completion tokens.

  template <class Signature, class Implementation, class Token, class Executor>
  static auto compose(Implementation&& implementation, Token& token, const Executor& executor) {
    return boost::asio::async_compose<Token, Signature>(std::forward<Implementation>(implementation), token,
                                                        executor);
  }
  template <class Executor, class F>
  static void post(const Executor& executor, F&& function) {
    boost::asio::post(executor, std::forward<F>(function));
  }
  template <class Self, class Executor>
  [[nodiscard]] static auto executor_of(const Self& self, const Executor& otherwise) {
    return boost::asio::get_associated_executor(self, otherwise);
  }
  template <class Self>
  [[nodiscard]] static auto allocator_of(const Self& self) {
    return boost::asio::get_associated_allocator(self);
  }
  template <class StdCode>
  [[nodiscard]] static Code code_of(const StdCode& code) {
    if constexpr (std::is_constructible_v<Code, const StdCode&>) {
      return Code(code);  // keeps the category
    } else {
      return {code.value(), wrapped_policy_category()};
    }
  }

#if FUSEBOX_DETAIL_BOOST_CANCELS
  static constexpr bool cancels = true;
  using Signal = boost::asio::cancellation_signal;
  static void cancel(Signal& signal) { signal.emit(boost::asio::cancellation_type::terminal); }
  template <class Handler>
  [[nodiscard]] static auto slot_of(const Handler& handler) noexcept {
    return boost::asio::get_associated_cancellation_slot(handler);
  }
  template <class Slot, class Handler>
  [[nodiscard]] static auto bind_slot(const Slot& slot, Handler&& handler) {
    return boost::asio::bind_cancellation_slot(slot, std::forward<Handler>(handler));
  }
  template <class Self>
  static void accept_cancellation(Self& self) {
    self.reset_cancellation_state(boost::asio::enable_total_cancellation());
  }
  template <class Self>
  [[nodiscard]] static bool is_cancelled(const Self& self) noexcept {
    return self.get_cancellation_state().cancelled() != boost::asio::cancellation_type::none;
  }
#else
  static constexpr bool cancels = false;
  template <class Self>
  static void accept_cancellation(Self& /*self*/) noexcept {}
  template <class Self>
  [[nodiscard]] static bool is_cancelled(const Self& /*self*/) noexcept {
    return false;
  }
#endif
};

/// One registration for the whole program.
inline const bool knows_multiple_exceptions_of_boost_asio = [] {
  register_failure_translator(&translate_multiple_exceptions<boost::asio::multiple_exceptions>);
  return true;
}();

}  // namespace detail

namespace boost_asio {

/// As fusebox::BasicAsioClock, of boost::asio::awaitable. Before Boost 1.77, whose coroutines cannot be
/// cancelled, the stop token alone ends a wait.
template <class Executor = boost::asio::any_io_executor>
class BasicAsioClock : public detail::AsioClockOf<detail::BoostAsio, Executor> {};

/// The clock of boost::asio::awaitable<T>.
using AsioClock = BasicAsioClock<>;

static_assert(AsyncClock<AsioClock>);

/// The code by which a call completes that a policy ended: compare it, or make a std::error_code of it, which
/// equals the PolicyErrc.
[[nodiscard]] inline boost::system::error_code make_error_code(PolicyErrc errc) {
  return detail::BoostAsio::code_of(fusebox::make_error_code(errc));
}

/// As fusebox::async_execute, with signatures of boost::system::error_code.
template <class Signature, class P, class Executor, class Op, class Token, class... Options>
auto async_execute(P&& policies, const Executor& executor, Op&& op, Token&& token, Options&&... options) {
  return detail::asio_execute<detail::BoostAsio, Signature>(std::forward<P>(policies), executor,
                                                            std::forward<Op>(op), std::forward<Token>(token),
                                                            std::forward<Options>(options)...);
}

/// As fusebox::async_retry, with signatures of boost::system::error_code.
template <class Signature, class Executor, class Op, class Token, class... Options>
auto async_retry(const Executor& executor, Op&& op, const RetryConfig& config, Token&& token,
                 Options&&... options) {
  return detail::asio_retry<detail::BoostAsio, Signature>(
      executor, std::forward<Op>(op), config, std::forward<Token>(token), std::forward<Options>(options)...);
}

}  // namespace boost_asio

template <class T, class Executor>
struct task_traits<boost::asio::awaitable<T, Executor>> {
  using value_type = T;
  template <class U>
  using rebind = boost::asio::awaitable<U, Executor>;
  using clock_type = boost_asio::BasicAsioClock<Executor>;
  /// By a cancellation slot (A14).
  [[nodiscard]] static boost::asio::awaitable<T, Executor> stopped_by(
      boost::asio::awaitable<T, Executor> task, StopToken token)
    requires(detail::BoostAsio::cancels)
  {
    return detail::asio_stopped_by<detail::BoostAsio, T, Executor>(std::move(task), std::move(token));
  }
  /// On the executor of the coroutine that awaits it (J12).
  [[nodiscard]] static boost::asio::awaitable<void, Executor> start(boost::asio::awaitable<T, Executor> task)
    requires(std::is_void_v<T>)
  {
    return detail::asio_start<detail::BoostAsio, Executor>(std::move(task));
  }
};

FUSEBOX_END_NAMESPACE
