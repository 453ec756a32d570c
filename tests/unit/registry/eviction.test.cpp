#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
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

TEST_CASE("G3 there are never more than max_breakers", "[G3]") {
  Registry registry{{.max_breakers = 10}};
  for (int i = 0; i < 1000; ++i) {
    (void)registry.get("host-" + std::to_string(i));
    REQUIRE(registry.size() == static_cast<std::size_t>(i < 10 ? i + 1 : 10));
  }
  CHECK(names_in(registry) == Names{"host-990", "host-991", "host-992", "host-993", "host-994", "host-995",
                                    "host-996", "host-997", "host-998", "host-999"});
  CHECK(registry.unregistered() == 0);
}

TEST_CASE("G3 the least recently used of the closed and unheld breakers is evicted", "[G3]") {
  Registry registry{{.max_breakers = 3}};
  for (const auto* name : {"a", "b", "c"}) (void)registry.get(name);
  (void)registry.get("a");                            // so b is the least recently used
  (void)registry.get("b", {.failure_threshold = 9});  // also with another config
  (void)registry.get("d");
  CHECK(names_in(registry) == Names{"a", "b", "d"});
  (void)registry.get("e");
  CHECK(names_in(registry) == Names{"b", "d", "e"});
  (void)registry.get("b");
  (void)registry.get("f");
  CHECK(names_in(registry) == Names{"b", "e", "f"});
}

TEST_CASE("G3 get() of an existing name evicts nothing", "[G3]") {
  Registry registry{{.max_breakers = 2}};
  (void)registry.get("a");
  (void)registry.get("b");
  for (int i = 0; i < 5; ++i) (void)registry.get("b");
  CHECK(registry.find("c") == nullptr);
  CHECK(names_in(registry) == Names{"a", "b"});
}

TEST_CASE("G3 closed breakers are evicted before others, which go in the order of their use", "[G3]") {
  test::FakeClock clock;
  Registry registry{{.max_breakers = 4, .default_config = brittle}, clock};
  support::bring_to(*registry.get("half-open"), State::half_open);
  fail(*registry.get("open"));
  (void)registry.get("closed-1");
  (void)registry.get("closed-2");
  REQUIRE(registry.get("half-open")->state() == State::half_open);  // used after `open`

  const auto e = registry.get("e");
  CHECK(names_in(registry) == Names{"closed-2", "e", "half-open", "open"});
  const auto f = registry.get("f");
  CHECK(names_in(registry) == Names{"e", "f", "half-open", "open"});
  const auto g = registry.get("g");
  CHECK(names_in(registry) == Names{"e", "f", "g", "half-open"});
  const auto h = registry.get("h");
  CHECK(names_in(registry) == Names{"e", "f", "g", "h"});
  const auto i = registry.get("i");
  CHECK(names_in(registry) == Names{"e", "f", "g", "h"});
  CHECK(registry.unregistered() == 1);
}

TEST_CASE("G3 a closed breaker with a run of failures is evicted after every healthy one", "[G3]") {
  Registry registry{{.max_breakers = 4, .default_config = {.failure_threshold = 3}}};
  fail(*registry.get("failing"));
  (void)registry.get("healthy-1");
  (void)registry.get("healthy-2");
  fail(*registry.get("mended"));
  support::succeed(*registry.get("mended"));
  const auto e = registry.get("e");
  CHECK(names_in(registry) == Names{"e", "failing", "healthy-2", "mended"});
  const auto f = registry.get("f");
  CHECK(names_in(registry) == Names{"e", "f", "failing", "mended"});
  const auto g = registry.get("g");
  CHECK(names_in(registry) == Names{"e", "f", "failing", "g"});
  const auto h = registry.get("h");
  CHECK(names_in(registry) == Names{"e", "f", "g", "h"});
}

TEST_CASE("G3 a stream of new names cannot keep a failing breaker from opening", "[G3]") {
  Registry registry{{.max_breakers = 64}};
  int reached = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto failing = registry.get("failing");
    if (Permit permit = failing->try_acquire()) {
      ++reached;
      permit.failure();
    }
    for (int name = 0; name < 64; ++name) (void)registry.get("new-" + std::to_string(64 * i + name));
  }
  CHECK(reached == 5);
  CHECK(registry.find("failing")->state() == State::open);
}

TEST_CASE("G3 an open breaker whose wait is over is still open", "[G3]") {
  test::FakeClock clock;
  Registry registry{{.max_breakers = 2, .default_config = brittle}, clock};
  fail(*registry.get("open"));
  (void)registry.get("closed");
  clock.advance(1h);
  (void)registry.get("new");
  CHECK(names_in(registry) == Names{"new", "open"});
}

TEST_CASE("G3 forced-open and disabled breakers are never evicted", "[G3]") {
  Registry registry{{.max_breakers = 2}};
  registry.get("forced")->force_open();
  registry.get("disabled")->disable();
  const auto extra = registry.get("extra");
  CHECK(names_in(registry) == Names{"disabled", "forced"});
  CHECK(registry.unregistered() == 1);

  registry.reset("disabled");
  (void)registry.get("another");
  CHECK(names_in(registry) == Names{"another", "forced"});
  registry.reset("forced");
  (void)registry.get("another");
  (void)registry.get("last");
  CHECK(names_in(registry) == Names{"another", "last"});
  CHECK(registry.unregistered() == 1);
}

