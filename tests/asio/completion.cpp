// A12: completion tokens of Asio and Boost.Asio, on a real io_context.
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "net.hpp"
#include "support/failures.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using support::Code;
using support::run;
using support::SystemError;
namespace net = support::net;
namespace adapter = support::adapter;
using adapter::async_execute;
using adapter::async_retry;

namespace {

constexpr RetryConfig twice{.max_retries = 2, .base_delay = 1ms, .jitter = Jitter::none};
constexpr RetryConfig patient{.max_retries = 1, .base_delay = 60s, .max_delay = 60s, .jitter = Jitter::none};
const Code reset = net::error::connection_reset;
using GivesInt = void(Code, int);

/// Completes, a moment later, with the code that a list has for the call, and the number of the call.
struct Source {
  explicit Source(net::io_context& context, std::vector<Code> codes)
      : timer{context}, list{std::move(codes)} {}

  template <class Handler>
  void operator()(Handler handler) {
    const auto call = static_cast<std::size_t>(calls++);
    const Code code = call < list.size() ? list[call] : Code{};
    timer.expires_after(1ms);
    auto executor = net::get_associated_executor(handler, timer.get_executor());
    timer.async_wait(
        net::bind_executor(executor, [handler = std::move(handler), code, this](Code aborted) mutable {
          handler(aborted ? aborted : code, calls);
        }));
  }

  net::steady_timer timer;
  std::vector<Code> list;
  int calls = 0;
};

struct Completed {
  std::optional<Code> code;
  int value = -1;
  [[nodiscard]] auto handler() {
    return [this](Code given, int number) {
      code = given;
      value = number;
    };
  }
};

}  // namespace

TEST_CASE("A12 a breaker guards an operation, and the token gets what it completed with", "[A12]") {
  net::io_context context;
  CircuitBreaker<> breaker{"b", {.failure_threshold = 2}};
  Source source{context, {{}, reset, reset}};
  const auto call = [&] {
    Completed completed;
    async_execute<GivesInt>(breaker, context.get_executor(), std::ref(source), completed.handler());
    CHECK_FALSE(completed.code.has_value());
    run(context);
    return completed;
  };
  CHECK(call().value == 1);
  for (int i = 2; i <= 3; ++i) {
    const Completed failed = call();
    CHECK(failed.code == reset);
    CHECK(failed.value == i);
  }
  CHECK(breaker.state() == State::open);

  const Completed rejected = call();
  REQUIRE(rejected.code.has_value());
  CHECK(std::error_code{*rejected.code} == PolicyErrc::circuit_open);
  CHECK(Failure{std::error_code{*rejected.code}}.is_rejection());
  CHECK(rejected.value == 0);
  CHECK(source.calls == 3);
  CHECK(breaker.stats().success_count == 1);
  CHECK(breaker.stats().failure_count == 2);
}

TEST_CASE("A12 a retry repeats the operation, and completes with the last attempt's values", "[A12]") {
  net::io_context context;
  Source source{context, {reset, reset}};
  std::vector<int> retried;
  Completed completed;
  auto note = on_retry([&](int attempt, const Failure&, auto) { retried.push_back(attempt); });
  async_retry<GivesInt>(context.get_executor(), std::ref(source), twice, completed.handler(), note);
  run(context);
  CHECK(completed.code == Code{});
  CHECK(completed.value == 3);
  CHECK(retried == std::vector<int>{1, 2});

  source.list.assign(6, reset);
  async_retry<GivesInt>(context.get_executor(), std::ref(source), twice, completed.handler());
  run(context);
  CHECK(completed.code == reset);
  CHECK(completed.value == 6);
}

TEST_CASE("A12 an op that completes within itself does not complete the token in the initiating function",
          "[A12]") {
  net::io_context context;
  CircuitBreaker<> breaker{"b"};
  int calls = 0;
  const auto op = [&](auto handler) { handler(++calls < 3 ? reset : Code{}, calls); };
  Completed once;
  async_execute<GivesInt>(breaker, context.get_executor(), op, once.handler());
  CHECK_FALSE(once.code.has_value());
  run(context);
  CHECK(once.code == reset);
  Completed retried;
  async_retry<GivesInt>(context.get_executor(), op, twice, retried.handler());
  CHECK_FALSE(retried.code.has_value());
  run(context);
  CHECK(retried.value == 3);
}

