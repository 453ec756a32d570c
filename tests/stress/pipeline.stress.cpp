// A pipeline in a storm, on real threads and the clock of the system: calls that end by themselves, by
// limits, by rejections and by random stops. Afterwards nothing is held, and the counts of all its policies
// add up.
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/timer/thread.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/retry_budget.hpp>
#include <fusebox/timeout.hpp>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <random>
#include <stop_token>
#include <system_error>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "configs.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

constexpr int callers = 12;
constexpr int limit = 3;

/// A policy that counts the calls that reach it, and how they end.
struct Counting {
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> with_value{0};
  std::atomic<std::uint64_t> without{0};

  template <class Op>
  auto execute(Op&& op) {
    ++begun;
    auto result = op();
    ++(result.has_value() ? with_value : without);
    return result;
  }
};

/// How the calls ended, as their callers saw it.
struct Endings {
  std::atomic<std::uint64_t> values{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> cancellations{0};
  std::atomic<std::uint64_t> rejections{0};
  std::atomic<std::uint64_t> failures{0};

  void count(const CallResult<int>& result) {
    if (result.has_value()) {
      ++values;
    } else if (result.error().is_rejection()) {
      ++rejections;
    } else if (result.error().is_cancellation()) {
      ++cancellations;
    } else if (result.error().is_timeout()) {
      ++timeouts;
    } else {
      ++failures;
    }
  }
  [[nodiscard]] std::uint64_t all() const {
    return values + timeouts + cancellations + rejections + failures;
  }
};

/// The operation: how many run at once, and how they end.
class Dependency {
 public:
  int operator()(const Call& call, unsigned chance) {
    struct Inside {
      Dependency& self;
      explicit Inside(Dependency& dependency) : self{dependency} {
        const int now = ++self.inside_;
        int highest = self.highest_.load();
        while (highest < now && !self.highest_.compare_exchange_weak(highest, now)) {
        }
        ++self.calls_;
      }
      ~Inside() { --self.inside_; }
    } inside{*this};
    const auto takes = std::chrono::microseconds{chance / 8 % 500};
    const auto end = std::chrono::steady_clock::now() + takes;
    while (std::chrono::steady_clock::now() < end) {
      if (chance % 2 == 0 && call.stop_requested())
        throw std::system_error{std::make_error_code(std::errc::operation_canceled)};
      std::this_thread::sleep_for(20us);
    }
    if (chance % 8 == 1) throw std::system_error{std::make_error_code(std::errc::connection_reset)};
    if (chance % 8 == 3) throw ApiError{ErrorCode::service_unavailable, "storm"};
    return 1;
  }

  [[nodiscard]] int inside() const { return inside_; }
  [[nodiscard]] int highest() const { return highest_; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }

 private:
  std::atomic<int> inside_{0};
  std::atomic<int> highest_{0};
  std::atomic<std::uint64_t> calls_{0};
};

/// Stops the calls of the callers at random moments, until stop().
class Stopper {
 public:
  /// What a caller has while its call runs.
  class Current {
   public:
    explicit Current(std::atomic<std::stop_source*>& slot) : slot_{slot} { slot_ = &source_; }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
    ~Current() {
      while (slot_.exchange(nullptr) == nullptr) std::this_thread::yield();  // it is being stopped just now
    }
    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

   private:
    std::stop_source source_;
    std::atomic<std::stop_source*>& slot_;
  };

  [[nodiscard]] std::atomic<std::stop_source*>& slot(int caller) {
    return slots_[static_cast<std::size_t>(caller)];
  }

  void run(const std::atomic<int>& running) {
    std::mt19937 random{99};
    while (running > 0) {
      auto& slot = slots_[random() % slots_.size()];
      if (std::stop_source* const source = slot.exchange(nullptr)) {
        source->request_stop();
        slot = source;
      }
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 400});
    }
  }

 private:
  std::vector<std::atomic<std::stop_source*>> slots_ = std::vector<std::atomic<std::stop_source*>>(callers);
};

}  // namespace

