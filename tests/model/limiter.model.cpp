// A RateLimiter against rules Q1 to Q8: random configs and calls, several of which wait at once; what is
// admitted, the waits and the counts are compared, and the bound of Q2 holds for every interval.
#include <fusebox/rate_limiter.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <ostream>
#include <string>
#include <vector>

#include "code.hpp"
#include "rapidcheck.hpp"
#include "reference_limiter.hpp"

using namespace model;
using namespace std::chrono_literals;

namespace {

using Nanoseconds = std::chrono::nanoseconds;
using Limiter = fusebox::RateLimiter<fusebox::test::FakeClock>;

enum class Act { advance, try_acquire, begin, begin_with_deadline, end, cancel, retry_after, sync };
constexpr std::array act_names{"advance", "try_acquire", "begin",       "begin_with_deadline",
                               "end",     "cancel",      "retry_after", "sync"};

struct Step {
  Act act = Act::advance;
  int n = 1;  // permits, or which of the waiting calls
  Nanoseconds time{0};
};
struct LimiterScript {
  fusebox::RateLimiterConfig config;
  std::vector<Step> steps;
};

void showValue(const LimiterScript& script, std::ostream& out) {  // NOLINT: RapidCheck's name
  const auto& config = script.config;
  out << "{.permits = " << config.permits << ", .per = " << to_code(config.per)
      << ", .burst = " << config.burst << ", .max_wait = " << to_code(config.max_wait) << "}";
  for (const Step& step : script.steps) {
    out << "\n  " << act_names.at(static_cast<std::size_t>(step.act)) << " n " << step.n << ", "
        << to_code(step.time);
  }
}

rc::Gen<LimiterScript> limiter_script() {
  using Config = fusebox::RateLimiterConfig;
  const auto config =
      rc::gen::build<Config>(rc::gen::set(&Config::permits, any_of({1, 2, 3, 7, 10})),
                             rc::gen::set(&Config::per, any_of<Nanoseconds>({1s, 1001ns, 7s, 10ms})),
                             rc::gen::set(&Config::burst, any_of({0, 1, 2, 5})),
                             rc::gen::set(&Config::max_wait, any_of<Nanoseconds>({0s, 1s, 100ns, 3s, 1h})));
  const auto step = rc::gen::build<Step>(
      rc::gen::set(&Step::act, any_of({Act::advance, Act::advance, Act::try_acquire, Act::try_acquire,
                                       Act::begin, Act::begin, Act::begin_with_deadline, Act::end,
                                       Act::cancel, Act::retry_after, Act::sync})),
      rc::gen::set(&Step::n, any_of({1, 0, 2, 3, 5, 8})),
      rc::gen::set(&Step::time,
                   any_of<Nanoseconds>({1s, 0s, 1ns, 99ns, 143ns, 334ms, 1ms, 2s, 10s, 1h, -1s})));
  return rc::gen::build<LimiterScript>(
      rc::gen::set(&LimiterScript::config, config),
      rc::gen::set(&LimiterScript::steps, rc::gen::container<std::vector<Step>>(step)));
}

/// How often scripts got somewhere.
struct Reached {
  std::size_t admitted = 0;
  std::size_t rejected = 0;
  std::size_t waited = 0;
  std::size_t cancelled = 0;
};

class LimiterRun {
 public:
  explicit LimiterRun(const LimiterScript& script) : script_{script} {}

  /// What differs from the rules; empty if nothing does.
  std::string run() {
    for (const Step& step : script_.steps) {
      perform(step);
      const auto stats = limiter_.stats();
      expect("admitted", stats.admitted, counts_.admitted);
      expect("rejected", stats.rejected, counts_.rejected);
      expect("waited", stats.waited, counts_.waited);
      if (!problem_.empty()) return problem_;
    }
    for (const Waiting& call : waiting_) reference_.give_back(call.number);
    if (!reference_.keeps_the_bound()) problem_ = "more than the burst and the rate allow";
    return problem_;
  }

  [[nodiscard]] const fusebox::RateLimiterStats& counts() const { return counts_; }
  [[nodiscard]] std::size_t cancelled() const { return cancelled_; }

 private:
  using Layer = fusebox::detail::Layer<Limiter>;
  using Verdict = fusebox::detail::Verdict;

  /// One call that waits. Driven by hand.
  struct Waiting {
    fusebox::Call call = fusebox::detail::CallAccess::make();
    Layer::Side side;
    fusebox::detail::SlotBase slot;
    Layer::Frame<fusebox::detail::FlowContext<fusebox::detail::Takes::nothing, false>> frame;
    int number = 0;

