// model/reference_pipeline.hpp: what a pipeline must do, said as plainly as possible (P1 to P13, and what
// each policy in it does by its own rules).
//
// One thread, no clock but a number, one function for each policy, calls inside calls as in the picture of
// the page. What is seen is a text, line by line.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "pipeline_script.hpp"
#include "reference_breaker.hpp"
#include "reference_throttle.hpp"

namespace model::flow {

inline constexpr Nanos never = std::numeric_limits<Nanos>::max();

/// How often what a script can come to was come to.
struct Reached {
  int values = 0, late = 0, timed_out = 0, cancelled = 0, rejected = 0, retried = 0, refused_by_budget = 0,
      waited = 0, cut_short = 0, fell_back = 0, hooks_threw = 0, probes = 0, abandoned = 0, throttled = 0,
      faults = 0, delayed = 0, delayed_too_long = 0;
};

class ReferencePipeline {
 public:
  ReferencePipeline(const Script& script, Reached& reached) : reached_{reached} {
    for (const Layer& layer : script.layers) layers_.push_back(State{layer});
    for (State& state : layers_) {
      const Layer& layer = state.layer;
      if (layer.kind == Kind::breaker)
        state.breaker = std::make_unique<ReferenceBreaker>(
            fusebox::CircuitBreakerConfig{.failure_threshold = layer.threshold,
                                          .success_threshold = 1,
                                          .reset_timeout = std::chrono::nanoseconds{layer.reset}},
            now_);
      if (layer.kind == Kind::throttle)
        state.throttle = std::make_unique<ReferenceThrottle>(
            fusebox::ThrottleConfig{.k = layer.k,
                                    .window = std::chrono::nanoseconds{layer.limit},
                                    .max_rejection = layer.max_rejection,
                                    .minimum_calls = layer.minimum_calls,
                                    .seed = layer.seed},
            origin_);
      state.admitted = static_cast<int>(layer.held.size());  // others hold slots from the start
      state.balance = layer.most * 10;
      state.spent_until = -layer.burst * layer.interval;
    }
  }

  /// What is seen of one logical call. `carries`: its result can carry an error of the library.
  std::string run(const LogicalCall& script, bool carries) {
    seen_.str({});
    sleep_over(script.before);
    script_ = &script;
    next_answer_ = 0;
    steps_ = 0;
    Call root;
    if (script.deadline) root.deadline = now_ + *script.deadline;
    if (script.stop) root.stops_at = now_ + *script.stop;
    try {
      const Ending ending = is_stopped(root) ? own(Verdict::cancelled, "CancelledError") : run(0, root);
      if (ending.verdict <= Verdict::late) ++reached_.values;
      if (ending.verdict == Verdict::cancelled) ++reached_.cancelled;
      seen_ << "result ";
      if (carries && ending.is_own) {
        seen_ << "carried " << ending.text.substr(0, ending.text.find(' ')) << '\n';  // P12
      } else {
        seen_ << ending.text << '\n';
      }
    } catch (const HookThrew&) {
      ++reached_.hooks_threw;
      seen_ << "result hook threw\n";
    } catch (const Abandoned&) {
      ++reached_.abandoned;
      seen_ << "result abandoned\n";
    }
    seen_ << "at " << in_ms(now_) << '\n';
    for (State& state : layers_) show(state);
    return seen_.str();
  }