TEST_CASE("G3 a breaker that somebody holds is not evicted", "[G3]") {
  Registry registry{{.max_breakers = 1}};
  const auto is_held = [&] {
    (void)registry.get("other");
    return registry.find("payments") != nullptr;
  };

  SECTION("a handle") {
    auto handle = registry.get("payments");
    CHECK(is_held());
    handle.reset();
    CHECK_FALSE(is_held());
  }
  SECTION("a handle that find gave") {
    (void)registry.get("payments");
    auto handle = registry.find("payments");
    CHECK(is_held());
    handle.reset();
    CHECK_FALSE(is_held());
  }
  SECTION("a permit that keeps its breaker alive") {
    auto permit = try_acquire(registry.get("payments"));
    REQUIRE(permit);
    CHECK(is_held());
    permit = Permit{};
    CHECK_FALSE(is_held());
  }
  SECTION("a handle to a part of it") {
    std::shared_ptr<const std::string> name;
    {
      const auto handle = registry.get("payments");
      name = {handle, &handle->name()};
    }
    CHECK(is_held());
    CHECK(*name == "payments");
  }
  SECTION("not a weak_ptr") {
    const std::weak_ptr<Breaker> weak = registry.get("payments");
    CHECK_FALSE(is_held());
    CHECK(weak.expired());
  }
  SECTION("not a look at it") {
    (void)registry.get("payments");
    (void)registry.stats();
    registry.reset_all();
    CHECK(registry.reset("payments"));
    CHECK(registry.find("payments") != nullptr);
    CHECK_FALSE(is_held());
  }
  SECTION("not a subscription to the registry's changes") {
    const auto subscription = registry.on_state_change([](const StateChange&) {});
    (void)registry.get("payments");
    CHECK_FALSE(is_held());
  }
}

TEST_CASE("G3 if none can be evicted, the new breaker works but is not registered", "[G3]") {
  test::FakeClock clock;
  Registry registry{{.max_breakers = 1}, clock};
  const auto held = registry.get("held");
  const auto extra = registry.get("extra", brittle);
  CHECK(registry.unregistered() == 1);
  CHECK(registry.size() == 1);
  CHECK(registry.find("extra") == nullptr);
  CHECK_FALSE(registry.remove("extra"));
  CHECK_FALSE(registry.reset("extra"));

  CHECK(extra->name() == "extra");
  CHECK(extra->config() == brittle);
  fail(*extra);
  CHECK(extra->retry_after() == 10s);
  clock.advance(10s);
  CHECK(extra->execute([] { return 1; }) == 1);
  CHECK(extra->state() == State::half_open);
  CHECK(names_in(registry) == Names{"held"});
  registry.reset_all();
  CHECK(extra->state() == State::half_open);

  const auto twin = registry.get("extra");
  CHECK(twin != extra);
  CHECK(twin->state() == State::closed);
  CHECK(registry.unregistered() == 2);
  CHECK(registry.config_conflicts() == 0);

  registry.remove("held");
  const auto registered = registry.get("extra");
  CHECK(registered != extra);
  CHECK(registered != twin);
  CHECK(registry.find("extra") == registered);
  CHECK(registry.unregistered() == 2);
}

TEST_CASE("G3 a registry of one breaker holds the last one that get() made", "[G3]") {
  Registry registry{{.max_breakers = 1}};
  for (const auto* name : {"a", "b", "a", "c"}) {
    (void)registry.get(name);
    CHECK(names_in(registry) == Names{name});
  }
  CHECK(registry.unregistered() == 0);
}

TEST_CASE("G3 an evicted breaker is forgotten: the next get() of its name makes a new one", "[G3]") {
  Registry registry{{.max_breakers = 1}};
  registry.get("a")->execute([] {});
  const std::weak_ptr<Breaker> first = registry.get("a");
  (void)registry.get("b");
  CHECK(first.expired());
  CHECK(registry.get("a", brittle)->stats().success_count == 0);
  CHECK(registry.get("a")->config() == brittle);
  CHECK(registry.config_conflicts() == 0);
}

TEST_CASE("G3 after remove() and clear() there is room for new breakers", "[G3]") {
  Registry registry{{.max_breakers = 2}};
  const auto a = registry.get("a");
  const auto b = registry.get("b");
  registry.remove("a");
  const auto c = registry.get("c");
  CHECK(names_in(registry) == Names{"b", "c"});
  registry.clear();
  const auto d = registry.get("d");
  const auto e = registry.get("e");
  CHECK(names_in(registry) == Names{"d", "e"});
  CHECK(registry.unregistered() == 0);
}

TEST_CASE("G3 threads that get more names than fit all get breakers that work", "[G3]") {
  constexpr int threads = 4;
  constexpr int rounds = 300;
  constexpr int room = 3;
  Registry registry{{.max_breakers = room}};
  std::atomic<int> over{0};
  std::atomic<int> wrong{0};
  std::atomic<int> in_use{0};
  support::run_together(threads, [&](int thread) {
    for (int i = 0; i < rounds; ++i) {
      const std::string name = "host-" + std::to_string((i * (thread + 1)) % 7);
      const auto breaker = registry.get(name);
      if (breaker->name() != name || breaker->execute([] { return 1; }) != 1) ++wrong;
      if (const auto registered = registry.find(name); registered == breaker) ++in_use;
      if (registry.size() > room) ++over;
    }
  });
  CHECK(over == 0);
  CHECK(wrong == 0);
  CHECK(registry.size() == room);
  CHECK(in_use + static_cast<int>(registry.unregistered()) <= threads * rounds);
  const auto late = registry.get("late");  // nobody holds a breaker any more
  CHECK(registry.find("late") == late);
}
