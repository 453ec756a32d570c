#include <fusebox/adaptive_limit.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>

#include <chrono>
#include <string>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using Limit = support::FakeAdaptiveLimit<>;

TEST_CASE("W1 explain says what the limit does, now", "[W1]") {
  const test::FakeClock clock;
  const auto explained = [](auto& limit) {  // without its line breaks
    std::string text = explain(compose(limit));
    for (std::size_t at = 0; (at = text.find("\n  ", at)) != std::string::npos;) text.replace(at, 3, " ");
    return text;
  };
  Limit limit{"search", {}, clock};
  CHECK(explained(limit).starts_with(
      "1. adaptive limit 'search': admits 1 to 200 at once, as their latency says, now 20, and holds a slot "
      "for each logical call until it has ended; a full one rejects at once"));
  Limit queued{"search", Measured{}, AdaptiveLimitQueue{5, 2s, 0.1}, clock};
  CHECK(
      explained(queued).find("; 5 more wait, at most 2s each; each step of priority below critical leaves 10 "
                             "% of the slots free") != std::string::npos);
}

TEST_CASE("W2 the latency of a call that waited begins with its slot", "[W2]") {
  const auto clock = test::FakeClock::manual();
  support::FakeAdaptiveLimit<Aimd> limit{"a", Aimd{.initial = 1, .min = 1, .min_samples = 2},
                                         AdaptiveLimitQueue{.max_waiting = 1}, clock};
  Permit first = limit.try_acquire();
  auto calls = compose(limit);
  auto run = calls.start<int>();
  CHECK(run.next().kind == Step::Kind::wait);
  clock.advance(5s);
  first.success();
  run.waited(false);
  CHECK(run.next().kind == Step::Kind::call);
  clock.advance(1s);
  run.report(1);
  CHECK(run.next().kind == Step::Kind::done);
  CHECK(limit.stats().latency == 3s);
}

TEST_CASE("W4 P5 a limit outside a full one ignores its rejections", "[W4][P5]") {
  const test::FakeClock clock;
  Limit inner{"inner", Measured{.initial = 1}, clock};
  support::FakeAdaptiveLimit<Aimd> outer{"outer", Aimd{.min_samples = 1}, clock};
  const Permit held = inner.try_acquire();
  auto calls = compose(outer, inner);
  clock.advance(10s);
  CHECK_THROWS_AS(calls.execute([] { return 1; }), BulkheadFullError);
  CHECK(outer.stats().windows == 0);
}
