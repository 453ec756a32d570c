// model/retry_run.hpp: makes the call of a script and compares what happened with the reference.
#pragma once

#include <fusebox/api_error.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "reference_retry.hpp"
#include "retry_script.hpp"

namespace model {

class RetryRun {
 public:
  explicit RetryRun(const RetryScript& script)
      : script_{script}, reference_{script}, generator_{script.draws}, budget_{script.tokens} {}
  RetryRun(const RetryRun&) = delete;
  RetryRun& operator=(const RetryRun&) = delete;
  ~RetryRun() = default;

  /// Empty, or how the call first differed from the reference.
  std::string run() {
    if (script_.stopped_before) source_.request_stop();
    switch (script_.accepts) {
      case Accepts::transient: call(); break;
      case Accepts::everything: call(fusebox::retry_if([](const fusebox::Failure&) { return true; })); break;
      case Accepts::nothing: call(fusebox::retry_if([](const fusebox::Failure&) { return false; })); break;
    }
    compare();
    return problem_;
  }

  [[nodiscard]] fusebox::StopReason stop_reason() const { return stats_.stop_reason; }

 private:
  struct Answer {
    std::optional<fusebox::Failure> failure;
  };

  class Generator {
   public:
    using result_type = std::uint64_t;
    explicit Generator(Draws draws) : draws_{draws} {}
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
    result_type operator()() {
      return draws_ == Draws::smallest ? min() : draws_ == Draws::largest ? max() : engine_();
    }

   private:
    Draws draws_;
    std::mt19937_64 engine_;  // NOLINT(cert-msc*): the same numbers each time
  };

  struct Budget {
    std::optional<int> tokens;
    int asked = 0;
    int deposits = 0;
    bool try_withdraw() {
      ++asked;
      if (!tokens) return true;
      if (*tokens == 0) return false;
      --*tokens;
      return true;
    }
    void deposit() { ++deposits; }
  };

  /// The fake clock, but for a wait during which somebody stops the token.
  class StoppingClock {
   public:
    explicit StoppingClock(RetryRun& run) : run_{&run} {}
    [[nodiscard]] auto now() const { return run_->fake_.now(); }
    [[nodiscard]] auto wall_now() const { return run_->fake_.wall_now(); }
    bool sleep_for(std::chrono::nanoseconds wait, const std::stop_token& token) const {
      run_->slept_.push_back(wait.count());
      if (run_->latest().stop != Stop::in_wait) return run_->fake_.sleep_for(wait, token);
      static_cast<void>(run_->fake_.sleep_for(wait / 2, token));
      run_->source_.request_stop();
      return false;
    }

   private:
    RetryRun* run_;
  };

  struct Retried {
    int attempt;
    Nanos delay;
  };

  [[nodiscard]] const Attempt& attempt(std::size_t number) const {
    static const Attempt success;
    return number <= script_.attempts.size() ? script_.attempts[number - 1] : success;
  }
  [[nodiscard]] const Attempt& latest() const { return attempt(calls_); }

  static fusebox::ApiError with(fusebox::ErrorCode code, const Attempt& attempt) {
    fusebox::ApiError error{code, "failed"};
    return attempt.retry_after ? error.with_retry_after(*attempt.retry_after) : error;
  }

