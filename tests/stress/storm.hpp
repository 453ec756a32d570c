// stress/storm.hpp: threads that use one breaker in every way at once, while time goes on and the dependency
// fails and recovers.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "configs.hpp"
#include "support/threads.hpp"

namespace stress {

using Breaker = fusebox::CircuitBreaker<fusebox::test::FakeClock>;

/// Calls by how they ended, as their callers counted them.
struct Calls {
  std::uint64_t success = 0;
  std::uint64_t failure = 0;
  std::uint64_t ignored = 0;
  std::uint64_t rejected = 0;

  Calls& operator+=(const Calls& other) {
    success += other.success;
    failure += other.failure;
    ignored += other.ignored;
    rejected += other.rejected;
    return *this;
  }
};

struct Weather {
  bool with_operator = false;   // one thread also resets, forces and disables
  bool with_configs = false;    // one thread also puts other configs in force
  bool with_listener = false;   // somebody hears all calls
  bool leaves_permits = false;  // permits that callers hold at the end are kept until the storm is gone
  bool with_nesting = true;     // calls inside calls, some of which are part of a probe and not counted (B7)
};

class Storm {
 public:
  explicit Storm(const fusebox::CircuitBreakerConfig& config)
      : first_config_{config}, breaker_{"stormy", config} {
    subscription_ = breaker_.on_state_change([this](const fusebox::StateChange& change) {
      changes_.push_back(change);
      if (change.to == fusebox::State::open) ++openings_heard_;
    });
  }

  void rage(Weather weather) {
    weather_ = weather;
    if (weather.with_listener)
      call_subscription_ = breaker_.on_call([this](const fusebox::CallEvent& event) { hear(event); });
    std::array<Calls, threads> calls;
    std::array<std::vector<fusebox::Permit>, threads> left;
    support::run_together(threads, [&](int i) {
      Caller caller{*this, i};
      for (int step = 0; step < steps(); ++step) caller.step();
      left[static_cast<std::size_t>(i)] = caller.end();
      calls[static_cast<std::size_t>(i)] = caller.calls();
    });
    for (const Calls& of_one : calls) calls_ += of_one;
    for (auto& permits : left) std::move(permits.begin(), permits.end(), std::back_inserter(left_));
  }

  [[nodiscard]] Breaker& breaker() { return breaker_; }
  [[nodiscard]] const Calls& calls() const { return calls_; }
  [[nodiscard]] const std::vector<fusebox::StateChange>& changes() const { return changes_; }
  /// As the listener heard them. Calls that were rejected are none.
  [[nodiscard]] Calls heard() const { return {heard_success_, heard_failure_, heard_ignored_, 0}; }
  /// What a thread saw although no rule allows it; null if there was no such thing.
  [[nodiscard]] const char* impossible() const { return impossible_.load(); }
  [[nodiscard]] std::chrono::nanoseconds simulated() const {
    return breaker_.clock().now() - fusebox::test::FakeClock{}.now();
  }

 private:
  enum class Answer { ok, not_found, unavailable, cancelled };

  class Caller {
   public:
    Caller(Storm& storm, int number)
        : storm_{storm},
          random_{static_cast<unsigned>(number) + 1},
          is_operator_{storm.weather_.with_operator && number == 0},
          changes_configs_{storm.weather_.with_configs && number == 1} {}

    void step() {
      pass_time();
      look();
      switch (random_() % 13) {
        case 0: return hold();
        case 1: return report();
        case 2: return lose();
        case 3:
          if (storm_.weather_.with_nesting) nest();
          return;
        case 4: return retry();
        case 5:
          if (is_operator_) operate();
          if (changes_configs_) reconfigure();
          return;
        case 6: return listen_a_while();
        case 7: return listen_to_calls();
        default: call(answer());
      }
    }

    /// Permits that are still held are reported late, or left.
    [[nodiscard]] std::vector<fusebox::Permit> end() {
      if (storm_.weather_.leaves_permits) return std::move(held_);
      while (!held_.empty()) report();
      return {};
    }
    [[nodiscard]] const Calls& calls() const { return calls_; }

   private:
    [[nodiscard]] Breaker& breaker() { return storm_.breaker_; }