TEST_CASE("A12 use_future and use_awaitable", "[A12]") {
  net::io_context context;
  Source source{context, {reset}};
  std::future<int> future =
      async_retry<GivesInt>(context.get_executor(), std::ref(source), twice, net::use_future);
  run(context);
  CHECK(future.get() == 2);

  CircuitBreaker<> breaker{"b"};
  breaker.force_open();
  auto body = [&]() -> net::awaitable<int> {
    bool is_rejected = false;
    try {
      co_await async_execute<GivesInt>(breaker, context.get_executor(), std::ref(source), net::use_awaitable);
    } catch (...) {
      is_rejected = Failure::from_current_exception().code() == PolicyErrc::circuit_open;
    }
    co_return is_rejected ? 1 : 0;
  };
  CHECK(run(context, body()) == 1);
}

TEST_CASE("A12 a deferred operation counts total_timeout from its first attempt", "[A12]") {
  net::io_context context;
  const test::FakeClock clock{};
  Source source{context, {reset}};
  const RetryConfig config{.max_retries = 2, .base_delay = 1ms, .jitter = Jitter::none, .total_timeout = 1s};
  // use_awaitable defers: nothing happens before the coroutine runs.
  auto operation =
      async_retry<GivesInt>(context.get_executor(), std::ref(source), config, net::use_awaitable, clock);
  clock.advance(1h);
  CHECK(source.calls == 0);
  CHECK(run(context, std::move(operation)) == 2);

#if !FUSEBOX_TEST_BOOST_ASIO
  source.calls = 0;
  auto deferred = async_retry<GivesInt>(context.get_executor(), std::ref(source), config,
                                        net::experimental::deferred, clock);
  clock.advance(1h);
  CHECK(source.calls == 0);
  Completed completed;
  std::move(deferred)(completed.handler());
  run(context);
  CHECK(completed.value == 2);
#endif
}

TEST_CASE("A12 an invalid config is refused by the call itself", "[A12][A2]") {
  net::io_context context;
  Source source{context, {}};
  CHECK_THROWS_AS(
      async_retry<GivesInt>(context.get_executor(), std::ref(source), {.max_retries = -1}, net::use_future),
      ConfigError);
}

TEST_CASE("A12 the handler's executor holds for op, for waits and for the end", "[A12]") {
  net::io_context context;
  const auto strand = net::make_strand(context);
  bool everything_on_strand = true;
  int calls = 0;
  net::steady_timer timer{context};
  const auto op = [&](auto handler) {
    everything_on_strand = everything_on_strand && (calls == 0 || strand.running_in_this_thread());
    everything_on_strand =
        everything_on_strand && net::get_associated_executor(handler, context.get_executor()) == strand;
    handler(++calls < 2 ? reset : Code{}, calls);
  };
  bool is_done = false;
  async_retry<GivesInt>(context.get_executor(), op, twice, net::bind_executor(strand, [&](Code, int) {
                          is_done = strand.running_in_this_thread();
                        }));
  run(context);
  CHECK(everything_on_strand);
  CHECK(is_done);
  CHECK(calls == 2);
}

namespace {

/// Counts what it gives and what it gets back.
template <class T>
struct CountingAllocator {
  using value_type = T;
  explicit CountingAllocator(int* counts) : held{counts} {}
  template <class U>
  CountingAllocator(const CountingAllocator<U>& other) : held{other.held} {}
  T* allocate(std::size_t count) {
    ++held[0];
    ++held[1];
    return std::allocator<T>{}.allocate(count);
  }
  void deallocate(T* pointer, std::size_t count) {
    --held[0];
    std::allocator<T>{}.deallocate(pointer, count);
  }
  template <class U>
  bool operator==(const CountingAllocator<U>& other) const {
    return held == other.held;
  }
  int* held;  // now, and ever
};

struct CountingHandler {
  using allocator_type = CountingAllocator<int>;
  [[nodiscard]] allocator_type get_allocator() const { return allocator_type{counts}; }
  void operator()(Code /*code*/, int /*value*/) const { *held_at_end = counts[0]; }
  int* counts;
  int* held_at_end;
};

}  // namespace

