// model/retry_run.hpp: makes the call of a script and compares what happened with the reference.
#pragma once

#include <fusebox/api_error.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
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
#include "support/task.hpp"

namespace model {

using namespace std::chrono_literals;

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
    int given_back = 0;
    bool try_withdraw() {
      ++asked;
      if (!tokens) return true;
      if (*tokens == 0) return false;
      --*tokens;
      return true;
    }
    void deposit() { ++deposits; }
    void give_back() { ++given_back; }
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

  /// The same for coroutines. On a manual timeline, which run_to_end() moves.
  class StoppingAsyncClock {
   public:
    explicit StoppingAsyncClock(RetryRun& run) : run_{&run} {}
    [[nodiscard]] auto now() const { return run_->fake_.now(); }
    [[nodiscard]] auto wall_now() const { return run_->fake_.wall_now(); }
    support::Task<bool> sleep_for(std::chrono::nanoseconds wait, std::stop_token token) const {
      return sleep(*run_, wait, std::move(token));
    }

   private:
    static support::Task<bool> sleep(RetryRun& run, std::chrono::nanoseconds wait, std::stop_token token) {
      run.slept_.push_back(wait.count());
      const fusebox::test::AsyncFakeClock fake{run.fake_};
      if (run.latest().stop != Stop::in_wait) co_return co_await fake.sleep_for(wait, token);
      co_await fake.sleep_for(wait / 2, token);
      run.source_.request_stop();
      co_return false;
    }

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

  static fusebox::CircuitOpenError rejection(const Attempt& attempt) {
    std::optional<std::chrono::milliseconds> after;
    if (attempt.retry_after) after = fusebox::detail::to_milliseconds(*attempt.retry_after);
    return fusebox::CircuitOpenError{"inner", after};
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
      case Fault::rejected: return to(rejection(attempt));
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
    expect("the attempt's number", given.number, static_cast<int>(calls_ + 1));
    expect("the attempt's resend_count", given.resend_count.value_or(0), static_cast<int>(calls_));
    return op();
  }

  Answer op() {
    ++calls_;
    fake_.advance(latest().takes);
    if (latest().stop == Stop::in_op) source_.request_stop();
    Answer answer;
    if (gives_values()) {
      fail(latest(), Returner{answer.failure});
    } else {
      fail(latest(), Thrower{});
    }
    return answer;
  }

  support::Task<Answer> awaited_op(const fusebox::Attempt& given) {
    const int number = given.number;
    co_await pause_;
    expect("the attempt's number after a suspension", given.number, number);
    co_return op(given);
  }
  /// Resumes what is suspended: op, or a sleep.
  template <class T>
  T run_to_end(support::Task<T> task) {
    fake_.set_manual();
    task.start();
    while (!task.is_done()) {
      if (pause_.is_waiting()) {
        pause_.resume();
      } else {
        fake_.advance(fake_.sleeps().back());
      }
    }
    return task.result();
  }

  /// A list, or a step, or the formula.
  template <class... Rule>
  void call(Rule... rule) {
    const auto& list = script_.list;
    if (list.empty() && !script_.step) return call_with(rule...);
    call_with(fusebox::backoff([&](int number, const fusebox::Failure& failure) {
                if (script_.step) return fusebox::linear(*script_.step).call(number, failure);
                const auto at = [&](std::size_t i) { return list[std::min(i, list.size() - 1)]; };
                return fusebox::backoff({at(0), at(1), at(2), at(3)}).call(number, failure);
              }),
              rule...);
  }

  [[nodiscard]] fusebox::Deadline deadline() const {
    if (!script_.deadline) return fusebox::Deadline::never();
    return fusebox::Deadline::after(*script_.deadline, script_.deadline_of_another_clock ? other_ : fake_);
  }

