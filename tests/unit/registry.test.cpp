#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

using Registry = CircuitBreakerRegistry<test::FakeClock>;
using Breaker = Registry::Breaker;

constexpr CircuitBreakerConfig brittle{.failure_threshold = 1, .reset_timeout = 10s};

void fail(Breaker& breaker) { breaker.try_acquire().failure(); }

/// Lets a brittle breaker fail, and then one of the two probes succeed that it needs.
void half_open(Breaker& breaker, const test::FakeClock& clock) {
  fail(breaker);
  clock.advance(10s);
  breaker.try_acquire().success();
}

std::vector<std::string> names_in(const Registry& registry) {
  std::vector<std::string> names;
  for (const auto& [name, stats] : registry.stats()) names.push_back(name);
  return names;
}

using Names = std::vector<std::string>;

/// A FakeClock that counts how often it is copied: a breaker's clock is a copy of its registry's.
class CountingClock {
 public:
  explicit CountingClock(std::atomic<int>& copies) : copies_{&copies} {}
  CountingClock(const CountingClock& other) : fake_{other.fake_}, copies_{other.copies_} { ++*copies_; }
  CountingClock& operator=(const CountingClock&) = delete;
  ~CountingClock() = default;

  [[nodiscard]] auto now() const { return fake_.now(); }
  [[nodiscard]] auto wall_now() const { return fake_.wall_now(); }
  bool sleep_for(std::chrono::nanoseconds duration, std::stop_token token) const {
    return fake_.sleep_for(duration, token);
  }

 private:
  test::FakeClock fake_;
  std::atomic<int>* copies_;
};

}  // namespace

TEST_CASE("G1 one name is one breaker") {
  Registry registry;
  const auto payments = registry.get("payments");
  REQUIRE(payments != nullptr);
  CHECK(payments->name() == "payments");
  CHECK(registry.get("payments") == payments);
  CHECK(registry.get("payments", brittle) == payments);
  CHECK(registry.find("payments") == payments);
  CHECK(registry.size() == 1);
  CHECK(registry.get("orders") != payments);
  CHECK(registry.size() == 2);
}

TEST_CASE("G1 names are told apart byte by byte") {
  Registry registry;
  const std::array<std::string, 8> names{"a", "A", " a", "a ", "a\n", std::string{"a\0", 2}, "\xff", "ä"};
  for (const auto& name : names) CHECK(registry.get(name)->name() == name);
  CHECK(registry.size() == names.size());
  for (const auto& name : names) CHECK(registry.find(name)->name() == name);
}

TEST_CASE("G1 a name need not outlive the call") {
  Registry registry;
  std::string name(100, 'n');
  const auto breaker = registry.get(name);
  name.assign(100, 'x');
  CHECK(registry.find(std::string(100, 'n')) == breaker);
  CHECK(registry.find(name) == nullptr);
  CHECK(registry.stats().begin()->first == std::string(100, 'n'));
}

TEST_CASE("G1 a breaker is made with its config, or with the registry's default config") {
  test::FakeClock clock;
  Registry registry{{.default_config = {.failure_threshold = 2, .success_threshold = 7}}, clock};
  CHECK(registry.get("plain")->config() == registry.config().default_config);
  CHECK(registry.get("own", brittle)->config() == brittle);

  fail(*registry.get("own"));
  CHECK(registry.get("own")->state() == State::open);
  CHECK(registry.get("own")->retry_after() == 10s);
  clock.advance(4s);
  CHECK(registry.get("own")->retry_after() == 6s);

  fail(*registry.get("plain"));
  CHECK(registry.get("plain")->state() == State::closed);
  fail(*registry.get("plain"));
  CHECK(registry.get("plain")->state() == State::open);

  CHECK(Registry{}.get("default")->config() == CircuitBreakerConfig{});
}

