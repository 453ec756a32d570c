// storm/replay.cpp: drives the calls of a trace step by step, in the order of time.
#include "replay.hpp"

#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <queue>
#include <system_error>
#include <tuple>
#include <utility>

#include "pipeline.hpp"
#include "random.hpp"

namespace storm {
namespace {

using fusebox::Outcome;
using fusebox::Step;
using Tick = std::int64_t;

/// What an attempt gets: what the dependency answered to the call whose turn it is (O5).
class Answers {
 public:
  explicit Answers(const Trace& trace) : trace_{trace} {
    for (std::size_t i = 0; i < trace.calls.size(); ++i) {
      if (trace.calls[i].outcome != Outcome::ignored) answered_.push_back(i);
    }
  }

  /// At the moment at which the call itself began: its own answer, if it had one. Else that of the first
  /// answered call that began no earlier, or of the last one.
  [[nodiscard]] const TracedCall& at(std::size_t call, Duration now) const {
    const TracedCall& own = trace_.calls[call];
    if (now == own.time && own.outcome != Outcome::ignored) return own;
    if (answered_.empty()) return own;
    const auto next =
        std::lower_bound(answered_.begin(), answered_.end(), now,
                         [this](std::size_t i, Duration time) { return trace_.calls[i].time < time; });
    return trace_.calls[next == answered_.end() ? answered_.back() : *next];
  }

 private:
  const Trace& trace_;
  std::vector<std::size_t> answered_;
};

[[nodiscard]] fusebox::Failure failure_of(const Answer& answer) {
  switch (answer.kind) {
    case Answer::Kind::status: return fusebox::Failure::from_status(answer.status);
    case Answer::Kind::network:
      return fusebox::Failure{make_error_code(fusebox::NetworkErrc::connection_reset)};
    default: return fusebox::Failure{std::error_code{}};
  }
}

class Replay {
 public:
  Replay(const Trace& trace, const PipelineSpec& spec, std::uint64_t seed)
      : trace_{trace}, answers_{trace}, jitter_{seed, 0}, pipeline_{spec, "replay", clock_, jitter_} {
    result_.name = spec.name;
    result_.explanation = pipeline_.explain();
    result_.calls = trace.calls.size();
  }

  [[nodiscard]] ReplayResult play() {
    for (std::size_t i = 0; i < trace_.calls.size(); ++i) {
      flights_.emplace_back().call = i;
      due_.push({trace_.calls[i].time.count(), order_++, i, 0});
    }
    while (!due_.empty()) {
      const Due next = due_.top();
      due_.pop();
      if (!is_current(next)) continue;
      clock_.advance(Duration{next.time - now_});
      now_ = next.time;
      take(next.flight);
      wake_queued();
    }
    result_.p50_ms = percentile(0.50);
    result_.p99_ms = percentile(0.99);
    return std::move(result_);
  }

 private:
  static constexpr std::size_t nobody = std::numeric_limits<std::size_t>::max();
  static constexpr Tick never = std::numeric_limits<Tick>::max();

  /// The next step of a flight. Out of date if the flight has gone on since.
  struct Due {
    Tick time;
    std::uint64_t order;
    std::size_t flight;
    std::uint32_t step;
    friend bool operator>(const Due& a, const Due& b) {
      return std::tie(a.time, a.order) > std::tie(b.time, b.order);
    }
  };
  using DueHeap = std::priority_queue<Due, std::vector<Due>, std::greater<>>;
  /// The copies of an attempt that is hedged.
  struct Race {
    explicit Race(HedgeRun started) : run{std::move(started)} {}

    HedgeRun run;
    std::vector<std::size_t> copies;  // flights, by number; nobody: it has ended
    std::vector<std::optional<fusebox::Failure>> failures;
    bool is_driven = false;
  };
  /// A call of the trace, or a copy of an attempt of one.
  struct Flight {
    enum class State : std::uint8_t { due, calling, racing, waiting, done };

    std::unique_ptr<ProcessPipeline::Run> run;
    std::unique_ptr<Race> race;
    State state = State::due;
    std::uint32_t step = 0;
    std::uint32_t attempts = 0;          // of a call: without those of hedges
    bool has_called = false;             // of a call: any
    std::size_t call = 0;                // in the trace
    std::size_t parent = nobody;         // of a copy: the flight of the call
    int copy = 0;                        // 0: no hedge
    const TracedCall* answer = nullptr;  // of the attempt under way; null: its deadline ends it
  };

  void take(std::size_t i) {
    Flight& flight = flights_[i];
    switch (flight.state) {
      case Flight::State::due: flight.run.reset(new ProcessPipeline::Run(pipeline_.start())); break;
      case Flight::State::calling: end_attempt(flight); break;
      case Flight::State::racing:
        if (now_ < limit_of(flight)) return drive_race(i);
        flight.race->run.cancel();
        end_race(i);
        break;
      case Flight::State::waiting: flight.run->waited(); break;
      case Flight::State::done: return;
    }
    go_on(i);
  }

