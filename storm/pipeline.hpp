// storm/pipeline.hpp: ProcessPipeline, the real policies of a PipelineSpec, for one client process.
//
// All specs share one C++ type, which keeps compile time and the memory of a call small: a fusebox::Pipeline
// of places in a fixed order. A place that has a policy forwards to the frame of the library; an empty one
// passes through. A hedge divides a spec: what is outside it is one such pipeline, what is inside it another,
// and the simulation races runs of the inner one by a HedgeRun.
#pragma once

#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "any_rule.hpp"
#include "policies.hpp"
#include "random.hpp"
#include "scenario.hpp"

namespace storm {

using Clock = fusebox::test::FakeClock;

/// A retry budget of either kind, or none.
class Budget {
 public:
  using Spec = decltype(fusebox::RetryPart::budget);

  Budget(const Spec& spec, const Clock& clock) {
    if (const auto* budget = std::get_if<fusebox::RetryBudgetConfig>(&spec))
      held_.emplace<fusebox::RetryBudget<Clock>>(*budget, clock);
    if (const auto* throttle = std::get_if<fusebox::RetryThrottleConfig>(&spec))
      held_.emplace<fusebox::RetryThrottle>(*throttle);
  }

  bool try_withdraw() {
    if (auto* budget = std::get_if<1>(&held_)) return budget->try_withdraw();
    if (auto* throttle = std::get_if<2>(&held_)) return throttle->try_withdraw();
    return true;
  }
  void give_back() noexcept {
    if (auto* budget = std::get_if<1>(&held_)) budget->give_back();
  }
  void on_call() {
    if (auto* budget = std::get_if<1>(&held_)) budget->on_call();
  }
  void on_failure(const fusebox::Failure& failure) {
    if (auto* throttle = std::get_if<2>(&held_)) throttle->on_failure(failure);
  }
  void deposit() {
    if (auto* throttle = std::get_if<2>(&held_)) throttle->deposit();
  }

 private:
  std::variant<std::monostate, fusebox::RetryBudget<Clock>, fusebox::RetryThrottle> held_;
};

using RateLimiter = fusebox::RateLimiter<Clock>;
using Throttle = fusebox::Throttle<Clock>;
using AdaptiveLimit = fusebox::AdaptiveLimit<AnyRule, Clock>;
using Bulkhead = fusebox::Bulkhead<Clock>;
using Breaker = fusebox::CircuitBreaker<Clock>;
using TotalTimeout = fusebox::Timeout<Clock, fusebox::TimeoutKind::total>;
using AttemptTimeout = fusebox::Timeout<Clock, fusebox::TimeoutKind::attempt>;
using Retry = decltype(fusebox::retry(std::declval<fusebox::RetryConfig>(), std::declval<Clock>(),
                                      fusebox::with_random(std::declval<Random&>()),
                                      std::declval<std::shared_ptr<Budget>>()));
using Hedge = decltype(fusebox::hedge(std::declval<fusebox::HedgeConfig>(), std::declval<Clock>(),
                                      std::declval<std::shared_ptr<Budget>>()));
using HedgeRun = decltype(std::declval<Hedge&>().start());

/// Room for a policy in the order of a ProcessPipeline.
template <class P>
class Place {
 public:
  explicit Place(const Clock& clock) : clock_{clock} {}

  void fill(std::shared_ptr<P> policy) noexcept { policy_ = std::move(policy); }
  [[nodiscard]] P* get() const noexcept { return policy_.get(); }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
  /// Counts the calls that began to wait here.
  void count_wait() noexcept { ++waits_; }
  [[nodiscard]] std::uint64_t waits() const noexcept { return waits_; }

