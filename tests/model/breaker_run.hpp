// model/breaker_run.hpp: does a script to a breaker and to the reference, and compares them after each
// command.
#pragma once

#include <fusebox/api_error.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "breaker_script.hpp"
#include "reference_breaker.hpp"

namespace model {

class BreakerRun {
 public:
  explicit BreakerRun(const fusebox::CircuitBreakerConfig& config)
      : breaker_{"b", config, clock_}, reference_{config, now()} {}
  BreakerRun(const BreakerRun&) = delete;
  BreakerRun& operator=(const BreakerRun&) = delete;
  ~BreakerRun() = default;

  /// Empty, or how the breaker first differed from the reference.
  std::string run(const Commands& commands) {
    do_all(commands);
    while (!permits_.empty() && problem_.empty()) do_one(drop(0));
    return problem_;
  }

  [[nodiscard]] const std::vector<Change>& changes() const { return reference_.changes(); }

 private:
  using Breaker = fusebox::CircuitBreaker<fusebox::test::FakeClock>;
  using Outcome = fusebox::Outcome;
  using State = fusebox::State;

  struct Lent {
    fusebox::Permit permit;
    Call call;
  };
  struct Seen {
    fusebox::StateChange change;
    std::chrono::system_clock::time_point when;
  };
  struct Heard {
    std::string name;
    Outcome outcome;
    std::optional<std::chrono::nanoseconds> duration;
    std::optional<fusebox::Failure> failure;
  };
  struct Listener {
    std::size_t since;  // the calls that ended before it began are not its own
    std::shared_ptr<std::vector<Heard>> heard;
    fusebox::Subscription subscription;
  };
  struct Subscriber {
    std::size_t since;  // the changes before it began are not its own
    std::shared_ptr<std::vector<Seen>> seen;
    fusebox::Subscription subscription;
  };

  [[nodiscard]] Time now() const { return std::chrono::nanoseconds{clock_.now().time_since_epoch()}.count(); }

  void do_all(const Commands& commands) {
    for (const Command& command : commands) {
      if (!problem_.empty()) return;
      do_one(command);
    }
  }

  void do_one(const Command& command) {
    doing_ = &command;
    switch (command.kind) {
      case Command::Kind::acquire: acquire(); break;
      case Command::Kind::execute: execute(command); break;
      case Command::Kind::report:
      case Command::Kind::report_twice:
      case Command::Kind::report_failure:
      case Command::Kind::drop: end_permit(command); break;
      case Command::Kind::advance: clock_.advance(span(command)); break;
      case Command::Kind::jump_wall:
        clock_.set_wall(clock_.wall_now() + std::chrono::hours{command.offset});
        break;
      case Command::Kind::reset:
        breaker_.reset();
        reference_.reset();
        break;
      case Command::Kind::force_open:
        breaker_.force_open();
        reference_.force_open();
        break;
      case Command::Kind::disable:
        breaker_.disable();
        reference_.disable();
        break;
      case Command::Kind::subscribe: subscribe(); break;
      case Command::Kind::unsubscribe:
        if (!subscribers_.empty()) {
          subscribers_.erase(subscribers_.begin() +
                             static_cast<std::ptrdiff_t>(command.which % subscribers_.size()));
        }
        break;
      case Command::Kind::listen: listen(); break;
      case Command::Kind::stop_listening:
        if (!listeners_.empty()) {
          listeners_.erase(listeners_.begin() +
                           static_cast<std::ptrdiff_t>(command.which % listeners_.size()));
          reference_.stop_listening();
        }
        break;
      case Command::Kind::reconfigure: reconfigure(command); break;
    }
    doing_ = &command;
    compare();
  }

  void acquire() {
    const auto call = reference_.admit();
    fusebox::Permit permit = breaker_.try_acquire();
    expect("admitted", static_cast<bool>(permit), call.has_value());
    if (call) {
      permits_.push_back({std::move(permit), *call});
    } else {
      compare_rejection(permit.rejection(), reference_.retry_after());
    }
  }

