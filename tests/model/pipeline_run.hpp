// model/pipeline_run.hpp: runs a script through a real pipeline, and says where it differs from the
// reference.
#pragma once

#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <cmath>
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

#include "pipeline_script.hpp"
#include "reference_pipeline.hpp"

namespace model::flow {

using Clock = fusebox::test::FakeClock;
using fusebox::Failure;

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
  return "carried " + code.message();
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
  } catch (const fusebox::TimeoutError&) {
    return "TimeoutError";
  } catch (const fusebox::CancelledError&) {
    return "CancelledError";
  } catch (const std::exception& error) {
    return std::string{"another error: "} + error.what();
  }
}

/// Ends at a time of the clock.
class Alarm {
 public:
  Alarm(const Clock& clock, Nanos after) : clock_{clock} {
    clock_.arm(node_, clock.now() + std::chrono::nanoseconds{after});
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { clock_.disarm(node_); }
  [[nodiscard]] std::stop_token token() const { return node_.source.get_token(); }

 private:
  Clock clock_;
  fusebox::detail::TimerNode node_{.source = std::stop_source{}};
};

/// What the parts of one pipeline share.
struct World {
  Clock clock = {};
  std::ostringstream seen = {};
  std::size_t slept = 0;

  /// Where to write what is seen next, after the sleeps until now.
  std::ostream& log() {
    const auto all = clock.sleeps();
    for (; slept < all.size(); ++slept) seen << "sleep " << in_ms(all[slept].count()) << '\n';
    return seen;
  }
};

// Each kind of layer: `policy` for compose(), and show().

template <Kind kind>
struct Part;

inline std::string name_of(int place) { return "p" + std::to_string(place); }

template <>
struct Part<Kind::breaker> {
  fusebox::CircuitBreaker<Clock> policy;
  Part(const Layer& layer, int place, World& world)
      : policy{name_of(place),
               {.failure_threshold = layer.threshold,
                .success_threshold = 1,
                .reset_timeout = std::chrono::nanoseconds{layer.reset}},
               world.clock} {}
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

template <>
struct Part<Kind::retry> {
  decltype(fusebox::retry(fusebox::RetryConfig{}, hook_of({}), Clock{})) policy;
  Part(const Layer& layer, int /*place*/, World& world)
      : policy{fusebox::retry(retry_config(layer), hook_of(layer), Clock{world.clock})} {}
  static void show(std::ostream& /*out*/) {}
};

template <class Budget>
struct BudgetedPart {
  Budget budget;
  decltype(fusebox::retry(fusebox::RetryConfig{}, hook_of({}), std::declval<Budget&>(), Clock{})) policy;
  template <class... Args>
  BudgetedPart(const Layer& layer, World& world, Args... args)
      : budget{args...},
        policy{fusebox::retry(retry_config(layer), hook_of(layer), budget, Clock{world.clock})} {}
  void show(std::ostream& out) const {
    const auto stats = budget.stats();
    out << "budget " << std::lround(stats.balance * 10) << "/10, " << stats.withdrawn << " withdrawn, "
        << stats.refused << " refused\n";
  }
};
template <>
struct Part<Kind::budgeted> : BudgetedPart<fusebox::RetryBudget<Clock>> {
  Part(const Layer& layer, int /*place*/, World& world)
      : BudgetedPart{layer, world,
                     fusebox::RetryBudgetConfig{
                         .ratio = layer.ratio_tenths / 10.0, .min_per_second = 0, .capacity = layer.most},
                     world.clock} {}
};
template <>
struct Part<Kind::throttled> : BudgetedPart<fusebox::RetryThrottle> {
  Part(const Layer& layer, int /*place*/, World& world)
      : BudgetedPart{layer, world,
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
template <>
struct Part<Kind::total> : TimeoutPart<decltype(fusebox::total_timeout({}, Clock{}))> {
  Part(const Layer& layer, int /*place*/, World& world)
      : TimeoutPart{fusebox::total_timeout(std::chrono::nanoseconds{layer.limit}, world.clock)} {}
};
template <>
struct Part<Kind::attempt> : TimeoutPart<decltype(fusebox::attempt_timeout({}, Clock{}))> {
  Part(const Layer& layer, int /*place*/, World& world)
      : TimeoutPart{fusebox::attempt_timeout(std::chrono::nanoseconds{layer.limit}, world.clock)} {}
};

template <>
struct Part<Kind::bulkhead> {
  struct Release {
    fusebox::Permit* permit;
    void operator()() const noexcept { *permit = fusebox::Permit{}; }
  };
  /// A slot that another call holds until its time.
  struct Held {
    fusebox::Permit permit;
    Alarm alarm;
    std::stop_callback<Release> at_the_end{alarm.token(), Release{&permit}};
    Held(fusebox::Permit held, const Clock& clock, Nanos until)
        : permit{std::move(held)}, alarm{clock, until} {}
  };
  fusebox::Bulkhead<Clock> policy;
  std::list<Held> held;

  Part(const Layer& layer, int place, World& world)
      : policy{name_of(place),
               {.max_concurrent = layer.slots,
                .max_waiting = layer.waiting,
                .max_wait = std::chrono::nanoseconds{layer.max_wait}},
               world.clock} {
    for (const Nanos until : layer.held) held.emplace_back(policy.try_acquire(), world.clock, until);
  }
  void show(std::ostream& out) const {
    const auto stats = policy.stats();
    out << "bulkhead " << stats.in_use + stats.waiting << " in use, " << stats.admitted << " admitted, "
        << stats.rejected << " rejected, longest wait " << in_ms(stats.longest_wait.count()) << '\n';
  }
};

template <>
struct Part<Kind::limiter> {
  fusebox::RateLimiter<Clock> policy;
  Part(const Layer& layer, int place, World& world)
      : policy{name_of(place),
               {.permits = 1,
                .per = std::chrono::nanoseconds{layer.interval},
                .burst = layer.burst,
                .max_wait = std::chrono::nanoseconds{layer.max_wait}},
               world.clock} {}
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
template <>
struct Part<Kind::fallback> {
  decltype(fusebox::fallback(FallbackOfFailure{})) policy;
  Part(const Layer& layer, int place, World& world)
      : policy{fusebox::fallback(FallbackOfFailure{&world, layer.fallback, place})} {}
  static void show(std::ostream& /*out*/) {}
};
template <>
struct Part<Kind::when_rejected> {
  decltype(fusebox::fallback_when_rejected(FallbackOfNothing{})) policy;
  Part(const Layer& layer, int place, World& world)
      : policy{fusebox::fallback_when_rejected(FallbackOfNothing{&world, layer.fallback, place})} {}
  static void show(std::ostream& /*out*/) {}
};
template <>
struct Part<Kind::last_good> {
  fusebox::LastGood<Clock> policy;
  Part(const Layer& layer, int /*place*/, World& world)
      : policy{fusebox::fallback_to_last_good(std::chrono::nanoseconds{layer.limit}, world.clock)} {}
  static void show(std::ostream& /*out*/) {}
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
template <>
struct Part<Kind::user> {
  User policy;
  Part(const Layer& layer, int place, World& /*world*/) : policy{layer.user, place} {}
  static void show(std::ostream& /*out*/) {}
};

/// How the calls of a script are made.
enum class Drive { execute, try_execute, by_hand, any };
inline std::string to_text(Drive drive) {
  switch (drive) {
    case Drive::execute: return "execute";
    case Drive::try_execute: return "try_execute";
    case Drive::by_hand: return "start";
    case Drive::any: return "AnyPipeline";
  }
  return {};
}

/// T is what op gives. Only short pipelines are called in every way, since each way takes long to compile.
template <class T, Kind... kinds>
class RealPipeline {
  static constexpr bool has_user = ((kinds == Kind::user) || ...);

 public:
  explicit RealPipeline(const std::vector<Layer>& layers)
      : parts_{make(layers, std::index_sequence_for<Part<kinds>...>{})},
        pipeline_{std::apply([](auto&... parts) { return fusebox::compose(parts->policy...); }, parts_)} {}

  static constexpr bool is_short = sizeof...(kinds) <= 3;
  static bool can(Drive drive) {
    return drive == Drive::by_hand ? !has_user : drive == Drive::any ? is_short : true;
  }
  static Takes closest(Takes takes) {
    if constexpr (is_short) return takes;
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
    const std::string result = text_of([&] { return call(drive, token, deadline); });
    world_.log() << "result " << result << '\n' << "at " << in_ms(time()) << '\n';
    std::apply([&](const auto&... parts) { (parts->show(world_.seen), ...); }, parts_);
    return world_.seen.str();
  }

 private:
  template <std::size_t... i>
  std::tuple<std::unique_ptr<Part<kinds>>...> make(const std::vector<Layer>& layers,
                                                   std::index_sequence<i...>) {
    return {std::make_unique<Part<kinds>>(layers[i], static_cast<int>(i), world_)...};
  }

  T call(Drive drive, const std::stop_token& token, const fusebox::Deadline& deadline) {
    const auto with = [&](auto op) -> T {
      const auto end = [](auto result) -> T {
        const bool has_value = result.has_value();
        const T value = std::move(result).value();  // throws, or is a failed value
        if (has_value == static_cast<bool>(text_of_value(value).find("failed") == 0))
          throw std::logic_error{"has_value() is wrong"};
        return value;
      };
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

  T op(const fusebox::Call* call, const std::stop_token& stop, const fusebox::Deadline& deadline) {
    const Answer& answer = script_->answers[next_answer_++ % script_->answers.size()];
    const int id = ++ops_;
    auto& seen = world_.log();
    seen << "op at " << in_ms(time());
    if (call != nullptr) seen << " attempt " << call->attempt();
    if (call != nullptr || script_->takes == Takes::deadline)
      seen << " deadline " << (deadline.is_never() ? "none" : in_ms((deadline.time() - start_).count()));
    seen << (stop.stop_requested() ? " stopped\n" : "\n");
    const std::chrono::nanoseconds takes{answer.takes};
    if (can_be_stopped(script_->takes) && answer.notices) {
      if (!world_.clock.sleep_for(takes, stop))
        return end_as(answer.closes ? Ends::threw_closed : Ends::threw_cancelled, id);
    } else {
      world_.clock.advance(takes);
    }
    return end_as(answer.ends, id);
  }

  [[nodiscard]] Nanos time() const { return std::chrono::nanoseconds{world_.clock.now() - start_}.count(); }

  World world_;
  const std::chrono::steady_clock::time_point start_ = world_.clock.now();
  std::tuple<std::unique_ptr<Part<kinds>>...> parts_;
  decltype(fusebox::compose(std::declval<decltype(Part<kinds>::policy)&>()...)) pipeline_;
  const LogicalCall* script_ = nullptr;
  std::size_t next_answer_ = 0;
  int ops_ = 0;
};

template <class T, Kind... kinds>
std::string compare_all(const Script& script, Reached& reached) {
  for (const Drive drive : {Drive::execute, Drive::try_execute, Drive::by_hand, Drive::any}) {
    if (!RealPipeline<T, kinds...>::can(drive)) continue;
    RealPipeline<T, kinds...> real{script.layers};
    ReferencePipeline reference{script, reached};
    const bool carries = std::is_same_v<T, Carried> && drive != Drive::try_execute;
    int number = 0;
    for (LogicalCall call : script.calls) {
      ++number;
      if (drive == Drive::by_hand) {
        call.takes = Takes::call;
      } else {
        call.takes = RealPipeline<T, kinds...>::closest(call.takes);
        call.abandoned_at = 0;  // only a call by hand can be destroyed before its end
      }
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
template <Kind... kinds>
std::string compare(const Script& script, Reached& reached) {
  std::string problem = compare_all<Response, kinds...>(script, reached);
  if constexpr (sizeof...(kinds) <= 3) {
    if (problem.empty()) problem = compare_all<Carried, kinds...>(script, reached);
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
inline constexpr Pipeline pipeline{name_of_kinds<kinds...>, &compare<static_cast<Kind>(kinds)...>};

}  // namespace model::flow