TEST_CASE("P4 K5 D7 U2 after a storm through all policies nothing is held and all counts add up",
          "[P4][K5][D7][U2]") {
  const std::size_t timers_before = detail::timer_thread().size();
  Counting logical;
  Counting attempts;
  Counting inside_breaker;
  RetryBudget<> budget{RetryBudgetConfig{.ratio = 0.001, .min_per_second = 0, .capacity = 10, .reserve = 0}};
  CircuitBreaker<> breaker{"stormy", {.failure_threshold = 6, .success_threshold = 1, .reset_timeout = 1ms}};
  Bulkhead<> bulkhead{"stormy", {.max_concurrent = limit, .max_waiting = 8, .max_wait = 2ms}};
  auto total = total_timeout(4ms);
  auto attempt = attempt_timeout(300us);
  auto again = retry(RetryConfig{.max_retries = 3, .base_delay = 100us, .max_delay = 1ms}, budget);
  const auto pipeline = compose(logical, total, again, attempts, breaker, inside_breaker, bulkhead, attempt);
  const int each = std::min(stress::steps(), 1'000);

  Dependency dependency;
  Endings endings;
  Stopper stopper;
  std::atomic<std::uint64_t> made{0};
  std::atomic<int> running{callers};
  support::run_together(callers + 1, [&](int number) {
    if (number == callers) return stopper.run(running);
    std::mt19937 random{static_cast<unsigned>(number)};
    for (int i = 0; i < each; ++i) {
      const Stopper::Current current{stopper.slot(number)};
      const auto op = [&](const Call& call) { return dependency(call, static_cast<unsigned>(random())); };
      ++made;
      const auto result = pipeline.try_execute(op, current.token());
      endings.count(result);
      // An open breaker would use up the storm.
      if (result.error().is_rejection()) std::this_thread::sleep_for(300us);
    }
    --running;
  });

  // Nothing is held.
  CHECK(dependency.inside() == 0);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.stats().waiting == 0);
  CHECK(detail::timer_thread().size() == timers_before);
  // The bulkhead held.
  CHECK(dependency.highest() <= limit);
  CHECK(dependency.highest() > 1);
  // Every call ended once.
  CHECK(made == static_cast<std::uint64_t>(callers) * static_cast<std::uint64_t>(each));
  CHECK(endings.all() == made);
  CHECK(logical.begun <= made);  // those stopped before the call are counted by nobody (P8)
  CHECK(logical.begun == logical.with_value + logical.without);
  CHECK(logical.with_value == endings.values);
  // What is inside saw what went in.
  const auto of_breaker = breaker.stats();
  CHECK(of_breaker.success_count + of_breaker.failure_count + of_breaker.ignored_count +
            of_breaker.rejected_count ==
        attempts.begun);
  CHECK(inside_breaker.begun + of_breaker.rejected_count == attempts.begun);
  const auto of_bulkhead = bulkhead.stats();
  CHECK(of_bulkhead.admitted + of_bulkhead.rejected <=
        inside_breaker.begun);  // a cancelled wait counts as neither
  CHECK(attempt.stats().calls <= of_bulkhead.admitted);
  CHECK(dependency.calls() == attempt.stats().calls);
  CHECK(endings.timeouts <= total.stats().timed_out + attempt.stats().timed_out);
  // The budget: each retry was paid for, and no more were paid for than the first attempts and the reserve
  // allow.
  const auto of_budget = budget.stats();
  const std::uint64_t first_attempts = total.stats().calls;
  REQUIRE(attempts.begun >= first_attempts);
  CHECK(attempts.begun - first_attempts <= of_budget.withdrawn);
  CHECK(1000 * (attempts.begun - first_attempts) <= first_attempts);
  CHECK(of_budget.balance >= 0);
  CHECK(of_budget.balance <= 10);
  INFO(endings.values << " values, " << endings.timeouts << " timeouts, " << endings.cancellations
                      << " cancelled, " << endings.rejections << " rejected, " << endings.failures
                      << " failed, " << of_budget.withdrawn << " retries, " << of_budget.refused
                      << " refused");
  // The storm had every kind of weather.
  CHECK(endings.values > 0);
  CHECK(endings.cancellations > 0);
  CHECK(endings.rejections > 0);
  CHECK(of_breaker.opened_count > 0);
  CHECK(of_budget.refused > 0);
  CHECK(attempt.stats().timed_out > 0);
}

TEST_CASE(
    "D7 P4 2,400 calls driven by hand at once: each limit ends its call, none early, and none is left behind",
    "[D7][P4]") {
  constexpr std::size_t each = 200;
  const std::size_t timers_before = detail::timer_thread().size();
  auto timeout = attempt_timeout(150ms);
  CircuitBreaker<> breaker{"b", {.failure_threshold = 65'535}};
  Bulkhead<> bulkhead{"b", {.max_concurrent = callers * static_cast<int>(each)}};
  const auto pipeline = compose(bulkhead, breaker, timeout);
  using Run = decltype(pipeline.start<int>());
  std::atomic<int> impossible{0};
  std::atomic<int> timed_out{0};
  std::atomic<int> values{0};
  std::atomic<int> highest{0};
  std::barrier all_armed{callers, [&]() noexcept { highest = bulkhead.stats().in_use; }};
  support::run_together(callers, [&](int /*number*/) {
    std::vector<std::unique_ptr<Run>> runs;
    std::vector<std::chrono::steady_clock::time_point> due;
    for (std::size_t i = 0; i < each; ++i) {
      due.push_back(std::chrono::steady_clock::now() + 150ms);
      runs.push_back(std::unique_ptr<Run>{new Run(pipeline.start<int>())});
      if (runs.back()->next().kind != Step::Kind::call) ++impossible;
    }
    all_armed.arrive_and_wait();
    for (std::size_t i = 0; i < each; ++i) {
      Run& run = *runs[i];
      if (i % 5 == 0) {  // abandoned
        runs[i].reset();
        continue;
      }
      if (i % 5 == 1) {
        run.report(1);
      } else {
        const std::stop_token token = run.call().stop_token();
        while (!token.stop_requested()) std::this_thread::sleep_for(1ms);
        if (std::chrono::steady_clock::now() < due[i]) ++impossible;
        run.report(
            std::make_exception_ptr(std::system_error{std::make_error_code(std::errc::operation_canceled)}));
      }
      if (run.next().kind != Step::Kind::done) ++impossible;
      try {
        values += run.result();
      } catch (const TimeoutError&) {
        ++timed_out;
      }
    }
  });
  CHECK(impossible == 0);
  CHECK(highest == callers * static_cast<int>(each));
  CHECK(values == callers * static_cast<int>(each) / 5);
  CHECK(timed_out == callers * static_cast<int>(each) * 3 / 5);
  const auto stats = breaker.stats();
  CHECK(stats.ignored_count == static_cast<std::uint64_t>(callers) * each / 5);
  CHECK(stats.success_count + stats.failure_count == static_cast<std::uint64_t>(callers) * each * 4 / 5);
  CHECK(timeout.stats().calls == static_cast<std::uint64_t>(callers) * each);
  CHECK(timeout.stats().timed_out == static_cast<std::uint64_t>(timed_out));
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(detail::timer_thread().size() == timers_before);
}