TEST_CASE("A12 the handler's allocator gives the memory, and has it back before the handler runs", "[A12]") {
  net::io_context context;
  int counts[2] = {};
  int held_at_end = -1;
  int calls = 0;
  const auto op = [&](auto handler) {
    net::post(context, [handler = std::move(handler), &calls]() mutable {
      handler(++calls < 2 ? reset : Code{}, calls);
    });
  };
  async_retry<GivesInt>(context.get_executor(), op, twice, CountingHandler{counts, &held_at_end});
  run(context);
  CHECK(counts[1] >= 2);  // the state of the call, a wait
  CHECK(counts[0] == 0);
  CHECK(held_at_end == 0);
}

TEST_CASE("A12 a stop token ends a wait: the call completes with PolicyErrc::cancelled", "[A12][A7]") {
  net::io_context context;
  std::stop_source source;
  Source failing{context, {reset, reset}};
  Completed completed;
  async_retry<GivesInt>(context.get_executor(), std::ref(failing), patient, completed.handler(),
                        source.get_token());
  {
    const std::jthread stopper{[&] {
      std::this_thread::sleep_for(8ms);
      source.request_stop();
    }};
    run(context);
  }
  REQUIRE(completed.code.has_value());
  CHECK(std::error_code{*completed.code} == PolicyErrc::cancelled);
  CHECK(failing.calls == 1);

  async_retry<GivesInt>(context.get_executor(), std::ref(failing), patient, completed.handler(),
                        source.get_token());
  run(context);
  CHECK(std::error_code{*completed.code} == PolicyErrc::cancelled);
  CHECK(failing.calls == 1);
}

TEST_CASE("A12 a value that failed by its traits is a failure", "[A12]") {
  net::io_context context;
  CircuitBreaker<> breaker{"b", {.failure_threshold = 1}};
  int status = 0;
  const auto op = [](auto handler) { handler(Code{}, support::Response{503}); };
  async_execute<void(Code, support::Response)>(breaker, context.get_executor(), op,
                                               [&](Code, support::Response given) { status = given.status; });
  run(context);
  CHECK(status == 503);
  CHECK(breaker.state() == State::open);
}

TEST_CASE("A12 a signature with an exception_ptr: a policy completes it with its error", "[A12]") {
  net::io_context context;
  CircuitBreaker<> breaker{"b", {.failure_threshold = 1}};
  const auto op = [](auto handler) { handler(std::make_exception_ptr(support::unavailable())); };
  std::exception_ptr exception;
  const auto keep = [&](std::exception_ptr given) { exception = given; };
  for (int i = 0; i < 2; ++i) {
    async_execute<void(std::exception_ptr)>(breaker, context.get_executor(), op, keep);
    run(context);
    REQUIRE(exception);
    if (i == 0) CHECK_THROWS_AS(std::rethrow_exception(exception), ApiError);
  }
  CHECK_THROWS_AS(std::rethrow_exception(exception), CircuitOpenError);
}

TEST_CASE("A12 a pipeline: a temporary is owned, and a queue of a bulkhead is left without a thread",
          "[A12][A14]") {
  net::io_context context;
  const auto bulkhead = std::make_shared<Bulkhead<>>(
      "b", BulkheadConfig{.max_concurrent = 1, .max_waiting = 1, .max_wait = 10s});
  Source first{context, {}};
  Source second{context, {}};
  Completed completed[3];
  async_execute<GivesInt>(compose(retry(twice), bulkhead), context.get_executor(), std::ref(first),
                          completed[0].handler());
  async_execute<GivesInt>(compose(bulkhead), context.get_executor(), std::ref(second),
                          completed[1].handler());
  CHECK(second.calls == 0);
  async_execute<GivesInt>(bulkhead, context.get_executor(), std::ref(second), completed[2].handler());
  run(context);
  CHECK(completed[0].code == Code{});
  CHECK(completed[1].code == Code{});
  CHECK(second.calls == 1);
  CHECK(std::error_code{*completed[2].code} == PolicyErrc::bulkhead_full);
}

