// The windows of the rate rules against a plain list of what was recorded (B3).
#include <fusebox/detail/rate_window.hpp>
#include <fusebox/detail/sync.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "code.hpp"
#include "rapidcheck.hpp"

using namespace model;
using namespace std::chrono_literals;
using fusebox::last_calls;
using fusebox::Window;
using fusebox::within;
using fusebox::detail::Rate;
using fusebox::detail::StdSync;

namespace {

using Time = std::int64_t;

struct Command {
  enum class Kind { record, record_late, advance, new_generation };
  Kind kind = Kind::record;
  bool hit = false;
  int buckets = 0;      // of a time window: how far to advance, and
  int offset = 0;       // nanoseconds more
  int generations = 0;  // that a new one is ahead: 1 after a reset, 3 after an opening and a recovery
};
using Commands = std::vector<Command>;

struct WindowScript {
  Window window;
  Time start;
  Commands commands;
};

Command record(bool hit) { return {.kind = Command::Kind::record, .hit = hit}; }
/// Of the generation before.
Command record_late(bool hit) { return {.kind = Command::Kind::record_late, .hit = hit}; }
Command advance(int buckets, int offset) {
  return {.kind = Command::Kind::advance, .buckets = buckets, .offset = offset};
}
Command new_generation(int ahead) { return {.kind = Command::Kind::new_generation, .generations = ahead}; }

std::string to_code(const Command& command) {
  const std::string hit = command.hit ? "(true)" : "(false)";
  switch (command.kind) {
    case Command::Kind::record: return "record" + hit;
    case Command::Kind::record_late: return "record_late" + hit;
    case Command::Kind::advance:
      return "advance(" + std::to_string(command.buckets) + ", " + std::to_string(command.offset) + ")";
    case Command::Kind::new_generation: return "new_generation(" + std::to_string(command.generations) + ")";
  }
  return "?";
}

void showValue(const WindowScript& script, std::ostream& out) {  // NOLINT: RapidCheck's name
  out << "WindowScript{" << model::to_code(script.window) << ", Time{" << script.start << "}, {";
  const char* separator = "";
  for (const Command& command : script.commands) {
    out << std::exchange(separator, ", ") << to_code(command);
  }
  out << "}}";
}

/// What was recorded of the generation that lasts, all of it, to be counted again whenever somebody asks.
class ReferenceWindow {
 public:
  explicit ReferenceWindow(const Window& window) : window_{window} {}

  void record(Time now, bool hit) { recorded_.push_back({now, hit}); }
  void new_generation() { recorded_.clear(); }
  [[nodiscard]] Time bucket_width() const {
    const Time length = window_.length().count();
    return std::max(Time{1}, length / 10 + (length % 10 == 0 ? 0 : 1));
  }
  [[nodiscard]] Rate rate(Time now) const {
    std::vector<bool> hits;
    for (const auto& [then, hit] : recorded_) {
      if (!window_.is_time() || bucket(now) - bucket(then) <= 9) hits.push_back(hit);
    }
    const auto size = static_cast<std::ptrdiff_t>(hits.size());
    const auto first =
        window_.is_time() ? hits.begin() : hits.end() - std::min(size, std::ptrdiff_t{window_.calls()});
    return {static_cast<std::uint64_t>(hits.end() - first),
            static_cast<std::uint64_t>(std::count(first, hits.end(), true))};
  }

 private:
  [[nodiscard]] Time bucket(Time time) const {
    const Time width = bucket_width();
    return time >= 0 ? time / width : -((-(time + 1)) / width) - 1;  // rounded down
  }

  Window window_;
  std::vector<std::pair<Time, bool>> recorded_;
};

/// The library's windows, as a breaker drives them, and its counter of recorded outcomes.
class RealWindow {
 public:
  explicit RealWindow(const Window& window) : window_{window}, clock_{&now_} { begin(1); }

