// An AdaptiveLimit against rules W1 to W6: random rules and calls, many of which are under way at once; the
// limit, what it measures and how many calls are inside are compared after each step.
#include <fusebox/adaptive_limit.hpp>
#include <fusebox/test/fake_clock.hpp>

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
#include "reference_adaptive_limit.hpp"

using namespace model;
using namespace std::chrono_literals;

namespace {

using Nanoseconds = std::chrono::nanoseconds;
using Limit = fusebox::AdaptiveLimit<fusebox::Measured, fusebox::test::FakeClock>;
using Reference = ReferenceAdaptiveLimit;

enum class Act { advance, begin, fill, succeed, fail, ignore, end_all, rounds };
constexpr std::array act_names{"advance", "begin", "fill", "succeed", "fail", "ignore", "end_all", "rounds"};

struct Step {
  Act act = Act::advance;
  std::size_t which = 0;
  Nanoseconds time{0};
};
struct LimitScript {
  fusebox::Measured rule;
  std::vector<Step> steps;
};

void showValue(const LimitScript& script, std::ostream& out) {  // NOLINT: RapidCheck's name
  const auto& rule = script.rule;
  out << "{.initial = " << rule.initial << ", .min = " << rule.min << ", .max = " << rule.max
      << ", .measure_every = " << rule.measure_every << ", .measure_limit = " << rule.measure_limit
      << ", .tolerated_drops = " << rule.tolerated_drops << ", .min_samples = " << rule.min_samples << "}";
  for (const Step& step : script.steps) {
    out << "\n  " << act_names.at(static_cast<std::size_t>(step.act)) << " " << step.which << ", "
        << to_code(step.time);
  }
}

rc::Gen<LimitScript> limit_script() {
  using Rule = fusebox::Measured;
  const auto rule = rc::gen::build<Rule>(
      rc::gen::set(&Rule::initial, any_of({4, 8, 20})), rc::gen::set(&Rule::min, any_of({1, 2, 4})),
      rc::gen::set(&Rule::max, any_of({200, 20, 25})), rc::gen::set(&Rule::measure_every, any_of({60, 2, 5})),
      rc::gen::set(&Rule::measure_limit, any_of({3, 1, 10})),
      rc::gen::set(&Rule::tolerated_drops, any_of({0.1, 0.0, 0.4})),
      rc::gen::set(&Rule::min_samples, any_of({1, 3, 10})));
  const auto step = rc::gen::build<Step>(
      rc::gen::set(&Step::act, any_of({Act::advance, Act::advance, Act::rounds, Act::rounds, Act::rounds,
                                       Act::begin, Act::fill, Act::fill, Act::succeed, Act::succeed,
                                       Act::fail, Act::ignore, Act::end_all, Act::end_all})),
      rc::gen::set(&Step::which, any_of<std::size_t>({0, 1, 2, 3, 7})),
      rc::gen::set(&Step::time, any_of<Nanoseconds>({100ms, 500ms, 1s, 1ns, 120ms, 300ms, 3s})));
  return rc::gen::build<LimitScript>(
      rc::gen::set(&LimitScript::rule, rule),
      rc::gen::set(&LimitScript::steps, rc::gen::container<std::vector<Step>>(step)));
}

class LimitRun {
 public:
  explicit LimitRun(const LimitScript& script) : script_{script} {}

  /// What differs from the rules; empty if nothing does.
  std::string run() {
    for (const Step& step : script_.steps) {
      perform(step);
      const auto stats = limit_.stats();
      expect("limit", stats.limit, reference_.limit());
      expect("in_use", stats.in_use, reference_.in_use());
      expect("measuring", stats.measuring, reference_.measuring());
      expect("base_latency", stats.base_latency.count(), reference_.base());
      expect("windows", stats.windows, reference_.windows());
      expect("rejected", stats.rejected, rejected_);
      if (!problem_.empty()) break;
    }
    return problem_;
  }

  [[nodiscard]] const Reference& reference() const { return reference_; }

 private:
  struct Inside {
    fusebox::Permit permit;
    Reference::Call call;
  };

  void perform(const Step& step) {
    switch (step.act) {
      case Act::advance:
        clock_.advance(step.time);
        reference_.advance(step.time.count());
        break;
      case Act::begin: static_cast<void>(begin()); break;
      case Act::fill:
        while (begin()) {
        }
        break;
      case Act::succeed: end(step.which, Reference::End::success); break;
      case Act::fail: end(step.which, Reference::End::failure); break;
      case Act::ignore: end(step.which, Reference::End::ignored); break;
      case Act::end_all: end_all(); break;
      case Act::rounds:  // of as many calls as may be under way
        for (std::size_t i = 0; i <= step.which; ++i) {
          while (begin()) {
          }
          clock_.advance(step.time);
          reference_.advance(step.time.count());
          end_all();
        }
        break;
    }
  }

  void end_all() {
    while (!inside_.empty()) end(0, Reference::End::success);
  }

  bool begin() {
    Inside fresh;
    fresh.permit = limit_.try_acquire();
    const bool has_slot = reference_.begin(fresh.call);
    expect("is admitted", static_cast<bool>(fresh.permit), has_slot);
    if (has_slot) {
      inside_.push_back(std::move(fresh));
    } else {
      ++rejected_;
    }
    return has_slot && problem_.empty();
  }

  void end(std::size_t which, Reference::End how) {
    if (inside_.empty()) return;
    const auto at = inside_.begin() + static_cast<std::ptrdiff_t>(which % inside_.size());
    Inside call = std::move(*at);
    inside_.erase(at);
    if (how == Reference::End::success) call.permit.success();
    if (how == Reference::End::failure) call.permit.failure();
    if (how == Reference::End::ignored) call.permit.ignore();
    reference_.end(call.call, how);
  }

  template <class T, class U>
  void expect(const char* what, const T& got, const U& expected) {
    if (!problem_.empty() || got == static_cast<T>(expected)) return;
    problem_ = std::string{what} + " is " + std::to_string(got) + ", not " + std::to_string(expected);
  }

  const LimitScript& script_;
  fusebox::test::FakeClock clock_;
  Limit limit_{"limit", script_.rule, clock_};
  Reference reference_{script_.rule};
  std::vector<Inside> inside_;
  std::uint64_t rejected_ = 0;
  std::string problem_;
};

}  // namespace

TEST_CASE("W1 to W6: a limit counts calls, measures and moves as the rules say") {
  int growths = 0;
  int measurements = 0;
  std::uint64_t windows = 0;
  CHECK(holds("an adaptive limit does what the rules say", limit_script(), [&](const LimitScript& script) {
    LimitRun run{script};
    const std::string problem = run.run();
    growths += run.reference().growths();
    measurements += run.reference().measurements();
    windows += run.reference().windows();
    return problem;
  }));
  CHECK(windows > 50'000);
  CHECK(measurements > 10'000);
  CHECK(growths > 1'000);
}
