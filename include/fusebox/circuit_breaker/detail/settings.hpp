// fusebox/circuit_breaker/detail/settings.hpp: a config as a breaker uses it, and the windows of its rules.
//
// reconfigure() links new Settings to those before (B19). Settings never change and live as long as their
// breaker, so that every thread may use them without a lock, and a call ends under those that it began with.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include <fusebox/circuit_breaker/config.hpp>
#include <fusebox/circuit_breaker/detail/state_word.hpp>
#include <fusebox/detail/rate_window.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class Sync>
struct FUSEBOX_API Settings {
  using Rated = std::shared_ptr<RateWindow<Sync>>;  // null without the rule

  explicit Settings(const CircuitBreakerConfig& of) : config{of} {
    if (config.failure_rate) failures = std::make_shared<RateWindow<Sync>>(config.failure_rate->window);
    if (config.slow_calls) slow = std::make_shared<RateWindow<Sync>>(config.slow_calls->window);
  }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
  ~Settings() {
    // One after the other: the chain may be long.
    while (previous) {
      auto older = std::move(previous->previous);
      previous = std::move(older);
    }
  }

  /// Takes the windows of the same kind and size from the settings before.
  void inherit(std::unique_ptr<Settings> before) noexcept {
    word_bits = StateWord{0}.with_config(marks(), StateWord{before->word_bits}.config_number() + 1).bits();
    if (failures && before->failures && config.failure_rate->window == before->config.failure_rate->window)
      failures = before->failures;
    if (slow && before->slow && config.slow_calls->window == before->config.slow_calls->window)
      slow = before->slow;
    previous = std::move(before);
  }

  /// Calls f with each window.
  template <class F>
  void for_each_window(F f) const noexcept {
    if (failures) f(failures);
    if (slow) f(slow);
  }
  [[nodiscard]] bool has_window(const Rated& window) const noexcept {
    return window == failures || window == slow;
  }

  [[nodiscard]] std::chrono::nanoseconds probe_timeout() const noexcept {
    return config.probe_timeout.count() > 0 ? config.probe_timeout : config.reset_timeout;
  }
  /// T1: the coarse clock measures the waits if each of them is at least one second.
  [[nodiscard]] bool waits_coarsely() const noexcept {
    return static_cast<double>(config.reset_timeout.count()) * (1 - config.reset_jitter) >= 1e9 &&
           probe_timeout() >= std::chrono::seconds{1};
  }
  /// T1: the coarse clock measures calls if their limit is at least 100 ms; its ticks are of about 4 ms.
  [[nodiscard]] bool times_coarsely() const noexcept {
    return config.slow_calls && config.slow_calls->slower_than >= std::chrono::milliseconds{100};
  }

 private:
  [[nodiscard]] std::uint64_t marks() const noexcept {
    const bool within_time = config.failure_rate && config.failure_rate->window.is_time();
    return (config.slow_calls ? StateWord::timed : 0) | (config.failure_rate ? StateWord::rated : 0) |
           (within_time ? StateWord::windowed : 0) | (waits_coarsely() ? 0 : StateWord::waits_finely);
  }

 public:
  const CircuitBreakerConfig config;
  Rated failures;
  Rated slow;
  std::uint64_t word_bits = marks();  // what the state word says of them: marks and number
  std::unique_ptr<Settings> previous;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
