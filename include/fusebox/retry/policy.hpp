// fusebox/retry/policy.hpp: retry(), a retry as a part of a pipeline.
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/backoff.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/budget.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry/config.hpp>
#include <fusebox/retry/counts.hpp>
#include <fusebox/retry/detail/layer.hpp>
#include <fusebox/retry/detail/table.hpp>
#include <fusebox/retry/options.hpp>
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A generator that is given by value, for calls on several threads. Copies of a policy share it.
template <class G>
class LockedGenerator {
 public:
  using result_type = typename G::result_type;
  explicit LockedGenerator(G generator) : state_{std::make_shared<State>(std::move(generator))} {}
  [[nodiscard]] static constexpr result_type min() { return G::min(); }
  [[nodiscard]] static constexpr result_type max() { return G::max(); }
  result_type operator()() {
    const std::lock_guard lock{state_->mutex};
    return state_->generator();
  }

 private:
  struct State {
    explicit State(G seeded) : generator{std::move(seeded)} {}
    std::mutex mutex;
    G generator;
  };
  std::shared_ptr<State> state_;
};

/// What a policy keeps of an option.
template <class Option>
struct KeptByPolicy {
  using type = std::remove_cvref_t<Option>;
};
template <class Option>
  requires(IsBudget<std::remove_cvref_t<Option>>::value)
struct KeptByPolicy<Option> {
  using type = Option;  // a reference
};
template <class B>
struct KeptByPolicy<std::shared_ptr<B>> {
  using type = SharedBudget<B>;
};
template <>
struct KeptByPolicy<std::shared_ptr<RetryCounts>> {
  using type = std::shared_ptr<RetryCounts>;
};
template <class G>
  requires(!std::is_reference_v<G>)
struct KeptByPolicy<WithRandom<G>> {
  using type = WithRandom<LockedGenerator<G>>;
};
template <class Option>
using Keeping =
    typename std::conditional_t<IsBudget<std::remove_cvref_t<Option>>::value, KeptByPolicy<Option>,
                                KeptByPolicy<std::remove_cvref_t<Option>>>::type;

/// As what KeptByPolicy says.
template <class Option>
[[nodiscard]] Keeping<Option> keep(Option&& option) {
  using Kept = Keeping<Option>;
  if constexpr (is_specialization<Kept, WithRandom> && !std::is_same_v<Kept, std::remove_cvref_t<Option>>) {
    return {decltype(Kept::generator){std::forward<Option>(option).generator}};
  } else if constexpr (is_specialization<Kept, SharedBudget>) {
    return {std::forward<Option>(option)};
  } else {
    return std::forward<Option>(option);
  }
}

template <class... Options>
consteval void check_policy_options() {
  static_assert((... && !is_one_of<Options, IsStopToken, IsDeadline, IsFailureIf>),
                "fusebox: a std::stop_token, a Deadline and failure_if belong to a call: give them to "
                "execute(), not to "
                "retry()");
  static_assert((... && is_one_of<Options, IsClock, IsOnRetry, IsOnGiveUp, IsRetryIf, IsBackoff, IsWithRandom,
                                  IsBudget, IsSharedBudget, IsRetryCounts>),
                "fusebox: unknown option: retry accepts, after an optional RetryConfig, a Clock, on_retry, "
                "on_give_up, retry_if, backoff, with_random, a retry budget and a shared_ptr<RetryCounts>");
  static_assert(count_of<IsClock, Options...> <= 1 && count_of<IsOnRetry, Options...> <= 1 &&
                    count_of<IsOnGiveUp, Options...> <= 1 && count_of<IsRetryIf, Options...> <= 1 &&
                    count_of<IsBackoff, Options...> <= 1 && count_of<IsWithRandom, Options...> <= 1 &&
                    count_of<IsBudget, Options...> + count_of<IsSharedBudget, Options...> <= 1 &&
                    count_of<IsRetryCounts, Options...> <= 1,
                "fusebox: two options of one kind: retry accepts at most one each of a Clock, on_retry, "
                "on_give_up, retry_if, backoff, with_random, a retry budget and a shared_ptr<RetryCounts>");
  static_assert((... && (!is_one_of<Options, IsBudget> || std::is_lvalue_reference_v<Options>)),
                "fusebox: a retry budget is shared by calls: pass it as an lvalue or a std::shared_ptr");
}

}  // namespace detail

/// A retry for pipelines; retry() makes it. Copies share a budget, and a generator that was given by value.
/// Its calls may run on several threads at once, and so may the hooks.
template <class... Options>
class RetryPolicy {
 public:
  /// Use retry().
  template <class... Given>
  explicit RetryPolicy(const RetryConfig& config, Given&&... given)
      : config_{config}, pack_{{detail::keep(std::forward<Given>(given))...}} {}

  /// Calls op, again after transient failures. Options: a std::stop_token, a Deadline, failure_if.
  template <class Op, class... CallOptions>
  decltype(auto) execute(Op&& op, CallOptions&&... options) {
    return detail::drive(detail::PartTuple<RetryPolicy&>{*this}, std::forward<Op>(op),
                         std::forward<CallOptions>(options)...);
  }