TEST_CASE("A12 a breaker that a shared_ptr owns is kept alive", "[A12][A3]") {
  net::io_context context;
  auto breaker = std::make_shared<CircuitBreaker<>>("b");
  const std::weak_ptr<CircuitBreaker<>> watched = breaker;
  Source source{context, {}};
  Completed completed;
  async_execute<GivesInt>(*breaker, context.get_executor(), std::ref(source), completed.handler());
  breaker.reset();
  CHECK_FALSE(watched.expired());
  run(context);
  CHECK(completed.value == 1);
  CHECK(watched.expired());
}

TEST_CASE("A12 an operation that is dropped, or never ends, gives back what it holds", "[A12][A8]") {
  CircuitBreaker<> breaker{"b", {.failure_threshold = 1}};
  Bulkhead<> bulkhead{"b", {.max_concurrent = 1}};
  auto pipeline = compose(breaker, bulkhead);
  {
    net::io_context context;
    async_execute<GivesInt>(pipeline, context.get_executor(), [](auto /*handler*/) {}, [](Code, int) {});
    CHECK(bulkhead.stats().in_use == 0);
    Source source{context, {}};
    async_execute<GivesInt>(pipeline, context.get_executor(), std::ref(source), [](Code, int) {});
    CHECK(bulkhead.stats().in_use == 1);
  }
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(breaker.stats().ignored_count == 2);
  CHECK(breaker.stats().failure_count == 0);
}

TEST_CASE("A12 op may take its Call too", "[A12]") {
  net::io_context context;
  std::vector<int> attempts;
  const auto op = [&](auto handler, const Call& call) {
    attempts.push_back(call.attempt());
    handler(attempts.size() == 1 ? reset : Code{}, 0);
  };
  async_retry<GivesInt>(context.get_executor(), op, twice, [](Code, int) {});
  run(context);
  CHECK(attempts == std::vector<int>{1, 2});
}

TEST_CASE("A12 failure_if judges the value; an error is a failure whatever it says", "[A12]") {
  net::io_context context;
  int calls = 0;
  const auto op = [&](auto handler) {
    ++calls;
    handler(calls == 1 ? reset : Code{}, calls == 2 ? 503 : 200);
  };
  const auto overloaded = failure_if([](int status) -> std::optional<Failure> {
    if (status < 500) return std::nullopt;
    return Failure::from_status(status);
  });
  int got = 0;
  async_retry<GivesInt>(context.get_executor(), op, twice, [&](Code, int value) { got = value; }, overloaded);
  run(context);
  CHECK(calls == 3);
  CHECK(got == 200);
}

TEST_CASE("A12 failure_if judges several values as a tuple", "[A12]") {
  net::io_context context;
  CircuitBreaker<> breaker{"b", {.failure_threshold = 1}};
  int second = 1;
  const auto op = [&](auto handler) { handler(Code{}, 1, int{second}); };
  const auto is_two = failure_if([](const std::tuple<int, int>& values) { return std::get<1>(values) == 2; });
  const auto call = [&] {
    async_execute<void(Code, int, int)>(breaker, context.get_executor(), op, [](Code, int, int) {}, is_two);
    run(context);
  };
  call();
  CHECK(breaker.state() == State::closed);
  CHECK(breaker.stats().success_count == 1);
  second = 2;
  call();
  CHECK(breaker.state() == State::open);
}