TEST_CASE("G1 the first config wins, and each later one that differs is counted") {
  const CircuitBreakerConfig first{.failure_rate = FailureRate{}, .slow_calls = SlowCalls{}};
  std::vector<CircuitBreakerConfig> others;
  const auto add = [&](auto change) { change(others.emplace_back(first)); };
  add([](auto& config) { config.failure_threshold = 6; });
  add([](auto& config) { config.success_threshold = 3; });
  add([](auto& config) { config.reset_timeout += 1ns; });
  add([](auto& config) { config.half_open_max_calls = 2; });
  add([](auto& config) { config.probe_timeout = 1s; });
  add([](auto& config) { config.reset_backoff = 1.5; });
  add([](auto& config) { config.max_reset_timeout = 11min; });
  add([](auto& config) { config.reset_jitter = 0.25; });
  add([](auto& config) { config.failure_rate.reset(); });
  add([](auto& config) { config.failure_rate->threshold = 0.75; });
  add([](auto& config) { config.failure_rate->window = within(10s); });
  add([](auto& config) { config.slow_calls.reset(); });
  add([](auto& config) { config.slow_calls->slower_than = 1s; });
  add([](auto& config) { config.slow_calls->minimum_calls = 1; });
  add([](auto& config) { config.classify = [](const Failure&) { return Outcome::failure; }; });

  Registry registry;
  const auto breaker = registry.get("payments", first);
  std::uint64_t conflicts = 0;
  CHECK(registry.config_conflicts() == 0);
  for (const auto& other : others) {
    REQUIRE(validate(other).empty());
    CHECK(registry.get("payments", other) == breaker);
    CHECK(registry.config_conflicts() == ++conflicts);
    CHECK(breaker->config() == first);
  }
  CHECK(registry.get("payments", others.front()) == breaker);  // again: counted again
  CHECK(registry.config_conflicts() == conflicts + 1);
  CHECK(registry.size() == 1);
}

