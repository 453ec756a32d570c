// stress/recovery.hpp: does a dependency that is well again close the breaker, and in how many calls?
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

#include "storm.hpp"

namespace stress {

/// Obstacles to a recovery, none of which may prevent it (B23).
enum class Hindrance {
  none,
  slow_answers,  // slower than every wait of the breaker
  only_4xx,
  hung_probes,  // hold every slot and never report
  lost_permits,
  nesting,
};

inline const char* to_string(Hindrance hindrance) {
  constexpr const char* names[] = {"none",        "slow answers", "only 4xx",
                                   "hung probes", "lost permits", "nesting"};
  return names[static_cast<int>(hindrance)];
}

class Recovery {
 public:
  Recovery(Breaker& breaker, Hindrance hindrance) : breaker_{breaker}, hindrance_{hindrance} {}

  /// The dependency fails until the breaker is open, whatever its rules and its state.
  void open() {
    for (int i = 0; breaker_.state() != fusebox::State::open && i < 1'000; ++i) {
      fusebox::Permit permit = breaker_.try_acquire();
      if (permit) {
        permit.failure();
      } else {
        wait();  // probes that never report hold every slot
      }
    }
  }

  /// A first probe that says nothing about the dependency.
  void half_open() {
    wait();
    breaker_.try_acquire().ignore();
  }

  /// Waits as long as the breaker does, then calls until it is closed. Gives the number of calls, rejected
  /// ones included, at most `limit`.
  [[nodiscard]] int calls_to_close(int limit) {
    wait();
    hinder();
    int calls = 0;
    while (breaker_.state() != fusebox::State::closed && calls < limit) {
      ++calls;
      if (!call()) wait();
    }
    return calls;
  }

  /// For a breaker whose dependency is well: one call may find the slots taken, the others are the probes.
  [[nodiscard]] static int bound(const fusebox::CircuitBreakerConfig& config) {
    return config.success_threshold + 1;
  }

 private:
  [[nodiscard]] std::chrono::nanoseconds longest_wait() const {
    const auto& config = breaker_.config();
    return std::max({config.reset_timeout, config.max_reset_timeout, config.probe_timeout});
  }
  void wait() {
    const auto& config = breaker_.config();
    const auto probe = config.probe_timeout.count() > 0 ? config.probe_timeout : config.reset_timeout;
    breaker_.clock().advance(std::max(breaker_.retry_after(), probe));
  }

  void hinder() {
    if (hindrance_ != Hindrance::hung_probes && hindrance_ != Hindrance::lost_permits) return;
    for (int i = 0; i < breaker_.config().half_open_max_calls; ++i) hung_.push_back(breaker_.try_acquire());
    if (hindrance_ == Hindrance::lost_permits) hung_.clear();
  }

  /// False if it was rejected.
  bool call() {
    const auto op = [&] {
      if (hindrance_ == Hindrance::slow_answers) breaker_.clock().advance(3 * longest_wait());
      if (hindrance_ == Hindrance::nesting) breaker_.execute([] {});
      if (hindrance_ == Hindrance::only_4xx)
        throw fusebox::ApiError{fusebox::ErrorCode::not_found, "not here"};
    };
    try {
      breaker_.execute(op);
    } catch (const fusebox::RejectedError&) {
      return false;
    } catch (const fusebox::ApiError&) {
    }
    return true;
  }

  Breaker& breaker_;
  Hindrance hindrance_;
  std::vector<fusebox::Permit> hung_;
};

}  // namespace stress