  static void end_attempt(Flight& flight) {
    if (flight.answer == nullptr) {
      flight.run->report(fusebox::Failure{make_error_code(fusebox::PolicyErrc::cancelled)});
    } else if (flight.answer->answer.kind == Answer::Kind::good) {
      flight.run->report();
    } else {
      flight.run->report(failure_of(flight.answer->answer));
    }
  }

  void go_on(std::size_t i) {
    Flight& flight = flights_[i];
    for (;;) {
      const auto waits = pipeline_.waits_by_queue();
      const Step step = flight.run->next();
      note_state();
      switch (step.kind) {
        case Step::Kind::call:
          return pipeline_.has_hedge() && flight.parent == nobody ? begin_race(i) : make_attempt(i);
        case Step::Kind::done: return flight.parent == nobody ? end_call(i) : end_copy(i);
        case Step::Kind::wait: break;
      }
      if (step.wait <= Duration::zero()) {
        flight.run->waited();
        continue;
      }
      const Tick end = fusebox::detail::saturating_add(now_, step.wait.count());
      plan(i, Flight::State::waiting, end);
      const auto now = pipeline_.waits_by_queue();
      for (std::size_t k = 0; k < now.size(); ++k) {
        if (now[k] == waits[k]) continue;
        queues_[k].push_back({end, order_++, i, flight.step});
        wait_ends_.push(queues_[k].back());
      }
      return;
    }
  }

  void make_attempt(std::size_t i) {
    Flight& flight = flights_[i];
    Flight& root = flight.parent == nobody ? flight : flights_[flight.parent];
    root.has_called = true;
    ++result_.attempts;
    if (flight.copy > 0) {
      ++result_.hedges;
    } else if (++root.attempts > 1) {
      ++result_.retries;
    }
    const TracedCall& answer = answers_.at(flight.call, Duration{now_});
    const Tick end = fusebox::detail::saturating_add(now_, answer.latency.count());
    const Tick limit = limit_of(flight);
    flight.answer = end < limit ? &answer : nullptr;
    plan(i, Flight::State::calling, std::min(end, limit));
  }
  /// When the attempt under way is stopped.
  [[nodiscard]] Tick limit_of(Flight& flight) const {
    const fusebox::Deadline& deadline = flight.run->call().deadline();
    return deadline.is_never() ? never
                               : std::chrono::duration_cast<Duration>(deadline.time() - origin_).count();
  }

  void plan(std::size_t i, typename Flight::State state, Tick time) {
    Flight& flight = flights_[i];
    flight.state = state;
    ++flight.step;
    if (time != never) due_.push({time, order_++, i, flight.step});
  }

  [[nodiscard]] bool is_current(const Due& due) const { return due.step == flights_[due.flight].step; }

  /// Those in the queue of a bulkhead whose wait is over by now, the longest waiting first.
  void wake_queued() {
    for (; !wait_ends_.empty() && wait_ends_.top().time <= now_; wait_ends_.pop()) {
      const Due& due = wait_ends_.top();
      if (is_current(due) && flights_[due.flight].run->wait_is_over())
        stopped_.push({now_, due.order, due.flight, due.step});
    }
    for (std::size_t i = first_woken(); i != nobody; i = first_woken()) {
      ++flights_[i].step;  // its time is no longer awaited
      flights_[i].run->waited(false);
      go_on(i);
    }
  }
  /// A deadline stops any of them. The calls of a queue are equal, so it gives slots to its first ones (K2):
  /// the others need no look.
  [[nodiscard]] std::size_t first_woken() {
    while (!stopped_.empty() && !is_current(stopped_.top())) stopped_.pop();
    const Due* found = stopped_.empty() ? nullptr : &stopped_.top();
    for (std::deque<Due>& queue : queues_) {
      while (!queue.empty() && !is_current(queue.front())) queue.pop_front();
      if (queue.empty() || !flights_[queue.front().flight].run->wait_is_over()) continue;
      if (found == nullptr || queue.front().order < found->order) found = &queue.front();
    }
    return found == nullptr ? nobody : found->flight;
  }

  // A hedge.