TEST_CASE("G1 an equal config is no conflict, wherever it comes from") {
  Registry registry{{.default_config = brittle}};
  (void)registry.get("by-default");
  (void)registry.get("by-default", brittle);
  (void)registry.get("by-config", brittle);
  (void)registry.get("by-config", {.failure_threshold = 1, .reset_timeout = 10'000ms});
  CHECK(registry.config_conflicts() == 0);
  (void)registry.get("by-default", CircuitBreakerConfig{});  // this registry's default is another
  CHECK(registry.config_conflicts() == 1);
}

TEST_CASE("G1 get without a config never conflicts") {
  Registry registry;
  const auto breaker = registry.get("payments", brittle);
  CHECK(registry.get("payments") == breaker);
  CHECK(registry.config_conflicts() == 0);
}

TEST_CASE("G1 a config is new again for a name that was removed") {
  Registry registry;
  (void)registry.get("payments", brittle);
  registry.remove("payments");
  CHECK(registry.get("payments", {.failure_threshold = 9})->config().failure_threshold == 9);
  CHECK(registry.config_conflicts() == 0);
}

TEST_CASE("G1 a refused config stores nothing") {
  Registry registry{{.max_breakers = 1}};
  const CircuitBreakerConfig bad{.success_threshold = 0};
  const std::string text = "CircuitBreakerConfig.success_threshold must be in [1, 65535], got 0";

  SECTION("for a new name") {
    CHECK_THROWS_AS(registry.get("payments", bad), std::invalid_argument);
    CHECK_THROWS_WITH(registry.get("payments", bad), text);
    CHECK(registry.size() == 0);
    CHECK(registry.find("payments") == nullptr);
    CHECK(registry.get("payments", brittle)->config() == brittle);
  }
  SECTION("for a known name") {
    const auto breaker = registry.get("payments", brittle);
    CHECK_THROWS_WITH(registry.get("payments", bad), text);
    CHECK(registry.get("payments") == breaker);
    CHECK(breaker->config() == brittle);
  }
  SECTION("where another would have to make room") {
    (void)registry.get("evictable");
    CHECK_THROWS_WITH(registry.get("payments", bad), text);
    CHECK(names_in(registry) == Names{"evictable"});
  }
  SECTION("where there is no room") {
    const auto held = registry.get("held");
    CHECK_THROWS_WITH(registry.get("payments", bad), text);
    CHECK(names_in(registry) == Names{"held"});
  }
  CHECK(registry.config_conflicts() == 0);
  CHECK(registry.unregistered() == 0);
}

TEST_CASE("G1 asking with a refused config is no use of the breaker that there is") {
  Registry registry{{.max_breakers = 2}};
  registry.get("old");
  registry.get("newer");
  CHECK_THROWS_AS(registry.get("old", {.success_threshold = 0}), std::invalid_argument);
  registry.get("newest");
  CHECK_FALSE(registry.find("old"));
  CHECK(registry.find("newer"));
}

TEST_CASE("G1 an empty name is refused, and is nobody's") {
  Registry registry;
  const std::string text = "CircuitBreaker.name must not be empty, got \"\"";
  CHECK_THROWS_AS(registry.get(""), std::invalid_argument);
  CHECK_THROWS_WITH(registry.get(""), text);
  CHECK_THROWS_WITH(registry.get({}, brittle), text);
  CHECK(registry.size() == 0);
  CHECK(registry.find("") == nullptr);
  CHECK_FALSE(registry.remove(""));
  CHECK_FALSE(registry.reset(""));
}

TEST_CASE("G1 threads that ask for one name at once get one breaker, made once") {
  std::atomic<int> copies{0};
  const auto copies_of_one_creation = [&] {
    CircuitBreakerRegistry<CountingClock> registry{{}, CountingClock{copies}};
    const int before = copies;
    (void)registry.get("alone");
    return copies - before;
  }();
  REQUIRE(copies_of_one_creation > 0);

  constexpr int threads = 4;
  for (int round = 0; round < 50; ++round) {
    CircuitBreakerRegistry<CountingClock> registry{{}, CountingClock{copies}};
    std::array<std::shared_ptr<CircuitBreaker<CountingClock>>, threads> handles;
    const int before = copies;
    support::run_together(threads, [&](int i) {
      handles[static_cast<std::size_t>(i)] =
          i % 2 == 0 ? registry.get("payments") : registry.get("payments", {});
    });
    REQUIRE(copies - before == copies_of_one_creation);
    REQUIRE(registry.size() == 1);
    REQUIRE(registry.config_conflicts() == 0);
    for (const auto& handle : handles) REQUIRE(handle == handles.front());
  }
}

TEST_CASE("G1 of the configs of many threads one wins and the others are counted") {
  constexpr int threads = 4;
  for (int round = 0; round < 50; ++round) {
    Registry registry;
    std::array<Registry::Handle, threads> handles;
    support::run_together(threads, [&](int i) {
      handles[static_cast<std::size_t>(i)] = registry.get("payments", {.failure_threshold = 10 + i});
    });
    REQUIRE(registry.config_conflicts() == threads - 1);
    REQUIRE(registry.size() == 1);
    for (const auto& handle : handles) REQUIRE(handle == handles.front());
    const int winner = handles.front()->config().failure_threshold;
    REQUIRE((winner >= 10 && winner < 10 + threads));
  }
}

TEST_CASE("G2 a removed breaker goes on working for those who hold it") {
  test::FakeClock clock;
  Registry registry{{}, clock};
  const auto held = registry.get("payments", brittle);
  held->execute([] {});
  CHECK(registry.remove("payments"));
  CHECK_FALSE(registry.remove("payments"));
  CHECK(registry.find("payments") == nullptr);
  CHECK(registry.size() == 0);
  CHECK(registry.stats().empty());

  CHECK(held->stats().success_count == 1);
  fail(*held);
  CHECK(held->state() == State::open);
  CHECK_THROWS_AS(held->execute([] {}), CircuitOpenError);
  clock.advance(10s);
  held->try_acquire().success();
  held->try_acquire().success();
  CHECK(held->state() == State::closed);

  const auto fresh = registry.get("payments", brittle);
  CHECK(fresh != held);
  CHECK(fresh->stats().success_count == 0);
  registry.reset_all();
  CHECK(held->stats().success_count == 3);
}

TEST_CASE("G2 a breaker that nobody holds ends with its removal") {
  Registry registry;
  const std::weak_ptr<Breaker> removed = registry.get("removed");
  const std::weak_ptr<Breaker> cleared = registry.get("cleared");
  CHECK_FALSE(removed.expired());
  registry.remove("removed");
  CHECK(removed.expired());
  CHECK_FALSE(cleared.expired());
  registry.clear();
  CHECK(cleared.expired());
}

TEST_CASE("G2 clear lets go of all, whatever their state, and handles go on working") {
  Registry registry;
  const auto held = registry.get("held", brittle);
  registry.get("forced")->force_open();
  registry.get("disabled")->disable();
  (void)registry.get("held", CircuitBreakerConfig{});
  registry.clear();
  CHECK(registry.size() == 0);
  CHECK(registry.stats().empty());
  CHECK(registry.config_conflicts() == 1);
  CHECK(registry.find("forced") == nullptr);
  CHECK(registry.get("forced")->state() == State::closed);
  fail(*held);
  CHECK(held->state() == State::open);
  CHECK(registry.get("held") != held);
}

TEST_CASE("G2 handles go on working when the registry is gone") {
  auto registry = std::make_unique<Registry>();
  const test::FakeClock clock = registry->clock();
  const auto held = registry->get("payments", brittle);
  registry.reset();
  fail(*held);
  CHECK(held->state() == State::open);
  clock.advance(10s);
  CHECK(held->execute([] { return 1; }) == 1);
}

TEST_CASE("7.2 find makes nothing") {
  Registry registry;
  CHECK(registry.find("payments") == nullptr);
  CHECK(registry.size() == 0);
  CHECK(registry.stats().empty());
  const auto breaker = registry.get("payments");
  CHECK(std::as_const(registry).find("payments") == breaker);
}

TEST_CASE("7.2 reset resets the breaker of that name") {
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

TEST_CASE("7.2 reset_all resets every breaker, whatever its state") {
  test::FakeClock clock;
  Registry registry{{.default_config = brittle}, clock};
  registry.reset_all();
  half_open(*registry.get("half-open"), clock);
  fail(*registry.get("open"));
  registry.get("forced")->force_open();
  registry.get("disabled")->disable();
  registry.get("closed")->execute([] {});
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

TEST_CASE("7.2 stats gives the stats of every breaker by its name") {
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

TEST_CASE("7.2 every breaker has a copy of the registry's clock") {
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

TEST_CASE("7.2 config gives the registry's config back; by default it holds 10,000 breakers") {
  CHECK(Registry{}.config().max_breakers == 10'000);
  CHECK(Registry{}.config().default_config == CircuitBreakerConfig{});
  const Registry registry{{.max_breakers = 7, .default_config = brittle}};
  CHECK(registry.config().max_breakers == 7);
  CHECK(registry.config().default_config == brittle);
}

TEST_CASE("3 validate says what is wrong with a RegistryConfig, and the constructor throws it") {
  struct Row {
    RegistryConfig config;
    std::string_view text;
  };
  const std::array<Row, 5> rows{{
      {{.max_breakers = 0}, "RegistryConfig.max_breakers must be at least 1, got 0"},
      {{.max_breakers = -1}, "RegistryConfig.max_breakers must be at least 1, got -1"},
      {{.default_config = {.reset_timeout = 0s}},
       "RegistryConfig.default_config.reset_timeout must be above 0, got 0s"},
      {{.default_config = {.failure_threshold = 65'536}},
       "RegistryConfig.default_config.failure_threshold must be in [0, 65535], got 65536"},
      {{.default_config = {.failure_rate = FailureRate{.threshold = 1.5}}},
       "RegistryConfig.default_config.failure_rate.threshold must be in (0, 1], got 1.5"},
  }};
  for (const auto& [config, text] : rows) {
    CHECK(validate(config) == text);
    CHECK_THROWS_AS(Registry(config), std::invalid_argument);
    CHECK_THROWS_WITH(Registry(config), std::string{text});
  }
}

TEST_CASE("3 max_breakers may be any number from 1 up") {
  for (const int most : {1, 65'535, 65'536, std::numeric_limits<int>::max()}) {
    CHECK(validate(RegistryConfig{.max_breakers = most}).empty());
    Registry registry{{.max_breakers = most}};
    const auto breaker = registry.get("payments");
    CHECK(registry.find("payments") == breaker);
  }
  CHECK(validate(RegistryConfig{}).empty());
}
