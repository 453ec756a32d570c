// storm/simulation.cpp: the simulation: clients, processes with their pipelines, and what they call.
//
// Everything that takes time is a timer. A *flight* is one call of a process, driven through its pipeline by
// hand. A *job* is one attempt of it at a dependency. A flight that the pipeline lets through makes a job;
// the job answers; the flight goes on. In a tier, a job makes a flight of its own.
#include "simulation.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "check.hpp"
#include "measures.hpp"
#include "pipeline.hpp"
#include "pool.hpp"
#include "random.hpp"
#include "timers.hpp"

namespace storm {

namespace {

/// How long it takes to be turned away: a round trip.
constexpr Tick refusal_time = 1'000'000;

/// What a dependency answers.
struct Reply {
  enum class Kind : std::uint8_t { good, status, refused, reset };
  Kind kind = Kind::good;
  int status = 0;
  std::optional<Duration> retry_after;
};

[[nodiscard]] fusebox::Failure failure_of(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::refused: return fusebox::Failure{std::make_error_code(std::errc::connection_refused)};
    case Reply::Kind::reset: return fusebox::Failure{std::make_error_code(std::errc::connection_reset)};
    default: return fusebox::Failure::from_status(reply.status, reply.retry_after);
  }
}

[[nodiscard]] bool is_within(Tick time, Duration from, Duration to) noexcept {
  return time >= from.count() && time < to.count();
}

/// The copies of an attempt that is hedged.
struct Race {
  explicit Race(HedgeRun started) : run{std::move(started)} {}

  HedgeRun run;
  std::vector<std::uint32_t> copies;  // flights; nobody: it has ended
  std::vector<std::optional<fusebox::Failure>> failures;
  bool is_driven = false;
};

struct Flight {
  explicit Flight(const ProcessPipeline& pipeline) : run{pipeline.start()} {}
  /// A copy.
  Flight(const ProcessPipeline& pipeline, const fusebox::Deadline& deadline)
      : run{pipeline.start_copy(deadline)} {}

  enum class State : std::uint8_t { calling, waiting, queued };
  enum class Maker : std::uint8_t { client, job, flight };

  ProcessPipeline::Run run;
  std::unique_ptr<Race> race;
  Link link;  // in the queue of the process
  Tick began = 0;
  std::uint32_t process = 0;
  std::uint32_t client = 0;
  std::uint32_t parent = nobody;  // the job, or the flight, that makes this call
  std::uint32_t job = nobody;     // under way
  int copy = 0;                   // its number, of one that a flight makes
  Maker maker = Maker::client;
  State state = State::calling;
  bool has_called = false;
  bool is_retry = false;  // of a call further out
  bool is_hedge = false;
};

struct Job {
  enum class State : std::uint8_t { turned_away, hanging, queued, served, calling };

  Link link;                      // in a list of its shard, if queued, served or calling
  std::uint32_t flight = nobody;  // nobody: who made it has left
  std::uint32_t child = nobody;   // of a tier: its call of the next one
  std::uint32_t client = 0;
  std::uint16_t tier = 0;
  std::uint16_t shard = 0;
  State state = State::turned_away;
  bool is_retry = false;
  bool is_hedge = false;
  Reply reply;
};

struct Process {
  Process(const PipelineSpec& spec, const std::string& name, const Clock& clock, Random& jitter,
          std::uint16_t calls)
      : pipeline{spec, name, clock, jitter}, queues{pipeline.queues()}, tier{calls} {}

  ProcessPipeline pipeline;
  int queues;
  std::uint16_t tier;  // that it calls
  List waiting;        // in the queues of its policies
  bool is_waking = false;
};

struct Shard {
  List queued;
  List busy;
  int capacity = 0;
  Tick window = -1;  // of the server's limit: the second, and the calls in it
  double in_window = 0;
};

struct Tier {
  const Dependency& spec;
  std::vector<Shard> shards;
  std::size_t first_process = 0;  // of those that call the next tier
};

}  // namespace

