// composition/pipelines.hpp: the policies of a row as one pipeline. Which policy a part is, it knows at run
// time only, so that one pipeline type runs every row; its frames are those of the library.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "composition/bench.hpp"
#include "composition/row.hpp"

namespace composition {

inline auto retry_of(Bench& bench, std::size_t level) { return bench.retry_policy(level); }

using RetryPart = decltype(retry_of(std::declval<Bench&>(), 0));
using FallbackPart = decltype(fusebox::fallback(std::declval<Bench::Fallback>()));

/// One part: nothing, or one of four policies. The clock is that of the waits of a coroutine.
struct Part {
  std::variant<std::monostate, Breaker*, RetryPart, FallbackPart, Throttle*> policy;
  fusebox::test::AsyncFakeClock async_clock;

  [[nodiscard]] const fusebox::test::AsyncFakeClock& clock() const noexcept { return async_clock; }
};

}  // namespace composition

template <>
struct fusebox::detail::Layer<composition::Part> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = true;
  using Clock = test::AsyncFakeClock;

  struct Side {
    BreakerSteps<test::FakeClock>::Scope breaker;
    RetrySide retry;
    NoSide none;
  };

  template <class Context>
  class Frame {
    template <class P>
    using Of = typename Layer<P>::template Frame<Context>;

   public:
    Frame(composition::Part& part, const Call& call, Side& side) : outer_{call} {
      if (auto* const breaker = std::get_if<composition::Breaker*>(&part.policy))
        frame_.template emplace<1>(**breaker, call, side.breaker);
      if (auto* const retry = std::get_if<composition::RetryPart>(&part.policy))
        frame_.template emplace<2>(*retry, call, side.retry);
      if (auto* const fallback = std::get_if<composition::FallbackPart>(&part.policy))
        frame_.template emplace<3>(*fallback, call, side.none);
      if (auto* const throttle = std::get_if<composition::Throttle*>(&part.policy))
        frame_.template emplace<4>(**throttle, call, side.none);
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() = default;

    Verdict enter(SlotBase& slot) {
      return visit([&](auto& frame) { return frame.enter(slot); }, Verdict::success);
    }
    [[nodiscard]] const Call& call() {
      return *visit([](auto& frame) { return &frame.call(); }, &outer_);
    }
    template <class Slot>
    bool again(Verdict& verdict, Slot& slot) {
      return visit([&](auto& frame) { return frame.again(verdict, slot); }, false);
    }
    void abandon() {
      if (auto* const frame = std::get_if<1>(&frame_)) frame->abandon();
    }
    [[nodiscard]] std::chrono::nanoseconds wait_time() const { return std::get<2>(frame_).wait_time(); }
    [[nodiscard]] StopToken wait_token() const { return std::get<2>(frame_).wait_token(); }
    bool sleep() { return std::get<2>(frame_).sleep(); }
    Verdict waited(bool to_its_end, SlotBase& slot) { return std::get<2>(frame_).waited(to_its_end, slot); }

   private:
    template <class F, class Default>
    Default visit(F use, Default without) {
      return std::visit(
          [&]<class One>(One& frame) -> Default {
            if constexpr (std::is_same_v<One, std::monostate>) {
              return without;
            } else {
              return use(frame);
            }
          },
          frame_);
    }

    const Call& outer_;
    std::variant<std::monostate, Of<CircuitBreaker<test::FakeClock>>, Of<composition::RetryPart>,
                 Of<composition::FallbackPart>, Of<composition::Throttle>>
        frame_;
  };
};

namespace composition {

/// The rows that a pipeline runs as the nested calls of the other flows do. A token that is stopped already
/// is another matter (P8), and so are one that is stopped during an attempt (a retry of a pipeline is then
/// cancelled, one by itself gives op's last failure), and limits of one policy alone.
inline bool fits_pipeline(const Row& row) {
  for (const Policy& policy : row.policies) {
    if (policy.timeout != fusebox::no_timeout || policy.time_for_all != fusebox::no_timeout) return false;
  }
  return row.policies.size() <= 3 && row.sees.find("stop") == std::string::npos &&
         row.answers.find('!') == std::string::npos;
}

/// Driven by hand, or in a coroutine, a call within a probe is no part of it (B7).
inline bool fits_steps(const Row& row) {
  for (const Policy& policy : row.policies) {
    if (policy.kind == Policy::Kind::same_breaker) return false;
  }
  return fits_pipeline(row);
}

/// The parts of a bench, with a fallback as a part of its own outside its breaker.
inline constexpr std::size_t most_parts = 6;
inline auto pipeline_of(Bench& bench) {
  std::vector<Part> parts;
  const auto add = [&](auto policy) { parts.push_back({std::move(policy), bench.async_clock()}); };
  for (std::size_t level = 0; level < bench.depth(); ++level) {
    if (bench.policy(level).has_fallback) add(fusebox::fallback(Bench::Fallback{level}));
    if (bench.is_retry(level)) {
      add(retry_of(bench, level));
    } else if (bench.is_throttle(level)) {
      add(&bench.throttle(level));
    } else {
      add(&bench.breaker(level));
    }
  }
  while (parts.size() < most_parts) add(std::monostate{});
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    return fusebox::compose(std::move(parts[i])...);
  }(std::make_index_sequence<most_parts>{});
}

inline std::string answer_of(Bench& bench) {
  const Answer& answer = bench.answer();
  return answer.is_success() ? answer.value() : (answer.raise(), "");
}

inline std::string by_pipeline(Bench& bench) {
  return pipeline_of(bench).execute([&] { return answer_of(bench); }, bench.token());
}

inline std::string by_try_execute(Bench& bench) {
  const auto result = pipeline_of(bench).try_execute([&] { return answer_of(bench); }, bench.token());
  return result.has_value() ? result.value() : word_of(result.error());
}

inline std::string by_awaited_pipeline(Bench& bench) {
  const auto pipeline = pipeline_of(bench);
  const auto op = [&]() -> support::Task<std::string> { co_return answer_of(bench); };
  return bench.run_to_end(pipeline.execute(op, bench.token()));
}

inline std::string by_steps(Bench& bench) {
  const auto pipeline = pipeline_of(bench);
  auto run = pipeline.template start<std::string>(bench.token());
  for (;;) {
    const fusebox::Step step = run.next();
    if (step.kind == fusebox::Step::Kind::done) return run.result();
    if (step.kind == fusebox::Step::Kind::wait) {
      run.waited(bench.clock.sleep_for(step.wait, run.wait_token()));
      continue;
    }
    try {
      run.report(answer_of(bench));
    } catch (...) {
      run.report(std::current_exception());
    }
  }
}

}  // namespace composition
