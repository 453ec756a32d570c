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

  struct Lent {
    fusebox::Permit permit;
    Call call;
  };
  struct Seen {
    fusebox::StateChange change;
    std::chrono::system_clock::time_point when;
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
    }
    doing_ = &command;
    compare();
  }

  void acquire() {
    const auto call = reference_.admit();
    fusebox::Permit permit = breaker_.try_acquire();
    expect("admitted", static_cast<bool>(permit), call.has_value());
    if (call) permits_.push_back({std::move(permit), *call});
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
    lent.permit.report(command.outcome);
    reference_.report(lent.call, command.outcome);
    if (command.kind == Command::Kind::report_twice) {
      lent.permit.failure();
      lent.permit.success();
      expect("admitted after the report", static_cast<bool>(lent.permit), true);
    }
  }

  // What an execute gave its caller.
  static constexpr int value = 1;
  static constexpr int failed_value = 2;
  static constexpr int fallback_value = 3;
  struct Unknown {};

  void execute(const Command& command) {
    const Time start = now();
    const Time retry_after = reference_.retry_after();
    const auto call = reference_.admit(inside_);
    bool called = false;
    const auto op = [&] {
      called = true;
      if (call) {
        compare();
        if (call->slot) inside_.push_back(*call);
        do_all(command.inside);
        if (call->slot) inside_.pop_back();
      }
      doing_ = &command;
      return end_op(command.ending);
    };
    const std::string got = outcome_of(command, op, retry_after);
    expect("op called", called, call.has_value());
    if (!problem_.empty()) return;
    if (!call) return expect("result of a rejected call", got, command.has_fallback ? "3" : "circuit open");

    const bool late = command.has_timeout && now() - start > call_timeout.count();
    const auto [outcome, result] = judge(command, late);
    expect("result", got, result);
    reference_.report(*call, outcome);
  }

  static int end_op(Ending ending) {
    using namespace fusebox;
    switch (ending) {
      case Ending::value: break;
      case Ending::failed_value: return failed_value;
      case Ending::error_503: throw ApiError{ErrorCode::service_unavailable, "down"};
      case Ending::error_404: throw ApiError{ErrorCode::not_found, "answered"};
      case Ending::unknown_error: throw Unknown{};
      case Ending::cancelled: throw CancelledError{};
      case Ending::rejected: throw BulkheadFullError{"another"};
    }
    return value;
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
      expect("name in the error", error.name(), std::string{"b"});
      expect("retry_after in the error", error.retry_after().value_or(std::chrono::seconds{-1}).count(),
             std::chrono::ceil<std::chrono::seconds>(std::chrono::nanoseconds{retry_after}).count());
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
  [[nodiscard]] std::pair<Outcome, std::string> judge(const Command& command, bool late) const {
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
    if (breaker_.config().classify == throw_from_classify) return {Outcome::ignored, "classify threw"};
    if (breaker_.config().classify == ignore_failures) return {Outcome::ignored, result};
    return {row.outcome, result};
  }

  void subscribe() {
    auto seen = std::make_shared<std::vector<Seen>>();
    auto subscription = breaker_.on_state_change(
        [seen, this](const fusebox::StateChange& change) { seen->push_back({change, clock_.wall_now()}); });
    subscribers_.push_back({reference_.changes().size(), seen, std::move(subscription)});
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
    compare_time("last_failure_time", stats.last_failure_time, reference_.last_failure);
    compare_time("last_success_time", stats.last_success_time, reference_.last_success);
    for (const Subscriber& subscriber : subscribers_) compare_changes(subscriber);
  }

  void compare_time(const char* what, std::optional<std::chrono::system_clock::time_point> got,
                    std::optional<Time> stamp) {
    expect(what, got.has_value(), stamp.has_value());
    if (!got || !stamp) return;
    const auto wanted = clock_.wall_now() - std::chrono::nanoseconds{now() - *stamp};
    expect(what, got->time_since_epoch().count(), wanted.time_since_epoch().count());
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
      expect("time of a change", seen[i].change.at.time_since_epoch().count(),
             seen[i].when.time_since_epoch().count());
    }
  }

  fusebox::test::FakeClock clock_;
  Breaker breaker_;
  ReferenceBreaker reference_;
  std::vector<Lent> permits_;  // after the breaker: none may outlive it
  std::vector<Subscriber> subscribers_;
  std::vector<Call> inside_;  // probes whose ops are running
  int openings_ = 0;
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
