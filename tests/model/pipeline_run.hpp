// model/pipeline_run.hpp: runs a script through a real pipeline, of blocking calls or of coroutines, and says
// where it differs from the reference.
#pragma once

#include <fusebox/bulkhead.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <cmath>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <sstream>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "fuzz/input.hpp"
#include "pipeline_script.hpp"
#include "reference_pipeline.hpp"
#include "support/task.hpp"

namespace model::flow {

using fusebox::Failure;
using fusebox::test::AsyncFakeClock;
using fusebox::test::FakeClock;
using support::Task;

/// What op gives: judged by failure_of.
struct Response {
  int status = 200;
  int id = 0;
};
inline std::optional<Failure> failure_of(const Response& response) {
  if (response.status < 400) return std::nullopt;
  return Failure::from_status(response.status);
}

/// What an op gives whose result can carry errors: expected-like.
class Carried {
 public:
  Carried(Response response)  // NOLINT(*-explicit-*)
      : response_{response},
        code_{response.status < 400
                  ? std::error_code{}
                  : fusebox::make_error_code(static_cast<fusebox::ErrorCode>(response.status))} {}
  explicit Carried(std::error_code code) : response_{0, 0}, code_{code} {}
  [[nodiscard]] bool has_value() const { return !code_; }
  [[nodiscard]] const std::error_code& error() const { return code_; }
  [[nodiscard]] const Response& response() const { return response_; }

 private:
  Response response_;
  std::error_code code_;
};

struct StatusError : fusebox::ApiError {
  StatusError(fusebox::ErrorCode code, int id_of_call) : ApiError{code}, id{id_of_call} {}
  int id;
};
struct SystemError : std::system_error {
  SystemError(std::errc code, int id_of_call)
      : std::system_error{std::make_error_code(code)}, id{id_of_call} {}
  int id;
};
struct HookThrew {};
struct Abandoned {};

inline Response end_as(Ends ends, int id) {
  switch (ends) {
    case Ends::value: break;
    case Ends::failed_503: return {503, id};
    case Ends::failed_404: return {404, id};
    case Ends::threw_503: throw StatusError{fusebox::ErrorCode::service_unavailable, id};
    case Ends::threw_404: throw StatusError{fusebox::ErrorCode::not_found, id};
    case Ends::threw_network: throw SystemError{std::errc::connection_reset, id};
    case Ends::threw_closed: throw SystemError{std::errc::bad_file_descriptor, id};
    case Ends::threw_cancelled: throw SystemError{std::errc::operation_canceled, id};
    case Ends::threw_rejection: throw fusebox::BulkheadFullError{"elsewhere"};
  }
  return {200, id};
}

inline std::string numbered(std::string_view what, int id) {
  return std::string{what} + " #" + std::to_string(id);
}
inline std::string text_of_value(const Response& response) {
  if (response.status == 200) return numbered("value", response.id);
  return numbered("failed value " + std::to_string(response.status), response.id);
}
inline std::string text_of_value(const Carried& carried) {
  using fusebox::PolicyErrc;
  if (carried.response().status != 0) return text_of_value(carried.response());
  const std::error_code code = carried.error();
  if (code == PolicyErrc::circuit_open) return "carried CircuitOpenError";
  if (code == PolicyErrc::bulkhead_full) return "carried BulkheadFullError";
  if (code == PolicyErrc::rate_limited) return "carried RateLimitedError";
  if (code == PolicyErrc::timed_out) return "carried TimeoutError";
  if (code == PolicyErrc::cancelled) return "carried CancelledError";
  if (code == PolicyErrc::throttled) return "carried ThrottledError";
  if (code == fusebox::ErrorCode::service_unavailable || code == fusebox::ErrorCode::not_found ||
      code == fusebox::NetworkErrc::connection_reset)
    return "carried Fault";
  return "carried " + code.message();
}

/// Of chaos.
inline std::string text_of_fault(const fusebox::ApiError& error) {
  const std::string by = "fault injected by chaos '";
  const std::string& message = error.message();
  if (!fusebox::is_injected(error) || message.find(by) != 0) return "another error: " + message;
  std::string text = "Fault " + message.substr(by.size(), message.size() - by.size() - 1);
  if (error.category() == fusebox::ErrorCategory::network) return text + " network";
  return text + " " + std::to_string(static_cast<int>(error.code()));
}

/// What the caller got: `get` gives the value or throws.
template <class Get>
std::string text_of(Get get) {
  try {
    return text_of_value(get());
  } catch (const HookThrew&) {
    return "hook threw";
  } catch (const Abandoned&) {
    return "abandoned";
  } catch (const StatusError& error) {
    return numbered("threw " + std::to_string(static_cast<int>(error.code())), error.id);
  } catch (const SystemError& error) {
    if (error.code() == std::errc::connection_reset) return numbered("threw network", error.id);
    if (error.code() == std::errc::bad_file_descriptor) return numbered("threw closed", error.id);
    return numbered("threw cancelled", error.id);
  } catch (const fusebox::CircuitOpenError& error) {
    return "CircuitOpenError " + error.name();
  } catch (const fusebox::BulkheadFullError& error) {
    return "BulkheadFullError " + error.name();
  } catch (const fusebox::RateLimitedError& error) {
    return "RateLimitedError " + error.name() + " retry after " +
           in_ms(std::chrono::nanoseconds{*error.retry_after()}.count());
  } catch (const fusebox::ThrottledError& error) {
    return "ThrottledError " + error.name();
  } catch (const fusebox::TimeoutError&) {
    return "TimeoutError";
  } catch (const fusebox::CancelledError&) {
    return "CancelledError";
  } catch (const fusebox::ApiError& error) {
    return text_of_fault(error);
  } catch (const std::exception& error) {
    return std::string{"another error: "} + error.what();
  }
}

/// Ends at a time of the clock.
class Alarm {
 public:
  Alarm(const FakeClock& clock, Nanos after) : clock_{clock} {
    clock_.arm(node_, clock.now() + std::chrono::nanoseconds{after});
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { clock_.disarm(node_); }
  [[nodiscard]] std::stop_token token() const { return node_.source.get_token(); }

 private:
  FakeClock clock_;
  fusebox::detail::TimerNode node_{.source = std::stop_source{}};
};

/// Awaited at each step of a coroutine, a call of op or a wait. At the last it stays suspended.
struct Steps {
  int until_abandoned = 0;
  bool is_abandoned = false;