TEST_CASE("A12 the value of a fallback completes the call without an error", "[A12][A4]") {
  net::io_context context;
  CircuitBreaker<> breaker{"b", {.failure_threshold = 1}};
  const auto op = [](auto handler) { handler(reset, 0); };
  const auto guarded = compose(fallback([] { return 7; }), breaker);
  std::vector<std::pair<bool, int>> got;
  for (int i = 0; i < 2; ++i)
    async_execute<GivesInt>(guarded, context.get_executor(), op,
                            [&](Code code, int value) { got.emplace_back(static_cast<bool>(code), value); });
  run(context);
  CHECK(got == std::vector<std::pair<bool, int>>{{false, 7}, {false, 7}});
}

TEST_CASE("A12 an operation on several threads completes once", "[A12]") {
  net::io_context context;
  auto work = net::make_work_guard(context);
  CircuitBreaker<> breaker{"b", {.failure_threshold = 65535}};
  std::atomic<int> completed{0};
  std::atomic<int> calls{0};
  const auto op = [&](auto handler) {
    net::post(context, [handler = std::move(handler), &calls]() mutable {
      handler(calls.fetch_add(1) % 2 == 0 ? reset : Code{}, 1);
    });
  };
  constexpr int operations = 200;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { context.run_for(10s); });
    for (int i = 0; i < operations; ++i) {
      async_execute<GivesInt>(compose(retry({.max_retries = 50, .base_delay = 1us}), breaker),
                              context.get_executor(), op, [&](Code code, int) {
                                if (!code && completed.fetch_add(1) + 1 == operations) work.reset();
                              });
    }
  }
  CHECK(completed == operations);
  CHECK(breaker.stats().success_count == static_cast<std::uint64_t>(operations));
}

#if FUSEBOX_TEST_BOOST_ASIO

TEST_CASE("A12 Boost's error_code keeps its PolicyErrc on the way to std::error_code", "[A12]") {
  for (const PolicyErrc errc : {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full, PolicyErrc::rate_limited,
                                PolicyErrc::timed_out, PolicyErrc::cancelled}) {
    const Code code = adapter::make_error_code(errc);
    const std::error_code converted = code;
    CHECK(converted == errc);
    CHECK(code == errc);
    CHECK(Failure{converted}.code() == make_error_code(errc));
    CHECK(converted.message() == make_error_code(errc).message());
    CHECK(Failure{converted}.is_transient() == Failure{make_error_code(errc)}.is_transient());
    CHECK(detail::verdict_of(converted) == detail::verdict_of(make_error_code(errc)));
    CHECK(detail::outcome_of_code(converted) == detail::outcome_of_code(make_error_code(errc)));
    const auto thrown = Failure::from_exception(std::make_exception_ptr(SystemError{code}));
    CHECK(thrown.code() == make_error_code(errc));
    CHECK(Failure::from_exception(std::make_exception_ptr(std::system_error{converted})).code() ==
          make_error_code(errc));
  }
  CHECK(adapter::make_error_code(PolicyErrc::timed_out) == boost::system::errc::timed_out);
  CHECK(std::error_code{adapter::make_error_code(PolicyErrc::cancelled)} == std::errc::operation_canceled);
  CHECK_FALSE(std::error_code{reset} == PolicyErrc::circuit_open);
}

#endif
#if !FUSEBOX_TEST_BOOST_ASIO || __has_include(<boost/asio/bind_cancellation_slot.hpp>)

TEST_CASE("A12 the handler's cancellation slot ends a wait", "[A12][A7]") {
  for (const auto type : {net::cancellation_type::terminal, net::cancellation_type::total}) {
    net::io_context context;
    net::cancellation_signal signal;
    Source source{context, {reset}};
    Completed completed;
    async_retry<GivesInt>(context.get_executor(), std::ref(source), patient,
                          net::bind_cancellation_slot(signal.slot(), completed.handler()));
    net::steady_timer canceller{context, 5ms};
    canceller.async_wait([&](Code) { signal.emit(type); });
    run(context);
    REQUIRE(completed.code.has_value());
    CHECK(std::error_code{*completed.code} == PolicyErrc::cancelled);
    CHECK(source.calls == 1);
  }
}