  template <class... Rule>
  void call_with(Rule... rule) {
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
                   with_random(generator_), deadline(), more...);
    };
    const auto awaited = [this](const fusebox::Attempt& given) { return this->awaited_op(given); };
    const auto await = [&](auto retry, auto... more) {
      return run_to_end(retry(awaited, script_.config, StoppingAsyncClock{*this}, source_.get_token(), hook,
                              at_end, budget_, with_random(generator_), deadline(), more...));
    };
    const auto catching = [&](auto use) {
      try {
        use();
      } catch (...) {
        thrown_ = std::current_exception();
      }
    };
    const auto throwing = [](auto&&... all) {
      return retry_with_backoff(std::forward<decltype(all)>(all)...);
    };
    const auto trying = [](auto&&... all) {
      return try_retry_with_backoff(std::forward<decltype(all)>(all)...);
    };
    const auto by_value = failure_if([](const Answer& answer) { return answer.failure; });
    switch (script_.form) {
      case Form::tries: return take(options(trying, rule...));
      case Form::by_value: return catching([&] { take(options(throwing, by_value, rule...)); });
      case Form::awaits_tries: return take(await(trying, rule...));
      case Form::awaits_throws: return catching([&] { take(await(throwing, rule...)); });
      case Form::awaits_by_value: return catching([&] { take(await(throwing, by_value, rule...)); });
      case Form::throws: return catching([&] { take(options(throwing, rule...)); });
      case Form::by_hand:
        RetryState state{script_.config, StoppingClock{*this},    source_.get_token(), hook,   at_end,
                         budget_,        with_random(generator_), deadline(),          rule...};
        drive(state);
        stats_ = state.stats();
        has_value_ = stats_.stop_reason == StopReason::succeeded;
    }
  }

  /// What a program does that waits otherwise.
  void drive(fusebox::RetryState& state) {
    const StoppingClock clock{*this};
    const auto token = source_.get_token();
    if (token.stop_requested()) return state.cancel();
    for (;;) {
      std::optional<fusebox::Failure> failure;
      try {
        static_cast<void>(op());
      } catch (...) {
        failure = fusebox::Failure::from_current_exception();
      }
      if (!failure) return state.succeed();
      const auto wait = state.next(*std::move(failure));
      if (!wait) return;
      if (!clock.sleep_for(*wait, token) || token.stop_requested()) return state.cancel();
      if (calls_ % 2 == 0) state.begin_attempt();  // or else the next call implies it
    }
  }

  void compare() {
    if (script_.stopped_before) return ended(0, fusebox::StopReason::cancelled);
    const Nanos timeout =
        std::min(script_.config.total_timeout, std::max(0ns, script_.deadline.value_or(fusebox::no_timeout)))
            .count();
    const bool has_timeout = timeout != fusebox::no_timeout.count();
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
      was_cut_short_ = now.stop == Stop::in_on_retry || now.stop == Stop::in_wait;
      if (was_cut_short_) return ended(number, fusebox::StopReason::cancelled);
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
    expect("tokens given back", budget_.given_back, was_cut_short_ ? 1 : 0);
    const bool throws = script_.form == Form::throws || script_.form == Form::awaits_throws;
    if (!succeeded && (throws || (gives_values() && (script_.stopped_before || was_cut_short_)))) {
      expect("an exception", thrown_ != nullptr, true);
      if (thrown_) compare_exception();
    } else {
      expect("an exception", thrown_ != nullptr, false);
      expect("has_value()", has_value_, succeeded);
    }
  }

  [[nodiscard]] bool gives_values() const {
    return script_.form == Form::by_value || script_.form == Form::awaits_by_value;
  }

  /// op's last, or CancelledError with op's last as its cause (R4).
  void compare_exception() {
    try {
      std::rethrow_exception(thrown_);
    } catch (const fusebox::CancelledError& error) {
      if (thrown_ == last_exception()) return;
      expect("CancelledError", script_.stopped_before || was_cut_short_, true);
      expect("a cause", error.cause().has_value(), was_cut_short_);
      if (!error.cause()) return;
      const fusebox::Failure& cause = *error.cause();
      expect("the cause is op's last failure",
             cause.exception() == last_exception() && cause.code() == stats_.errors.back().code(), true);
    } catch (...) {
      expect("the exception is op's last", thrown_ == last_exception(), true);
    }
  }

  [[nodiscard]] std::exception_ptr last_exception() const {
    return stats_.errors.empty() ? nullptr : stats_.errors.back().exception();
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
  support::Gate pause_;
  fusebox::test::FakeClock other_ = [] {
    fusebox::test::FakeClock clock;
    clock.advance(std::chrono::hours{7});
    return clock;
  }();
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
  bool was_cut_short_ = false;
};

}  // namespace model