  void end_permit(const Command& command) {
    if (permits_.empty()) return;
    const auto place = permits_.begin() + static_cast<std::ptrdiff_t>(command.which % permits_.size());
    Lent lent = std::move(*place);
    permits_.erase(place);
    if (command.kind == Command::Kind::drop) {
      lent.permit = {};
      reference_.report(lent.call, Outcome::ignored);
      return;
    }
    if (command.kind == Command::Kind::report_failure) return report_failure(lent, command);
    lent.permit.report(command.outcome);
    reference_.report(lent.call, command.outcome);
    if (command.kind == Command::Kind::report_twice) {
      lent.permit.failure();
      lent.permit.success();
      expect("admitted after the report", static_cast<bool>(lent.permit), true);
    }
  }

  void report_failure(Lent& lent, Command command) {
    const int number = ++failures_;
    if (command.ending == Ending::value) command.ending = Ending::error_503;
    const fusebox::Failure failure = [&] {
      try {
        static_cast<void>(end_op(command, number));
      } catch (...) {
        return fusebox::Failure::from_current_exception();
      }
      return fusebox::Failure{std::make_error_code(std::errc::connection_refused)};
    }();
    bool classify_threw = false;
    try {
      lent.permit.report(failure);
    } catch (const ClassifyThrew&) {
      classify_threw = true;
    }
    const auto [outcome, result] = judge(command, false, lent.call);
    expect("classify threw", classify_threw, result == "classify threw");
    reference_.report(lent.call, outcome, left_by(command, number, false));
  }

  void reconfigure(const Command& command) {
    if (!command.config) return;
    // The breaker tells 16 configs apart: calls that are under way must not outlast them.
    const auto is_old = [this](const Call& call) { return call.config + 15 <= reference_.configs(); };
    if (std::any_of(permits_.begin(), permits_.end(), [&](const Lent& lent) { return is_old(lent.call); }) ||
        std::any_of(under_way_.begin(), under_way_.end(), is_old)) {
      return;
    }
    const auto& before = breaker_.config();
    auto config = *command.config;
    if ((command.which & keep_failure_rate) != 0) config.failure_rate = before.failure_rate;
    if ((command.which & keep_slow_calls) != 0) config.slow_calls = before.slow_calls;
    if ((command.which & keep_counts) != 0) {
      config.failure_threshold = before.failure_threshold;
      config.success_threshold = before.success_threshold;
    }
    if (validate(config).empty()) {
      breaker_.reconfigure(config);
      reference_.reconfigure(config);
      return;
    }
    try {
      breaker_.reconfigure(config);
      expect("a bad config is refused", false, true);
    } catch (const fusebox::ConfigError&) {
    }
  }

  // What an execute gave its caller.
  static constexpr int value = 1;
  static constexpr int failed_value = 2;
  static constexpr int fallback_value = 3;
  struct Unknown {};

  void execute(const Command& command) {
    const Time start = now();
    const int number = ++failures_;
    const Time retry_after = reference_.retry_after();
    const auto call = reference_.admit(inside_);
    bool called = false;
    const auto op = [&] {
      called = true;
      if (call) {
        compare();
        if (call->slot) inside_.push_back(*call);
        under_way_.push_back(*call);
        do_all(command.inside);
        under_way_.pop_back();
        if (call->slot) inside_.pop_back();
      }
      doing_ = &command;
      return end_op(command, number);
    };
    const std::string got = outcome_of(command, op, retry_after);
    expect("op called", called, call.has_value());
    if (!problem_.empty()) return;
    if (!call) return expect("result of a rejected call", got, command.has_fallback ? "3" : "circuit open");

    const bool late = command.has_timeout && now() - start > call_timeout.count();
    const auto [outcome, result] = judge(command, late, *call);
    expect("result", got, result);
    reference_.report(*call, outcome, left_by(command, number, late));
  }

  static int end_op(const Command& command, int number) {
    using namespace fusebox;
    switch (command.ending) {
      case Ending::value: break;
      case Ending::failed_value: return failed_value;
      case Ending::error_503: {
        const ApiError error{ErrorCode::service_unavailable, "down " + std::to_string(number)};
        throw command.asks > 0 ? error.with_retry_after(std::chrono::milliseconds{command.asks}) : error;
      }
      case Ending::error_404: throw ApiError{ErrorCode::not_found, "answered " + std::to_string(number)};
      case Ending::unknown_error: throw Unknown{};
      case Ending::cancelled: throw CancelledError{};
      case Ending::rejected: throw BulkheadFullError{"another"};
    }
    return value;
  }