 private:
  enum class Verdict { success, late, failure, rejected, cancelled };
  /// What goes through everything, so that every layer gives back what it holds (P11).
  struct Passing {};
  struct HookThrew : Passing {};
  struct Abandoned : Passing {};  // a call by hand that is destroyed
  struct Call {
    Nanos deadline = never;
    Nanos stops_at = never;  // its token
    int attempt = 1;
    bool is_limited = false;  // the deadline is a timeout's
  };
  struct Ending {
    Verdict verdict = Verdict::success;
    std::string text;        // what the caller gets
    std::string kind;        // what a fallback sees
    bool transient = false;  // of a failure
    bool blames = false;     // of a failure: does a breaker count it as one?
    bool looks_stopped = false;
    bool is_own = false;  // an error of the library that ended the call
  };
  struct State {
    Layer layer;
    std::unique_ptr<ReferenceBreaker> breaker = nullptr;
    int openings = 0;
    std::unique_ptr<ReferenceThrottle> throttle = nullptr;
    int faults = 0, delays = 0;                              // chaos
    int calls = 0, timed_out = 0, late = 0;                  // a timeout; calls: of chaos too
    int in_use = 0, admitted = 0, rejected = 0, waited = 0;  // a bulkhead, a limiter
    Nanos longest_wait = 0;                                  // a bulkhead
    Nanos spent_until = 0;                                   // a limiter: saved up is what lies before now
    int balance = 0, withdrawn = 0, refused = 0;             // a budget, in tenths
    std::optional<std::string> last_good = std::nullopt;
    Nanos last_good_at = 0;
  };

  // Time.

  void sleep_over(Nanos time) { now_ += time; }
  /// A call by hand has a step: op is to be called, or a wait begins.
  void step() {
    if (++steps_ == script_->abandoned_at) throw Abandoned{};
  }
  /// False if the token ends it early.
  bool sleep(Nanos time, Nanos stops_at) {
    seen_ << "sleep " << in_ms(time) << '\n';
    if (stops_at <= now_) return false;
    if (stops_at < now_ + time) {
      now_ = stops_at;
      return false;
    }
    now_ += time;
    return true;
  }
  [[nodiscard]] bool is_stopped(const Call& call) const { return call.stops_at <= now_; }

  // Endings.

  static Ending own(Verdict verdict, const std::string& text) {
    Ending ending{verdict, text, "rejection"};
    if (verdict == Verdict::failure) ending = {verdict, text, "timeout", true, true};
    ending.is_own = true;
    return ending;
  }
  static Ending ending_of(Ends ends, int id) {
    const std::string number = " #" + std::to_string(id);
    switch (ends) {
      case Ends::value: return {Verdict::success, "value" + number, ""};
      case Ends::failed_503: return {Verdict::failure, "failed value 503" + number, "status 503", true, true};
      case Ends::failed_404: return {Verdict::failure, "failed value 404" + number, "status 404"};
      case Ends::threw_503: return {Verdict::failure, "threw 503" + number, "status 503", true, true};
      case Ends::threw_404: return {Verdict::failure, "threw 404" + number, "status 404"};
      case Ends::threw_network:
        return {Verdict::failure, "threw network" + number, "other", true, true, true};
      case Ends::threw_closed: return {Verdict::failure, "threw closed" + number, "other", false, true, true};
      case Ends::threw_cancelled: return {Verdict::cancelled, "threw cancelled" + number, ""};
      case Ends::threw_rejection: return {Verdict::rejected, "BulkheadFullError elsewhere", "rejection"};
    }
    return {};
  }

  // Layers.

  Ending run(std::size_t i, const Call& call) {
    if (i == layers_.size()) return op(call);
    State& state = layers_[i];
    switch (state.layer.kind) {
      case Kind::breaker: return breaker(i, state, call);
      case Kind::retry:
      case Kind::budgeted:
      case Kind::throttled: return retry(i, state, call);
      case Kind::total:
      case Kind::attempt: return timeout(i, state, call);
      case Kind::bulkhead: return bulkhead(i, state, call);
      case Kind::limiter: return limiter(i, state, call);
      case Kind::fallback:
      case Kind::when_rejected: return fallback(i, state, call);
      case Kind::last_good: return last_good(i, state, call);
      case Kind::throttle: return throttle(i, state, call);
      case Kind::chaos: return chaos(i, state, call);
      case Kind::user: return user(i, state, call);
    }
    return {};
  }

