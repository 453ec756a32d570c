// stress/recovery.hpp: does a dependency that is up again close the breaker, and in how many calls?
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

#include "storm.hpp"

namespace stress {

/// What may stand in the way of a recovery, and is no reason not to recover.
enum class Hindrance {
  none,
  slow_answers,  // slower than every wait of the breaker
  only_4xx,
  hung_probes,  // that hold every slot and are never heard of again
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

  /// The dependency fails until the breaker is open, whatever its rules are and whatever state it is in.
  void open() {
    for (int i = 0; breaker_.state() != fusebox::State::open && i < 1'000; ++i) {
      fusebox::Permit permit = breaker_.try_acquire();
      if (permit) {
        permit.failure();
      } else {
        wait();  // every slot is held by probes that were never heard of again
      }
    }
  }

  /// A first probe that says nothing of the dependency.
  void half_open() {
    wait();
    breaker_.try_acquire().ignore();
  }

  /// Waits as long as the breaker does, then calls until it is closed. The calls that this took, rejected
  /// ones included; no more than `limit`.
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

  /// Of a breaker whose dependency is up: one call may find the slots taken, the others are the probes.
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

  /// False where it was rejected.
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