  [[nodiscard]] auto operator co_await() noexcept {
    struct Step {
      Steps* steps;
      [[nodiscard]] bool await_ready() const noexcept { return --steps->until_abandoned != 0; }
      void await_suspend(std::coroutine_handle<> /*handle*/) const noexcept { steps->is_abandoned = true; }
      void await_resume() const noexcept {}
    };
    return Step{this};
  }
};

/// What the parts of one pipeline share.
struct World {
  FakeClock clock = {};
  Steps steps = {};
  std::ostringstream seen = {};
  std::size_t slept = 0;

  /// Where to write what is seen next, after the sleeps until now.
  std::ostream& log() {
    const auto all = clock.sleeps();
    for (; slept < all.size(); ++slept) seen << "sleep " << in_ms(all[slept].count()) << '\n';
    return seen;
  }
};

/// An AsyncFakeClock whose waits are steps. Who is stopped goes on once all that ends at that time has ended,
/// as a thread would.
class StepClock : public AsyncFakeClock {
 public:
  explicit StepClock(World& world) : AsyncFakeClock{world.clock}, steps_{&world.steps} {}

  [[nodiscard]] Task<bool> sleep_for(std::chrono::nanoseconds time, std::stop_token token) const {
    return sleep(*this, time, std::move(token));
  }
  [[nodiscard]] auto sleep_of_op(std::chrono::nanoseconds time, std::stop_token token) const {
    return AsyncFakeClock::wait_in_queue(time, std::move(token), true);
  }
  /// A bulkhead's queue needs no other clock than a retry.
  void wait_in_queue(std::chrono::nanoseconds, std::stop_token, bool) const = delete;

