// composition/bench.hpp: the policies of one row on one fake clock, the dependency, and what is seen of them.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "composition/row.hpp"
#include "support/breaker_states.hpp"
#include "support/retry.hpp"
#include "support/task.hpp"
#include "support/throttle.hpp"

namespace composition {

using support::Breaker;
using Throttle = support::FakeThrottle;

class Bench {
  // First, since clang asks for their types. Not in retry(): of one type each, so that flows with ops of one
  // type share what they instantiate.
  static auto everything() {
    return fusebox::retry_if([](const fusebox::Failure&) { return true; });
  }
  auto stop_in_wait() {
    return fusebox::on_retry([this](int, const fusebox::Failure&, std::chrono::nanoseconds) {
      if (answer_.stops_wait) stop_.request_stop();
    });
  }
  auto log_failure() {
    return fusebox::on_give_up([this](const fusebox::RetryStats& stats) { log(stats); });
  }

 public:
  explicit Bench(const Row& row) : policies_{row.policies}, answers_{words_of(row.answers)} {
    for (std::size_t level = 0; level < depth(); ++level) {
      const Policy& policy = policies_[level];
      const bool is_new = policy.kind == Policy::Kind::breaker;
      breakers_.push_back(is_new ? std::make_shared<Breaker>(name_of(level), policy.breaker, clock)
                          : policy.kind == Policy::Kind::same_breaker ? breakers_[0]
                                                                      : nullptr);
      throttles_.push_back(policy.kind == Policy::Kind::throttle
                               ? std::make_shared<Throttle>(name_of(level), policy.throttle, clock)
                               : nullptr);
    }
  }

  fusebox::test::FakeClock clock;

  // What flows are made of.

  [[nodiscard]] std::size_t depth() const { return policies_.size(); }
  [[nodiscard]] const Policy& policy(std::size_t level) const { return policies_[level]; }
  [[nodiscard]] bool is_retry(std::size_t level) const { return policy(level).kind == Policy::Kind::retry; }
  [[nodiscard]] bool is_throttle(std::size_t level) const { return throttles_[level] != nullptr; }
  [[nodiscard]] Throttle& throttle(std::size_t level) const { return *throttles_[level]; }
  [[nodiscard]] Breaker& breaker(std::size_t level) const { return *breakers_[level]; }

  /// Calls the dependency.
  const Answer& answer() {
    answer_ = calls_ < answers_.size() ? Answer{answers_[calls_]} : Answer{};
    ++calls_;
    clock.advance(answer_.duration);
    if (answer_.stops_call) stop_.request_stop();
    return answer_;
  }

  struct Fallback {
    std::size_t level;
    std::string operator()(const fusebox::Failure& failure) const {
      return name_of(level) + '(' + word_of(failure) + ')';
    }
  };

  /// execute() without a fallback.
  template <class T>
  T execute(std::size_t level, const std::function<T()>& op) {
    if (is_throttle(level)) return throttle(level).execute(op);
    const auto timeout = policy(level).timeout;
    return timeout == fusebox::no_timeout ? breaker(level).execute(op)
                                          : breaker(level).execute(op, {.timeout = timeout});
  }

  template <class T>
  auto execute_or_fall_back(std::size_t level, const std::function<T()>& op) {
    const auto timeout = policy(level).timeout;
    const Fallback fallback{level};
    return timeout == fusebox::no_timeout ? breaker(level).execute(op, fallback)
                                          : breaker(level).execute(op, fallback, {.timeout = timeout});
  }

  /// `run(options…)` is one of the retry functions with its op and config.
  template <class Run>
  auto retry(std::size_t level, Run run) {
    int deposits = 0;
    Budget budget{deposits};
    auto result = retry_with(level, budget, clock, run);
    for (; deposits > 0; --deposits) log(result.stats);
    return result;
  }
  /// The same of an op that is a coroutine.
  template <class T, class Run>
  support::Task<fusebox::RetryResult<T>> await_retry(std::size_t level, Run run) {
    int deposits = 0;
    Budget budget{deposits};
    auto retried = retry_with(level, budget, async_clock(), run);
    auto result = co_await std::move(retried);
    for (; deposits > 0; --deposits) log(result.stats);
    co_return result;
  }

  /// The same policy as a part of a pipeline. of_everything() and with_step() are told apart at run time.
  template <class = void>  // its body comes after those of the functions that it calls
  auto retry_policy(std::size_t level) {
    const Policy& own = policy(level);
    return fusebox::retry(
        own.retry, budgets_[level], clock, fusebox::with_random(support::Largest{}), stop_in_wait(),
        log_failure(), fusebox::retry_if([all = own.retries_all](const fusebox::Failure& failure) {
          return all || failure.is_transient();
        }),
        fusebox::backoff([config = own.retry, step = own.step](int attempt, const fusebox::Failure&) {
          return step ? *step * attempt
                      : fusebox::exponential_delay(config, static_cast<std::uint32_t>(attempt) - 1);
        }));
  }
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  [[nodiscard]] fusebox::test::AsyncFakeClock async_clock() const {
    return fusebox::test::AsyncFakeClock{clock};
  }