TEST_CASE("A12 the handler's cancellation slot cancels op, which is ignored and not retried", "[A12][A7]") {
  for (const bool in_a_timeout : {false, true}) {
    net::io_context context;
    net::cancellation_signal signal;
    net::steady_timer timer{context, 60s};
    CircuitBreaker<> breaker{"b", {.failure_threshold = 1}};
    std::optional<Code> code;
    int calls = 0;
    const auto op = [&](auto handler) {
      ++calls;
      timer.async_wait(std::move(handler));
    };
    const auto start = [&](auto pipeline) {
      async_execute<void(Code)>(
          std::move(pipeline), context.get_executor(), op,
          net::bind_cancellation_slot(signal.slot(), [&](Code given) { code = given; }));
    };
    if (in_a_timeout) {
      start(compose(retry(twice), breaker, attempt_timeout(50s)));
    } else {
      start(compose(retry(twice), breaker));
    }
    net::steady_timer canceller{context, 2ms};
    canceller.async_wait([&](Code) { signal.emit(net::cancellation_type::terminal); });
    run(context);
    CHECK(code == net::error::operation_aborted);
    CHECK(calls == 1);
    CHECK(breaker.stats().ignored_count == 1);
    CHECK(breaker.stats().failure_count == 0);
  }
}

TEST_CASE("A12 a cancellation that op overlooks ends the retry after it", "[A12][A7]") {
  net::io_context context;
  net::cancellation_signal signal;
  int calls = 0;
  const auto op = [&](auto handler) {
    ++calls;
    signal.emit(net::cancellation_type::terminal);
    handler(reset, 1);
  };
  Completed completed;
  async_retry<GivesInt>(context.get_executor(), op, patient,
                        net::bind_cancellation_slot(signal.slot(), completed.handler()));
  run(context);
  REQUIRE(completed.code.has_value());
  CHECK(std::error_code{*completed.code} == PolicyErrc::cancelled);
  CHECK(calls == 1);
}

TEST_CASE("A14 a timeout cancels op by the slot of its handler", "[A14][A12]") {
  net::io_context context;
  net::steady_timer timer{context};
  int calls = 0;
  int cancelled = 0;
  const auto op = [&](auto handler) {
    timer.expires_after(++calls == 1 ? 60s : 0s);
    auto slot = net::get_associated_cancellation_slot(handler);
    timer.async_wait(net::bind_cancellation_slot(slot, [&, handler = std::move(handler)](Code code) mutable {
      if (code) ++cancelled;
      handler(code);
    }));
  };
  std::optional<Code> code;
  async_execute<void(Code)>(compose(retry(twice), attempt_timeout(5ms)), context.get_executor(), op,
                            [&](Code given) { code = given; });
  run(context);
  CHECK(code == Code{});
  CHECK(calls == 2);
  CHECK(cancelled == 1);

  calls = 0;
  async_execute<void(Code)>(compose(attempt_timeout(5ms)), context.get_executor(), op,
                            [&](Code given) { code = given; });
  run(context);
  CHECK(std::error_code{*code} == PolicyErrc::timed_out);
}

TEST_CASE("A12 a timeout cancels op on the executor of its handler", "[A12][A14]") {
  net::io_context context;
  auto strand = net::make_strand(context);
  bool is_on_strand = false;
  const auto op = [&](auto handler) {
    auto slot = net::get_associated_cancellation_slot(handler);
    slot.assign([&, kept = std::make_shared<decltype(handler)>(std::move(handler))](auto) {
      is_on_strand = strand.running_in_this_thread();
      net::post(strand, [kept] { (*kept)(net::error::operation_aborted); });
    });
  };
  std::optional<Code> code;
  async_execute<void(Code)>(compose(attempt_timeout(5ms)), context.get_executor(), op,
                            net::bind_executor(strand, [&](Code given) { code = given; }));
  run(context);
  CHECK(std::error_code{*code} == PolicyErrc::timed_out);
  CHECK(is_on_strand);
}

#endif