 private:
  static Task<bool> sleep(StepClock clock, std::chrono::nanoseconds time, std::stop_token token) {
    co_await *clock.steps_;
    co_return co_await clock.sleep_of_op(time, token);
  }

  Steps* steps_;
};
template <class C>
inline constexpr bool awaits = std::is_same_v<C, StepClock>;
template <class C>
C clock_of(World& world) {
  if constexpr (awaits<C>) {
    return StepClock{world};
  } else {
    return world.clock;
  }
}

// Each kind of layer: `policy` for compose(), and show(). C is the clock: a FakeClock, or a StepClock for
// coroutines.

template <Kind kind, class C>
struct Part;

inline std::string name_of(int place) { return "p" + std::to_string(place); }

template <class C>
struct Part<Kind::breaker, C> {
  fusebox::CircuitBreaker<C> policy;
  Part(const Layer& layer, int place, World& world)
      : policy{name_of(place),
               {.failure_threshold = layer.threshold,
                .success_threshold = 1,
                .reset_timeout = std::chrono::nanoseconds{layer.reset}},
               clock_of<C>(world)} {}
  void show(std::ostream& out) const {
    const auto stats = policy.stats();
    out << "breaker " << to_string(stats.state) << ", " << stats.success_count << " succeeded, "
        << stats.failure_count << " failed, " << stats.ignored_count << " ignored, " << stats.rejected_count
        << " rejected\n";
  }
};

struct Hook {
  int throws_at;
  void operator()(int attempt, const Failure& /*failure*/, std::chrono::nanoseconds /*wait*/) const {
    if (attempt == throws_at) throw HookThrew{};
  }
};
inline fusebox::RetryConfig retry_config(const Layer& layer) {
  fusebox::RetryConfig config{.max_retries = layer.max_retries,
                              .base_delay = std::chrono::nanoseconds{layer.base_delay},
                              .max_delay = std::chrono::seconds{1},
                              .jitter = fusebox::Jitter::none};
  if (layer.total_timeout) config.total_timeout = std::chrono::nanoseconds{*layer.total_timeout};
  return config;
}
inline auto hook_of(const Layer& layer) { return fusebox::on_retry(Hook{layer.hook_throws_at}); }

template <class C>
struct Part<Kind::retry, C> {
  decltype(fusebox::retry(fusebox::RetryConfig{}, hook_of({}), std::declval<C>())) policy;
  Part(const Layer& layer, int /*place*/, World& world)
      : policy{fusebox::retry(retry_config(layer), hook_of(layer), clock_of<C>(world))} {}
  static void show(std::ostream& /*out*/) {}
};

template <class C, class Budget>
struct BudgetedPart {
  Budget budget;
  decltype(fusebox::retry(fusebox::RetryConfig{}, hook_of({}), std::declval<Budget&>(),
                          std::declval<C>())) policy;
  template <class... Args>
  BudgetedPart(const Layer& layer, World& world, Args... args)
      : budget{args...},
        policy{fusebox::retry(retry_config(layer), hook_of(layer), budget, clock_of<C>(world))} {}
  void show(std::ostream& out) const {
    const auto stats = budget.stats();
    out << "budget " << std::lround(stats.balance * 10) << "/10, " << stats.withdrawn << " withdrawn, "
        << stats.refused << " refused\n";
  }
};
template <class C>
struct Part<Kind::budgeted, C> : BudgetedPart<C, fusebox::RetryBudget<C>> {
  Part(const Layer& layer, int /*place*/, World& world)
      : BudgetedPart<C, fusebox::RetryBudget<C>>{
            layer, world,
            fusebox::RetryBudgetConfig{
                .ratio = layer.ratio_tenths / 10.0, .min_per_second = 0, .capacity = layer.most},
            clock_of<C>(world)} {}
};
template <class C>
struct Part<Kind::throttled, C> : BudgetedPart<C, fusebox::RetryThrottle> {
  Part(const Layer& layer, int /*place*/, World& world)
      : BudgetedPart<C, fusebox::RetryThrottle>{
            layer, world,
            fusebox::RetryThrottleConfig{.max_tokens = layer.most,
                                         .token_ratio = layer.ratio_tenths / 10.0}} {}
};

template <class Timeout>
struct TimeoutPart {
  Timeout policy;
  void show(std::ostream& out) const {
    const auto stats = policy.stats();
    out << "timeout " << stats.calls << " calls, " << stats.timed_out << " timed out, " << stats.late
        << " late\n";
  }
};
template <class C>
struct Part<Kind::total, C> : TimeoutPart<decltype(fusebox::total_timeout({}, std::declval<C>()))> {
  Part(const Layer& layer, int /*place*/, World& world)
      : TimeoutPart<decltype(fusebox::total_timeout({}, std::declval<C>()))>{
            fusebox::total_timeout(std::chrono::nanoseconds{layer.limit}, clock_of<C>(world))} {}
};
template <class C>
struct Part<Kind::attempt, C> : TimeoutPart<decltype(fusebox::attempt_timeout({}, std::declval<C>()))> {
  Part(const Layer& layer, int /*place*/, World& world)
      : TimeoutPart<decltype(fusebox::attempt_timeout({}, std::declval<C>()))>{
            fusebox::attempt_timeout(std::chrono::nanoseconds{layer.limit}, clock_of<C>(world))} {}
};

template <class C>
struct Part<Kind::bulkhead, C> {
  struct Release {
    fusebox::Permit* permit;
    void operator()() const noexcept { *permit = fusebox::Permit{}; }
  };
  /// A slot that another call holds until its time.
  struct Held {
    fusebox::Permit permit;
    Alarm alarm;
    std::stop_callback<Release> at_the_end{alarm.token(), Release{&permit}};
    Held(fusebox::Permit slot, const FakeClock& clock, Nanos until)
        : permit{std::move(slot)}, alarm{clock, until} {}
  };
  fusebox::Bulkhead<C> policy;
  std::list<Held> held;