  Ending op(const Call& call) {
    step();
    const Answer& answer = script_->answers[next_answer_++ % script_->answers.size()];
    const int id = ++ops_;
    seen_ << "op at " << in_ms(now_);
    const Takes takes = script_->takes;
    if (takes == Takes::call) seen_ << " attempt " << call.attempt;
    if (takes == Takes::call || takes == Takes::deadline)
      seen_ << " deadline " << (call.deadline == never ? "none" : in_ms(call.deadline));
    if (can_be_stopped(takes) && is_stopped(call)) seen_ << " stopped";
    seen_ << '\n';
    if (can_be_stopped(script_->takes) && answer.notices) {
      if (!sleep(answer.takes, call.stops_at))
        return ending_of(answer.closes ? Ends::threw_closed : Ends::threw_cancelled, id);
    } else {
      now_ += answer.takes;
    }
    return ending_of(answer.ends, id);
  }

  Ending breaker(std::size_t i, State& state, const Call& call) {
    ReferenceBreaker& breaker = *state.breaker;
    breaker.advance_to(now_);
    const auto admitted = breaker.admit();
    if (!admitted) {
      ++reached_.rejected;
      return own(Verdict::rejected, "CircuitOpenError p" + std::to_string(i));
    }
    if (admitted->slot) ++reached_.probes;
    using Outcome = ReferenceBreaker::Outcome;
    const auto report = [&](Outcome outcome) {
      breaker.advance_to(now_);
      breaker.report(*admitted, outcome);
      if (breaker.openings() != state.openings) static_cast<void>(breaker.take_wait(state.layer.reset));
      state.openings = breaker.openings();
    };
    try {
      const Ending ending = run(i + 1, call);
      switch (ending.verdict) {
        case Verdict::success: report(Outcome::success); break;
        case Verdict::late: report(Outcome::failure); break;                                        // P6
        case Verdict::failure: report(ending.blames ? Outcome::failure : Outcome::success); break;  // F2
        case Verdict::rejected:
        case Verdict::cancelled: report(Outcome::ignored); break;  // P5
      }
      return ending;
    } catch (const Passing&) {
      report(Outcome::ignored);  // P11
      throw;
    }
  }

  Ending retry(std::size_t i, State& state, const Call& outer) {
    const Layer& layer = state.layer;
    const bool has_budget = layer.kind == Kind::budgeted;
    const bool has_throttle = layer.kind == Kind::throttled;
    const int most = layer.most * 10;
    if (has_budget) state.balance = std::min(most, state.balance + layer.ratio_tenths);  // U3
    Call call = outer;
    call.attempt = 1;
    if (layer.total_timeout && now_ + *layer.total_timeout < outer.deadline) {
      call.deadline = now_ + *layer.total_timeout;
      call.is_limited = false;
    }
    Nanos delay = layer.base_delay;
    for (;; ++call.attempt, delay *= 2) {
      const Ending ending = run(i + 1, call);
      if (ending.verdict <= Verdict::late) {
        if (has_throttle) state.balance = std::min(most, state.balance + layer.ratio_tenths);  // U4
        return ending;
      }
      if (ending.verdict != Verdict::failure) return ending;  // P5
      if (has_throttle && ending.transient) state.balance = std::max(0, state.balance - 10);
      if (is_stopped(outer) && ending.transient && call.attempt <= layer.max_retries &&
          now_ < call.deadline)  // F7, but D2
        return own(Verdict::cancelled, "CancelledError");
      if (is_stopped(outer) || !ending.transient || call.attempt > layer.max_retries) return ending;  // R2
      if (call.deadline != never && delay >= call.deadline - now_) return ending;                     // P7
      if (has_budget || has_throttle) {                                                               // U5
        const bool pays = has_budget ? state.balance >= 10 : 2 * state.balance > most;
        ++(pays ? state.withdrawn : state.refused);
        if (!pays) {
          ++reached_.refused_by_budget;
          return ending;
        }
        if (has_budget) state.balance -= 10;
      }
      const auto give_back = [&] {
        if (has_budget) state.balance = std::min(most, state.balance + 10);  // R13
      };
      try {
        if (call.attempt == layer.hook_throws_at) throw HookThrew{};
        step();
      } catch (const Passing&) {
        give_back();
        throw;
      }
      if (!sleep(delay, outer.stops_at) || is_stopped(outer)) {
        give_back();
        ++reached_.cut_short;
        return own(Verdict::cancelled, "CancelledError");  // R4
      }
      ++reached_.retried;
    }
  }