  /// The failure that the breaker knows of afterwards.
  [[nodiscard]] static Left left_by(const Command& command, int number, bool late) {
    switch (command.ending) {
      case Ending::value:
        if (!late) return std::nullopt;
        break;
      case Ending::error_404: return KnownFailure{"answered " + std::to_string(number)};
      case Ending::error_503: {
        KnownFailure failure{"down " + std::to_string(number)};
        if (command.asks > 0) failure.retry_after = std::chrono::milliseconds{command.asks};
        return failure;
      }
      default: break;
    }
    return KnownFailure{};
  }

  template <class Op>
  std::string outcome_of(const Command& command, Op op, Time retry_after) {
    using namespace fusebox;
    const auto fallback = [] { return fallback_value; };
    const auto rule = failure_if([](int given) { return given == failed_value; });
    const CallOptions options{.timeout = call_timeout};
    try {
      if (command.has_fallback) {
        return std::to_string(command.has_timeout ? breaker_.execute(op, fallback, options, rule)
                                                  : breaker_.execute(op, fallback, rule));
      }
      return std::to_string(command.has_timeout ? breaker_.execute(op, options, rule)
                                                : breaker_.execute(op, rule));
    } catch (const CircuitOpenError& error) {
      compare_rejection(error, retry_after);
      const State state = reference_.state();
      const bool was_opened = state == State::open || state == State::half_open;
      compare_failure("cause in the error", error.cause(), was_opened ? reference_.cause() : std::nullopt);
      return "circuit open";
    } catch (const CancelledError&) {
      return "cancelled";
    } catch (const BulkheadFullError&) {
      return "rejected";
    } catch (const ApiError& error) {
      return error.code() == ErrorCode::not_found ? "404" : "503";
    } catch (const ClassifyThrew&) {
      return "classify threw";
    } catch (const Unknown&) {
      return "unknown";
    }
  }

  /// How an admitted call is recorded, and what its caller gets (B10, B12).
  [[nodiscard]] std::pair<Outcome, std::string> judge(const Command& command, bool late,
                                                      const Call& call) const {
    struct Row {
      Outcome outcome;
      const char* result;
    };
    const Row row = [&]() -> Row {
      switch (command.ending) {
        case Ending::value: return {Outcome::success, "1"};
        case Ending::failed_value: return {Outcome::failure, "2"};
        case Ending::error_503: return {Outcome::failure, "503"};
        case Ending::error_404: return {Outcome::success, "404"};
        case Ending::unknown_error: return {Outcome::failure, "unknown"};
        case Ending::cancelled: return {Outcome::ignored, "cancelled"};
        case Ending::rejected: return {Outcome::ignored, "rejected"};
      }
      return {Outcome::ignored, "?"};
    }();
    if (command.ending == Ending::value) return {late ? Outcome::failure : row.outcome, row.result};
    if (command.ending == Ending::cancelled) return {row.outcome, row.result};
    const std::string result = command.has_fallback ? "3" : row.result;
    if (command.ending == Ending::rejected) return {row.outcome, result};
    if (late) return {Outcome::failure, result};
    const auto classify = reference_.config_of(call).classify;
    if (classify == throw_from_classify) return {Outcome::ignored, "classify threw"};
    if (classify == ignore_failures) return {Outcome::ignored, result};
    return {row.outcome, result};
  }

  void subscribe() {
    auto seen = std::make_shared<std::vector<Seen>>();
    auto subscription = breaker_.on_state_change(
        [seen, this](const fusebox::StateChange& change) { seen->push_back({change, clock_.wall_now()}); });
    subscribers_.push_back({reference_.changes().size(), seen, std::move(subscription)});
  }

  void listen() {
    auto heard = std::make_shared<std::vector<Heard>>();
    auto subscription = breaker_.on_call([heard](const fusebox::CallEvent& event) {
      std::optional<fusebox::Failure> failure;
      if (event.failure != nullptr) failure = *event.failure;
      heard->push_back({event.name, event.outcome, event.duration, failure});
    });
    listeners_.push_back({reference_.ended().size(), heard, std::move(subscription)});
    reference_.listen();
  }