  /// Calls `callback(const CallEvent&)` after each call: all attempts and waits of one execute() together,
  /// and how the last attempt ended. On the thread of the call; so several threads may run it at once.
  template <class F>
  [[nodiscard]] Subscription on_call(F&& callback) {
    return observers_->subscribe(std::forward<F>(callback));
  }

  [[nodiscard]] const RetryConfig& config() const noexcept { return config_; }
  [[nodiscard]] const auto& clock() const noexcept { return detail::clock_of(pack_); }

 private:
  template <class Policy, class Context>
  friend class detail::RetryFrame;
  template <class P>
  friend struct detail::Layer;
  using Pack = detail::RetryPack<Options...>;
  static constexpr bool leaves_result = false;

  [[nodiscard]] detail::RetrySteps::Rules rules() noexcept {
    return {&detail::retry_table<Pack>, &pack_, nullptr};
  }

  RetryConfig config_;
  mutable Pack pack_;
  std::shared_ptr<detail::CallObservers> observers_ = std::make_shared<detail::CallObservers>();
};

/// A retry as a part of a pipeline (P1). Takes what retry_with_backoff takes: a Clock, on_retry, on_give_up,
/// retry_if, backoff(f), with_random, a retry budget by lvalue or std::shared_ptr; and a
/// std::shared_ptr<RetryCounts>, which must not be null and counts the attempts (M2). Throws ConfigError for
/// an invalid config.
///
///     auto call = compose(retry(retry_presets::quick, budget), breaker);
template <class... Options>
[[nodiscard]] auto retry(const RetryConfig& config, Options&&... options) {
  detail::check_policy_options<Options...>();
  detail::throw_if("RetryConfig", detail::check(config));
  return RetryPolicy<detail::Keeping<Options>...>{config, std::forward<Options>(options)...};
}
template <class... Options>
  requires(!detail::starts_with_config<Options..., void>)
[[nodiscard]] auto retry(Options&&... options) {
  return retry(RetryConfig{}, std::forward<Options>(options)...);
}

namespace detail {

template <class... Options>
struct Layer<RetryPolicy<Options...>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  static constexpr bool sets_attempt = true;
  static constexpr LayerKind kind = LayerKind::retry;
  using Clock = typename ClockAmong<Options...>::type;
  using Side = RetrySide;
  [[nodiscard]] static CallObservers& observers(RetryPolicy<Options...>& policy) noexcept {
    return *policy.observers_;
  }
  template <class Context>
  using Frame = RetryFrame<RetryPolicy<Options...>, Context>;

  template <class Explanation>
  static void explain(const RetryPolicy<Options...>& policy, Explanation& text) {
    const RetryConfig& config = policy.config();
    std::string line = "makes at most " + std::to_string(config.max_retries + 1) + " attempts of each ";
    line.append(text.unit());
    constexpr bool has_rule = (false || ... || IsRetryIf<std::remove_cvref_t<Options>>::value);
    line.append(has_rule ? ", as its retry_if says"
                         : ", after transient failures; a rejection is not retried");
    if (config.max_retries > 0 && config.max_delay != no_timeout)
      line.append("; waits at most ").append(duration_text(config.max_delay)).append(" before each");
    if (config.total_timeout != no_timeout)
      line.append("; no attempt begins later than ").append(duration_text(config.total_timeout));
    constexpr bool has_budget = (false || ... || (IsBudget<std::remove_cvref_t<Options>>::value));
    if (has_budget) line.append("; its budget counts first attempts and pays for each retry");
    text.say("retry", "", line);
    // A retry that begins in time may take as long as what is inside.
    const auto once = text.time();
    text.repeat(static_cast<std::uint64_t>(config.max_retries) + 1, longest_waits(config));
    if (config.total_timeout != no_timeout && once != no_timeout)
      text.limit(std::chrono::nanoseconds{saturating_add(config.total_timeout.count(), once.count())});
  }

 private:
  /// All of them together. A Retry-After, backoff(f) and Jitter::decorrelated may ask for max_delay.
  [[nodiscard]] static std::chrono::nanoseconds longest_waits(const RetryConfig& config) {
    constexpr bool has_backoff = (false || ... || IsBackoff<std::remove_cvref_t<Options>>::value);
    const bool may_be_longest =
        has_backoff || config.honor_retry_after || config.jitter == Jitter::decorrelated;
    Tick sum = 0;
    for (int n = 0; n < config.max_retries; ++n) {
      Tick wait = may_be_longest ? config.max_delay.count()
                                 : exponential_delay(config, static_cast<std::uint32_t>(n)).count();
      if (config.jitter == Jitter::proportional)
        wait = saturating_add(wait, share_of(wait, config.jitter_factor));
      if (wait > config.max_delay.count()) wait = config.max_delay.count();
      sum = saturating_add(sum, wait);
    }
    return std::chrono::nanoseconds{sum};
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
