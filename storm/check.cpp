// storm/check.cpp: check() of a scenario.
#include "check.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstddef>

namespace storm {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Keeps the first error.
class Checker {
 public:
  void number(const std::string& path, double value, double low, double high) {
    if (!(value >= low && value <= high))
      say(fmt::format("{} must be in [{}, {}], got {}", path, low, high, value));
  }
  void size(const std::string& path, std::size_t value, std::size_t low, std::size_t high) {
    number(path + " (their number)", static_cast<double>(value), static_cast<double>(low),
           static_cast<double>(high));
  }
  void time(const std::string& path, Duration value, Duration low, Duration high) {
    if (value < low || value > high)
      say(fmt::format("{} must be in [{}s, {}s], got {}s", path, as_seconds(low), as_seconds(high),
                      as_seconds(value)));
  }
  void whole_seconds(const std::string& path, Duration value) {
    if (value % seconds{1} != Duration::zero())
      say(fmt::format("{} must be a whole number of seconds, got {}s", path, as_seconds(value)));
  }
  void period(const std::string& path, Duration from, Duration to, Duration end) {
    if (from >= end)
      say(fmt::format("{}.from must be before the end, which is at {}s, got {}s", path, as_seconds(end),
                      as_seconds(from)));
    time(path + ".from", from, Duration::zero(), hours{24});
    time(path + ".to", to, from, hours{24});
  }
  void say(std::string text) {
    if (first_.empty()) first_ = std::move(text);
  }
  [[nodiscard]] bool is_good() const noexcept { return first_.empty(); }
  [[nodiscard]] std::string first() && { return std::move(first_); }

 private:
  [[nodiscard]] static double as_seconds(Duration time) { return static_cast<double>(time.count()) / 1e9; }
  std::string first_;
};

/// Calls in a minute at that time, with the surges that overlap there.
[[nodiscard]] double peak_rate(const Clients& clients, Duration time) {
  double rate = clients.arrivals == Arrivals::closed ? 0 : clients.count * clients.calls_per_minute;
  for (const Surge& surge : clients.surges) {
    if (surge.from <= time && time < surge.to) rate *= surge.factor;
  }
  return rate;
}

void check_clients(Checker& is, const Clients& clients, Duration end) {
  is.number("clients.count", clients.count, 10, 1'000'000);
  is.number("clients.instances", clients.instances, 1, 1000);
  if (clients.arrivals == Arrivals::closed) {
    is.time("clients.think_time", clients.think_time, milliseconds{1}, hours{1});
  } else {
    is.number("clients.calls_per_minute", clients.calls_per_minute, 1e-6, 1e6);
    is.number("clients.count × clients.calls_per_minute", clients.count * clients.calls_per_minute, 1e-6,
              6e7);
  }
  is.time("clients.timeout", clients.timeout, milliseconds{1}, hours{24});
  is.size("clients.surges", clients.surges.size(), 0, 100);
  for (std::size_t i = 0; i < clients.surges.size(); ++i) {
    const std::string path = fmt::format("clients.surges[{}]", i);
    is.period(path, clients.surges[i].from, clients.surges[i].to, end);
    is.number(path + ".factor", clients.surges[i].factor, 0, 1000);
    is.number(path + ".from: calls in a minute from then on", peak_rate(clients, clients.surges[i].from), 0,
              6e8);
  }
}

void check_dependency(Checker& is, const std::string& path, const Dependency& spec, Duration end) {
  is.number(path + ".capacity", spec.capacity, 1, 1'000'000);
  is.number(path + ".queue", spec.queue, 0, 10'000'000);
  is.number(path + ".shards", spec.shards, 1, 1000);
  is.time(path + ".service.median", spec.service.median, std::chrono::microseconds{1}, hours{1});
  if (spec.service.kind == ServiceTime::Kind::lognormal)
    is.number(path + ".service.p99_ratio", spec.service.p99_ratio, 1, 10'000);
  is.number(path + ".limit.per_second", spec.limit.per_second, 0, 1e9);
  is.size(path + ".disturbances", spec.disturbances.size(), 0, 100);
  for (std::size_t i = 0; i < spec.disturbances.size(); ++i) {
    const Disturbance& one = spec.disturbances[i];
    const std::string where = fmt::format("{}.disturbances[{}]", path, i);
    is.period(where, one.from, one.to, end);
    is.number(where + ".factor", one.factor, 0, 1000);
    is.number(where + ".rate", one.rate, 0, 1);
    is.number(where + ".status", one.status, 400, 599);
    is.number(where + ".shard", one.shard, -1, spec.shards - 1);
    if (one.retry_after) is.time(where + ".retry_after", *one.retry_after, Duration::zero(), hours{24});
  }
}

}  // namespace

std::string check(const Scenario& scenario) {
  Checker is;
  is.time("duration", scenario.duration, seconds{1}, hours{24});
  is.whole_seconds("duration", scenario.duration);
  is.time("warm_up", scenario.warm_up, Duration::zero(), scenario.duration - seconds{1});
  is.whole_seconds("warm_up", scenario.warm_up);
  check_clients(is, scenario.clients, scenario.duration);
  is.size("dependencies", scenario.dependencies.size(), 1, 10);
  for (std::size_t i = 0; i < scenario.dependencies.size(); ++i)
    check_dependency(is, fmt::format("dependencies[{}]", i), scenario.dependencies[i], scenario.duration);
  return std::move(is).first();
}

}  // namespace storm