  Part(const Layer& layer, int place, World& world)
      : policy{name_of(place),
               {.max_concurrent = layer.slots,
                .max_waiting = layer.waiting,
                .max_wait = std::chrono::nanoseconds{layer.max_wait}},
               clock_of<C>(world)} {
    for (const Nanos until : layer.held) held.emplace_back(policy.try_acquire(), world.clock, until);
  }
  void show(std::ostream& out) const {
    const auto stats = policy.stats();
    out << "bulkhead " << stats.in_use + stats.waiting << " in use, " << stats.admitted << " admitted, "
        << stats.rejected << " rejected, longest wait " << in_ms(stats.longest_wait.count()) << '\n';
  }
};

template <class C>
struct Part<Kind::limiter, C> {
  fusebox::RateLimiter<C> policy;
  Part(const Layer& layer, int place, World& world)
      : policy{name_of(place),
               {.permits = 1,
                .per = std::chrono::nanoseconds{layer.interval},
                .burst = layer.burst,
                .max_wait = std::chrono::nanoseconds{layer.max_wait}},
               clock_of<C>(world)} {}
  void show(std::ostream& out) const {
    const auto stats = policy.stats();
    out << "limiter " << stats.admitted << " admitted, " << stats.rejected << " rejected, " << stats.waited
        << " waited\n";
  }
};

struct FallbackOfFailure {
  World* world;
  Ends ends;
  int place;
  Response operator()(const Failure& failure) const {
    world->log() << "fallback of "
                 << (failure.is_rejection() ? "rejection"
                     : failure.is_timeout() ? "timeout"
                     : failure.status()     ? "status " + std::to_string(*failure.status())
                                            : "other")
                 << '\n';
    Response response = end_as(ends, -place - 1);
    response.status = 200;
    return response;
  }
};
struct FallbackOfNothing {
  World* world;
  Ends ends;
  int place;
  Response operator()() const {
    world->log() << "fallback\n";
    Response response = end_as(ends, -place - 1);
    response.status = 200;
    return response;
  }
};
/// The same as a coroutine.
template <class Fallback>
struct Awaited : Fallback {
  template <class... Args>
    requires std::is_invocable_v<const Fallback&, const Args&...>
  Task<Response> operator()(const Args&... args) const {
    return later(*this, args...);
  }