  [[nodiscard]] std::chrono::nanoseconds span(const Command& command) const {
    const auto& config = breaker_.config();
    const auto bucket = [](std::chrono::nanoseconds length) {
      return length / 10 + std::chrono::nanoseconds{length % 10 != std::chrono::nanoseconds{0}};
    };
    const auto length = [&]() -> std::chrono::nanoseconds {
      const auto none = std::chrono::nanoseconds::zero();
      switch (command.span) {
        case Span::nothing: return none;
        case Span::reset_timeout: return config.reset_timeout;
        case Span::probe_timeout: return config.probe_timeout;
        case Span::slower_than: return config.slow_calls ? config.slow_calls->slower_than : none;
        case Span::call_timeout: return call_timeout;
        case Span::rate_window: return config.failure_rate ? config.failure_rate->window.length() : none;
        case Span::rate_bucket:
          return config.failure_rate ? bucket(config.failure_rate->window.length()) : none;
        case Span::slow_window: return config.slow_calls ? config.slow_calls->window.length() : none;
        case Span::slow_bucket: return config.slow_calls ? bucket(config.slow_calls->window.length()) : none;
        case Span::recovery_time: return config.recovery_time;
        case Span::recovery_tenth: return config.recovery_time / 10;
        case Span::until_due: return std::chrono::nanoseconds{reference_.retry_after()};
      }
      return none;
    }();
    // A script of a few hundred commands stays within what the timeline can hold.
    return std::clamp(length, std::chrono::nanoseconds{0}, std::chrono::nanoseconds{10'000'000'000'000'000}) +
           std::max(std::chrono::nanoseconds{command.offset}, -std::min(length, std::chrono::nanoseconds{5}));
  }

  // The comparison.

  template <class T, class U>
  void expect(const char* what, const T& got, const U& wanted) {
    if (got == wanted || !problem_.empty()) return;
    std::ostringstream text;
    text << what << ": the breaker says " << got << ", by the rules it is " << wanted << ", after "
         << (doing_ != nullptr ? to_code(*doing_) : "the beginning");
    problem_ = text.str();
  }

  void compare() {
    reference_.advance_to(now());
    if (reference_.openings() != openings_) {
      openings_ = reference_.openings();
      const Time wait = breaker_.retry_after().count();
      expect("the wait of this opening is possible", reference_.take_wait(wait), true);
    }
    const auto stats = breaker_.stats();
    expect("state", to_string(breaker_.state()), to_string(reference_.state()));
    expect("stats.state", to_string(stats.state), to_string(reference_.state()));
    expect("retry_after", breaker_.retry_after().count(), reference_.retry_after());
    expect("stats.retry_after", stats.retry_after.count(), reference_.retry_after());
    expect("success_count", stats.success_count, reference_.success_count);
    expect("failure_count", stats.failure_count, reference_.failure_count);
    expect("ignored_count", stats.ignored_count, reference_.ignored_count);
    expect("rejected_count", stats.rejected_count, reference_.rejected_count);
    expect("slow_count", stats.slow_count, reference_.slow_count);
    expect("opened_count", stats.opened_count, reference_.opened_count);
    expect("consecutive_failures", stats.consecutive_failures, reference_.consecutive_failures());
    expect("failure_rate", stats.failure_rate, reference_.failure_rate());
    compare_time("last_failure_time", stats.last_failure_time, reference_.last_failure,
                 reference_.failures_ever, last_failure_);
    compare_time("last_success_time", stats.last_success_time, reference_.last_success,
                 reference_.successes_ever, last_success_);
    expect("window_calls", stats.window_calls, static_cast<std::uint64_t>(reference_.window_calls()));
    expect("window_failures", stats.window_failures,
           static_cast<std::uint64_t>(reference_.window_failures()));
    expect("window_slow_calls", stats.window_slow_calls,
           static_cast<std::uint64_t>(reference_.window_slow_calls()));
    expect("in_flight is known", stats.in_flight.has_value(), reference_.in_flight().has_value());
    expect("in_flight", stats.in_flight.value_or(0), reference_.in_flight().value_or(0));
    compare_failure("stats.last_failure", stats.last_failure, reference_.cause());
    expect("the config in force", breaker_.config() == reference_.config(), true);
    for (const Subscriber& subscriber : subscribers_) compare_changes(subscriber);
    for (const Listener& listener : listeners_) compare_calls(listener);
  }

  void compare_failure(const char* what, const std::optional<fusebox::Failure>& got, const Left& wanted) {
    expect(what, got ? "there" : "absent", wanted ? "there" : "absent");
    if (!got || !wanted) return;
    if (!wanted->text.empty()) expect(what, got->message(), wanted->text);
    constexpr std::chrono::milliseconds none{-1};
    expect(what, got->retry_after().value_or(none).count(), wanted->retry_after.value_or(none).count());
  }

  void compare_rejection(const fusebox::RejectedError& error, Time retry_after) {
    expect("name in the error", error.name(), std::string{"b"});
    expect("retry_after in the error",
           error.retry_after().value_or(std::chrono::milliseconds{-1}) / std::chrono::seconds{1},
           std::chrono::ceil<std::chrono::seconds>(std::chrono::nanoseconds{retry_after}).count());
  }

  void compare_calls(const Listener& listener) {
    const auto& wanted = reference_.ended();
    const auto& heard = *listener.heard;
    expect("calls heard", heard.size(), wanted.size() - listener.since);
    for (std::size_t i = 0; i < heard.size() && problem_.empty(); ++i) {
      const EndedCall& ended = wanted[listener.since + i];
      expect("name of a call", heard[i].name, "b");
      expect("outcome of a call", to_code(heard[i].outcome), to_code(ended.outcome));
      expect("duration of a call", heard[i].duration.value_or(std::chrono::nanoseconds{-1}).count(),
             ended.duration);
      compare_failure("failure of a call", heard[i].failure, ended.failure);
    }
  }

  /// A last time as it was first shown, and which call it is of.
  struct Shown {
    std::uint64_t call = 0;
    std::chrono::system_clock::time_point time;
  };

  void compare_time(const char* what, std::optional<std::chrono::system_clock::time_point> got,
                    std::optional<Time> stamp, std::uint64_t call, Shown& shown) {
    expect(what, got.has_value(), stamp.has_value());
    if (!got || !stamp) return;
    if (shown.call != call) shown = {call, clock_.wall_now() - std::chrono::nanoseconds{now() - *stamp}};
    expect(what, got->time_since_epoch().count(), shown.time.time_since_epoch().count());
  }

  void compare_changes(const Subscriber& subscriber) {
    const auto& wanted = reference_.changes();
    const auto& seen = *subscriber.seen;
    expect("changes delivered", seen.size(), wanted.size() - subscriber.since);
    for (std::size_t i = 0; i < seen.size() && problem_.empty(); ++i) {
      const Change& change = wanted[subscriber.since + i];
      expect("name of a change", seen[i].change.name, "b");
      expect("from", to_string(seen[i].change.from), to_string(change.from));
      expect("to", to_string(seen[i].change.to), to_string(change.to));
      expect("reason", to_string(seen[i].change.reason), to_string(change.reason));
      compare_failure("cause of a change", seen[i].change.cause, change.cause);
      expect("time of a change", seen[i].change.at.time_since_epoch().count(),
             seen[i].when.time_since_epoch().count());
    }
  }

  fusebox::test::FakeClock clock_;
  Breaker breaker_;
  ReferenceBreaker reference_;
  std::vector<Lent> permits_;  // after the breaker: none may outlive it
  std::vector<Subscriber> subscribers_;
  std::vector<Listener> listeners_;
  std::vector<Call> inside_;  // probes whose ops are running
  Shown last_failure_, last_success_;
  std::vector<Call> under_way_;  // executes
  int openings_ = 0;
  int failures_ = 0;  // a number in the text of each
  const Command* doing_ = nullptr;
  std::string problem_;
};

/// Empty, or how a breaker first differed from the reference. Adds the changes of state to `changes`.
inline std::string run(const BreakerScript& script, std::vector<Change>* changes = nullptr) {
  BreakerRun run{script.config};
  std::string problem = run.run(script.commands);
  if (changes != nullptr) changes->insert(changes->end(), run.changes().begin(), run.changes().end());
  return problem;
}

}  // namespace model
