// contract/policies.hpp: an adapter for each policy, and for each way to call it. A new policy is one more. A
// fallback has none: it refuses no call and counts none.
//
// An adapter has a `name` and
//
//     call(op)    calls op under the policy: returns its result, or throws its exception or the refusal
//     refuse()    from now on no op is called; an op that returns a Result gets circuit_open
//     refusal     if it gets another code
//     cancels     true if refuse() cancels instead
//     settled()   how the calls ended
//     is_idle()   nothing is left of earlier calls; time may pass
//     unwound     what settled() returns after a call whose thread ended in it
//     is_coroutine   it allocates a frame, and its thread cannot end in it
#pragma once

#include <fusebox/adaptive_limit.hpp>
#include <fusebox/bulkhead.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/hedge.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/breaker_states.hpp"
#include "support/expected.hpp"
#include "support/task.hpp"
#include "support/throttle.hpp"

namespace contract {

using fusebox::Failure;
using support::Counts;
using Result = support::Expected<int, std::error_code>;

/// The result of op, from a coroutine.
template <class Op>
auto as_coroutine(Op& op) {
  return [&op]() -> support::Task<decltype(op())> { co_return op(); };
}

/// Makes a call by hand, if the permit allows it.
[[nodiscard]] inline fusebox::Outcome outcome_of(const auto&) { return fusebox::Outcome::success; }
[[nodiscard]] inline fusebox::Outcome outcome_of(const Result& result) {
  return result.has_value() ? fusebox::Outcome::success : default_outcome(Failure{result.error()});
}
template <class Op>
decltype(auto) with_permit(fusebox::Permit permit, Op& op, fusebox::PolicyErrc refusal) {
  using R = decltype(op());
  if (!permit) {
    if constexpr (std::is_same_v<R, Result>) {
      return R{support::Unexpected{make_error_code(refusal)}};
    } else {
      throw std::system_error{make_error_code(refusal)};
    }
  }
  try {
    if constexpr (std::is_void_v<R>) {
      op();
      permit.success();
    } else {
      decltype(auto) result = op();
      permit.report(contract::outcome_of(result));
      return result;
    }
  } catch (...) {
    if (const auto exception = std::current_exception())
      permit.report(default_outcome(Failure::from_exception(exception)));
    throw;
  }
}

class BreakerPolicy {
 public:
  static constexpr bool cancels = false;
  static constexpr bool is_coroutine = false;
  static constexpr Counts unwound{0, 0, 1};

  fusebox::test::FakeClock clock;

  void refuse() const { breaker_->force_open(); }
  [[nodiscard]] Counts settled() const {
    const Counts now = support::counts_of(*breaker_);
    return {now.success - before_.success, now.failure - before_.failure, now.ignored - before_.ignored};
  }
  [[nodiscard]] bool is_idle() const {
    clock.advance(config.reset_timeout);  // the wait of a breaker that has opened
    return support::admits(*breaker_);
  }

 protected:
  // A slot that a probe keeps would not come back while a test runs.
  static constexpr fusebox::CircuitBreakerConfig config{.reset_timeout = std::chrono::seconds{1},
                                                        .probe_timeout = std::chrono::hours{1}};

  BreakerPolicy() = default;
  explicit BreakerPolicy(std::shared_ptr<support::Breaker> breaker) : breaker_{std::move(breaker)} {}

  std::shared_ptr<support::Breaker> breaker_ = std::make_shared<support::Breaker>("b", config, clock);
  Counts before_;
};

struct Execute : BreakerPolicy {
  static constexpr const char* name = "execute()";

  template <class Op>
  decltype(auto) call(Op&& op) {
    return breaker_->execute(op);
  }
};

struct ExecuteInTime : BreakerPolicy {
  static constexpr const char* name = "execute() with a timeout";

  template <class Op>
  decltype(auto) call(Op&& op) {
    return breaker_->execute(op, {.timeout = std::chrono::hours{1}});
  }
};

struct ExecuteOrFallBack : BreakerPolicy {
  static constexpr const char* name = "execute() with a fallback that gives the failure";