 private:
  template <class... Args>
  static Task<Response> later(Fallback fallback, const Args&... args) {
    co_return fallback(args...);
  }
};
template <class C, class Fallback>
using FallbackFor = std::conditional_t<awaits<C>, Awaited<Fallback>, Fallback>;

template <class C>
struct Part<Kind::fallback, C> {
  decltype(fusebox::fallback(FallbackFor<C, FallbackOfFailure>{})) policy;
  Part(const Layer& layer, int place, World& world)
      : policy{fusebox::fallback(
            FallbackFor<C, FallbackOfFailure>{FallbackOfFailure{&world, layer.fallback, place}})} {}
  static void show(std::ostream& /*out*/) {}
};
template <class C>
struct Part<Kind::when_rejected, C> {
  decltype(fusebox::fallback_when_rejected(FallbackFor<C, FallbackOfNothing>{})) policy;
  Part(const Layer& layer, int place, World& world)
      : policy{fusebox::fallback_when_rejected(
            FallbackFor<C, FallbackOfNothing>{FallbackOfNothing{&world, layer.fallback, place}})} {}
  static void show(std::ostream& /*out*/) {}
};
template <class C>
struct Part<Kind::last_good, C> {
  fusebox::LastGood<C> policy;
  Part(const Layer& layer, int /*place*/, World& world)
      : policy{fusebox::fallback_to_last_good(std::chrono::nanoseconds{layer.limit}, clock_of<C>(world))} {}
  static void show(std::ostream& /*out*/) {}
};

template <class C>
struct Part<Kind::throttle, C> {
  fusebox::Throttle<C> policy;
  Part(const Layer& layer, int place, World& world)
      : policy{name_of(place),
               {.k = layer.k,
                .window = std::chrono::nanoseconds{layer.limit},
                .max_rejection = layer.max_rejection,
                .minimum_calls = layer.minimum_calls,
                .seed = layer.seed},
               clock_of<C>(world)} {}
  void show(std::ostream& out) const {
    const auto stats = policy.stats();
    out << "throttle " << stats.requests << " requests, " << stats.accepts << " accepts, " << stats.rejected
        << " rejected, ratio " << stats.rejection_ratio << '\n';
  }
};

inline fusebox::ChaosConfig chaos_config(const Layer& layer) {
  fusebox::ChaosConfig config{.fault_rate = layer.fault_rate,
                              .latency_rate = layer.latency_rate,
                              .latency = std::chrono::nanoseconds{layer.limit},
                              .seed = layer.seed};
  if (layer.fault == Ends::threw_404) config.fault = fusebox::ErrorCode::not_found;
  if (layer.fault == Ends::threw_network) config.network_fault = fusebox::NetworkErrc::connection_reset;
  return config;
}
template <class C>
struct Part<Kind::chaos, C> {
  fusebox::Chaos<C> policy;
  Part(const Layer& layer, int place, World& world)
      : policy{name_of(place), chaos_config(layer), clock_of<C>(world)} {
    policy.enable(layer.is_enabled);
  }
  void show(std::ostream& out) const {
    const auto stats = policy.stats();
    out << "chaos " << stats.calls << " calls, " << stats.faults << " faults, " << stats.delays
        << " delays\n";
  }
};

struct User {
  UserDoes does;
  int place;
  template <class Op>
  auto execute(Op&& op) {
    switch (does) {
      case UserDoes::once: break;
      case UserDoes::twice: static_cast<void>(op()); break;
      case UserDoes::again_if_failed: {
        auto result = op();
        if (result.has_value()) return result;
        break;
      }
      case UserDoes::throws_after: {
        static_cast<void>(op());
        throw StatusError{fusebox::ErrorCode::service_unavailable, -place - 1};
      }
      case UserDoes::rejects: throw fusebox::BulkheadFullError{"elsewhere"};
    }
    return op();
  }
};
template <class C>
struct Part<Kind::user, C> {
  User policy;
  Part(const Layer& layer, int place, World& /*world*/) : policy{layer.user, place} {}
  static void show(std::ostream& /*out*/) {}
};

/// How the calls of a script are made.
enum class Drive { execute, try_execute, by_hand, any, await, await_suspended, await_try_execute };
inline std::string to_text(Drive drive) {
  switch (drive) {
    case Drive::execute: return "execute";
    case Drive::try_execute: return "try_execute";
    case Drive::by_hand: return "start";
    case Drive::any: return "AnyPipeline";
    case Drive::await: return "a coroutine";
    case Drive::await_suspended: return "a coroutine that is suspended in its waits";
    case Drive::await_try_execute: return "a coroutine of try_execute";
  }
  return {};
}

/// T is what op gives, C the clock. Only short pipelines are called in every way, since each way takes long
/// to compile.
template <class C, class T, Kind... kinds>
class RealPipeline {
  static constexpr bool has_user = ((kinds == Kind::user) || ...);