    void pass_time() { breaker().clock().advance(std::chrono::milliseconds{random_() % 400}); }

    /// The dependency is down in every second span of ten minutes.
    [[nodiscard]] Answer answer() {
      const auto minutes =
          std::chrono::duration_cast<std::chrono::minutes>(breaker().clock().now().time_since_epoch())
              .count();
      const auto dice = random_() % 20;
      if (dice == 0) return Answer::cancelled;
      if (dice == 1) return Answer::not_found;
      const bool is_down = minutes / 10 % 2 == 0;
      return is_down ? (dice < 16 ? Answer::unavailable : Answer::ok)
                     : (dice == 2 ? Answer::unavailable : Answer::ok);
    }

    void count(Answer answer) {
      switch (answer) {
        case Answer::ok:
        case Answer::not_found: ++calls_.success; return;
        case Answer::unavailable: ++calls_.failure; return;
        case Answer::cancelled: ++calls_.ignored; return;
      }
    }

    [[nodiscard]] static fusebox::ApiError unavailable() {
      return fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "down"}.with_retry_after(
          std::chrono::milliseconds{100});
    }

    static int give(Answer answer) {
      switch (answer) {
        case Answer::ok: break;
        case Answer::not_found: throw fusebox::ApiError{fusebox::ErrorCode::not_found, "no such thing"};
        case Answer::unavailable: throw unavailable();
        case Answer::cancelled: throw fusebox::CancelledError{};
      }
      return 1;
    }

    void call(Answer answer) {
      const auto op = [&] {
        count(answer);
        take_a_while();
        return give(answer);
      };
      guarded([&] { breaker().execute(op); });
    }

    /// A call of the same breaker inside a call.
    void nest() {
      const Answer outer = answer();
      const Answer inner = answer();
      const auto op = [&] {
        count(outer);
        guarded([&] { breaker().execute([&] { return give(inner); }); });
        return give(outer);
      };
      guarded([&] { breaker().execute(op); });
    }

    void retry() {
      const auto once = [&] {
        const Answer answer = this->answer();
        return breaker().execute([&] {
          count(answer);
          return give(answer);
        });
      };
      const auto result =
          fusebox::try_retry_with_backoff(once, fusebox::retry_presets::aggressive, breaker().clock());
      if (!result.has_value() && result.error().is_rejection()) ++calls_.rejected;
    }

    template <class F>
    void guarded(F f) {
      try {
        f();
      } catch (const fusebox::RejectedError&) {
        ++calls_.rejected;
      } catch (const fusebox::ApiError&) {  // op's own
      }
    }