  /// Hands the failure of `attempt` to `to`, as the type it has.
  template <class To>
  static void fail(const Attempt& attempt, To to) {
    using fusebox::ErrorCode;
    using fusebox::NetworkErrc;
    switch (attempt.fault) {
      case Fault::none: return;
      case Fault::connection_reset: return to(make_error_code(NetworkErrc::connection_reset));
      case Fault::connection_refused: return to(make_error_code(std::errc::connection_refused));
      case Fault::host_not_found: return to(make_error_code(NetworkErrc::host_not_found));
      case Fault::timed_out: return to(fusebox::TimeoutError{});
      case Fault::status_404: return to(with(ErrorCode::not_found, attempt));
      case Fault::status_429: return to(with(ErrorCode::rate_limit_exceeded, attempt));
      case Fault::status_500: return to(with(ErrorCode::internal_server_error, attempt));
      case Fault::status_503: return to(with(ErrorCode::service_unavailable, attempt));
      case Fault::unknown: return to(42);
      case Fault::cancelled: return to(fusebox::CancelledError{});
      case Fault::rejected: return to(fusebox::CircuitOpenError{"inner", attempt.retry_after});
    }
  }
  struct Thrower {
    void operator()(std::error_code code) const { throw std::system_error{code}; }
    template <class E>
    void operator()(E error) const {
      throw error;
    }
  };
  struct Returner {
    std::optional<fusebox::Failure>& to;
    void operator()(int) const { to = fusebox::Failure{std::error_code{}}; }
    template <class E>
    void operator()(E error) const {
      to = fusebox::Failure{std::move(error)};
    }
  };

  Answer op(const fusebox::Attempt& given) {
    ++calls_;
    const int number = static_cast<int>(calls_);
    expect("the attempt's number", given.number, number);
    expect("the attempt's resend_count", given.resend_count.value_or(0), number - 1);
    fake_.advance(latest().takes);
    if (latest().stop == Stop::in_op) source_.request_stop();
    Answer answer;
    if (script_.form == Form::by_value) {
      fail(latest(), Returner{answer.failure});
    } else {
      fail(latest(), Thrower{});
    }
    return answer;
  }

  template <class... Rule>
  void call(Rule... rule) {
    using namespace fusebox;
    const auto op = [this](const fusebox::Attempt& given) { return this->op(given); };
    const auto hook = on_retry([this](int number, const Failure&, std::chrono::nanoseconds delay) {
      retried_.push_back({number, delay.count()});
      if (latest().stop == Stop::in_on_retry) source_.request_stop();
    });
    const auto at_end = on_give_up([this](const RetryStats& stats) {
      ++give_ups_;
      stats_ = stats;
    });
    const auto take = [this](const auto& result) {
      stats_ = result.stats;
      has_value_ = result.has_value();
    };
    const auto options = [&](auto retry, auto... more) {
      return retry(op, script_.config, StoppingClock{*this}, source_.get_token(), hook, at_end, budget_,
                   with_random(generator_), more...);
    };
    const auto throwing = [](auto&&... all) {
      return retry_with_backoff(std::forward<decltype(all)>(all)...);
    };
    const auto trying = [](auto&&... all) {
      return try_retry_with_backoff(std::forward<decltype(all)>(all)...);
    };
    switch (script_.form) {
      case Form::tries: return take(options(trying, rule...));
      case Form::by_value:
        if (script_.stopped_before) return take(options(trying, rule...));
        return take(
            options(throwing, failure_if([](const Answer& answer) { return answer.failure; }), rule...));
      case Form::throws: try { take(options(throwing, rule...));
        } catch (...) {
          thrown_ = std::current_exception();
        }
    }
  }