 public:
  explicit RealPipeline(const std::vector<Layer>& layers)
      : parts_{make(layers, std::index_sequence_for<Part<kinds, C>...>{})},
        pipeline_{std::apply([](auto&... parts) { return fusebox::compose(parts->policy...); }, parts_)} {}

  static constexpr bool is_short = sizeof...(kinds) <= 3;
  static bool can(Drive drive) {
    switch (drive) {
      case Drive::execute:
      case Drive::try_execute: return !awaits<C>;
      case Drive::by_hand: return !awaits<C> && !has_user;
      case Drive::any: return !awaits<C> && is_short;
      case Drive::await:
      case Drive::await_suspended: return awaits<C>;
      case Drive::await_try_execute: return awaits<C> && is_short;
    }
    return false;
  }
  /// Is only a driver of single steps able to leave a call before its end?
  static bool can_abandon(Drive drive) { return drive == Drive::by_hand || awaits<C>; }
  static Takes closest(Takes takes, Drive drive) {
    if (drive == Drive::by_hand) return Takes::call;
    if constexpr (is_short) return takes;
    if constexpr (awaits<C>) return Takes::call;
    return can_be_stopped(takes) ? Takes::call : Takes::nothing;
  }

  std::string run(const LogicalCall& script, Drive drive) {
    world_.clock.advance(std::chrono::nanoseconds{script.before});
    script_ = &script;
    next_answer_ = 0;
    static_cast<void>(world_.log());
    world_.seen.str({});
    std::optional<Alarm> stop;
    if (script.stop) stop.emplace(world_.clock, *script.stop);
    const std::stop_token token = stop ? stop->token() : std::stop_token{};
    const auto deadline =
        script.deadline ? fusebox::Deadline::after(std::chrono::nanoseconds{*script.deadline}, world_.clock)
                        : fusebox::Deadline::never();
    const std::string result = text_of([&]() -> T {
      if constexpr (awaits<C>) {
        return await(drive, token, deadline);
      } else {
        return call(drive, token, deadline);
      }
    });
    world_.log() << "result " << result << '\n' << "at " << in_ms(time()) << '\n';
    std::apply([&](const auto&... parts) { (parts->show(world_.seen), ...); }, parts_);
    return world_.seen.str();
  }

 private:
  template <std::size_t... i>
  std::tuple<std::unique_ptr<Part<kinds, C>>...> make(const std::vector<Layer>& layers,
                                                      std::index_sequence<i...>) {
    return {std::make_unique<Part<kinds, C>>(layers[i], static_cast<int>(i), world_)...};
  }

  /// What execute() would give.
  template <class Result>
  static T end(Result result) {
    const bool has_value = result.has_value();
    const T value = std::move(result).value();  // throws, or is a failed value
    if (has_value == static_cast<bool>(text_of_value(value).find("failed") == 0))
      throw std::logic_error{"has_value() is wrong"};
    return value;
  }

