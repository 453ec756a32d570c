// An adaptive limit: a call counts in one window or in none, and no window comes back (W2); in a measuring
// window only calls count that began in it (W5); one thread at a time ends a window, and sees what the one
// before left (W2).
#include <fusebox/adaptive_limit/detail/core.hpp>

#include <array>
#include <chrono>
#include <cstdint>

#include "acting_suite.hpp"
#include "breaker_suite.hpp"
#include "scenario.hpp"

using namespace std::chrono_literals;

namespace checks {
namespace {

using fusebox::AdaptiveStep;
using fusebox::AdaptiveWindow;
using fusebox::Priority;
using fusebox::detail::AdaptiveCore;
using fusebox::detail::Admission;
using fusebox::detail::SampleKind;
using fusebox::detail::WindowTotals;

/// Two threads add to the window that they see, a third ends it twice.
template <Flaw flaw>
struct Sums : ActingSuite<Sums<flaw>, 3, flaw> {
  fusebox::detail::WindowSums<Sync<flaw>> sums{4};
  std::array<WindowTotals, 2> taken{};
  std::uint64_t window = 0;  // no atomic: Relacy's threads change within its operations only

  void act(unsigned thread) {
    if (thread == 2) {
      for (WindowTotals& totals : taken) {
        totals = sums.take(window + 1);
        ++window;
        this->pause();
      }
    } else {
      for (int call = 0; call < 3; ++call) {
        sums.add(window, 5, thread + 1, true);
        sums.add_failed(window, thread + 1);
      }
    }
  }
  void after() {
    const WindowTotals left = sums.totals();
    sums.add(window, 5, 1, false);
    sums.add_failed(window, 1);
    const WindowTotals last = sums.take(window + 1);
    RL_ASSERT(last.samples == left.samples + 1 && last.failed == left.failed + 1);
    std::uint64_t calls = 0;
    for (const WindowTotals& totals : {taken[0], taken[1], last}) {
      RL_ASSERT(totals.time == 5 * totals.samples);
      RL_ASSERT(totals.failed <= totals.dropped && totals.dropped <= totals.calls());
      RL_ASSERT(totals.in_flight <= 2 && (totals.dropped == 0 || totals.in_flight > 0));
      calls += totals.calls();
    }
    RL_ASSERT(calls <= 14);
  }
};

/// Every other window measures. The latency of a call says in which measuring window it began, if in any.
struct EveryOther {
  int initial = 4;
  int min = 2;
  int max = 4;
  std::chrono::nanoseconds window = 1s;
  int min_samples = 1;
  bool operator==(const EveryOther&) const = default;

  [[nodiscard]] static std::chrono::seconds latency_in(std::uint64_t word) {
    const bool is_measuring = word % 2 == 1;
    return std::chrono::seconds{is_measuring ? word + 1 : 100};
  }

  static inline rl::var<std::uint64_t>* ended = nullptr;
  static inline std::uint64_t calls = 0;

  class State {
   public:
    explicit State(const EveryOther& /*rule*/) noexcept {}
    [[nodiscard]] AdaptiveStep next(const EveryOther& /*rule*/, const AdaptiveWindow& window) noexcept {
      const rl::debug_info here{"next", __FILE__, __LINE__};
      const std::uint64_t number = (*ended)(here);
      (*ended)(here) = number + 1;
      calls += static_cast<std::uint64_t>(window.calls);
      const bool was_measuring = number % 2 == 1;
      RL_ASSERT(window.calls > 0);
      RL_ASSERT(!was_measuring || window.latency == latency_in(2 * number + 1));
      return {was_measuring ? 4 : 2, !was_measuring};
    }
  };
};

template <Flaw flaw>
struct Windows : ActingSuite<Windows<flaw>, 3, flaw> {
  static constexpr int calls_of_each = 4;

  ThreadClock::Times times{};
  rl::var<std::uint64_t> ended{0};
  AdaptiveCore<EveryOther, ThreadClock, Sync<flaw>> core{"a", {}, {}, ThreadClock{&times}};
  std::uint64_t admitted = 0;

  void before() {
    EveryOther::ended = &ended;
    EveryOther::calls = 0;
  }
  void call() {
    if (!core.try_take(Priority::normal)) return;
    ++admitted;
    const Admission admission = core.begin();
    times[rl::thread_index()] += EveryOther::latency_in(admission.word);
    const bool is_due = core.record(admission, SampleKind::answered);
    core.give_back();
    if (is_due) core.end_window();
  }
  void act(unsigned /*thread*/) {
    for (int calls = 0; calls < calls_of_each; ++calls) call();
  }
  void after() {
    RL_ASSERT(core.is_idle());
    const auto stats = core.adaptive_stats();
    RL_ASSERT(stats.admitted == admitted);
    RL_ASSERT(EveryOther::calls <= admitted);
    RL_ASSERT(stats.limit == (stats.measuring ? 2 : 4));
    // Nobody holds the window's end: the next call that is due ends it.
    times.fill(10'000s);
    call();
    RL_ASSERT(core.adaptive_stats().windows == stats.windows + 1);
  }
};

/// Never measures.
struct Steady : EveryOther {
  bool operator==(const Steady&) const = default;

  class State {
   public:
    explicit State(const Steady& /*rule*/) noexcept {}
    [[nodiscard]] AdaptiveStep next(const Steady& /*rule*/, const AdaptiveWindow& window) noexcept {
      calls += static_cast<std::uint64_t>(window.calls);
      return {4, false};
    }
  };
};

/// One thread ends a window. Another one whose call begins in the next one finds the sums of that one.
template <Flaw flaw>
struct Next : ActingSuite<Next<flaw>, 2, flaw> {
  ThreadClock::Times times{};
  AdaptiveCore<Steady, ThreadClock, Sync<flaw>> core{"a", {}, {}, ThreadClock{&times}};
  std::uint64_t counted = 0;

  void before() { EveryOther::calls = 0; }
  void call(Admission admission) {
    RL_ASSERT(core.try_take(Priority::normal));
    ++counted;
    const bool is_due = core.record(admission, SampleKind::answered);
    core.give_back();
    if (is_due) core.end_window();
  }
  void act(unsigned thread) {
    if (thread == 0) {
      times[0] = 1s;
      return call(core.begin());
    }
    for (int looks = 0; looks < 20; ++looks) {
      const Admission admission = core.begin();
      if (admission.word != 0) return call(admission);
    }
  }
  void after() {
    times.fill(10s);
    call(core.begin());
    RL_ASSERT(EveryOther::calls == counted);
  }
};

}  // namespace

Scenarios adaptive_limits() {
  return {
      holds<Sums<Flaw::none>>("adaptive limits: a window that has ended does not come back"),
      broken<Sums<Flaw::split>>("adaptive limits: a window that has ended, by a load and a store"),
      holds<Windows<Flaw::none>>("adaptive limits: one end for each window, measured by its own calls"),
      broken<Windows<Flaw::unlocked>>("adaptive limits: the end of a window without the lock"),
      broken<Windows<Flaw::unchecked>>("adaptive limits: a measured call, not looking again under the lock"),
      holds<Next<Flaw::none>>("adaptive limits: a call in the next window finds its sums"),
      broken<Next<Flaw::relaxed>>("adaptive limits: a call in the next window, without an order"),
  };
}

}  // namespace checks
