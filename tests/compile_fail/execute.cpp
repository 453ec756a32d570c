// CircuitBreaker::execute: its op, fallback and options. Many an op is a lambda, since clang names its line.
#include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <coroutine>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace fusebox;

CircuitBreaker<> breaker{"name"};
int op() { return 1; }
int fallback() { return 0; }
int fetch(int id) { return id; }
bool is_zero(int value) { return value == 0; }
bool is_one(int value) { return value == 1; }
std::future<int> start_future();
std::shared_future<int> start_shared_future();

struct Task {
  struct promise_type {
    Task get_return_object();
    std::suspend_always initial_suspend() noexcept;
    std::suspend_always final_suspend() noexcept;
    void return_void();
    void unhandled_exception();
  };
};
Task start_task();
void run(Task task);

struct Sender {
  struct sender_concept {};
};
Sender connect_later();
int sync_wait(Sender sender);

namespace asio {
template <class Signature>
struct deferred_async_operation {
  int operator()() const;
};
}  // namespace asio
asio::deferred_async_operation<void(int)> read_later();

// op takes nothing or a Deadline, and captures the rest.
// expect: op must be callable without arguments, or with
int op_not_callable() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute(fetch);
#else
  return breaker.execute([] { return fetch(7); });
#endif
}

// op is checked before its fallback is.
// expect: op must be callable without arguments, or with
int op_not_callable_with_fallback() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([](int id) { return fetch(id); }, fallback);
#else
  return breaker.execute([] { return fetch(7); }, fallback);
#endif
}

// An unfinished future does not say how the call ends.
// expect: op returns a future: .*wait for it inside op
void op_returns_future() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return start_future(); });
#else
  breaker.execute([] { return start_future().get(); });
#endif
}

// A shared future is a future.
// expect: op returns a future: .*wait for it inside op
void op_returns_shared_future() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return start_shared_future(); }, [] { return std::shared_future<int>{}; });
#else
  breaker.execute([] { return start_shared_future().get(); }, fallback);
#endif
}

// A coroutine that is not awaited is not a success.
// expect: op returns a coroutine or another awaitable: include <fusebox/coro.hpp>
void op_is_coroutine() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return start_task(); });
#else
  breaker.execute([] { run(start_task()); });
#endif
}

// A sender has not begun.
// expect: op returns a sender, which has not started: wait for it inside op
void op_returns_sender() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return connect_later(); });
#else
  breaker.execute([] { return sync_wait(connect_later()); });
#endif
}

// What Asio returns for its token `deferred` has not begun.
// expect: op returns a deferred operation of Asio
void op_returns_deferred_operation() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return read_later(); });
#else
  breaker.execute([] { return read_later()(); });
#endif
}

// A fallback takes nothing, or a const Failure&.
// expect: must be a fallback .callable with.*const Failure&
int fallback_cannot_be_called() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute(op, [](int last) { return last; });
#else
  return breaker.execute(op, [](const Failure&) { return 0; });
#endif
}

// A fallback may read the Failure, not change it.
// expect: must be a fallback .callable with.*const Failure&
int fallback_takes_mutable_failure() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute(op, [](Failure&) { return 0; });
#else
  return breaker.execute(op, [](Failure) { return 0; });
#endif
}

// A fallback is a callable, not a value.
// expect: must be a fallback .callable with.*const Failure&
int value_as_fallback() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute(op, 0);
#else
  return breaker.execute(op, [] { return 0; });
#endif
}

// The results of op and fallback must have a common type.
// expect: op and its fallback .*no common type
std::string no_common_type() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([] { return std::string{"text"}; }, [] { return 404; });
#else
  return breaker.execute([] { return std::string{"text"}; }, [] { return "404"; });
#endif
}

// If op returns a value, its fallback must return one.
// expect: op returns a value, so its fallback must return one too
int value_op_void_fallback() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([] { return 1; }, [] {});
#else
  return breaker.execute([] { return 1; }, [] { return 0; });
#endif
}

// If op returns nothing, a value of the fallback would be lost.
// expect: op returns void, so its fallback must return void too
void void_op_value_fallback() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] {}, [] { return 1; });
#else
  breaker.execute([] {}, [] {});