  Ending timeout(std::size_t i, State& state, const Call& outer) {
    if (is_stopped(outer) || (outer.is_limited && outer.deadline <= now_))
      return own(Verdict::cancelled, "CancelledError");  // D3, P8
    ++state.calls;
    const auto time_out = [&] {
      ++state.timed_out;
      ++reached_.timed_out;
      return own(Verdict::failure, "TimeoutError");
    };
    if (outer.deadline <= now_) return time_out();  // D5
    const Nanos own_end = now_ + state.layer.limit;
    const bool is_ours = own_end < outer.deadline || !outer.is_limited;  // D3
    const Nanos end = std::min(own_end, outer.deadline);
    Call call = outer;
    call.deadline = end;
    call.is_limited = true;
    if (is_ours && can_be_stopped(script_->takes)) call.stops_at = std::min(outer.stops_at, end);  // D1, P2
    const Ending ending = run(i + 1, call);
    if (now_ < end) return ending;
    if (ending.verdict <= Verdict::late) {  // P6, D6
      if (!is_watched(i) && !(can_be_stopped(script_->takes) && is_stopped(call))) return ending;
      if (now_ < own_end) return ending;  // the limit that is over is another's
      ++state.late;
      ++reached_.late;
      Ending late = ending;
      late.verdict = Verdict::late;
      return late;
    }
    if (ending.verdict != Verdict::cancelled && !(ending.verdict == Verdict::failure && ending.looks_stopped))
      return ending;  // D2
    if (!is_stopped(outer) && is_ours) return time_out();
    return own(Verdict::cancelled, "CancelledError");  // D3, D4
  }
  /// Does a policy outside tell a late value from another?
  [[nodiscard]] bool is_watched(std::size_t i) const {
    return std::any_of(layers_.begin(), layers_.begin() + static_cast<std::ptrdiff_t>(i),
                       [](const State& outside) {
                         return outside.layer.kind == Kind::breaker || outside.layer.kind == Kind::throttle;
                       });
  }

  Ending bulkhead(std::size_t i, State& state, const Call& call) {
    const Layer& layer = state.layer;
    const auto has_room = [&](Nanos time) {
      const auto held =
          std::count_if(layer.held.begin(), layer.held.end(), [&](Nanos end) { return end > time; });
      return held + state.in_use < layer.slots;
    };
    const auto reject = [&] {
      ++state.rejected;
      ++reached_.rejected;
      return own(Verdict::rejected, "BulkheadFullError p" + std::to_string(i));
    };
    if (!has_room(now_)) {
      const Nanos left = call.deadline == never ? never : std::max<Nanos>(0, call.deadline - now_);
      const Nanos longest = std::min(layer.max_wait, left);
      if (layer.waiting == 0 || longest == 0) return reject();
      step();
      seen_ << "sleep " << in_ms(longest) << '\n';
      ++reached_.waited;
      const Nanos since = now_;
      const Nanos end = now_ + longest;
      Nanos granted = never;
      for (const Nanos time : layer.held)
        if (time > now_ && has_room(time)) granted = std::min(granted, time);
      now_ = std::max(now_, std::min({end, granted, call.stops_at}));
      state.longest_wait = std::max(state.longest_wait, now_ - since);
      if (now_ != granted) {                                       // K3: a slot handed over is taken
        if (now_ == end || call.stops_at > now_) return reject();  // P9, K8
        ++reached_.cut_short;
        return own(Verdict::cancelled, "CancelledError");
      }
    }
    ++state.admitted;
    ++state.in_use;
    try {
      const Ending ending = run(i + 1, call);
      --state.in_use;
      return ending;
    } catch (const Passing&) {
      --state.in_use;
      throw;
    }
  }

