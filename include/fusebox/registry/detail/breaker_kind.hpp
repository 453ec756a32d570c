// fusebox/registry/detail/breaker_kind.hpp: how a registry makes and keeps circuit breakers.
#pragma once
// IWYU pragma: private, include <fusebox/registry.hpp>

#include <memory>
#include <string>
#include <utility>

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/clock_reading.hpp>
#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/subscriber.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class C>
struct PolicyKind<CircuitBreaker<C>> {
  using Breaker = CircuitBreaker<C>;
  using Config = CircuitBreakerConfig;
  using Event = StateChange;
  static constexpr const char* config_type = "CircuitBreakerConfig";

  [[nodiscard]] static std::shared_ptr<Breaker> make(std::string name, const Config& config, const C& clock) {
    return std::make_shared<Breaker>(std::move(name), config, clock);
  }
  [[nodiscard]] static constexpr Problem check(const Config& config) noexcept {
    return detail::check(config);
  }
  [[nodiscard]] static bool has_had(const Breaker& breaker, const Config& config) noexcept {
    return breaker.core_.has_had(config);
  }

  /// G3: healthy breakers are evicted first, so that a stream of new names cannot keep a failing one from
  /// opening; then failing, open and half-open ones, and never those forced by hand.
  [[nodiscard]] static int eviction_kind(const Breaker& breaker) noexcept {
    const StateWord word = breaker.core_.load();
    switch (word.state()) {
      case State::closed: return word.failure_streak() == 0 ? 0 : 1;
      case State::forced_open:
      case State::disabled: return 2;
      default: return 1;
    }
  }

  [[nodiscard]] static CircuitBreakerStats stats(const Breaker& breaker, const ClockReading& now) {
    return breaker.core_.stats(now);
  }
  static void subscribe(Breaker& breaker, const std::shared_ptr<Subscriber<>>& subscriber) {
    breaker.core_.subscribe(subscriber);
  }
  static void unsubscribe(Breaker& breaker, const Subscriber<>& subscriber) noexcept {
    breaker.core_.unsubscribe(subscriber);
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
