// A Throttle against rules V1 to V10: random configs and calls, several of which are under way at once; what
// is rejected, the shares of each priority, the counts and the events are compared.
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/throttle.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "code.hpp"
#include "rapidcheck.hpp"
#include "reference_throttle.hpp"

using namespace model;
using namespace std::chrono_literals;

namespace {

using Nanoseconds = std::chrono::nanoseconds;
using Throttle = fusebox::Throttle<fusebox::test::FakeClock>;

enum class Act { advance, begin, succeed, answer, fail, ignore, drop, burst };
constexpr std::array act_names{"advance", "begin", "succeed", "answer", "fail", "ignore", "drop", "burst"};

struct Step {
  Act act = Act::advance;
  int n = 0;  // the priority, or which of the calls under way
  Nanoseconds time{0};
};
struct ThrottleScript {
  fusebox::ThrottleConfig config;
  std::vector<Step> steps;
};

void showValue(const ThrottleScript& script, std::ostream& out) {  // NOLINT: RapidCheck's name
  const auto& config = script.config;
  out << "{.k = " << config.k << ", .window = " << to_code(config.window)
      << ", .max_rejection = " << config.max_rejection << ", .minimum_calls = " << config.minimum_calls
      << ", .seed = " << config.seed << "}";
  for (const Step& step : script.steps) {
    out << "\n  " << act_names.at(static_cast<std::size_t>(step.act)) << " n " << step.n << ", "
        << to_code(step.time);
  }
}

rc::Gen<ThrottleScript> throttle_script() {
  using Config = fusebox::ThrottleConfig;
  const auto config =
      rc::gen::build<Config>(rc::gen::set(&Config::k, any_of({2.0, 1.0, 1.1, 1.5})),
                             rc::gen::set(&Config::window, any_of<Nanoseconds>({12s, 2min, 100ms, 7ns, 1s})),
                             rc::gen::set(&Config::max_rejection, any_of({0.95, 0.5, 1.0, 0.1, 0.0})),
                             rc::gen::set(&Config::minimum_calls, any_of({1, 0, 5, 20})),
                             rc::gen::set(&Config::seed, any_of<std::uint64_t>({1, 2, 77})));
  const auto step = rc::gen::build<Step>(
      rc::gen::set(&Step::act, any_of({Act::begin, Act::begin, Act::begin, Act::succeed, Act::fail, Act::fail,
                                       Act::answer, Act::ignore, Act::drop, Act::advance, Act::burst})),
      rc::gen::set(&Step::n, any_of({1, 0, 2, 3, 5, 8})),
      rc::gen::set(&Step::time, any_of<Nanoseconds>({1s, 0s, 1ns, 3ns, 8ms, 50ms, 5s, 10s, 59s, 1h})));
  return rc::gen::build<ThrottleScript>(
      rc::gen::set(&ThrottleScript::config, config),
      rc::gen::set(&ThrottleScript::steps, rc::gen::container<std::vector<Step>>(step)));
}

/// How often scripts got somewhere.
struct Reached {
  std::size_t admitted = 0;
  std::size_t rejected = 0;
  std::size_t edges = 0;
  std::size_t shares = 0;  // strictly between 0 and the largest
};

class ThrottleRun {
 public:
  ThrottleRun(const ThrottleScript& script, Reached& reached) : script_{script}, reached_{reached} {}

  /// What differs from the rules; empty if nothing does.
  std::string run() {
    const auto subscription = throttle_.on_event([&](const fusebox::ThrottleEvent& event) {
      events_.push_back(event.kind);
      ++reached_.edges;
    });
    for (const Step& step : script_.steps) {
      perform(step);
      compare();
      if (!problem_.empty()) break;
    }
    return problem_;
  }

 private:
  struct UnderWay {
    fusebox::Permit permit;
    std::int64_t admitted_at;
    int priority;
  };

