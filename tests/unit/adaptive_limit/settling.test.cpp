// What each rule makes of a dependency that serves so many calls at once and queues the rest, under more load
// than it can serve: a closed simulation on a fake clock.
#include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"
#include "support/served.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Served;
using support::Spread;

namespace {

/// Limits over a part of a run, outside measuring windows.
struct Seen {
  int median = 0;
  int lowest = 0;
};

template <class Rule>
class Run {
 public:
  explicit Run(const Served::Settings& settings, const Rule& rule = {})
      : served_{settings}, limit_{"served", rule, served_.clock()} {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() { served_.stop(); }

  [[nodiscard]] Served& served() noexcept { return served_; }

  /// Plays until `end`.
  [[nodiscard]] Seen until(std::chrono::seconds end) {
    std::vector<int> limits;
    while (served_.now() < end) {
      served_.play_until(served_.now() + 250ms, [this] { return limit_.try_acquire(); });
      const AdaptiveLimitStats stats = limit_.stats();
      if (!stats.measuring) limits.push_back(stats.limit);
    }
    std::sort(limits.begin(), limits.end());
    return {limits[limits.size() / 2], limits.front()};
  }

 private:
  Served served_;
  support::FakeAdaptiveLimit<Rule> limit_;
};

[[nodiscard]] bool is_settled(int median, int right) {
  return median >= 0.8 * right && median <= 1.5 * right;
}

/// A minute to settle, and two after the dependency has changed. The limit never falls below a quarter of the
/// right one: of the lower one, right after a change.
template <class Change>
void check_settles(const Served::Settings& settings, int right_when_slow, Change change) {
  const int right = settings.servers;
  Run<Measured> run{settings};
  INFO("servers " << right << ", service " << settings.service / 1ms << " ms, load " << settings.load
                  << ", spread " << static_cast<int>(settings.spread));
  static_cast<void>(run.until(60s));
  const Seen at_first = run.until(180s);
  change(run.served(), true);
  const Seen just_slow = run.until(300s);
  const Seen slow = run.until(360s);
  change(run.served(), false);
  const Seen just_recovered = run.until(480s);
  const Seen recovered = run.until(540s);
  INFO("medians " << at_first.median << ", " << slow.median << ", " << recovered.median);
  CHECK(is_settled(at_first.median, right));
  CHECK(is_settled(slow.median, right_when_slow));
  CHECK(is_settled(recovered.median, right));
  INFO("lowest " << at_first.lowest << ", " << just_slow.lowest << ", " << just_recovered.lowest);
  CHECK(4 * at_first.lowest >= right);
  CHECK(4 * std::min(just_slow.lowest, slow.lowest) >= right_when_slow);
  CHECK(4 * just_recovered.lowest >= right_when_slow);
  CHECK(4 * recovered.lowest >= right);
}

}  // namespace

TEST_CASE("W6 Measured settles near the right limit, and follows one that falls to a third and recovers",
          "[W6]") {
  const int servers = GENERATE(10, 30, 60);
  const auto spread = GENERATE(Spread::constant, Spread::lognormal);
  check_settles({.servers = servers, .spread = spread}, servers / 3,
                [&](Served& served, bool slow) { served.set_servers(slow ? servers / 3 : servers); });
}

TEST_CASE("W6 Measured settles again if every call takes three times as long, and again if it does not",
          "[W6]") {
  const int servers = GENERATE(10, 30, 60);
  const auto spread = GENERATE(Spread::constant, Spread::lognormal);
  const bool is_noisy = spread == Spread::lognormal && servers == 10;
  const std::uint64_t seed = is_noisy ? GENERATE(1, 20) : 1;  // 20: a base that is found too low at first
  check_settles({.servers = servers, .spread = spread, .seed = seed}, servers,
                [&](Served& served, bool slow) { served.set_slowness(slow ? 3 : 1); });
}

TEST_CASE("W6 Measured settles with fast and slow calls, under a little and much too much load", "[W6]") {
  const auto service = GENERATE(20ms, 300ms);
  const double load = GENERATE(1.5, 5.0);
  check_settles({.servers = 30, .service = service, .load = load}, 10,
                [&](Served& served, bool slow) { served.set_servers(slow ? 10 : 30); });
}

TEST_CASE("W7 W8 Aimd and Gradient2 drift away under a load that fills the limit", "[W7][W8]") {
  const Served::Settings settings{.servers = 30, .spread = Spread::lognormal};
  Run<Aimd> aimd{settings};
  Run<Gradient2> gradient2{settings};
  static_cast<void>(aimd.until(480s));
  static_cast<void>(gradient2.until(480s));
  CHECK(aimd.until(540s).median == 200);
  CHECK_FALSE(is_settled(gradient2.until(540s).median, 30));
  static_cast<void>(gradient2.until(1500s));
  CHECK(gradient2.until(1600s).median > 100);
}