  /// Moves the time until the coroutine has ended.
  template <class T>
  T run_to_end(support::Task<T> task) {
    clock.set_manual();
    task.start();
    while (!task.is_done()) clock.advance(clock.sleeps().back());
    return task.result();
  }

  // What happens between calls; false if `word` names no such thing.
  bool act(const std::string& word) {
    if (word[0] == '+') return clock.advance(std::chrono::seconds{std::stoi(word)}), true;
    if (word == "stop") return stop_.request_stop(), true;
    if (word == "hold") return held_ = outermost().try_acquire(), true;
    if (word == "fail") return held_.failure(), true;
    if (word == "force") return outermost().force_open(), true;
    if (word == "disable") return outermost().disable(), true;
    if (word == "shed") return shed(), true;
    if (word == "reset") return outermost().reset(), true;
    return false;
  }

  // What is seen, in the words of Row.

  [[nodiscard]] std::string answers() const {
    Words taken = answers_;
    taken.resize(calls_, "one_too_many");
    return joined(taken);
  }
  [[nodiscard]] std::string retries() const { return joined(retries_); }
  [[nodiscard]] std::string waits() const {
    Words waits;
    for (const auto wait : clock.sleeps()) {
      std::ostringstream out;
      out << std::chrono::duration<double>{wait}.count();
      waits.push_back(out.str());
    }
    return joined(waits);
  }
  [[nodiscard]] std::string breakers() const {
    std::ostringstream out;
    for (std::size_t level = 0; level < depth(); ++level) {
      if (is_throttle(level)) {
        const auto stats = throttle(level).stats();
        out << (out.tellp() > 0 ? ", " : "") << stats.total_accepts << '/'
            << stats.total_requests - stats.total_accepts - stats.rejected - shed_[level] << '/'
            << stats.rejected;
      }
      if (policy(level).kind != Policy::Kind::breaker) continue;
      const Breaker& one = breaker(level);
      out << (out.tellp() > 0 ? ", " : "") << to_string(one.state()) << ' ' << support::counts_of(one) << '/'
          << one.stats().rejected_count;
    }
    return out.str();
  }

 private:
  [[nodiscard]] Breaker& outermost() const { return breakers_[0] ? *breakers_[0] : *breakers_[1]; }

  /// By failed calls of a higher priority, so that p is 1 for all others (V4).
  void shed() {
    for (std::size_t level = 0; level < depth(); ++level) {
      if (!is_throttle(level)) continue;
      const int failures = policy(level).throttle.minimum_calls;
      support::count(throttle(level), 0, failures, fusebox::Priority::critical);
      shed_[level] += static_cast<std::uint64_t>(failures);
    }
  }

  struct Budget {
    int& deposits;
    static bool try_withdraw() { return true; }
    void deposit() const { ++deposits; }
  };

  template <class Clock, class Run>
  auto retry_with(std::size_t level, Budget& budget, const Clock& clock_of_waits, Run run) {
    const auto with = [&](auto... more) {
      return run(budget, clock_of_waits, stop_.get_token(), fusebox::with_random(support::Largest{}),
                 stop_in_wait(), log_failure(), deadline(level), more...);
    };
    return policy(level).step          ? with(fusebox::linear(*policy(level).step))
           : policy(level).retries_all ? with(everything())
                                       : with();
  }

  /// Counts the attempts of a call, and logs one that succeeds.
  struct LoggingBudget {
    Bench* bench = nullptr;
    int attempts = 1;
    void on_call() { attempts = 1; }
    bool try_withdraw() { return ++attempts, true; }
    void deposit() const { bench->retries_.push_back(std::to_string(attempts) + ":ok"); }
  };

  fusebox::Deadline deadline(std::size_t level) const {
    const auto time = policy(level).time_for_all;
    return time == fusebox::no_timeout ? fusebox::Deadline::never()
                                       : fusebox::Deadline::at(begin_ + time, clock);
  }

  void log(const fusebox::RetryStats& stats) {
    retries_.push_back(std::to_string(stats.attempts) + ':' + word_of(stats.stop_reason));
  }

  std::chrono::steady_clock::time_point begin_ = clock.now();
  std::vector<Policy> policies_;
  Words answers_;
  std::size_t calls_ = 0;
  Answer answer_;
  Words retries_;
  std::vector<LoggingBudget> budgets_ = std::vector<LoggingBudget>(depth(), LoggingBudget{this});
  std::stop_source stop_;
  std::vector<std::shared_ptr<Breaker>> breakers_;
  std::vector<std::shared_ptr<Throttle>> throttles_;
  std::vector<std::uint64_t> shed_ = std::vector<std::uint64_t>(depth());
  fusebox::Permit held_;
};

}  // namespace composition