  void compare() {
    if (script_.stopped_before) return ended(0, fusebox::StopReason::cancelled);
    const Nanos timeout = script_.config.total_timeout.count();
    const bool has_timeout = script_.config.total_timeout != fusebox::no_timeout;
    Nanos since_first = 0;
    bool stopped = false;
    for (int number = 1;; ++number) {
      const Attempt& now = attempt(static_cast<std::size_t>(number));
      since_first = fusebox::detail::saturating_add(since_first, now.takes.count());
      stopped = stopped || now.stop == Stop::in_op;
      if (now.fault == Fault::none) return ended(number, fusebox::StopReason::succeeded);
      if (const auto reason = reference_.stops_early(number, stopped)) return ended(number, *reason);
      const Bounds bounds = reference_.wait(number);
      const Nanos left = std::max<Nanos>(0, timeout - since_first);
      if (has_timeout && bounds.high >= left) {
        const bool ends = stats_.stop_reason == fusebox::StopReason::deadline && stats_.attempts == number;
        if (bounds.low >= left || ends) return ended(number, fusebox::StopReason::deadline);
      }
      ++asked_;
      if (!reference_.takes_token()) return ended(number, fusebox::StopReason::budget_exhausted);

      const std::size_t wait = waits_++;
      if (wait >= retried_.size() || wait >= slept_.size()) {
        problem_ = "it did not wait after attempt " + std::to_string(number) + ": it stopped, " +
                   std::string{to_string(stats_.stop_reason)};
        return;
      }
      const Nanos slept = slept_[wait];
      expect("on_retry's attempt", retried_[wait].attempt, number);
      expect("on_retry's delay", retried_[wait].delay, slept);
      if (!bounds.contain(slept) || (has_timeout && slept >= left)) {
        problem_ = "wait " + std::to_string(wait + 1) + " is " + std::to_string(slept) +
                   ", which is not in [" + std::to_string(bounds.low) + ", " + std::to_string(bounds.high) +
                   "] or not before the deadline";
        return;
      }
      reference_.waited(number, slept);
      if (now.stop == Stop::in_on_retry || now.stop == Stop::in_wait)
        return ended(number, fusebox::StopReason::cancelled);
      total_ = fusebox::detail::saturating_add(total_, slept);
      since_first = fusebox::detail::saturating_add(since_first, slept);
    }
  }

  /// The call ended after `attempts`, and nothing more happened.
  void ended(int attempts, fusebox::StopReason reason) {
    const bool succeeded = reason == fusebox::StopReason::succeeded;
    const int failures = succeeded ? attempts - 1 : attempts;
    if (stats_.stop_reason != reason) {
      problem_ = "after attempt " + std::to_string(stats_.attempts) + " the call ended " +
                 std::string{to_string(stats_.stop_reason)} + ", by the rules after " +
                 std::to_string(attempts) + " " + std::string{to_string(reason)};
    }
    expect("calls of op", static_cast<int>(calls_), attempts);
    expect("stats.attempts", stats_.attempts, attempts);
    expect("stats.total_delay", stats_.total_delay.count(), total_);
    expect("stats.errors", stats_.errors.size(), static_cast<std::size_t>(failures));
    expect("waits", slept_.size(), waits_);
    expect("calls of on_retry", retried_.size(), waits_);
    expect("calls of on_give_up", give_ups_, succeeded ? 0 : 1);
    expect("withdrawals", budget_.asked, asked_);
    expect("deposits", budget_.deposits, succeeded ? 1 : 0);
    if (script_.form == Form::throws) {
      expect("an exception", thrown_ != nullptr, !succeeded);
      const bool is_last = !thrown_ || stats_.errors.empty() || thrown_ == stats_.errors.back().exception();
      expect("the exception is op's last", is_last, true);
    } else {
      expect("has_value()", has_value_, succeeded);
    }
  }

  template <class T>
  void expect(const char* what, const T& got, const T& expected) {
    if (got == expected || !problem_.empty()) return;
    problem_ = std::string{what} + ": " + std::to_string(got) + ", by the rules " + std::to_string(expected);
  }

  const RetryScript& script_;
  ReferenceRetry reference_;
  Generator generator_;
  Budget budget_;
  fusebox::test::FakeClock fake_;
  std::stop_source source_;
  std::string problem_;

  // What the call did.
  std::size_t calls_ = 0;
  std::vector<Retried> retried_;
  std::vector<Nanos> slept_;
  int give_ups_ = 0;
  fusebox::RetryStats stats_;
  bool has_value_ = false;
  std::exception_ptr thrown_;

  // What it should have done.
  std::size_t waits_ = 0;
  int asked_ = 0;
  Nanos total_ = 0;
};

}  // namespace model