  template <class Op>
  decltype(auto) call(Op&& op) {
    return breaker_->execute(op, [](const Failure& failure) -> decltype(op()) {
      if constexpr (std::is_same_v<decltype(op()), Result>) {
        return support::Unexpected{failure.code()};
      } else {
        failure.rethrow();
      }
    });
  }
};

/// Half-open, with one slot.
struct ExecuteProbe : Execute {
  static constexpr const char* name = "execute() of a probe";

  ExecuteProbe() {
    support::bring_to(*breaker_, fusebox::State::half_open);
    before_ = support::counts_of(*breaker_);
  }
};

struct InPipeline : BreakerPolicy {
  static constexpr const char* name = "execute() of a pipeline";

  template <class Op>
  decltype(auto) call(Op&& op) {
    return fusebox::compose(breaker_).execute(op);
  }
};

struct TriedInPipeline : BreakerPolicy {
  static constexpr const char* name = "try_execute() of a pipeline";

  template <class Op>
  decltype(auto) call(Op&& op) {
    using R = decltype(op());
    auto result = fusebox::compose(breaker_).try_execute(op);
    if constexpr (std::is_same_v<R, Result>) {
      if (!result.has_value() && result.error().is_rejection())
        return Result{support::Unexpected{result.error().code()}};
    }
    return std::move(result).value();
  }
};

/// Two copies start at once. The executor runs the hedge, on the thread of the call, and drops the primary:
/// so op is called once. As a coroutine, it allocates what a call needs.
struct Hedged : BreakerPolicy {
  static constexpr const char* name = "execute() of a hedge";
  static constexpr bool is_coroutine = true;

  template <class Op>
  decltype(auto) call(Op&& op) {
    const auto primary = std::make_shared<std::optional<fusebox::HedgeTask>>();
    const auto runs_the_hedge = [primary](const fusebox::HedgeTask& task) {
      if (!*primary) {
        *primary = task;
        return;
      }
      task();
      primary->reset();
    };
    const fusebox::HedgeConfig both_at_once{.delay = std::chrono::nanoseconds::zero(), .max_hedges = 1};
    return fusebox::compose(fusebox::hedge(both_at_once, runs_the_hedge, clock), breaker_)
        .execute([&op]() -> decltype(auto) { return op(); });
  }
};

struct Awaited : BreakerPolicy {
  static constexpr const char* name = "execute() of a coroutine";
  static constexpr bool is_coroutine = true;

  template <class Op>
  decltype(auto) call(Op&& op) {
    const auto awaited = as_coroutine(op);
    return support::run(breaker_->execute(awaited));
  }
};

struct AwaitedInPipeline : BreakerPolicy {
  static constexpr const char* name = "execute() of a pipeline, of a coroutine";
  static constexpr bool is_coroutine = true;

  template <class Op>
  decltype(auto) call(Op&& op) {
    const auto awaited = as_coroutine(op);
    return support::run(fusebox::compose(breaker_).execute(awaited));
  }
};

/// A policy of the program around the breaker.
struct InOwnPolicy : BreakerPolicy {
  static constexpr const char* name = "a policy of the program in a pipeline";

  struct Passing {
    template <class Op>
    auto execute(Op&& op) {
      return op();
    }
  };
  template <class Op>
  decltype(auto) call(Op&& op) {
    return fusebox::compose(Passing{}, breaker_).execute(op);
  }
};

/// Driven by hand, by a loop that does what the blocking driver does.
struct Stepwise : BreakerPolicy {
  static constexpr const char* name = "start() of a pipeline";

  template <class Op>
  decltype(auto) call(Op&& op) {
    using R = decltype(op());
    auto pipeline = fusebox::compose(breaker_);
    auto run = pipeline.template start<R>();
    while (run.next().kind == fusebox::Step::Kind::call) {
      try {
        if constexpr (std::is_void_v<R>) {
          op();
          run.report();
        } else {
          run.report(op());
        }
      } catch (...) {
        const auto exception = std::current_exception();
        if (!exception) throw;
        run.report(exception);
      }
    }
    return run.result();
  }
};

struct ByPermit : BreakerPolicy {
  static constexpr const char* name = "try_acquire()";