  T call(Drive drive, const std::stop_token& token, const fusebox::Deadline& deadline) {
    const auto with = [&](auto op) -> T {
      if (drive == Drive::try_execute) return end(pipeline_.try_execute(op, token, deadline));
      if constexpr (is_short) {
        if (drive == Drive::any) return fusebox::AnyPipeline<T>{pipeline_}.execute(op, token, deadline);
      }
      return pipeline_.execute(op, token, deadline);
    };
    if (drive == Drive::by_hand) {
      if constexpr (!has_user) return by_hand(token, deadline);
    }
    if (script_->takes == Takes::call)
      return with(
          [this](const fusebox::Call& call) { return op(&call, call.stop_token(), call.deadline()); });
    if constexpr (is_short) {
      if (script_->takes == Takes::token)
        return with([this](std::stop_token stop) { return op(nullptr, stop, {}); });
      if (script_->takes == Takes::deadline)
        return with([this](fusebox::Deadline until) { return op(nullptr, {}, until); });
    }
    return with([this] { return op(nullptr, {}, {}); });
  }

  T by_hand(const std::stop_token& token, const fusebox::Deadline& deadline) {
    auto run = pipeline_.template start<T>(token, deadline);
    using Do = fusebox::Step::Kind;
    int steps = 0;
    for (;;) {
      const auto step = run.next();
      if (step.kind == Do::done) return run.result();
      if (++steps == script_->abandoned_at) throw Abandoned{};
      if (step.kind == Do::wait) {
        run.waited(world_.clock.sleep_for(step.wait, run.wait_token()));
        continue;
      }
      try {
        const fusebox::Call& call = run.call();
        run.report(op(&call, call.stop_token(), call.deadline()));
      } catch (...) {
        run.report(std::current_exception());
      }
    }
  }

  T await(Drive drive, const std::stop_token& token, const fusebox::Deadline& deadline) {
    world_.steps = {.until_abandoned = script_->abandoned_at};
    if (drive == Drive::await_suspended) world_.clock.set_manual();
    const auto with = [&](auto op) -> T {
      if constexpr (is_short) {
        if (drive == Drive::await_try_execute)
          return end(run_to_end(pipeline_.try_execute(op, token, deadline)));
      }
      return run_to_end(pipeline_.execute(op, token, deadline));
    };
    if constexpr (is_short) {
      if (script_->takes == Takes::token)
        return with([this](std::stop_token stop) { return awaited_op(nullptr, std::move(stop), {}); });
      if (script_->takes == Takes::deadline)
        return with([this](fusebox::Deadline until) { return awaited_op(nullptr, {}, std::move(until)); });
      if (script_->takes == Takes::nothing) return with([this] { return awaited_op(nullptr, {}, {}); });
    }
    return with(
        [this](const fusebox::Call& call) { return awaited_op(&call, call.stop_token(), call.deadline()); });
  }
  template <class U>
  U run_to_end(Task<U> task) {
    task.start();
    while (!task.is_done()) {
      if (world_.steps.is_abandoned) {
        task.destroy();
        throw Abandoned{};
      }
      world_.clock.advance(std::chrono::nanoseconds{ms});
    }
    return task.result();
  }
  Task<T> awaited_op(const fusebox::Call* call, std::stop_token stop, fusebox::Deadline deadline) {
    co_await world_.steps;
    const Answer& answer = begin_op(call, stop, deadline);
    const int id = ops_;
    if (can_be_stopped(script_->takes) && answer.notices) {
      const StepClock clock{world_};
      if (!co_await clock.sleep_of_op(std::chrono::nanoseconds{answer.takes}, stop))
        co_return end_as(answer.closes ? Ends::threw_closed : Ends::threw_cancelled, id);
    } else {
      world_.clock.advance(std::chrono::nanoseconds{answer.takes});
    }
    co_return end_as(answer.ends, id);
  }