#endif
}

// The fallback follows op; options come after it.
// expect: unknown option: execute accepts, after op and an optional fallback, CallOptions,
int option_before_fallback() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([] { return 1; }, CallOptions{}, fallback);
#else
  return breaker.execute([] { return 1; }, fallback, CallOptions{});
#endif
}

// A call has one fallback.
// expect: unknown option: execute accepts, after op and an optional fallback, CallOptions,
int two_fallbacks() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([] { return 1; }, fallback, fallback);
#else
  return breaker.execute([] { return 1; }, fallback);
#endif
}

// A number is no option of execute.
// expect: unknown option: execute accepts, after op and an optional fallback, CallOptions,
int unknown_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([] { return 1; }, fallback, 5);
#else
  return breaker.execute([] { return 1; }, fallback);
#endif
}

// A timeout of a call goes into CallOptions.
// expect: must be a fallback .*, CallOptions or failure_if
int duration_as_option() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute(op, std::chrono::seconds{10});
#else
  return breaker.execute(op, {.timeout = std::chrono::seconds{10}});
#endif
}

// The timeout of a call is a duration.
// expect: no matching (member )?function.*execute
int call_options_int_duration() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute(op, {.timeout = 10});
#else
  return breaker.execute(op, {.timeout = std::chrono::seconds{10}});
#endif
}

// A call has one CallOptions.
// expect: two options of one kind: execute accepts at most one each of CallOptions,
int two_call_options() {
  const CallOptions options;
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([] { return 1; }, options, options);
#else
  return breaker.execute([] { return 1; }, options);
#endif
}

// A call has one failure_if.
// expect: two options of one kind: execute accepts at most one each of CallOptions,
int two_failure_ifs() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute([] { return 1; }, failure_if(is_zero), failure_if(is_one));
#else
  return breaker.execute([] { return 1; }, failure_if(is_zero));
#endif
}

// failure_if may read the value, not change it.
// expect: failure_if needs a predicate over .const T&.
int failure_if_changes_the_value() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute(op, failure_if([](int& value) { return value-- == 0; }));
#else
  return breaker.execute(op, failure_if([](const int& value) { return value == 0; }));
#endif
}

// failure_if takes the value that op returns.
// expect: failure_if needs a predicate over .const T&.
int failure_if_of_another_type() {
#ifdef FUSEBOX_COMPILE_FAIL
  return breaker.execute(op, failure_if([](const std::string& text) { return text.empty(); }));
#else
  return breaker.execute(op, failure_if([](int value) { return value == 0; }));
#endif
}

// failure_if judges a value, and this op returns void.
// expect: failure_if judges the value of op
void failure_if_on_void() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] {}, failure_if(is_zero));
#else
  breaker.execute([] { return 1; }, failure_if(is_zero));
#endif
}

// The view would refer to what the fallback returned by value.
// expect: op and its fallback return an owner and a view
void view_beside_an_owner() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return std::string_view{"a"}; }, [] { return std::string{"b"}; });
#else
  breaker.execute([] { return std::string{"a"}; }, [] { return std::string{"b"}; });
#endif
}

// The same the other way round.
// expect: op and its fallback return an owner and a view
void owner_beside_a_view() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return std::string{"a"}; }, [] { return std::string_view{"b"}; });
#else
  breaker.execute([] { return std::string{"a"}; }, [] { return "b"; });
#endif
}

// An optional view is a view too.
// expect: op and its fallback return an owner and a view
void optional_view_beside_an_owner() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return std::optional<std::string_view>{}; }, [] { return std::string{"b"}; });
#else
  breaker.execute([] { return std::optional<std::string>{}; }, [] { return std::string{"b"}; });
#endif
}

// So is a span.
// expect: op and its fallback return an owner and a view
void span_beside_a_vector() {
#ifdef FUSEBOX_COMPILE_FAIL
  breaker.execute([] { return std::span<const int>{}; }, [] { return std::vector<int>{}; });
#else
  breaker.execute([] { return std::vector<int>{}; }, [] { return std::vector<int>{}; });
#endif
}