  template <class Op>
  decltype(auto) call(Op&& op) {
    return with_permit(try_acquire(breaker_), op, fusebox::PolicyErrc::circuit_open);
  }
};

struct ByRegistry : BreakerPolicy {
  static constexpr const char* name = "execute() by the registry";

  ByRegistry() { breaker_ = registry_.get("b", config); }

  template <class Op>
  decltype(auto) call(Op&& op) {
    return registry_.get("b")->execute(op);
  }

 private:
  fusebox::CircuitBreakerRegistry<fusebox::test::FakeClock> registry_{{}, clock};
};

/// Every call is delayed. A FakeClock records each delay, which allocates: a refused call has none.
struct AroundChaos : BreakerPolicy {
  static constexpr const char* name = "execute() of a pipeline, with chaos around the breaker";

  AroundChaos() { chaos_.enable(true); }

  template <class Op>
  decltype(auto) call(Op&& op) {
    return fusebox::compose(chaos_, breaker_).execute(op);
  }
  void refuse() {
    chaos_.enable(false);
    BreakerPolicy::refuse();
  }
  [[nodiscard]] bool is_idle() const {
    const auto stats = chaos_.stats();
    return stats.delays > 0 && stats.delays == stats.calls && BreakerPolicy::is_idle();
  }

 private:
  fusebox::Chaos<fusebox::test::FakeClock> chaos_ =
      fusebox::chaos({.latency_rate = 1, .latency = std::chrono::milliseconds{1}}, clock);
};

/// A policy whose calls are settled as its on_call() tells. It tells nothing of a call whose thread ended.
template <class Policy>
class ToldPolicy {
 public:
  static constexpr bool cancels = false;
  static constexpr bool is_coroutine = false;
  static constexpr Counts unwound{};

  fusebox::test::FakeClock clock;

  template <class Op>
  decltype(auto) call(Op&& op) {
    return policy_.execute(op);
  }
  [[nodiscard]] Counts settled() const { return told_; }

 protected:
  template <class... Args>
  explicit ToldPolicy(const Args&... args) : policy_{args..., clock} {}

  Policy policy_;

 private:
  Counts told_;
  fusebox::Subscription calls_ = policy_.on_call([this](const fusebox::CallEvent& event) {
    switch (event.outcome) {
      case fusebox::Outcome::success: ++told_.success; break;
      case fusebox::Outcome::failure: ++told_.failure; break;
      case fusebox::Outcome::ignored: ++told_.ignored; break;
    }
  });
};

/// With one slot, which a permit takes.
template <class Policy>
class SlotPolicy : public ToldPolicy<Policy> {
 public:
  static constexpr fusebox::PolicyErrc refusal = fusebox::PolicyErrc::bulkhead_full;

  void refuse() { last_ = this->policy_.try_acquire(); }
  [[nodiscard]] bool is_idle() {
    return this->policy_.stats().in_use == 0 && static_cast<bool>(this->policy_.try_acquire());
  }

 protected:
  using ToldPolicy<Policy>::ToldPolicy;

 private:
  fusebox::Permit last_;
};

struct BulkheadExecute : SlotPolicy<fusebox::Bulkhead<fusebox::test::FakeClock>> {
  static constexpr const char* name = "execute() of a bulkhead";

  BulkheadExecute() : SlotPolicy{"k", fusebox::BulkheadConfig{.max_concurrent = 1}} {}
};

struct AdaptiveExecute : SlotPolicy<fusebox::AdaptiveLimit<fusebox::Aimd, fusebox::test::FakeClock>> {
  static constexpr const char* name = "execute() of an adaptive limit";

  AdaptiveExecute() : SlotPolicy{"a", fusebox::Aimd{.initial = 1, .min = 1, .max = 1}} {}
};

/// Every permit comes back with time.
struct LimiterExecute : ToldPolicy<fusebox::RateLimiter<fusebox::test::FakeClock>> {
  static constexpr const char* name = "execute() of a rate limiter";
  static constexpr fusebox::PolicyErrc refusal = fusebox::PolicyErrc::rate_limited;

  LimiterExecute() : ToldPolicy{"l", fusebox::RateLimiterConfig{.permits = 8}} {}

