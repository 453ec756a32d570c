// fusebox/chaos.hpp: Chaos, which injects faults and delays, to see what the policies around make of them.
//
//   chaos              makes one: part of a pipeline, off until enable(true)
//   Chaos              execute(op), enable(), stats(), on_event()
//   is_injected        was an error injected?
//   chaos/config.hpp   ChaosConfig, validate
//   chaos/stats.hpp    ChaosStats, ChaosEvent, ChaosEventKind
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/chaos/config.hpp>  // IWYU pragma: export
#include <fusebox/chaos/detail/core.hpp>
#include <fusebox/chaos/detail/layer.hpp>
#include <fusebox/chaos/stats.hpp>  // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Fails some calls and delays some, while it is enabled (rules X1 to X8 in docs/rules.md). It is made
/// disabled: then a call reads one flag, and nothing is counted. It belongs innermost, where it stands for
/// the dependency.
///
/// Every member is thread-safe. A copy shares the switch, the counts and the random numbers of the original.
///
///     auto faults = chaos({.fault_rate = 0.1, .latency_rate = 0.2, .latency = 300ms, .seed = 7});
///     auto call = compose(retry(retry_presets::quick), breaker, attempt_timeout(1s), faults);
///     faults.enable(true);
template <class C>
class Chaos {
  static_assert(TimeSource<C>, "fusebox: Chaos<C> needs a C that models fusebox::TimeSource");

 public:
  /// Throws ConfigError for a config that `validate` refuses, and for a name longer than 512 bytes.
  explicit Chaos(const ChaosConfig& config = {}, C clock = {})
      : Chaos{std::string{}, config, std::move(clock)} {}
  /// A template, so that a braced config is never taken for a string.
  template <std::convertible_to<std::string> Name>
  explicit Chaos(Name&& name, const ChaosConfig& config = {}, C clock = {})
      : core_{std::make_shared<detail::ChaosCore<C>>(checked(std::forward<Name>(name), config), config,
                                                     std::move(clock))} {}

  /// From the next call on it injects, or no longer does. A delay that has begun goes on. Runs callbacks of
  /// on_event() if that is a change.
  void enable(bool on) { core_->enable(on); }
  [[nodiscard]] bool is_enabled() const noexcept { return core_->is_enabled(); }

  /// Calls op and returns what it returns, unless the call gets a fault: an ApiError, carried in the result
  /// if its type can carry one, else thrown. Options: a std::stop_token and a Deadline, which end a delay,
  /// and failure_if. A delay that the token ends is a CancelledError, one that the deadline ends a
  /// TimeoutError.
  template <class Op, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Options&&... options) {
    return detail::drive(detail::PartTuple<Chaos&>{*this}, std::forward<Op>(op),
                         std::forward<Options>(options)...);
  }

  [[nodiscard]] ChaosStats stats() const noexcept { return core_->stats(); }
  /// Empty if it was given none.
  [[nodiscard]] const std::string& name() const noexcept { return core_->name(); }
  [[nodiscard]] const ChaosConfig& config() const noexcept { return core_->config(); }
  [[nodiscard]] const C& clock() const noexcept { return core_->clock(); }
  /// That of the config; if that is 0, the one that was drawn: with it a run can be repeated.
  [[nodiscard]] std::uint64_t seed() const noexcept { return core_->seed(); }

  /// Calls `callback(const ChaosEvent&)` when chaos is enabled or disabled, and for each fault and delay: on
  /// the thread of that call and outside every lock. What the callback throws is dropped (B14).
  template <class F>
  [[nodiscard]] Subscription on_event(F&& callback) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const ChaosEvent&>,
                  "fusebox: on_event takes a callback(const ChaosEvent&)");
    auto subscriber = detail::make_subscriber<ChaosEvent>(std::forward<F>(callback));
    core_->subscribe(subscriber);
    return detail::make_subscription(std::move(subscriber));
  }

 private:
  template <class>
  friend struct detail::Layer;
  template <class>
  friend struct detail::PolicyKind;

  [[nodiscard]] static std::string checked(std::string name, const ChaosConfig& config) {
    if (!name.empty()) detail::check_name("Chaos", name);
    detail::throw_if("ChaosConfig", detail::check(config));
    return name;
  }

  std::shared_ptr<detail::ChaosCore<C>> core_;
};

Chaos(ChaosConfig) -> Chaos<SystemClock>;
template <TimeSource C>
Chaos(ChaosConfig, C) -> Chaos<C>;
Chaos(std::string) -> Chaos<SystemClock>;
Chaos(std::string, ChaosConfig) -> Chaos<SystemClock>;
template <class C>
Chaos(std::string, ChaosConfig, C) -> Chaos<C>;

/// A part of a pipeline that injects faults and delays once it is enabled. Throws ConfigError for a config
/// that `validate` refuses.
template <class C = SystemClock>
[[nodiscard]] Chaos<C> chaos(const ChaosConfig& config, C clock = {}) {
  return Chaos<C>{config, std::move(clock)};
}
/// The same with a name, which its errors and events have.
template <class C = SystemClock>
[[nodiscard]] Chaos<C> chaos(std::string name, const ChaosConfig& config, C clock = {}) {
  return Chaos<C>{std::move(name), config, std::move(clock)};
}

/// Is it a fault that a chaos policy injected? Not for one that is only a code.
[[nodiscard]] inline bool is_injected(const ApiError& error) {
  const auto& fields = error.details().fields();
  return std::any_of(fields.begin(), fields.end(),
                     [](const auto& field) { return field.first == detail::injected_by; });
}

FUSEBOX_END_NAMESPACE
