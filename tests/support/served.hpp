// A dependency of so many servers with one queue, on a FakeClock: what an adaptive limit has to find.
//
// Calls arrive at random, ask the policy for a permit, wait for a server, are served, and report. Everything
// is played in the order of time, from one seed; nothing waits.
#pragma once

#include <fusebox/permit.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace support {

/// How long calls are served, around a mean.
enum class Spread : std::uint8_t { constant, lognormal, exponential };

class Served {
 public:
  using Duration = std::chrono::nanoseconds;

  struct Settings {
    int servers = 30;  // the right limit
    Duration service = std::chrono::milliseconds{100};
    Spread spread = Spread::constant;
    double load = 2;  // calls that arrive, as a multiple of what can be served
    std::uint64_t seed = 1;
  };

  explicit Served(const Settings& settings) : settings_{settings}, servers_{settings.servers} {
    schedule(next_arrival(), {});
  }

  [[nodiscard]] const fusebox::test::FakeClock& clock() const noexcept { return clock_; }
  [[nodiscard]] Duration now() const { return clock_.now() - start_; }

  /// From now on. Calls that are being served stay so.
  void set_servers(int servers) { servers_ = servers; }
  void set_slowness(double factor) { slowness_ = factor; }

  /// Plays until `end`; `try_acquire()` gives a Permit for each call that arrives.
  template <class TryAcquire>
  void play_until(Duration end, TryAcquire try_acquire) {
    while (!events_.empty() && events_.top().at <= end) {
      Event event = std::move(const_cast<Event&>(events_.top()));
      events_.pop();
      clock_.advance(event.at - now());
      if (event.permit) {
        event.permit.success();
        --busy_;
      } else {
        schedule(next_arrival(), {});
        if (fusebox::Permit permit = try_acquire()) waiting_.push_back(std::move(permit));
      }
      serve();
    }
    clock_.advance(end - now());
  }
  /// Ends what is under way.
  void stop() {
    waiting_.clear();
    events_ = {};
  }

 private:
  struct Event {
    Duration at{};
    std::uint64_t number = 0;  // of two at the same time, the first one made comes first
    fusebox::Permit permit;    // of a call that has been served; empty: a call arrives
    friend bool operator>(const Event& a, const Event& b) {
      return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
  };

  void serve() {
    while (!waiting_.empty() && busy_ < servers_) {
      ++busy_;
      fusebox::Permit permit = std::move(waiting_.front());
      waiting_.pop_front();
      schedule(now() + service_time(), std::move(permit));
    }
  }
  void schedule(Duration at, fusebox::Permit permit) { events_.push({at, ++made_, std::move(permit)}); }

  [[nodiscard]] Duration next_arrival() {
    const double mean = in_ns(settings_.service) / settings_.servers / settings_.load;
    return now() + Duration{1 + static_cast<Duration::rep>(-mean * std::log(unit()))};
  }
  [[nodiscard]] Duration service_time() {
    double time = in_ns(settings_.service) * slowness_;
    if (settings_.spread == Spread::exponential) time *= -std::log(unit());
    if (settings_.spread == Spread::lognormal) {
      constexpr double sigma = 0.5;
      const double normal = std::sqrt(-2 * std::log(unit())) * std::cos(6.283185307179586 * unit());
      time *= std::exp(sigma * normal - sigma * sigma / 2);
    }
    return Duration{1 + static_cast<Duration::rep>(time)};
  }
  [[nodiscard]] static double in_ns(Duration duration) { return static_cast<double>(duration.count()); }
  /// In (0, 1].
  [[nodiscard]] double unit() {
    settings_.seed += 0x9e3779b97f4a7c15U;
    std::uint64_t x = settings_.seed;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    x ^= x >> 31U;
    return (static_cast<double>(x >> 11U) + 1) * 0x1p-53;
  }

  Settings settings_;
  int servers_;
  double slowness_ = 1;
  fusebox::test::FakeClock clock_ = fusebox::test::FakeClock::manual();
  std::chrono::steady_clock::time_point start_ = clock_.now();
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t made_ = 0;
  std::deque<fusebox::Permit> waiting_;
  int busy_ = 0;
};

}  // namespace support