class Simulation::Implementation {
 public:
  Implementation(const Scenario& scenario, const PipelineSpec& pipeline, std::uint64_t seed)
      : scenario_{checked(scenario)},
        spec_{pipeline},
        arrivals_{seed, 0},
        service_{seed, 1},
        jitter_{seed, 2},
        errors_{seed, 3},
        measures_{times(), nominal_load()} {
    add_processes(scenario_.clients.instances, "client", 0);
    for (std::size_t i = 0; i < scenario_.dependencies.size(); ++i) add_tier(scenario_.dependencies[i], i);
    add_edges();
    if (scenario_.clients.arrivals == Arrivals::closed) {
      for (int i = 0; i < scenario_.clients.count; ++i) {
        const double share = arrivals_.unit();
        timers_.set(client_timer(static_cast<std::uint32_t>(i)),
                    static_cast<Tick>(share * static_cast<double>(scenario_.clients.think_time.count())));
      }
    } else {
      set_arrival();
    }
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() { flights_.clear(); }  // before the policies that they hold

  bool run_until(Duration time) {
    const Tick until = std::min(time.count(), scenario_.duration.count());
    while (!timers_.empty() && timers_.next_due() < until) {
      const Tick due = timers_.next_due();
      end_seconds(due);
      move_to(due);
      const Timers::Id id = timers_.next();
      timers_.cancel(id);
      ++events_;
      ring(id);
    }
    end_seconds(until);
    move_to(until);
    return until < scenario_.duration.count();
  }

  [[nodiscard]] Live live() const {
    Live live;
    live.now_s = static_cast<double>(now_) / 1e9;
    for (const auto& process : processes_) {
      if (const Breaker* breaker = process->pipeline.breaker())
        live.breakers.push_back(static_cast<int>(breaker->state()));
      if (const AdaptiveLimit* limit = process->pipeline.adaptive_limit())
        live.limits.push_back(limit->stats().limit);
    }
    const Tier& last = tiers_.back();
    for (const Shard& shard : last.shards) {
      live.busy += shard.busy.size;
      live.queued += shard.queued.size;
      live.capacity += shard.capacity;
    }
    live.in_flight = in_flight_;
    live.waiting = waiting_;
    for (const Tier& tier : tiers_) {
      for (const Disturbance& one : tier.spec.disturbances)
        live.disturbed = live.disturbed || is_within(now_, one.from, one.to);
    }
    for (const Surge& one : scenario_.clients.surges)
      live.disturbed = live.disturbed || is_within(now_, one.from, one.to);
    return live;
  }

  [[nodiscard]] PipelineResult result() const {
    PipelineResult result;
    result.name = spec_.name;
    result.title = spec_.title;
    result.explanation = processes_.front()->pipeline.explain();
    result.summary = measures_.summary();
    result.summary.events = events_;
    result.seconds = measures_.seconds();
    return result;
  }

 private:
  // Timers.

  enum TimerKind : std::uint32_t { of_step, of_client, of_hedge, of_job, of_other, kinds };
  static constexpr std::uint32_t arrival_timer = of_other;
  [[nodiscard]] static Timers::Id step_timer(std::uint32_t flight) { return kinds * flight + of_step; }
  [[nodiscard]] static Timers::Id leave_timer(std::uint32_t flight) { return kinds * flight + of_client; }
  [[nodiscard]] static Timers::Id hedge_timer(std::uint32_t flight) { return kinds * flight + of_hedge; }
  [[nodiscard]] static Timers::Id job_timer(std::uint32_t job) { return kinds * job + of_job; }
  [[nodiscard]] static Timers::Id edge_timer(std::uint32_t edge) { return kinds * (1 + edge) + of_other; }
  [[nodiscard]] Timers::Id client_timer(std::uint32_t client) const {
    return edge_timer(static_cast<std::uint32_t>(edges_.size()) + client);
  }

  void ring(Timers::Id id) {
    const std::uint32_t i = id / kinds;
    switch (id % kinds) {
      case of_step: return end_step(i);
      case of_client: return leave(i);
      case of_hedge: return continue_race(i);
      case of_job: return end_job(i);
      default: break;
    }
    if (i == 0) {
      begin_call(scenario_.clients.arrivals == Arrivals::steady
                     ? next_client_++ % static_cast<std::uint32_t>(scenario_.clients.count)
                     : arrivals_.below(static_cast<std::uint32_t>(scenario_.clients.count)));
      set_arrival();
    } else if (i <= edges_.size()) {
      pass_edge(edges_[i - 1]);
    } else {
      begin_call(static_cast<std::uint32_t>(i - 1 - edges_.size()));
    }
  }

  void move_to(Tick time) {
    if (time <= now_) return;
    clock_.advance(std::chrono::nanoseconds{time - now_});
    now_ = time;
  }

  void end_seconds(Tick until) {
    while (measures_.second_ends() <= until) {
      move_to(measures_.second_ends());
      Second& second = measures_.now();
      for (const Shard& shard : tiers_.back().shards) {
        second.busy += shard.busy.size;
        second.queued += shard.queued.size;
      }
      second.in_flight = in_flight_;
      int breakers = 0;
      int open = 0;
      int limits = 0;
      double limit_sum = 0;
      for (const auto& process : processes_) {
        if (const AdaptiveLimit* limit = process->pipeline.adaptive_limit()) {
          ++limits;
          limit_sum += limit->stats().limit;
        }
        const Breaker* breaker = process->pipeline.breaker();
        if (breaker == nullptr) continue;
        ++breakers;
        if (breaker->state() != fusebox::State::closed) ++open;
      }
      if (breakers > 0) second.open_breakers = static_cast<double>(open) / breakers;
      if (limits > 0) second.limit = limit_sum / limits;
      measures_.end_second();
    }
  }

  // The set-up.

  [[nodiscard]] static const Scenario& checked(const Scenario& scenario) {
    if (const std::string wrong = check(scenario); !wrong.empty()) throw std::invalid_argument{wrong};
    return scenario;
  }

  [[nodiscard]] Measures::Times times() const {
    Measures::Times times{scenario_.warm_up.count(), scenario_.duration.count(), scenario_.duration.count(),
                          0, false};
    const auto add = [&](Duration from, Duration to) {
      times.first_from = std::min(times.first_from, from.count());
      times.last_to = std::max(times.last_to, std::min(to, scenario_.duration).count());
      times.is_disturbed = true;
    };
    for (const Dependency& one : scenario_.dependencies) {
      for (const Disturbance& wrong : one.disturbances) add(wrong.from, wrong.to);
    }
    const Tick recovery = times.last_to;
    const bool is_only_surges = !times.is_disturbed;
    for (const Surge& surge : scenario_.clients.surges) add(surge.from, surge.to);
    if (!is_only_surges) times.last_to = recovery;
    return times;
  }

  [[nodiscard]] double nominal_load() const {
    const Clients& clients = scenario_.clients;
    return clients.arrivals == Arrivals::closed ? 0 : clients.count * (clients.calls_per_minute / 60);
  }

  void add_processes(int count, const std::string& name, std::uint16_t tier) {
    for (int i = 0; i < count; ++i) {
      processes_.push_back(
          std::make_unique<Process>(spec_, name + " " + std::to_string(i + 1), clock_, jitter_, tier));
    }
  }
  void add_tier(const Dependency& spec, std::size_t tier) {
    Tier added{spec, std::vector<Shard>(static_cast<std::size_t>(spec.shards)), processes_.size()};
    for (Shard& shard : added.shards) shard.capacity = spec.capacity;
    tiers_.push_back(std::move(added));
    if (tier + 1 < scenario_.dependencies.size())
      add_processes(spec.shards, spec.name, static_cast<std::uint16_t>(tier + 1));
  }

  /// A moment at which a disturbance begins or ends.
  struct Edge {
    std::size_t tier;
    const Disturbance* disturbance;
    bool begins;
  };
  void add_edges() {
    std::vector<Tick> times;
    for (std::size_t tier = 0; tier < tiers_.size(); ++tier) {
      for (const Disturbance& one : tiers_[tier].spec.disturbances) {
        edges_.push_back({tier, &one, true});
        times.push_back(one.from.count());
        edges_.push_back({tier, &one, false});
        times.push_back(one.to.count());
      }
    }
    for (std::size_t i = 0; i < edges_.size(); ++i)
      timers_.set(edge_timer(static_cast<std::uint32_t>(i)), times[i]);
  }

  // Clients.

  [[nodiscard]] double factor_at(Tick time) const {
    double factor = 1;
    for (const Surge& surge : scenario_.clients.surges) {
      if (is_within(time, surge.from, surge.to)) factor *= surge.factor;
    }
    return factor;
  }
  /// When the rate of arrivals changes next.
  [[nodiscard]] Tick next_change(Tick time) const {
    Tick next = std::numeric_limits<Tick>::max();
    for (const Surge& surge : scenario_.clients.surges) {
      for (const Tick edge : {surge.from.count(), surge.to.count()}) {
        if (edge > time) next = std::min(next, edge);
      }
    }
    return next;
  }

  /// Arrivals forget: where the rate changes, the wait for the next one begins anew.
  void set_arrival() {
    double time = last_arrival_;
    for (;;) {
      const auto tick = static_cast<Tick>(time);
      if (tick >= scenario_.duration.count()) return;
      const double rate = nominal_load() * factor_at(tick) / 1e9;
      const Tick change = next_change(tick);
      if (rate > 0) {
        const bool is_random = scenario_.clients.arrivals == Arrivals::poisson;
        const double next = time + (is_random ? arrivals_.exponential() : 1) / rate;
        if (next < static_cast<double>(change)) {
          last_arrival_ = next;
          timers_.set(arrival_timer, std::max(static_cast<Tick>(next), now_));
          return;
        }
      }
      if (change >= scenario_.duration.count()) return;
      time = static_cast<double>(change);
    }
  }

  void begin_call(std::uint32_t client) {
    measures_.begin_call(now_);
    ++in_flight_;
    const std::uint32_t process = client % static_cast<std::uint32_t>(scenario_.clients.instances);
    const std::uint32_t i = flights_.make(processes_[process]->pipeline);
    set_up(i, process, client);
    timers_.set(leave_timer(i), now_ + scenario_.clients.timeout.count(), true);
    drive(i);
  }

  /// The client has waited too long.
  void leave(std::uint32_t i) {
    const std::uint32_t process = flights_[i].process;
    end_client_call(i, Ending::failed);
    destroy_flight(i);
    wake_waiting(process);
  }

  void end_client_call(std::uint32_t i, Ending ending) {
    const Flight& flight = flights_[i];
    --in_flight_;
    measures_.end_call(flight.began, now_, ending);
    if (scenario_.clients.arrivals != Arrivals::closed) return;
    const double factor = factor_at(now_);
    const auto think =
        static_cast<Tick>(static_cast<double>(scenario_.clients.think_time.count()) / std::max(factor, 1e-3));
    timers_.set(client_timer(flight.client), now_ + std::max(think, refusal_time));
  }

  // Flights.

  Flight& set_up(std::uint32_t i, std::uint32_t process, std::uint32_t client) {
    Flight& flight = flights_[i];
    flight.began = now_;
    flight.process = process;
    flight.client = client;
    return flight;
  }

  /// It ends before its call has.
  void destroy_flight(std::uint32_t i) {
    stop_attempt(i);
    end_wait(i);
    timers_.cancel(step_timer(i));
    timers_.cancel(leave_timer(i));
    flights_.destroy(i);
  }

  void drive(std::uint32_t i) {
    const std::uint32_t process = flights_[i].process;
    go_on(i);
    wake_waiting(process);
  }

  void go_on(std::uint32_t i) {
    Flight& flight = flights_[i];
    Process& process = *processes_[flight.process];
    for (;;) {
      const std::uint64_t queue_waits = process.queues > 0 ? process.pipeline.queue_waits() : 0;
      const fusebox::Step step = flight.run.next();
      switch (step.kind) {
        case fusebox::Step::Kind::call:
          return process.pipeline.has_hedge() && flight.maker != Flight::Maker::flight ? begin_race(i)
                                                                                       : make_attempt(i);
        case fusebox::Step::Kind::done: return end_flight(i);
        case fusebox::Step::Kind::wait: break;
      }
      if (step.wait <= Duration::zero()) {
        flight.run.waited();
        continue;
      }
      flight.state = Flight::State::waiting;
      if (process.queues > 0 && process.pipeline.queue_waits() != queue_waits) {
        flight.state = Flight::State::queued;
        process.waiting.add(flights_, i);
      }
      if (flight.maker == Flight::Maker::client) ++waiting_;
      timers_.set(step_timer(i), fusebox::detail::saturating_add(now_, step.wait.count()), true);
      return;
    }
  }

  void end_wait(std::uint32_t i) {
    Flight& flight = flights_[i];
    if (flight.state == Flight::State::calling) return;
    if (flight.state == Flight::State::queued) processes_[flight.process]->waiting.remove(flights_, i);
    if (flight.maker == Flight::Maker::client) --waiting_;
    flight.state = Flight::State::calling;
  }

  /// A wait, or the time of an attempt, is over.
  void end_step(std::uint32_t i) {
    Flight& flight = flights_[i];
    if (flight.state == Flight::State::calling) {
      stop_attempt(i);
      flight.run.report(fusebox::Failure{make_error_code(fusebox::PolicyErrc::cancelled)});
    } else {
      end_wait(i);
      flight.run.waited();
    }
    drive(i);
  }

  /// Those that have a slot now go on. Asked after each step of a process, since a call that gives its slot
  /// back gives it to a waiting one.
  void wake_waiting(std::uint32_t index) {
    Process& process = *processes_[index];
    if (process.waiting.empty() || process.is_waking) return;
    process.is_waking = true;
    for (std::uint32_t i = process.waiting.first; i != nobody;) {
      Flight& flight = flights_[i];
      // One whose time is over has its turn by its timer.
      if (timers_.due(step_timer(i)) <= now_ || !flight.run.wait_is_over()) {
        if (process.queues == 1 && timers_.due(step_timer(i)) > now_) break;
        i = flight.link.next;
        continue;
      }
      end_wait(i);
      timers_.cancel(step_timer(i));
      flight.run.waited(false);
      go_on(i);
      i = process.waiting.first;
    }
    process.is_waking = false;
  }

  void make_attempt(std::uint32_t i) {
    Flight& flight = flights_[i];
    flight.has_called = true;
    if (flight.maker == Flight::Maker::flight) flights_[flight.parent].has_called = true;
    const std::uint16_t tier = processes_[flight.process]->tier;
    const std::uint32_t j = jobs_.make();
    flight.job = j;
    Job& job = jobs_[j];
    job.flight = i;
    job.client = flight.client;
    job.tier = tier;
    job.shard = shard_of(flight.client, tier);
    job.is_retry = flight.is_retry || flight.run.call().attempt() > 1;
    job.is_hedge = flight.is_hedge;
    limit_attempt(i);
    arrive(j);
  }
  void limit_attempt(std::uint32_t i) {
    const fusebox::Deadline& deadline = flights_[i].run.call().deadline();
    if (deadline.is_never()) return;
    timers_.set(step_timer(i), std::chrono::duration_cast<Duration>(deadline.time() - origin_).count(), true);
  }
  /// Nobody waits for what the flight has called.
  void stop_attempt(std::uint32_t i) {
    Flight& flight = flights_[i];
    if (flight.job != nobody) abandon(std::exchange(flight.job, nobody));
    if (!flight.race) return;
    timers_.cancel(hedge_timer(i));
    const std::unique_ptr<Race> race = std::move(flight.race);
    race->run.cancel();
    for (const std::uint32_t copy : race->copies) {
      if (copy != nobody) destroy_flight(copy);
    }
  }

  void end_flight(std::uint32_t i) {
    Flight& flight = flights_[i];
    const auto result = flight.run.try_result();
    const std::uint32_t parent = flight.parent;
    switch (flight.maker) {
      case Flight::Maker::client: {
        const bool is_rejected = !result && !flight.has_called && result.error().is_rejection();
        end_client_call(i, result ? Ending::succeeded : is_rejected ? Ending::rejected : Ending::failed);
        timers_.cancel(leave_timer(i));
        flights_.destroy(i);
        return;
      }
      case Flight::Maker::job:
        flights_.destroy(i);
        jobs_[parent].child = nobody;
        return finish_job(parent, result ? Reply{} : Reply{Reply::Kind::status, 503, {}});
      case Flight::Maker::flight: break;
    }
    Race& race = *flights_[parent].race;
    const int copy = flight.copy;
    flights_.destroy(i);
    race.copies[static_cast<std::size_t>(copy)] = nobody;
    if (result) {
      race.run.report(copy, fusebox::Outcome::success);
    } else {
      const bool is_nobodys = result.error().is_rejection() || result.error().is_cancellation();
      race.run.report(copy, is_nobodys ? fusebox::Outcome::ignored : fusebox::Outcome::failure);
      race.failures[static_cast<std::size_t>(copy)] = result.error();
    }
    drive_race(parent);
  }

  void begin_race(std::uint32_t i) {
    Flight& flight = flights_[i];
    limit_attempt(i);
    flight.race = std::make_unique<Race>(
        processes_[flight.process]->pipeline.start_hedge(flight.run.call().deadline()));
    drive_race(i);
  }
  void continue_race(std::uint32_t i) {
    const std::uint32_t process = flights_[i].process;
    drive_race(i);
    wake_waiting(process);
  }
  /// Starts the copies whose time has come; goes on once the race is over.
  void drive_race(std::uint32_t i) {
    Race& race = *flights_[i].race;
    if (race.is_driven) return;  // a copy has ended as soon as it began
    race.is_driven = true;
    timers_.cancel(hedge_timer(i));
    for (;;) {
      const fusebox::HedgeStep step = race.run.next();
      if (step.kind == fusebox::HedgeStep::Kind::done) break;
      if (step.kind == fusebox::HedgeStep::Kind::wait) {
        if (step.wait != fusebox::no_timeout)
          timers_.set(hedge_timer(i), fusebox::detail::saturating_add(now_, step.wait.count()));
        race.is_driven = false;
        return;
      }
      start_copy(i, step.copy);
    }
    const int result = race.run.result();
    const bool has_won = race.run.winner() >= 0;
    fusebox::Failure failure{make_error_code(fusebox::PolicyErrc::cancelled)};
    if (!has_won && result >= 0) {
      auto& kept = race.failures[static_cast<std::size_t>(result)];
      if (kept) failure = *std::move(kept);
    }
    stop_attempt(i);
    timers_.cancel(step_timer(i));
    if (has_won) {
      flights_[i].run.report();
    } else {
      flights_[i].run.report(std::move(failure));
    }
    drive(i);
  }
  void start_copy(std::uint32_t i, int number) {
    Flight& flight = flights_[i];
    const fusebox::Call& call = flight.run.call();
    const bool is_retry = flight.is_retry || call.attempt() > 1;
    const std::uint32_t copy = flights_.make(processes_[flight.process]->pipeline, call.deadline());
    flight.race->copies.resize(static_cast<std::size_t>(number) + 1, nobody);
    flight.race->failures.resize(static_cast<std::size_t>(number) + 1);
    flight.race->copies.back() = copy;
    Flight& made = set_up(copy, flight.process, flight.client);
    made.maker = Flight::Maker::flight;
    made.parent = i;
    made.copy = number;
    made.is_retry = is_retry;
    made.is_hedge = flight.is_hedge || number > 0;
    go_on(copy);
  }

  // Jobs.

  [[nodiscard]] std::uint16_t shard_of(std::uint32_t client, std::uint16_t tier) const {
    const auto shards = static_cast<std::uint64_t>(tiers_[tier].spec.shards);
    if (shards == 1) return 0;
    return static_cast<std::uint16_t>(Random::mixed((std::uint64_t{client} << 8U) + tier + 1) % shards);
  }
  [[nodiscard]] Shard& shard_of(const Job& job) { return tiers_[job.tier].shards[job.shard]; }

  /// Calls use(disturbance) for each that is under way and concerns the shard.
  template <class Use>
  void for_disturbances(const Job& job, Use use) const {
    for (const Disturbance& one : tiers_[job.tier].spec.disturbances) {
      if (is_within(now_, one.from, one.to) && (one.shard < 0 || one.shard == job.shard)) use(one);
    }
  }

  void arrive(std::uint32_t j) {
    Job& job = jobs_[j];
    const bool is_last = job.tier + 1U == tiers_.size();
    if (is_last) {
      ++measures_.now().attempts;
      if (job.is_retry) ++measures_.now().retries;
      if (job.is_hedge) ++measures_.now().hedges;
    }
    const Disturbance* outage = nullptr;
    for_disturbances(job, [&](const Disturbance& one) {
      if (one.kind == Disturbance::Kind::outage) outage = &one;
    });
    if (outage != nullptr) {
      if (outage->hangs) {
        job.state = Job::State::hanging;
        return;
      }
      return turn_away(j, {Reply::Kind::refused, 0, {}});
    }
    Shard& shard = shard_of(job);
    const Dependency& spec = tiers_[job.tier].spec;
    if (spec.limit.per_second > 0) {
      const Tick window = now_ / Measures::second;
      if (window != shard.window) shard.in_window = 0;
      shard.window = window;
      if (shard.in_window + 1 > spec.limit.per_second) {
        std::optional<Duration> wait;
        if (spec.limit.retry_after) wait = std::chrono::seconds{1};
        return turn_away(j, {Reply::Kind::status, 429, wait});
      }
      shard.in_window += 1;
    }
    if (shard.busy.size < shard.capacity) return serve(j);
    if (shard.queued.size >= spec.queue) return turn_away(j, {Reply::Kind::status, 503, {}});
    job.state = Job::State::queued;
    shard.queued.add(jobs_, j);
  }

  void turn_away(std::uint32_t j, const Reply& reply, Tick after = refusal_time) {
    Job& job = jobs_[j];
    job.state = Job::State::turned_away;
    job.reply = reply;
    timers_.set(job_timer(j), now_ + after);
  }

  void serve(std::uint32_t j) {
    Job& job = jobs_[j];
    job.state = Job::State::served;
    shard_of(job).busy.add(jobs_, j);
    double factor = 1;
    for_disturbances(job, [&](const Disturbance& one) {
      if (one.kind == Disturbance::Kind::slow) factor *= one.factor;
    });
    const double time = draw_service(tiers_[job.tier].spec.service) * factor;
    timers_.set(job_timer(j), now_ + static_cast<Tick>(std::min(time, 1e15)));
  }

  /// In ns.
  [[nodiscard]] double draw_service(const ServiceTime& time) {
    const auto median = static_cast<double>(time.median.count());
    switch (time.kind) {
      case ServiceTime::Kind::exponential: return median / ln(2) * service_.exponential();
      case ServiceTime::Kind::lognormal: {
        constexpr double p99_of_normal = 2.3263478740408408;
        return median * exp(ln(time.p99_ratio) / p99_of_normal * service_.normal());
      }
      default: return median;
    }
  }

  void start_queued(Shard& shard) {
    while (!shard.queued.empty() && shard.busy.size < shard.capacity) {
      const std::uint32_t next = shard.queued.first;
      shard.queued.remove(jobs_, next);
      serve(next);
    }
  }

  /// A job's timer: it was turned away, or has been served.
  void end_job(std::uint32_t j) {
    Job& job = jobs_[j];
    if (job.state == Job::State::turned_away) {
      const std::uint32_t flight = job.flight;
      const Reply reply = job.reply;
      jobs_.destroy(j);
      return answer(flight, reply);
    }
    Reply reply;
    for_disturbances(job, [&](const Disturbance& one) {
      if (one.kind == Disturbance::Kind::errors && errors_.unit() < one.rate)
        reply = {Reply::Kind::status, one.status, one.retry_after};
    });
    if (reply.kind == Reply::Kind::good && job.tier + 1U < tiers_.size()) return call_next_tier(j);
    finish_job(j, reply);
  }

  void call_next_tier(std::uint32_t j) {
    Job& job = jobs_[j];
    job.state = Job::State::calling;
    const auto process = static_cast<std::uint32_t>(tiers_[job.tier].first_process + job.shard);
    const std::uint32_t child = flights_.make(processes_[process]->pipeline);
    Flight& flight = set_up(child, process, job.client);
    flight.maker = Flight::Maker::job;
    flight.parent = j;
    flight.is_retry = job.is_retry;
    flight.is_hedge = job.is_hedge;
    job.child = child;
    drive(child);
  }

  void finish_job(std::uint32_t j, const Reply& reply) {
    Job& job = jobs_[j];
    Shard& shard = shard_of(job);
    const std::uint32_t flight = job.flight;
    if (reply.kind == Reply::Kind::good && job.tier + 1U == tiers_.size()) {
      ++measures_.now().served;
      if (flight == nobody) ++measures_.now().wasted;
    }
    shard.busy.remove(jobs_, j);
    jobs_.destroy(j);
    start_queued(shard);
    if (flight != nobody) answer(flight, reply);
  }

  void answer(std::uint32_t i, const Reply& reply) {
    Flight& flight = flights_[i];
    flight.job = nobody;
    timers_.cancel(step_timer(i));
    if (reply.kind == Reply::Kind::good) {
      flight.run.report();
    } else {
      flight.run.report(failure_of(reply));
    }
    drive(i);
  }

  /// Nobody waits for it any more.
  void abandon(std::uint32_t j) {
    Job& job = jobs_[j];
    job.flight = nobody;
    switch (job.state) {
      case Job::State::turned_away: timers_.cancel(job_timer(j)); return jobs_.destroy(j);
      case Job::State::hanging: return jobs_.destroy(j);
      default: break;
    }
    if (!tiers_[job.tier].spec.drops_abandoned) return;
    Shard& shard = shard_of(job);
    stop(j);
    jobs_.destroy(j);
    start_queued(shard);
  }

  /// Takes a job that is queued, served or calling away from its shard.
  void stop(std::uint32_t j) {
    Job& job = jobs_[j];
    Shard& shard = shard_of(job);
    (job.state == Job::State::queued ? shard.queued : shard.busy).remove(jobs_, j);
    timers_.cancel(job_timer(j));
    if (job.child == nobody) return;
    const std::uint32_t child = std::exchange(job.child, nobody);
    const std::uint32_t process = flights_[child].process;
    destroy_flight(child);
    wake_waiting(process);
  }

  // Disturbances.

  void pass_edge(const Edge& edge) {
    const Disturbance& one = *edge.disturbance;
    Tier& tier = tiers_[edge.tier];
    for (std::size_t s = 0; s < tier.shards.size(); ++s) {
      if (one.shard >= 0 && static_cast<std::size_t>(one.shard) != s) continue;
      Shard& shard = tier.shards[s];
      if (one.kind == Disturbance::Kind::capacity) {
        set_capacity(tier, shard, static_cast<int>(s));
      } else if (one.kind == Disturbance::Kind::outage && edge.begins) {
        break_connections(shard, one.hangs);
      }
    }
  }

  void set_capacity(const Tier& tier, Shard& shard, int index) {
    double capacity = tier.spec.capacity;
    for (const Disturbance& one : tier.spec.disturbances) {
      if (one.kind == Disturbance::Kind::capacity && is_within(now_, one.from, one.to) &&
          (one.shard < 0 || one.shard == index))
        capacity *= one.factor;
    }
    shard.capacity = static_cast<int>(std::min(capacity, 1e6));
    start_queued(shard);
  }

  /// All that the shard works at is lost.
  void break_connections(Shard& shard, bool hangs) {
    for (List* list : {&shard.queued, &shard.busy}) {
      while (!list->empty()) {
        const std::uint32_t j = list->first;
        stop(j);
        if (jobs_[j].flight == nobody) {
          jobs_.destroy(j);
        } else if (hangs) {
          jobs_[j].state = Job::State::hanging;
        } else {
          turn_away(j, {Reply::Kind::reset, 0, {}}, 0);
        }
      }
    }
  }

  const Scenario scenario_;
  const PipelineSpec spec_;
  const Clock clock_ = Clock::manual();
  const std::chrono::steady_clock::time_point origin_ = clock_.now();
  Random arrivals_;
  Random service_;
  Random jitter_;
  Random errors_;
  Measures measures_;
  std::vector<std::unique_ptr<Process>> processes_;  // the clients', then those of the tiers
  std::vector<Tier> tiers_;
  std::vector<Edge> edges_;
  Timers timers_;
  Pool<Job> jobs_;
  Pool<Flight> flights_;
  Tick now_ = 0;
  double last_arrival_ = 0;
  std::uint32_t next_client_ = 0;
  int in_flight_ = 0;
  int waiting_ = 0;
  std::uint64_t events_ = 0;
};

Simulation::Simulation(const Scenario& scenario, const PipelineSpec& pipeline, std::uint64_t seed)
    : implementation_{std::make_unique<Implementation>(scenario, pipeline, seed)} {}
Simulation::~Simulation() = default;

bool Simulation::run_until(Duration time) { return implementation_->run_until(time); }
Live Simulation::live() const { return implementation_->live(); }
PipelineResult Simulation::result() const { return implementation_->result(); }

}  // namespace storm