  Ending limiter(std::size_t i, State& state, const Call& call) {
    const Layer& layer = state.layer;
    const Nanos next = std::max(state.spent_until, now_ - layer.burst * layer.interval) + layer.interval;
    const Nanos wait = std::max<Nanos>(0, next - now_);
    const bool ends_in_time = call.deadline == never || wait < call.deadline - now_;
    if (wait > 0 && (wait > layer.max_wait || !ends_in_time)) {  // P7
      ++state.rejected;
      ++reached_.rejected;
      return own(Verdict::rejected,
                 "RateLimitedError p" + std::to_string(i) + " retry after " + in_ms(wait));  // Q3
    }
    const Nanos before = state.spent_until;
    state.spent_until = next;
    if (wait > 0) {
      ++state.waited;
      ++reached_.waited;
      try {
        step();
      } catch (const Passing&) {
        state.spent_until = before;  // Q5
        throw;
      }
      if (!sleep(wait, call.stops_at)) {
        state.spent_until = before;  // Q5
        ++reached_.cut_short;
        return own(Verdict::cancelled, "CancelledError");
      }
    }
    ++state.admitted;
    return run(i + 1, call);
  }

  Ending fallback(std::size_t i, State& state, const Call& call) {
    const Ending ending = run(i + 1, call);
    const bool helps = ending.verdict == Verdict::rejected ||
                       (ending.verdict == Verdict::failure && state.layer.kind == Kind::fallback);
    if (!helps) return ending;
    ++reached_.fell_back;
    seen_ << "fallback";
    if (state.layer.kind == Kind::fallback) seen_ << " of " << ending.kind;
    seen_ << '\n';
    return ending_of(fallback_ends(state.layer.fallback), -static_cast<int>(i) - 1);  // P11
  }
  /// A fallback's value is no failure: op alone is judged (P3).
  static Ends fallback_ends(Ends ends) {
    return ends == Ends::failed_503 || ends == Ends::failed_404 ? Ends::value : ends;
  }

  Ending last_good(std::size_t i, State& state, const Call& call) {
    const Ending ending = run(i + 1, call);
    if (ending.verdict <= Verdict::late) {
      state.last_good = ending.text;
      state.last_good_at = now_;
      return ending;
    }
    if (ending.verdict == Verdict::cancelled || !state.last_good ||
        now_ - state.last_good_at > state.layer.limit)
      return ending;
    ++reached_.fell_back;
    return {Verdict::success, *state.last_good, ""};
  }

  /// The throttle at this time.
  ReferenceThrottle& throttle_now(State& state) const {
    state.throttle->advance(origin_ + now_ - state.throttle->now());
    return *state.throttle;
  }
  Ending throttle(std::size_t i, State& state, const Call& call) {
    constexpr int normal = 1;  // Priority::normal
    if (!throttle_now(state).admit(normal)) {
      ++reached_.rejected;
      ++reached_.throttled;
      return own(Verdict::rejected, "ThrottledError p" + std::to_string(i));  // V6
    }
    const Nanos admitted_at = origin_ + now_;
    const Ending ending = run(i + 1, call);
    const bool is_accepted =
        ending.verdict == Verdict::success || (ending.verdict == Verdict::failure && !ending.blames);
    if (ending.verdict <= Verdict::failure)  // P5
      throttle_now(state).end(admitted_at, normal, is_accepted);
    return ending;
  }