  void begin(std::uint32_t generation) { window_.begin(generation, recorded_); }
  void record(std::uint32_t generation, Time now, bool hit) {
    ++recorded_;
    now_ = now;
    if (hit) {
      window_.record(generation, clock_, now, true, [this] { return recorded_; });
    } else {
      window_.record_miss(generation, clock_, now);
    }
  }
  /// Of the generation before; the breaker may not have noticed that it is over.
  void record_late(std::uint32_t generation, Time now, bool hit) {
    window_.leave_out_one();
    record(generation, now, hit);
  }
  [[nodiscard]] Rate rate(std::uint32_t generation, Time now) {
    now_ = now;
    return window_.rate(generation, clock_, [this] { return recorded_; });
  }

 private:
  struct Clock {
    const Time* now_;
    [[nodiscard]] std::chrono::steady_clock::time_point now() const {
      return std::chrono::steady_clock::time_point{std::chrono::nanoseconds{*now_}};
    }
  };

  fusebox::detail::RateWindow<StdSync> window_;
  Time now_ = 0;
  Clock clock_;
  std::uint64_t recorded_ = 0;
};

std::string describe(const Rate& rate) {
  return std::to_string(rate.hits) + " of " + std::to_string(rate.calls);
}

std::string run(const WindowScript& script) {
  RealWindow real{script.window};
  ReferenceWindow reference{script.window};
  Time now = script.start;
  std::uint32_t generation = 1;
  std::uint32_t before = 0;
  std::size_t done = 0;
  for (const Command& command : script.commands) {
    switch (command.kind) {
      case Command::Kind::record:
        real.record(generation, now, command.hit);
        reference.record(now, command.hit);
        break;
      case Command::Kind::record_late:
        // Before the first report of the new generation or after it; it counts in that in neither case.
        if (before != 0) real.record_late(before, now, command.hit);
        break;
      case Command::Kind::advance: {
        constexpr Time end = std::numeric_limits<Time>::max() / 2;
        const Time width = reference.bucket_width();
        if (command.buckets > 0 && width > end / command.buckets) break;
        const Time step = width * command.buckets + command.offset;
        if (step > 0 && now <= end - step) now += step;
        break;
      }
      case Command::Kind::new_generation:
        before = std::exchange(generation, generation + static_cast<std::uint32_t>(command.generations));
        real.begin(generation);
        reference.new_generation();
        break;
    }
    ++done;
    const Rate expected = reference.rate(now);
    const Rate got = real.rate(generation, now);
    if (got.calls != expected.calls || got.hits != expected.hits) {
      return "after command " + std::to_string(done) + " the window says " + describe(got) + ", the list " +
             describe(expected);
    }
  }
  return {};
}

rc::Gen<WindowScript> window_script() {
  using rc::gen::arbitrary;
  using rc::gen::map;
  const auto window = any_of({last_calls(1), last_calls(2), last_calls(3), last_calls(7), within(1ns),
                              within(9ns), within(10ns), within(11ns), within(95ns), within(10s),
                              within(std::chrono::nanoseconds::max())});
  const auto start = any_of<Time>({0, 1, 3'600'000'000'000, -1, -1'000'000'007});
  const auto an_advance =
      map(rc::gen::pair(any_of({1, 0, 2, 6, 7, 9, 10, 15, 16, 17, 32, 1'000'000}), any_of({0, 1, -1})),
          [](const auto& parts) { return advance(parts.first, parts.second); });
  const auto command = rc::gen::weightedOneOf<Command>({
      {10, map(arbitrary<bool>(), record)},
      {2, map(arbitrary<bool>(), record_late)},
      {8, an_advance},
      {1, map(any_of({1, 2, 3}), new_generation)},
  });
  return map(rc::gen::tuple(window, start, rc::gen::container<Commands>(command)), [](const auto& parts) {
    return WindowScript{std::get<0>(parts), std::get<1>(parts), std::get<2>(parts)};
  });
}

}  // namespace

TEST_CASE("B3: a window says what a list of all that was recorded says") {
  CHECK(holds("a window says what a list says", window_script(), run));
}
