#include <fusebox/metrics.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <set>
#include <sstream>
#include <string>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/registry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Registry;

namespace {
bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}
}  // namespace

TEST_CASE("H7 the samples of a breaker are those of its stats", "[H7]") {
  test::FakeClock clock;
  Registry registry{{}, clock};
  const auto breaker = registry.get("payments", {.failure_threshold = 2});
  support::succeed(*breaker);
  breaker->try_acquire().ignore();
  support::fail(*breaker);
  clock.advance(250ms);
  support::fail(*breaker);
  CHECK_FALSE(support::admits(*breaker));
  const std::string text = to_prometheus(registry);
  CHECK(has_line(text, R"(fusebox_circuit_breaker_calls_total{name="payments",outcome="success"} 1)"));
  CHECK(has_line(text, R"(fusebox_circuit_breaker_calls_total{name="payments",outcome="failure"} 2)"));
  CHECK(has_line(text, R"(fusebox_circuit_breaker_calls_total{name="payments",outcome="ignored"} 1)"));
  CHECK(has_line(text, R"(fusebox_circuit_breaker_rejected_total{name="payments"} 1)"));
  CHECK(has_line(text, R"(fusebox_circuit_breaker_opened_total{name="payments"} 1)"));
  CHECK(has_line(
      text, R"(fusebox_circuit_breaker_last_failure_timestamp_seconds{name="payments"} 1736251200.250)"));
  CHECK(text.find("fusebox_circuit_breaker_failure_ratio{name=\"payments\"} 0.666666666") !=
        std::string::npos);
}

TEST_CASE("H7 the state is one-hot over all five states", "[H7]") {
  Registry registry{{}, test::FakeClock{}};
  const auto breaker = registry.get("b");
  const auto only = [&](const std::string& is) {
    const std::string text = to_prometheus(registry);
    for (const std::string state : {"closed", "open", "half-open", "forced-open", "disabled"}) {
      CAPTURE(state);
      CHECK(has_line(text, "fusebox_circuit_breaker_state{name=\"b\",state=\"" + state + "\"} " +
                               (state == is ? "1" : "0")));
    }
  };
  only("closed");
  breaker->force_open();
  only("forced-open");
  breaker->disable();
  only("disabled");
}

TEST_CASE("H7 a breaker that never failed has no time of its last failure", "[H7]") {
  Registry registry{{}, test::FakeClock{}};
  (void)registry.get("b");
  CHECK(to_prometheus(registry).find("last_failure_timestamp_seconds{") == std::string::npos);
}

TEST_CASE("H7 each family stands together, with HELP and TYPE once, before its samples", "[H7]") {
  Registry registry{{}, test::FakeClock{}};
  for (const char* name : {"a", "b", "c"}) (void)registry.get(name);
  std::istringstream lines{to_prometheus(registry)};
  std::set<std::string> families;
  std::string family;
  int types = 0;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    if (line.rfind("# HELP ", 0) == 0) {
      family = line.substr(7, line.find(' ', 7) - 7);
      CHECK(families.insert(family).second);
    } else if (line.rfind("# TYPE ", 0) == 0) {
      CHECK(line.substr(7, family.size() + 1) == family + " ");
      ++types;
    } else {
      CHECK(line.substr(0, family.size() + 1) == family + "{");
    }
  }
  CHECK(families.size() == 6);
  CHECK(types == 6);
}

TEST_CASE("H7 labels are escaped and valid UTF-8", "[H7]") {
  Registry registry{{}, test::FakeClock{}};
  (void)registry.get("a\\b\"c\nd");
  (void)registry.get("\xff");
  const std::string text = to_prometheus(registry);
  CHECK(text.find(R"({name="a\\b\"c\nd"})") != std::string::npos);
  CHECK(text.find("{name=\"\xef\xbf\xbd\"}") != std::string::npos);
  CHECK(text.find('\xff') == std::string::npos);
}

TEST_CASE("H7 an empty registry gives headers only, and the text ends with a line feed", "[H7]") {
  Registry registry{{}, test::FakeClock{}};
  const std::string text = to_prometheus(registry);
  CHECK(text.find('{') == std::string::npos);
  CHECK(text.back() == '\n');
  CHECK_FALSE(to_prometheus().empty());
}

TEST_CASE("H6 H7 names that become alike as valid UTF-8 give no sample twice", "[H6][H7]") {
  Registry registry{{}, test::FakeClock{}};
  for (const char* name : {"a\xff", "a\xfe", "a\xef\xbf\xbd"}) support::fail(*registry.get(name));
  std::istringstream lines{to_prometheus(registry)};
  std::set<std::string> series;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    CAPTURE(line);
    CHECK(series.insert(line.substr(0, line.rfind(' '))).second);
  }
  CHECK(series.size() == 3 * 12);
}

TEST_CASE("H7 no sample changes while nothing happens, whatever the clocks do", "[H7]") {
  test::FakeClock clock;
  clock.set_coarse_tick(4ms);
  clock.advance(1'234'567ns);
  Registry registry{{.default_config = support::brittle}, clock};
  for (const char* name : {"a", "b"}) {
    support::fail(*registry.get(name));
    clock.advance(3ms);
  }
  const std::string first = to_prometheus(registry);
  for (int scrape = 0; scrape < 97; ++scrape) {
    clock.advance(15s + 1'700us);
    if (scrape % 10 == 9) clock.set_wall(clock.wall_now() + (scrape % 20 == 9 ? 1500ms : -700ms));
    CHECK(to_prometheus(registry) == first);
  }
  clock.advance(1h);
  registry.get("a")->reset();
  support::fail(*registry.get("a"));
  CHECK(to_prometheus(registry) != first);
}

TEST_CASE("M2 without an argument the text has every kind of the process-wide registry", "[M2]") {
  const auto bulkhead = default_policy_registry().get<Bulkhead<>>("M2 default", {.max_concurrent = 3});
  CHECK(has_line(to_prometheus(), R"(fusebox_bulkhead_limit{name="M2 default"} 3)"));
}