  void refuse() {
    while (policy_.try_acquire()) {
    }
  }
  [[nodiscard]] bool is_idle() const {
    clock.advance(policy_.config().per);
    return policy_.retry_after(policy_.config().permits).count() == 0;
  }
};

/// Its op can be stopped, so that the limit is watched.
struct TimeoutExecute : ToldPolicy<fusebox::Timeout<fusebox::test::FakeClock, fusebox::TimeoutKind::total>> {
  static constexpr const char* name = "execute() of a timeout";
  static constexpr bool cancels = true;

  TimeoutExecute() : ToldPolicy{std::chrono::hours{1}} {}

  template <class Op>
  decltype(auto) call(Op&& op) {
    return policy_.execute([&op](const std::stop_token& /*stop*/) -> decltype(auto) { return op(); },
                           stop_.get_token());
  }
  void refuse() { stop_.request_stop(); }
  /// A limit that is still watched would stop what is gone.
  [[nodiscard]] bool is_idle() const {
    clock.advance(policy_.limit());
    return policy_.stats().timed_out == 0;
  }

 private:
  std::stop_source stop_;
};

/// A call that is nobody's leaves nothing in a throttle: what is ignored, its on_call() tells.
class ThrottlePolicy {
 public:
  static constexpr bool cancels = false;
  static constexpr bool is_coroutine = false;
  static constexpr fusebox::PolicyErrc refusal = fusebox::PolicyErrc::throttled;
  static constexpr Counts unwound{};

  fusebox::test::FakeClock clock;

  /// The failed calls are of another priority, so that they reject every call of this one (V4).
  void refuse() {
    support::count(*throttle_, 0, config.minimum_calls, fusebox::Priority::critical);
    refused_ += static_cast<std::uint64_t>(config.minimum_calls);
  }
  [[nodiscard]] Counts settled() const {
    const auto stats = throttle_->stats();
    return {stats.total_accepts, stats.total_requests - stats.total_accepts - stats.rejected - refused_,
            ignored_};
  }
  [[nodiscard]] bool is_idle() const { return static_cast<bool>(throttle_->try_acquire()); }

 protected:
  static constexpr fusebox::ThrottleConfig config{.max_rejection = 1, .minimum_calls = 1000};

  std::shared_ptr<support::FakeThrottle> throttle_ =
      std::make_shared<support::FakeThrottle>("v", config, clock);

  std::uint64_t ignored_ = 0;

 private:
  std::uint64_t refused_ = 0;
  fusebox::Subscription calls_ = throttle_->on_call([this](const fusebox::CallEvent& event) {
    if (event.outcome == fusebox::Outcome::ignored) ++ignored_;
  });
};

struct ThrottleExecute : ThrottlePolicy {
  static constexpr const char* name = "execute() of a throttle";

  template <class Op>
  decltype(auto) call(Op&& op) {
    return throttle_->execute(op);
  }
};

struct ThrottleInPipeline : ThrottlePolicy {
  static constexpr const char* name = "execute() of a pipeline with a throttle";

  template <class Op>
  decltype(auto) call(Op&& op) {
    return fusebox::compose(throttle_).execute(op);
  }
};

struct AwaitedThrottle : ThrottlePolicy {
  static constexpr const char* name = "execute() of a throttle, of a coroutine";
  static constexpr bool is_coroutine = true;

  template <class Op>
  decltype(auto) call(Op&& op) {
    const auto awaited = as_coroutine(op);
    return support::run(throttle_->execute(awaited));
  }
};

/// What is ignored is told to nobody.
struct ThrottleByPermit : ThrottlePolicy {
  static constexpr const char* name = "try_acquire() of a throttle";

  template <class Op>
  decltype(auto) call(Op&& op) {
    const auto counts_ignored = [&]() -> decltype(op()) {
      try {
        if constexpr (std::is_same_v<decltype(op()), Result>) {
          Result result = op();
          if (contract::outcome_of(result) == fusebox::Outcome::ignored) ++ignored_;
          return result;
        } else {
          return op();
        }
      } catch (const std::exception&) {
        if (default_outcome(Failure::from_current_exception()) == fusebox::Outcome::ignored) ++ignored_;
        throw;
      }
    };
    return with_permit(try_acquire(throttle_), counts_ignored, refusal);
  }
};

template <bool tries, bool awaits>
class RetryPolicy {
 public:
  static constexpr const char* name = awaits  ? "retry_with_backoff() of a coroutine"
                                      : tries ? "try_retry_with_backoff()"
                                              : "retry_with_backoff()";
  static constexpr bool cancels = true;
  static constexpr bool is_coroutine = awaits;
  static constexpr Counts unwound{};  // no hook is called

