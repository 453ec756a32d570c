#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::bring_to;
using support::brittle;
using support::fail;
using support::Names;
using support::names_in;
using support::Registry;

TEST_CASE("G5 find() makes no breaker", "[G5]") {
  Registry registry;
  CHECK(registry.find("payments") == nullptr);
  CHECK(registry.size() == 0);
  CHECK(registry.stats().empty());
  const auto breaker = registry.get("payments");
  CHECK(std::as_const(registry).find("payments") == breaker);
}

TEST_CASE("G5 reset() resets the breaker of that name", "[G5]") {
  Registry registry;
  registry.get("forced")->force_open();
  fail(*registry.get("counting"));
  CHECK(registry.reset("forced"));
  CHECK(registry.get("forced")->state() == State::closed);
  CHECK(registry.get("counting")->stats().failure_count == 1);
  CHECK(registry.reset("counting"));
  CHECK(registry.get("counting")->stats().failure_count == 0);
  CHECK_FALSE(registry.reset("unknown"));
  CHECK(registry.size() == 2);
}

TEST_CASE("G5 reset_all() resets every breaker, whatever its state", "[G5]") {
  test::FakeClock clock;
  Registry registry{{.default_config = brittle}, clock};
  registry.reset_all();
  for (const State state : support::all_states) {
    const auto breaker = registry.get(to_string(state));
    support::succeed(*breaker);
    bring_to(*breaker, state);
  }
  registry.reset_all();
  const auto all = registry.stats();
  REQUIRE(all.size() == 5);
  for (const auto& [name, stats] : all) {
    CAPTURE(name);
    CHECK(stats.state == State::closed);
    CHECK(stats.success_count == 0);
    CHECK(stats.failure_count == 0);
    CHECK(stats.opened_count == 0);
  }
}

TEST_CASE("G5 stats() gives the stats of every breaker by name", "[G5]") {
  test::FakeClock clock;
  Registry registry{{}, clock};
  CHECK(registry.stats().empty());
  fail(*registry.get("open", brittle));
  clock.advance(4s);
  registry.get("busy")->execute([] {});
  CHECK_FALSE(registry.get("open")->try_acquire());

  const std::map<std::string, CircuitBreakerStats> all = registry.stats();
  CHECK(names_in(registry) == Names{"busy", "open"});
  CHECK(all.at("open").state == State::open);
  CHECK(all.at("open").failure_count == 1);
  CHECK(all.at("open").rejected_count == 1);
  CHECK(all.at("open").retry_after == 6s);
  CHECK(all.at("open").last_failure_time == clock.wall_now() - 4s);
  CHECK(all.at("busy").success_count == 1);
  CHECK(all.at("busy").last_success_time == clock.wall_now());
}

TEST_CASE("G5 every breaker has a copy of the registry's clock", "[G5]") {
  test::FakeClock clock;
  Registry registry{{.default_config = brittle}, clock};
  CHECK(registry.clock().now() == clock.now());
  clock.advance(1h);
  CHECK(registry.clock().now() == clock.now());
  fail(*registry.get("payments"));
  clock.advance(10s - 1ns);
  CHECK_FALSE(registry.get("payments")->try_acquire());
  clock.advance(1ns);
  CHECK(registry.get("payments")->try_acquire());
}

TEST_CASE("G5 config() gives the registry's config back", "[G5]") {
  const Registry registry{{.max_breakers = 7, .default_config = brittle}};
  CHECK(registry.config().max_breakers == 7);
  CHECK(registry.config().default_config == brittle);
}