  Ending chaos(std::size_t i, State& state, const Call& call) {
    const Layer& layer = state.layer;
    if (!layer.is_enabled) return run(i + 1, call);  // X1
    const std::uint64_t own_seed = mixed(layer.seed ^ mixed(static_cast<std::uint64_t>(state.calls++)));
    if (is_hit(mixed(own_seed), layer.latency_rate)) {
      ++state.delays;
      ++reached_.delayed;
      const Nanos left = call.deadline == never ? never : std::max<Nanos>(0, call.deadline - now_);
      const Nanos wait = std::min(left, layer.limit);
      if (wait > 0) step();
      const bool is_to_its_end = wait == 0 || sleep(wait, call.stops_at);
      if (!is_to_its_end || left <= layer.limit) {  // X3
        ++reached_.delayed_too_long;
        if (!call.is_limited && call.deadline <= now_) return own(Verdict::failure, "TimeoutError");
        return own(Verdict::cancelled, "CancelledError");
      }
    }
    if (!is_hit(mixed(own_seed + 1), layer.fault_rate)) return run(i + 1, call);
    ++state.faults;
    ++reached_.faults;
    Ending fault = ending_of(layer.fault, 0);  // X2
    fault.text = "Fault p" + std::to_string(i) +
                 (layer.fault == Ends::threw_503   ? " 503"
                  : layer.fault == Ends::threw_404 ? " 404"
                                                   : " network");
    fault.is_own = true;
    return fault;
  }
  /// X4: the finaliser of SplitMix64, written out, and a number in [0, 1) of its bits.
  static std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
  }
  static bool is_hit(std::uint64_t bits, double rate) {
    return static_cast<double>(bits / 2048) / 9'007'199'254'740'992.0 < rate;
  }

  Ending user(std::size_t i, State& state, const Call& call) {
    switch (state.layer.user) {
      case UserDoes::once: break;
      case UserDoes::twice: static_cast<void>(run(i + 1, call)); break;
      case UserDoes::again_if_failed: {
        const Ending first = run(i + 1, call);
        if (first.verdict <= Verdict::late) return first;
        break;
      }
      case UserDoes::throws_after:
        static_cast<void>(run(i + 1, call));
        return ending_of(Ends::threw_503, -static_cast<int>(i) - 1);
      case UserDoes::rejects: return ending_of(Ends::threw_rejection, 0);
    }
    return run(i + 1, call);
  }

  void show(State& state) {
    const Layer& layer = state.layer;
    switch (layer.kind) {
      case Kind::breaker: {
        const ReferenceBreaker& breaker = *state.breaker;
        seen_ << "breaker " << to_string(breaker.state()) << ", " << breaker.success_count << " succeeded, "
              << breaker.failure_count << " failed, " << breaker.ignored_count << " ignored, "
              << breaker.rejected_count << " rejected\n";
        break;
      }
      case Kind::budgeted:
      case Kind::throttled:
        seen_ << "budget " << state.balance << "/10, " << state.withdrawn << " withdrawn, " << state.refused
              << " refused\n";
        break;
      case Kind::total:
      case Kind::attempt:
        seen_ << "timeout " << state.calls << " calls, " << state.timed_out << " timed out, " << state.late
              << " late\n";
        break;
      case Kind::bulkhead: {
        const auto held =
            std::count_if(layer.held.begin(), layer.held.end(), [&](Nanos end) { return end > now_; });
        seen_ << "bulkhead " << held + state.in_use << " in use, " << state.admitted << " admitted, "
              << state.rejected << " rejected, longest wait " << in_ms(state.longest_wait) << '\n';
        break;
      }
      case Kind::limiter:
        seen_ << "limiter " << state.admitted << " admitted, " << state.rejected << " rejected, "
              << state.waited << " waited\n";
        break;
      case Kind::throttle: {
        const auto stats = throttle_now(state).stats();
        seen_ << "throttle " << stats.requests << " requests, " << stats.accepts << " accepts, "
              << stats.rejected << " rejected, ratio " << stats.rejection_ratio << '\n';
        break;
      }
      case Kind::chaos:
        seen_ << "chaos " << state.calls << " calls, " << state.faults << " faults, " << state.delays
              << " delays\n";
        break;
      default: break;
    }
  }

  Reached& reached_;
  std::vector<State> layers_;
  std::ostringstream seen_;
  const LogicalCall* script_ = nullptr;
  std::size_t next_answer_ = 0;
  int ops_ = 0;
  int steps_ = 0;
  Nanos now_ = 0;
  const Nanos origin_ =
      fusebox::test::FakeClock{}.now().time_since_epoch().count();  // what 0 is to the clock
};

}  // namespace model::flow