  fusebox::test::FakeClock clock;

  template <class Op>
  decltype(auto) call(Op&& op) {
    const fusebox::RetryConfig config{.max_retries = 1, .total_timeout = std::chrono::hours{1}};
    Budget budget{counts_};
    const auto count = fusebox::on_give_up([this](const fusebox::RetryStats& stats) {
      if (stats.attempts == 0) return;
      const auto outcome = default_outcome(stats.errors.back());
      ++(outcome == fusebox::Outcome::ignored ? counts_.ignored : counts_.failure);
    });
    if constexpr (awaits) {
      const auto awaited = as_coroutine(op);
      const fusebox::test::AsyncFakeClock async{clock};
      return support::run(retry_with_backoff(awaited, config, async, budget, stop_.get_token(), count))
          .value();
    } else if constexpr (tries) {
      return try_retry_with_backoff(op, config, clock, budget, stop_.get_token(), count).value();
    } else {
      return retry_with_backoff(op, config, clock, budget, stop_.get_token(), count).value();
    }
  }

  void refuse() { stop_.request_stop(); }
  [[nodiscard]] Counts settled() const { return counts_; }
  [[nodiscard]] static bool is_idle() { return true; }

 private:
  struct Budget {
    Counts& counts;
    static bool try_withdraw() { return true; }
    void deposit() { ++counts.success; }
  };

  std::stop_source stop_;
  Counts counts_;
};

using Retry = RetryPolicy<false, false>;
using TryRetry = RetryPolicy<true, false>;
using AwaitedRetry = RetryPolicy<false, true>;

using Policies =
    std::tuple<Execute, ExecuteInTime, ExecuteOrFallBack, ExecuteProbe, InPipeline, TriedInPipeline, Hedged,
               Awaited, AwaitedInPipeline, InOwnPolicy, Stepwise, ByPermit, ByRegistry, AroundChaos,
               BulkheadExecute, AdaptiveExecute, LimiterExecute, TimeoutExecute, ThrottleExecute,
               ThrottleInPipeline, AwaitedThrottle, ThrottleByPermit, Retry, TryRetry, AwaitedRetry>;

template <class Policy>
constexpr fusebox::PolicyErrc refusal_of() {
  if constexpr (requires { Policy::refusal; }) return Policy::refusal;
  return Policy::cancels ? fusebox::PolicyErrc::cancelled : fusebox::PolicyErrc::circuit_open;
}

/// One policy of any type: what does not depend on the type of a result is compiled once.
class AnyPolicy {
 public:
  using Op = std::function<void()>;
  using ResultOp = std::function<Result()>;

  template <class Policy>
  explicit AnyPolicy(std::shared_ptr<Policy> policy)
      : name{Policy::name},
        cancels{Policy::cancels},
        refusal{refusal_of<Policy>()},
        is_coroutine{Policy::is_coroutine},
        unwound{Policy::unwound},
        call{[policy](const Op& op) { policy->call(op); }},
        call_for_result{[policy](const ResultOp& op) { return policy->call(op); }},
        refuse{[policy] { policy->refuse(); }},
        settled{[policy] { return policy->settled(); }},
        is_idle{[policy] { return policy->is_idle(); }} {}

  const char* name;
  bool cancels;
  fusebox::PolicyErrc refusal;
  bool is_coroutine;
  Counts unwound;
  std::function<void(const Op&)> call;
  std::function<Result(const ResultOp&)> call_for_result;
  std::function<void()> refuse;
  std::function<Counts()> settled;
  std::function<bool()> is_idle;
};

inline std::vector<AnyPolicy> one_of_each() {
  return []<class... Policy>(const std::tuple<Policy...>*) {
    return std::vector<AnyPolicy>{AnyPolicy{std::make_shared<Policy>()}...};
  }(static_cast<const Policies*>(nullptr));
}

}  // namespace contract