    void take_a_while() {
      if (random_() % 8 == 0) breaker().clock().advance(std::chrono::milliseconds{random_() % 4'000});
    }

    void hold() {
      if (held_.size() == 4) report();
      fusebox::Permit permit = breaker().try_acquire();
      if (permit) {
        held_.push_back(std::move(permit));
      } else {
        ++calls_.rejected;
      }
    }

    [[nodiscard]] fusebox::Permit take_held() {
      std::swap(held_[random_() % held_.size()], held_.back());
      fusebox::Permit permit = std::move(held_.back());
      held_.pop_back();
      return permit;
    }

    void report() {
      if (held_.empty()) return;
      fusebox::Permit permit = take_held();
      const Answer how = answer();
      count(how);
      if (how == Answer::unavailable && random_() % 2 == 0)
        return permit.report(fusebox::Failure{unavailable()});
      permit.report(how == Answer::unavailable ? fusebox::Outcome::failure
                    : how == Answer::cancelled ? fusebox::Outcome::ignored
                                               : fusebox::Outcome::success);
    }

    void lose() {
      if (held_.empty()) return;
      static_cast<void>(take_held());
      ++calls_.ignored;
    }

    void operate() {
      switch (random_() % 8) {
        case 0: return breaker().force_open();
        case 1: return breaker().disable();
        default: return breaker().reset();
      }
    }

    /// Among the breaker's first config, one with a recovery and rates, and one that forgives probes.
    void reconfigure() {
      using namespace std::chrono_literals;
      fusebox::CircuitBreakerConfig other = storm_.first_config_;
      switch (random_() % 4) {
        case 0: break;
        case 1: other.recovery_time = 5s; break;
        case 2: other.half_open_max_failures = 1; break;
        default:
          other.failure_rate = fusebox::FailureRate{.minimum_calls = 5, .window = fusebox::last_calls(10)};
          other.reset_timeout = 900ms;  // measured on another clock than a second
          break;
      }
      breaker().reconfigure(other);
      if (breaker().config() != other) storm_.impossible_ = "another config than the last";
    }

    void listen_to_calls() {
      std::atomic<bool> has_ended{false};
      {
        const fusebox::Subscription subscription = breaker().on_call([&](const fusebox::CallEvent& event) {
          if (has_ended) storm_.impossible_ = "a call heard after the subscription's end";
          if (event.name != "stormy") storm_.impossible_ = "a call without the breaker's name";
          if (event.outcome == fusebox::Outcome::success && event.duration < std::chrono::seconds{0})
            storm_.impossible_ = "a call that took less than no time";
        });
        call(answer());
      }
      has_ended = true;
    }

    void listen_a_while() {
      std::atomic<int> running{0};
      const fusebox::Subscription subscription = breaker().on_state_change([&](const fusebox::StateChange&) {
        // A hub delivers on one thread at a time.
        if (running.fetch_add(1) != 0) storm_.impossible_ = "a callback ran twice at once";
        running.fetch_sub(1);
      });
      call(answer());
    }

    void look() {
      const fusebox::CircuitBreakerStats stats = breaker().stats();
      const auto& config = breaker().config();
      const auto longest = std::max(config.reset_timeout, config.max_reset_timeout);
      if (stats.failure_rate < 0 || stats.failure_rate > 1) storm_.impossible_ = "a rate outside [0, 1]";
      if (stats.retry_after.count() < 0 || stats.retry_after > longest)
        storm_.impossible_ = "a wait too long";
      const bool fell =
          stats.success_count < last_.success_count || stats.failure_count < last_.failure_count ||
          stats.ignored_count < last_.ignored_count || stats.rejected_count < last_.rejected_count ||
          stats.slow_count < last_.slow_count || stats.opened_count < last_.opened_count;
      if (stats.window_failures > stats.window_calls) storm_.impossible_ = "more failures than calls";
      if (storm_.weather_.with_listener && !stats.in_flight)
        storm_.impossible_ = "nobody knows the calls under way, though somebody listens";
      if (stats.last_failure && stats.opened_count == 0 && !storm_.weather_.with_operator)
        storm_.impossible_ = "a cause without an opening";
      if (fell && !storm_.weather_.with_operator) storm_.impossible_ = "a count that fell";
      last_ = stats;
      if (!storm_.weather_.with_operator) let_events_catch_up();
    }

    /// If the delivering thread fell behind, events would merge and openings would not be reported (B14).
    void let_events_catch_up() const {
      while (last_.opened_count > storm_.openings_heard_ + 8) std::this_thread::yield();
    }

    Storm& storm_;
    std::minstd_rand random_;
    bool is_operator_;
    bool changes_configs_;
    Calls calls_;
    std::vector<fusebox::Permit> held_;
    fusebox::CircuitBreakerStats last_;
  };

  void hear(const fusebox::CallEvent& event) {
    // A failure is known, but for permits that report nothing but an outcome.
    if (event.failure != nullptr && event.failure->message().empty())
      impossible_ = "a failure without a text";
    switch (event.outcome) {
      case fusebox::Outcome::success: ++heard_success_; break;
      case fusebox::Outcome::failure: ++heard_failure_; break;
      case fusebox::Outcome::ignored: ++heard_ignored_; break;
    }
  }

  const fusebox::CircuitBreakerConfig first_config_;
  Breaker breaker_;
  Calls calls_;
  Weather weather_;
  std::atomic<const char*> impossible_{nullptr};
  std::vector<fusebox::Permit> left_;
  std::vector<fusebox::StateChange> changes_;
  std::atomic<std::uint64_t> openings_heard_{0};
  std::atomic<std::uint64_t> heard_success_{0};
  std::atomic<std::uint64_t> heard_failure_{0};
  std::atomic<std::uint64_t> heard_ignored_{0};
  fusebox::Subscription call_subscription_;
  fusebox::Subscription subscription_;
};

}  // namespace stress