  void begin_race(std::size_t i) {
    Flight& flight = flights_[i];
    flight.race = std::make_unique<Race>(pipeline_.start_hedge(flight.run->call().deadline()));
    drive_race(i);
  }
  /// Starts the copies whose time has come; goes on once the race is over.
  void drive_race(std::size_t i) {
    Flight& flight = flights_[i];
    Race& race = *flight.race;
    if (race.is_driven) return;  // a copy has ended as soon as it began
    race.is_driven = true;
    for (;;) {
      const fusebox::HedgeStep step = race.run.next();
      if (step.kind == fusebox::HedgeStep::Kind::done) break;
      if (step.kind == fusebox::HedgeStep::Kind::wait) {
        race.is_driven = false;
        const Tick next = fusebox::detail::saturating_add(now_, step.wait.count());
        return plan(i, Flight::State::racing, std::min(next, limit_of(flight)));
      }
      start_copy(i, step.copy);
    }
    end_race(i);
    go_on(i);
  }
  void start_copy(std::size_t i, int number) {
    Race& race = *flights_[i].race;
    const std::size_t copy = flights_.size();
    Flight& made = flights_.emplace_back();
    made.run.reset(new ProcessPipeline::Run(pipeline_.start_copy(flights_[i].run->call().deadline())));
    made.call = flights_[i].call;
    made.parent = i;
    made.copy = number;
    race.copies.resize(static_cast<std::size_t>(number) + 1, nobody);
    race.failures.resize(static_cast<std::size_t>(number) + 1);
    race.copies.back() = copy;
    go_on(copy);
  }
  void end_copy(std::size_t i) {
    const auto outcome = flights_[i].run->try_result();
    const std::size_t parent = flights_[i].parent;
    const auto copy = static_cast<std::size_t>(flights_[i].copy);
    destroy(i);
    Race& race = *flights_[parent].race;
    race.copies[copy] = nobody;
    if (outcome) {
      race.run.report(static_cast<int>(copy), Outcome::success);
    } else {
      const bool is_nobodys = outcome.error().is_rejection() || outcome.error().is_cancellation();
      race.run.report(static_cast<int>(copy), is_nobodys ? Outcome::ignored : Outcome::failure);
      race.failures[copy] = outcome.error();
    }
    drive_race(parent);
  }
  /// Stops the copies that still run, and reports how the race ended.
  void end_race(std::size_t i) {
    const std::unique_ptr<Race> race = std::move(flights_[i].race);
    for (const std::size_t copy : race->copies) {
      if (copy != nobody) destroy(copy);
    }
    if (race->run.winner() >= 0) return flights_[i].run->report();
    fusebox::Failure failure{make_error_code(fusebox::PolicyErrc::cancelled)};
    if (const int result = race->run.result(); result >= 0) {
      if (auto& kept = race->failures[static_cast<std::size_t>(result)]) failure = *std::move(kept);
    }
    flights_[i].run->report(std::move(failure));
  }

  void destroy(std::size_t i) {
    Flight& flight = flights_[i];
    flight.run.reset();
    flight.state = Flight::State::done;
    ++flight.step;
    note_state();
  }

  void end_call(std::size_t i) {
    Flight& flight = flights_[i];
    const TracedCall& recorded = trace_.calls[flight.call];
    const auto outcome = flight.run->try_result();
    const bool failed = recorded.outcome == Outcome::failure;
    const bool succeeded = recorded.outcome == Outcome::success;
    if (outcome) {
      ++result_.succeeded;
      latencies_.push_back(now_ - recorded.time.count());
      if (failed) ++result_.rescued;
    } else if (!flight.has_called && outcome.error().is_rejection()) {
      ++result_.rejected;
      if (failed) ++result_.doomed_saved;
      if (succeeded) ++result_.good_rejected;
    } else if (succeeded) {
      ++result_.cut_short;
    }
    destroy(i);
  }

  void note_state() {
    const Breaker* const breaker = pipeline_.breaker();
    if (breaker == nullptr || breaker->state() == state_) return;
    result_.changes.push_back({Duration{now_}, state_, breaker->state()});
    state_ = breaker->state();
  }

  /// Of the latencies, in ms, by the nearest rank.
  [[nodiscard]] double percentile(double share) {
    if (latencies_.empty()) return 0;
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1) + 0.5);
    std::nth_element(latencies_.begin(), latencies_.begin() + static_cast<std::ptrdiff_t>(rank),
                     latencies_.end());
    return static_cast<double>(latencies_[rank]) / 1e6;
  }

  const Trace& trace_;
  Answers answers_;
  Clock clock_ = Clock::manual();
  const std::chrono::steady_clock::time_point origin_ = clock_.now();
  Random jitter_;
  ProcessPipeline pipeline_;
  std::deque<Flight> flights_;  // the calls of the trace, then copies. Destroyed before the pipeline
  DueHeap due_;
  std::array<std::deque<Due>, ProcessPipeline::most_queues> queues_;
  DueHeap wait_ends_;  // of the queued ones
  DueHeap stopped_;    // of the queued ones, at this moment
  std::vector<Tick> latencies_;
  std::uint64_t order_ = 0;
  Tick now_ = 0;
  fusebox::State state_ = fusebox::State::closed;
  ReplayResult result_;
};

}  // namespace

std::uint64_t ReplayResult::opened() const {
  return static_cast<std::uint64_t>(
      std::count_if(changes.begin(), changes.end(),
                    [](const ReplayedChange& change) { return change.to == fusebox::State::open; }));
}

double ReplayResult::first_opened_s() const {
  for (const ReplayedChange& change : changes) {
    if (change.to == fusebox::State::open) return std::chrono::duration<double>{change.time}.count();
  }
  return -1;
}

ReplayResult replay(const Trace& trace, const PipelineSpec& pipeline, std::uint64_t seed) {
  return Replay{trace, pipeline, seed}.play();
}

}  // namespace storm
