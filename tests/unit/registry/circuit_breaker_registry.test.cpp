#include <fusebox/registry/circuit_breaker_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/registry.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::brittle;
using support::fail;
using support::Names;
using support::names_in;
using support::Registry;

namespace {

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

TEST_CASE("G1 one name is one breaker", "[G1]") {
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

TEST_CASE("G1 names are told apart byte by byte", "[G1]") {
  Registry registry;
  const std::array<std::string, 8> names{"a", "A", " a", "a ", "a\n", std::string{"a\0", 2}, "\xff", "ä"};
  for (const auto& name : names) CHECK(registry.get(name)->name() == name);
  CHECK(registry.size() == names.size());
  for (const auto& name : names) CHECK(registry.find(name)->name() == name);
}

TEST_CASE("G1 a name need not outlive the call", "[G1]") {
  Registry registry;
  std::string name(100, 'n');
  const auto breaker = registry.get(name);
  name.assign(100, 'x');
  CHECK(registry.find(std::string(100, 'n')) == breaker);
  CHECK(registry.find(name) == nullptr);
  CHECK(registry.stats().begin()->first == std::string(100, 'n'));
}

TEST_CASE("G1 a breaker is made with its config, or with the registry's default config", "[G1]") {
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

TEST_CASE("G1 the first config wins, and each later one that differs is counted", "[G1]") {
  Registry registry;
  const auto breaker = registry.get("payments", brittle);
  CHECK(registry.config_conflicts() == 0);
  std::uint64_t conflicts = 0;
  for (const CircuitBreakerConfig& other :
       {CircuitBreakerConfig{}, {.failure_threshold = 1}, {.failure_threshold = 1}}) {
    CHECK(registry.get("payments", other) == breaker);
    CHECK(registry.config_conflicts() == ++conflicts);
    CHECK(breaker->config() == brittle);
  }
  CHECK(registry.size() == 1);
}

TEST_CASE("G1 an equal config is no conflict, wherever it comes from", "[G1]") {
  Registry registry{{.default_config = brittle}};
  (void)registry.get("by-default");
  (void)registry.get("by-default", brittle);
  (void)registry.get("by-config", brittle);
  (void)registry.get("by-config", {.failure_threshold = 1, .reset_timeout = 10'000ms});
  CHECK(registry.config_conflicts() == 0);
  (void)registry.get("by-default", CircuitBreakerConfig{});  // this registry's default is another
  CHECK(registry.config_conflicts() == 1);
}

TEST_CASE("G1 get() without a config never conflicts", "[G1]") {
  Registry registry;
  const auto breaker = registry.get("payments", brittle);
  CHECK(registry.get("payments") == breaker);
  CHECK(registry.config_conflicts() == 0);
}

TEST_CASE("G1 a removed name may come back with another config", "[G1]") {
  Registry registry;
  (void)registry.get("payments", brittle);
  registry.remove("payments");
  CHECK(registry.get("payments", {.failure_threshold = 9})->config().failure_threshold == 9);
  CHECK(registry.config_conflicts() == 0);
}

TEST_CASE("G1 a refused config stores nothing", "[G1]") {
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
  SECTION("if another breaker would have to be evicted") {
    (void)registry.get("evictable");
    CHECK_THROWS_WITH(registry.get("payments", bad), text);
    CHECK(names_in(registry) == Names{"evictable"});
  }
  SECTION("if none can be evicted") {
    const auto held = registry.get("held");
    CHECK_THROWS_WITH(registry.get("payments", bad), text);
    CHECK(names_in(registry) == Names{"held"});
  }
  CHECK(registry.config_conflicts() == 0);
  CHECK(registry.unregistered() == 0);
}

TEST_CASE("G1 get() with an invalid config does not count as a use of the existing breaker", "[G1]") {
  Registry registry{{.max_breakers = 2}};
  registry.get("old");
  registry.get("newer");
  CHECK_THROWS_AS(registry.get("old", {.success_threshold = 0}), std::invalid_argument);
  registry.get("newest");
  CHECK_FALSE(registry.find("old"));
  CHECK(registry.find("newer"));
}

TEST_CASE("G1 an empty name is refused, and no breaker has it", "[G1]") {
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

TEST_CASE("G1 threads that ask for one name at once get one breaker, which is made once", "[G1]") {
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

TEST_CASE("G1 one of the configs of many threads wins, and the others are counted", "[G1]") {
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

TEST_CASE("G2 a removed breaker goes on working for those who hold it", "[G2]") {
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

TEST_CASE("G2 a breaker that nobody holds ends with its removal", "[G2]") {
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

TEST_CASE("G2 clear() removes all breakers, whatever their state, and handles go on working", "[G2]") {
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

TEST_CASE("G2 handles go on working after the registry is gone", "[G2]") {
  auto registry = std::make_unique<Registry>();
  const test::FakeClock clock = registry->clock();
  const auto held = registry->get("payments", brittle);
  registry.reset();
  fail(*held);
  CHECK(held->state() == State::open);
  clock.advance(10s);
  CHECK(held->execute([] { return 1; }) == 1);
}