  void perform(const Step& step) {
    switch (step.act) {
      case Act::advance:
        clock_.advance(step.time);
        reference_.advance(step.time.count());
        break;
      case Act::begin: begin(step.n % 4); break;
      case Act::burst:  // of failures, or of successes
        for (int call = 0; call < 10; ++call) {
          begin(call % (1 + step.n % 4));
          end(under_way_.size() - 1, step.n < 3 ? Act::fail : Act::succeed);
        }
        break;
      default: end(static_cast<std::size_t>(step.n), step.act);
    }
  }

  void begin(int priority) {
    fusebox::Permit permit = throttle_.try_acquire(static_cast<fusebox::Priority>(priority));
    const bool is_admitted = reference_.admit(priority);
    expect("is admitted", static_cast<bool>(permit), is_admitted);
    using Kind = fusebox::ThrottleEventKind;
    const Kind kind = reference_.is_throttling() ? Kind::throttling : Kind::free;
    if (kind != state_) expected_events_.push_back(kind);
    state_ = kind;
    ++(is_admitted ? reached_.admitted : reached_.rejected);
    if (is_admitted) under_way_.push_back({std::move(permit), reference_.now(), priority});
  }

  void end(std::size_t index, Act act) {
    if (under_way_.empty()) return;
    const auto call = under_way_.begin() + static_cast<std::ptrdiff_t>(index % under_way_.size());
    switch (act) {
      case Act::succeed: call->permit.success(); break;
      case Act::answer: call->permit.report(fusebox::Failure::from_status(404)); break;
      case Act::fail: call->permit.failure(); break;
      case Act::ignore: call->permit.ignore(); break;
      default: break;
    }
    if (act == Act::succeed || act == Act::answer || act == Act::fail)
      reference_.end(call->admitted_at, call->priority, act != Act::fail);
    under_way_.erase(call);
  }

  void compare() {
    const fusebox::ThrottleStats stats = throttle_.stats();
    const fusebox::ThrottleStats expected = reference_.stats();
    expect("requests", stats.requests, expected.requests);
    expect("accepts", stats.accepts, expected.accepts);
    expect("rejection_ratio", stats.rejection_ratio, expected.rejection_ratio);
    expect("rejected", stats.rejected, expected.rejected);
    expect("total_requests", stats.total_requests, expected.total_requests);
    expect("total_accepts", stats.total_accepts, expected.total_accepts);
    for (int priority = 0; priority < 4; ++priority) {
      const double share = throttle_.rejection_ratio(static_cast<fusebox::Priority>(priority));
      expect("rejection_ratio(priority)", share, reference_.probability_of(priority));
      if (share > 0 && share < script_.config.max_rejection) ++reached_.shares;
    }
    if (events_ != expected_events_) problem_ = "other events";
  }

  template <class T>
  void expect(const char* what, const T& got, const T& expected) {
    if (!problem_.empty() || got == expected) return;
    problem_ = std::string{what} + " is " + std::to_string(got) + ", not " + std::to_string(expected);
  }

  const ThrottleScript& script_;
  Reached& reached_;
  fusebox::test::FakeClock clock_;
  Throttle throttle_{"throttle", script_.config, clock_};
  ReferenceThrottle reference_{script_.config, clock_.now().time_since_epoch().count()};
  std::vector<UnderWay> under_way_;
  std::vector<fusebox::ThrottleEventKind> events_;
  std::vector<fusebox::ThrottleEventKind> expected_events_;
  fusebox::ThrottleEventKind state_ = fusebox::ThrottleEventKind::free;
  std::string problem_;
};

}  // namespace

TEST_CASE("V1 to V10: a throttle rejects and counts as the rules say") {
  Reached reached;
  CHECK(holds("a throttle does what the rules say", throttle_script(),
              [&](const ThrottleScript& script) { return ThrottleRun{script, reached}.run(); }));
  CHECK(reached.admitted > 50'000);
  CHECK(reached.rejected > 5'000);
  CHECK(reached.shares > 5'000);
  CHECK(reached.edges > 500);
}