 private:
  std::shared_ptr<P> policy_;
  std::uint64_t waits_ = 0;
  Clock clock_;
};

}  // namespace storm

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The frame of the policy in a place, if it has one.
template <class P>
struct Layer<storm::Place<P>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = Layer<P>::watches_late;
  using Clock = storm::Clock;
  using Side = typename SideOf<Layer<P>>::type;

  template <class Context>
  class Frame {
    using Inner = typename Layer<P>::template Frame<Context>;

   public:
    Frame(storm::Place<P>& place, const Call& call, Side& side)
        : place_{place}, is_filled_{place.get() != nullptr}, outer_{call} {
      if (is_filled_) ::new (static_cast<void*>(&inner_)) Inner{*place.get(), call, side};
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() {
      if (is_filled_) std::destroy_at(&inner_);
    }

    Verdict enter(SlotBase& slot) {
      if (!is_filled_) return Verdict::success;
      const Verdict verdict = inner_.enter(slot);
      if (verdict == Verdict::waiting) place_.count_wait();
      return verdict;
    }
    [[nodiscard]] const Call& call() const noexcept { return is_filled_ ? inner_.call() : outer_; }
    template <class Slot>
    bool again(Verdict& verdict, Slot& slot) {
      return is_filled_ && inner_.again(verdict, slot);
    }

    [[nodiscard]] std::chrono::nanoseconds wait_time() const
      requires Waits<Inner>
    {
      return inner_.wait_time();
    }
    [[nodiscard]] StopToken wait_token() const
      requires Waits<Inner>
    {
      return inner_.wait_token();
    }
    [[nodiscard]] bool wait_is_over() const
      requires EndsWaits<Inner>
    {
      return inner_.wait_is_over();
    }
    Verdict waited(bool to_its_end, SlotBase& slot)
      requires Waits<Inner>
    {
      return inner_.waited(to_its_end, slot);
    }

   private:
    storm::Place<P>& place_;
    bool is_filled_;
    const Call& outer_;
    union {
      Inner inner_;
    };
  };
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

namespace storm {

/// Where a spec's policies can stand, the outermost first.
using PlacesPipeline =
    fusebox::Pipeline<Place<RateLimiter>, Place<Throttle>, Place<AdaptiveLimit>, Place<Bulkhead>,
                      Place<TotalTimeout>, Place<Breaker>, Place<Retry>, Place<RateLimiter>, Place<Throttle>,
                      Place<AdaptiveLimit>, Place<Bulkhead>, Place<Breaker>, Place<AttemptTimeout>>;

/// The policies of one client process. Not thread-safe, as the simulation that it belongs to.
class ProcessPipeline {
 public:
  using Run = decltype(std::declval<const PlacesPipeline&>().start<void>());

  /// `jitter` must outlive it; throttles without a seed of their own draw one from it. Throws
  /// std::invalid_argument for an order that has no place, and for a config that the library refuses; the
  /// message begins with "policies[i]".
  ProcessPipeline(const PipelineSpec& spec, const std::string& process, const Clock& clock, Random& jitter);

  /// A call. The run must not outlive this object.
  [[nodiscard]] Run start() const { return outside_.start<void>(); }
  /// If there is a hedge: what races in the place of an attempt of the call, and one of its copies.
  [[nodiscard]] bool has_hedge() const noexcept { return hedge_ != nullptr; }
  [[nodiscard]] HedgeRun start_hedge(const fusebox::Deadline& deadline) const {
    return hedge_->start(deadline);
  }
  [[nodiscard]] Run start_copy(const fusebox::Deadline& deadline) const {
    return inside_.start<void>(deadline);
  }

  /// explain() of its policies.
  [[nodiscard]] std::string explain() const;
  /// The innermost breaker and adaptive limit; null without one.
  [[nodiscard]] const Breaker* breaker() const noexcept { return breaker_.get(); }
  [[nodiscard]] const AdaptiveLimit* adaptive_limit() const noexcept { return adaptive_limit_.get(); }
  /// How many of its policies have a queue, and how many calls began to wait in one so far.
  [[nodiscard]] int queues() const noexcept;
  [[nodiscard]] std::uint64_t queue_waits() const noexcept;
  /// The waits of each queue, at its index.
  static constexpr std::size_t most_queues = 8;
  [[nodiscard]] std::array<std::uint64_t, most_queues> waits_by_queue() const noexcept;

 private:
  class Filler;
  template <class Use>
  void for_queues(Use use) const noexcept;
  void explain(const PlacesPipeline& pipeline, bool is_inside, fusebox::detail::Explanation& text) const;

  PlacesPipeline outside_;
  std::shared_ptr<Hedge> hedge_;
  PlacesPipeline inside_;
  std::shared_ptr<Breaker> breaker_;
  std::shared_ptr<AdaptiveLimit> adaptive_limit_;
  bool retry_has_budget_ = false;
  bool hedge_has_budget_ = false;
};

}  // namespace storm
