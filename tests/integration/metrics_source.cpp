// H7 H76 M2: a service's metrics and health, scraped as often as check_metrics.py says, while the time of its
// breakers moves on and nothing else happens.
//
// Reads lines of two words: a clock (fake, stepped, real) and a document (metrics, health). Answers each with
// the document's length on a line, then the document. Every answer moves the clock on.
//   fake      a FakeClock whose coarse reading moves in steps of 4 ms, as CLOCK_MONOTONIC_COARSE does
//   stepped   the same, and its wall clock is set while it runs, as NTP does
//   real      SystemClock
#include <fusebox/health.hpp>
#include <fusebox/metrics.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// Names that a text format or a parser may trip over.
const std::string hostile_names[] = {
    "payments \"eu\"",
    R"(C:\new\"quoted\")",
    "two\nlines",
    "} 1\nforged_metric{name=\"x\"} 42",
    "# HELP forged",
    "carriage\rreturn",
    "tab\tand\x1b[31mescape",
    std::string{"nul\0inside", 10},
    "caf\xc3\xa9 \xf0\x9f\x98\x80",
    "not UTF-8: \xff\xc3",
    "\xed\xa0\x80 half a pair",
    "\xe2\x80\xa8line separator",
    "a\",outcome=\"success",
    "{}{{}}%s%n",
    " ",
    std::string(500, 'n'),
};

template <class C>
class Source {
 public:
  explicit Source(C clock) : registry_{{}, clock} {
    for (const std::string& name : hostile_names) {
      fail_once(name);
      use_every_kind(name);
    }
    fail_once("payments");
    use_every_kind("payments");
    breakers().get("untouched");
    breakers().get("forced")->force_open();
  }

  [[nodiscard]] std::string write(const std::string& document) const {
    return document == "health" ? to_json(fusebox::health_report(registry_))
                                : fusebox::to_prometheus(registry_);
  }

 private:
  [[nodiscard]] fusebox::CircuitBreakerRegistry<C>& breakers() { return registry_.circuit_breakers(); }

  void fail_once(const std::string& name) {
    breakers().get(name)->try_acquire().success();
    breakers().get(name)->try_acquire().failure();
  }

  /// M2: a sample of each family.
  void use_every_kind(const std::string& name) {
    const auto durations = registry_.template get<fusebox::CallDurations>(name);
    const auto call = fusebox::compose(
        fusebox::measured(durations, registry_.clock()),
        fusebox::total_timeout(30s, registry_.template get<fusebox::TimeoutCounts>(name), registry_.clock()),
        fusebox::retry(registry_.clock(), registry_.template get<fusebox::RetryCounts>(name)),
        registry_.template get<fusebox::RateLimiter<C>>(name),
        registry_.template get<fusebox::Throttle<C>>(name),
        registry_.template get<fusebox::Bulkhead<C>>(name),
        registry_.template get<fusebox::AdaptiveLimit<fusebox::Measured, C>>(name));
    call.execute([] {});
    registry_.template get<fusebox::Chaos<C>>(name)->execute([] {});
    (void)registry_.template get<fusebox::RetryBudget<C>>(name, {.min_per_second = 0})->try_withdraw();
    (void)registry_.template get<fusebox::RetryThrottle>(name)->try_withdraw();
    (void)fusebox::hedge(registry_.template get<fusebox::HedgeCounts>(name), registry_.clock())
        .start()
        .next();
  }

  fusebox::PolicyRegistry<C> registry_;
};

fusebox::test::FakeClock coarse_clock() {
  fusebox::test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(1'234'567ns);
  return clock;
}

}  // namespace

int main() {
  const fusebox::test::FakeClock fake = coarse_clock();
  const fusebox::test::FakeClock stepped = coarse_clock();
  const Source fake_source{fake};
  const Source stepped_source{stepped};
  const Source real_source{fusebox::SystemClock{}};

  int answers = 0;
  for (std::string clock, document; std::cin >> clock >> document;) {
    std::string text;
    ++answers;
    if (clock == "fake") {
      fake.advance(15s + 1'700us);
      text = fake_source.write(document);
    } else if (clock == "stepped") {
      stepped.advance(15s);
      if (answers % 10 == 0) stepped.set_wall(stepped.wall_now() + (answers % 20 == 0 ? 1500ms : -700ms));
      text = stepped_source.write(document);
    } else {
      std::this_thread::sleep_for(1700us);
      text = real_source.write(document);
    }
    std::cout << text.size() << '\n' << text << std::flush;
  }
}