    Waiting(Limiter& limiter, const fusebox::Deadline& deadline)
        : call{fusebox::detail::CallAccess::with_deadline(fusebox::detail::plain_call, deadline)},
          frame{limiter, call, side} {}
  };

  [[nodiscard]] int permits_of(const Step& step) const {
    const int burst = script_.config.burst == 0 ? script_.config.permits : script_.config.burst;
    return 1 + step.n % burst;
  }

  void perform(const Step& step) {
    switch (step.act) {
      case Act::advance:
        if (step.time < 0s) break;
        clock_.advance(step.time);
        reference_.advance(step.time.count());
        break;
      case Act::try_acquire: {
        const int n = permits_of(step);
        const bool taken = limiter_.try_acquire(n);
        const auto answer = reference_.take(n, 0);
        expect("try_acquire()", taken, answer.taken);
        ++(answer.taken ? counts_.admitted : counts_.rejected);
        break;
      }
      case Act::begin: begin(fusebox::Deadline::never(), -1); break;
      case Act::begin_with_deadline:
        begin(fusebox::Deadline::after(step.time, clock_), std::max<std::int64_t>(0, step.time.count()));
        break;
      case Act::end:
      case Act::cancel: end(step); break;
      case Act::retry_after: {
        const int n = permits_of(step);
        expect("retry_after()", limiter_.retry_after(n).count(), reference_.wait_for(n));
        break;
      }
      case Act::sync:
        limiter_.sync(step.n, step.time);
        reference_.sync(step.n, step.time.count());
        break;
    }
  }

  void begin(const fusebox::Deadline& deadline, std::int64_t left) {
    Waiting& call = waiting_.emplace_back(limiter_, deadline);
    const Verdict verdict = call.frame.enter(call.slot);
    const auto answer = reference_.take(1, reference_.longest_wait(left));
    call.number = answer.number;
    expect("is rejected", verdict == Verdict::rejected, !answer.taken);
    if (!answer.taken) {
      const auto retry_after = call.slot.failure().retry_after();
      expect("retry_after() of the error", retry_after ? retry_after->count() : -1,
             (answer.wait + 999'999) / 1'000'000);
      ++counts_.rejected;
    } else if (answer.wait == 0) {
      expect("is admitted", verdict == Verdict::success, true);
      ++counts_.admitted;
    } else {
      expect("waits", verdict == Verdict::waiting, true);
      expect("the wait", call.frame.wait_time().count(), answer.wait);
      ++counts_.waited;
      return;
    }
    waiting_.pop_back();
  }

  void end(const Step& step) {
    if (waiting_.empty()) return;
    auto call = waiting_.begin();
    std::advance(call, static_cast<std::size_t>(step.n) % waiting_.size());
    if (step.act == Act::end) {
      expect("ends", call->frame.waited(true, call->slot) == Verdict::success, true);
      ++counts_.admitted;
    } else {
      // A frame that is destroyed gives back too.
      if (step.time > 0s) {
        const bool is_rejected = call->call.deadline().expired();  // P9: the deadline ended the wait
        expect("is cancelled", call->frame.waited(false, call->slot) == Verdict::cancelled, !is_rejected);
        if (is_rejected) ++counts_.rejected;
      }
      reference_.give_back(call->number);
      ++cancelled_;
    }
    waiting_.erase(call);
  }

  template <class T, class U>
  void expect(const char* what, const T& got, const U& expected) {
    if (!problem_.empty() || got == static_cast<T>(expected)) return;
    problem_ = std::string{what} + " is " + std::to_string(got) + ", not " + std::to_string(expected);
  }

  const LimiterScript& script_;
  fusebox::test::FakeClock clock_;
  Limiter limiter_{"limiter", script_.config, clock_};
  ReferenceLimiter reference_{script_.config};
  std::list<Waiting> waiting_;
  fusebox::RateLimiterStats counts_;
  std::size_t cancelled_ = 0;
  std::string problem_;
};

}  // namespace

TEST_CASE("Q1 to Q8: a limiter admits, refuses and lets wait as the rules say") {
  Reached reached;
  CHECK(holds("a limiter does what the rules say", limiter_script(), [&](const LimiterScript& script) {
    LimiterRun run{script};
    const std::string problem = run.run();
    reached.admitted += run.counts().admitted;
    reached.rejected += run.counts().rejected;
    reached.waited += run.counts().waited;
    reached.cancelled += run.cancelled();
    return problem;
  }));
  CHECK(reached.admitted > 20'000);
  CHECK(reached.rejected > 20'000);
  CHECK(reached.waited > 5'000);
  CHECK(reached.cancelled > 1'000);
}
