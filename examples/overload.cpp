// examples/overload.cpp: a search service gets three times the calls that it can serve, then it breaks down.
// An adaptive limit keeps its queue short, a throttle spares it while it fails, and both shed the least
// important calls first. Time is that of a FakeClock: 100 seconds pass at once.
#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <string_view>

#include <fmt/format.h>

#include "support/arguments.hpp"
#include "support/terminal.hpp"

using namespace std::chrono_literals;
using fusebox::PolicyErrc;
using fusebox::Priority;
using support::Tone;
using Time = std::chrono::steady_clock::time_point;

namespace {

const fusebox::test::FakeClock fake_clock;

/// Ten workers that need 20 ms for an answer: 500 answers in a second. Further calls queue.
class Service {
 public:
  bool is_broken = false;  // then it refuses at once

  /// When a call that comes now is answered.
  Time receive() {
    if (is_broken) return fake_clock.now();
    auto& worker = *std::min_element(free_from_.begin(), free_from_.end());
    return worker = std::max(worker, fake_clock.now()) + 20ms;
  }

 private:
  std::array<Time, 10> free_from_{};
};

struct Scene {
  std::string_view title;
  std::chrono::milliseconds length;
  std::chrono::milliseconds ten_calls;  // the time in which ten come
  bool is_broken;
};
constexpr Scene scenes[] = {{"300 calls a second: the service can serve 500", 20s, 33ms, false},
                            {"1500 calls a second", 30s, 7ms, false},
                            {"300 calls a second, and the service refuses them all", 20s, 33ms, true},
                            {"The service is well again", 30s, 33ms, false}};

/// Of ten calls two are critical, three normal, two sheddable and three of the background.
constexpr std::size_t priorities[] = {0, 3, 1, 2, 3, 1, 0, 2, 1, 3};
struct Tally {
  int calls = 0, answered = 0, failed = 0, limited = 0, throttled = 0;
};

/// One call under way, driven step by step: many of them share this thread.
template <class Run>
struct Flight {
  Flight(auto& pipeline, Priority priority, Tally& own)
      : run{pipeline.template start<int>(priority)}, tally{own} {}

  Run run;
  Tally& tally;
  Time begun = fake_clock.now();
  Time answered{};
};

template <class Run>
void count(Flight<Run>& flight, std::chrono::nanoseconds& slowest) {
  const auto result = flight.run.try_result();
  Tally& tally = flight.tally;
  if (result.has_value()) {
    ++tally.answered;
    slowest = std::max(slowest, fake_clock.now() - flight.begun);
  } else {
    const auto code = result.error().code();
    const bool limited = code == PolicyErrc::bulkhead_full;
    ++(code == PolicyErrc::throttled ? tally.throttled : limited ? tally.limited : tally.failed);
  }
}

template <class Pipeline>
void play(const Scene& scene, Service& service, Pipeline& pipeline) {
  using Run = decltype(pipeline.template start<int>());
  std::array<Tally, 4> tallies{};
  std::list<Flight<Run>> flights;  // answered in the order in which they began
  std::chrono::nanoseconds slowest{0};
  std::size_t calls = 0;
  service.is_broken = scene.is_broken;
  for (auto time = 0ms; time < scene.length || !flights.empty(); time += 1ms) {
    const auto due = time < scene.length ? static_cast<std::size_t>(10 * time / scene.ten_calls) : calls;
    for (; calls < due; ++calls) {
      const std::size_t priority = priorities[calls % std::size(priorities)];
      auto& flight = flights.emplace_back(pipeline, static_cast<Priority>(priority), tallies[priority]);
      ++flight.tally.calls;
      if (flight.run.next().kind == fusebox::Step::Kind::call) {
        flight.answered = service.receive();
      } else {  // rejected
        count(flight, slowest);
        flights.pop_back();
      }
    }
    fake_clock.advance(1ms);
    for (; !flights.empty() && flights.front().answered <= fake_clock.now(); flights.pop_front()) {
      auto& flight = flights.front();
      scene.is_broken ? flight.run.report(fusebox::Failure::from_status(503)) : flight.run.report(200);
      static_cast<void>(flight.run.next());  // done: the policies have counted it
      count(flight, slowest);
    }
  }

  fmt::print("{:12}{:>8}{:>10}{:>8}{:>14}{:>12}\n", "priority", "calls", "answered", "failed", "by the limit",
             "throttled");
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    const Tally& tally = tallies[i];
    fmt::print("{:12}{:8}{:9}%{:8}{:14}{:12}\n", to_string(static_cast<Priority>(i)), tally.calls,
               100 * tally.answered / tally.calls, tally.failed, tally.limited, tally.throttled);
  }
  fmt::print("slowest answer: {} ms\n", support::in_ms(slowest));
}

}  // namespace

int main(int argc, char** argv) {
  support::Arguments{"A service gets more calls than it can serve, breaks down, and recovers."}.parse(argc,
                                                                                                      argv);
  fusebox::Throttle throttle{"search", {.window = 10s, .seed = 1}, fake_clock};
  fusebox::AdaptiveLimit limit{"search", fusebox::Measured{}, {.headroom = 0.2}, fake_clock};
  auto policies = compose(throttle, limit);
  fmt::print("{}", explain(policies));

  const auto edges = throttle.on_event([opening = fake_clock.now()](const fusebox::ThrottleEvent& event) {
    const std::chrono::duration<double> time = fake_clock.now() - opening;
    support::print_line(Tone::bad, fmt::format("{:6.1f} s  ", time.count()),
                        fmt::format("throttle: {}", to_string(event.kind)));
  });
  Service service;
  for (const Scene& scene : scenes) {
    support::scene(scene.title);
    play(scene, service, policies);
    fmt::print("limit: {} calls at once; throttle: rejects {:.0f} % of the calls now\n", limit.stats().limit,
               100 * throttle.stats().rejection_ratio);
  }
}