  T op(const fusebox::Call* call, const std::stop_token& stop, const fusebox::Deadline& deadline) {
    const Answer& answer = begin_op(call, stop, deadline);
    const int id = ops_;
    const std::chrono::nanoseconds takes{answer.takes};
    if (can_be_stopped(script_->takes) && answer.notices) {
      if (!world_.clock.sleep_for(takes, stop))
        return end_as(answer.closes ? Ends::threw_closed : Ends::threw_cancelled, id);
    } else {
      world_.clock.advance(takes);
    }
    return end_as(answer.ends, id);
  }
  const Answer& begin_op(const fusebox::Call* call, const std::stop_token& stop,
                         const fusebox::Deadline& deadline) {
    const Answer& answer = script_->answers[next_answer_++ % script_->answers.size()];
    ++ops_;
    auto& seen = world_.log();
    seen << "op at " << in_ms(time());
    if (call != nullptr) seen << " attempt " << call->attempt();
    if (call != nullptr || script_->takes == Takes::deadline)
      seen << " deadline " << (deadline.is_never() ? "none" : in_ms((deadline.time() - start_).count()));
    seen << (stop.stop_requested() ? " stopped\n" : "\n");
    return answer;
  }

  [[nodiscard]] Nanos time() const { return std::chrono::nanoseconds{world_.clock.now() - start_}.count(); }

  World world_;
  const std::chrono::steady_clock::time_point start_ = world_.clock.now();
  std::tuple<std::unique_ptr<Part<kinds, C>>...> parts_;
  decltype(fusebox::compose(std::declval<decltype(Part<kinds, C>::policy)&>()...)) pipeline_;
  const LogicalCall* script_ = nullptr;
  std::size_t next_answer_ = 0;
  int ops_ = 0;
};

template <class C, class T, Kind... kinds>
std::string compare_all(const Script& script, Reached& reached) {
  using Real = RealPipeline<C, T, kinds...>;
  for (const Drive drive : {Drive::execute, Drive::try_execute, Drive::by_hand, Drive::any, Drive::await,
                            Drive::await_suspended, Drive::await_try_execute}) {
    if (!Real::can(drive)) continue;
    Real real{script.layers};
    ReferencePipeline reference{script, reached};
    const bool carries =
        std::is_same_v<T, Carried> && drive != Drive::try_execute && drive != Drive::await_try_execute;
    int number = 0;
    for (LogicalCall call : script.calls) {
      ++number;
      call.takes = Real::closest(call.takes, drive);
      if (!Real::can_abandon(drive)) call.abandoned_at = 0;
      const std::string wanted = reference.run(call, carries);
      const std::string got = real.run(call, drive);
      if (wanted == got) continue;
      std::ostringstream problem;
      problem << to_text(drive) << " differs in call " << number << ". Wanted:\n"
              << wanted << "Got:\n"
              << got << "Of: " << script;
      return problem.str();
    }
  }
  return {};
}

/// Empty if the real pipeline does what the reference does.
template <class C, Kind... kinds>
std::string compare(const Script& script, Reached& reached) {
  std::string problem = compare_all<C, Response, kinds...>(script, reached);
  if constexpr (sizeof...(kinds) <= 3) {
    if (problem.empty()) problem = compare_all<C, Carried, kinds...>(script, reached);
  }
  return problem;
}

struct Pipeline {
  const char* kinds;
  std::string (*compare)(const Script& script, Reached& reached);
};

/// pipeline<'T', 'A'>: a total_timeout around an attempt_timeout.
template <char... kinds>
inline constexpr char name_of_kinds[] = {kinds..., '\0'};
template <char... kinds>
inline constexpr Pipeline pipeline{name_of_kinds<kinds...>, &compare<FakeClock, static_cast<Kind>(kinds)...>};
/// The same of coroutines.
template <char... kinds>
inline constexpr Pipeline awaited_pipeline{name_of_kinds<kinds...>,
                                           &compare<StepClock, static_cast<Kind>(kinds)...>};

/// Chooses one of them and a script by the input, and compares. What was wrong, if anything.
inline std::string compare_any(const std::vector<Pipeline>& all, fuzz::Input& input, Reached& reached) {
  const Pipeline& chosen = all[input.below(static_cast<unsigned>(all.size()))];
  Decoder decoder{input};
  const Script script = decoder.script(chosen.kinds);
  const std::string problem = chosen.compare(script, reached);
  return problem.empty() ? problem : chosen.kinds + (": " + problem);
}

}  // namespace model::flow
