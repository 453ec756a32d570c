#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/registry.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::fail;
using support::Registry;

namespace {

using Lines = std::vector<std::string>;

constexpr CircuitBreakerConfig one_probe{
    .failure_threshold = 1, .success_threshold = 1, .reset_timeout = 10s};

std::string line(const StateChange& change) {
  return change.name + ": " + std::string{to_string(change.from)} + " -> " +
         std::string{to_string(change.to)} + ", " + std::string{to_string(change.reason)};
}

/// A callback that writes a line for each change.
auto write_to(Lines& lines) {
  return [&lines](const StateChange& change) { lines.push_back(line(change)); };
}

Lines taken(Lines& lines) { return std::exchange(lines, {}); }

}  // namespace

TEST_CASE("G6 on_state_change reports the breakers present and those to come", "[G6]") {
  test::FakeClock clock;
  Registry registry{{.default_config = one_probe}, clock};
  Lines lines;
  const auto present = registry.get("present");
  fail(*registry.get("before"));  // without a subscriber
  const auto subscription = registry.on_state_change(write_to(lines));
  const auto to_come = registry.get("to-come");
  CHECK(lines.empty());

  fail(*present);
  CHECK(taken(lines) == Lines{"present: closed -> open, failure_threshold"});
  to_come->force_open();
  CHECK(taken(lines) == Lines{"to-come: closed -> forced-open, forced"});
  clock.advance(10s);
  present->execute([] {});
  CHECK(taken(lines) == Lines{"present: open -> half-open, probe_admitted",
                              "present: half-open -> closed, probes_succeeded"});
  registry.reset("before");
  CHECK(taken(lines) == Lines{"before: open -> closed, reset"});
}

TEST_CASE("G6 a change has the time of the registry's clock", "[G6]") {
  test::FakeClock clock;
  Registry registry{{}, clock};
  std::vector<std::chrono::system_clock::time_point> times;
  const auto subscription =
      registry.on_state_change([&](const StateChange& change) { times.push_back(change.at); });
  const auto start = clock.wall_now();
  clock.advance(5s);
  registry.get("payments")->disable();
  CHECK(times == std::vector{start + 5s});
}

TEST_CASE("G6 reset_all() causes an event of each breaker that it moves", "[G6]") {
  Registry registry;
  Lines lines;
  (void)registry.get("closed");
  registry.get("forced")->force_open();
  registry.get("disabled")->disable();
  const auto subscription = registry.on_state_change(write_to(lines));
  registry.reset_all();
  std::sort(lines.begin(), lines.end());
  CHECK(lines == Lines{"disabled: disabled -> closed, reset", "forced: forced-open -> closed, reset"});
}

TEST_CASE("G6 each subscription receives every change until it ends", "[G6]") {
  Registry registry;
  const auto breaker = registry.get("payments");
  Lines first_lines;
  Lines second_lines;
  auto first = registry.on_state_change(write_to(first_lines));
  {
    const auto second = registry.on_state_change(write_to(second_lines));
    breaker->disable();
    CHECK(first_lines.size() == 1);
    CHECK(second_lines == first_lines);
  }
  breaker->reset();
  CHECK(first_lines.size() == 2);
  CHECK(second_lines.size() == 1);

  Subscription moved = std::move(first);
  breaker->disable();
  CHECK(first_lines.size() == 3);
  moved.unsubscribe();
  breaker->reset();
  registry.get("later")->disable();
  CHECK(first_lines.size() == 3);
}

TEST_CASE("G6 a breaker's own subscription and the registry's both receive its changes", "[G6]") {
  Registry registry;
  const auto breaker = registry.get("payments");
  Lines own;
  Lines all;
  const auto of_breaker = breaker->on_state_change(write_to(own));
  const auto of_registry = registry.on_state_change(write_to(all));
  breaker->disable();
  registry.get("other")->disable();
  CHECK(own == Lines{"payments: closed -> disabled, disabled"});
  CHECK(all == Lines{"payments: closed -> disabled, disabled", "other: closed -> disabled, disabled"});
  registry.remove("payments");
  breaker->reset();
  CHECK(own.size() == 2);
  CHECK(all.size() == 2);
}

TEST_CASE("G6 after remove() the registry reports the successor, but not the removed breaker", "[G6]") {
  Registry registry;
  Lines lines;
  const auto subscription = registry.on_state_change(write_to(lines));
  const auto removed = registry.get("payments");
  removed->disable();
  taken(lines);
  registry.remove("payments");
  removed->reset();
  removed->force_open();
  CHECK(lines.empty());
  const auto successor = registry.get("payments");
  successor->disable();
  removed->reset();
  CHECK(taken(lines) == Lines{"payments: closed -> disabled, disabled"});
}

TEST_CASE("G6 after clear() the registry reports only the breakers to come", "[G6]") {
  Registry registry;
  Lines lines;
  const auto subscription = registry.on_state_change(write_to(lines));
  const auto a = registry.get("a");
  const auto b = registry.get("b");
  registry.clear();
  a->disable();
  b->force_open();
  CHECK(lines.empty());
  registry.get("a")->force_open();
  CHECK(taken(lines) == Lines{"a: closed -> forced-open, forced"});
}

TEST_CASE("G6 an evicted breaker's successor is reported, once", "[G6]") {
  Registry registry{{.max_breakers = 1}};
  Lines lines;
  const auto subscription = registry.on_state_change(write_to(lines));
  (void)registry.get("a");
  (void)registry.get("b");
  CHECK(lines.empty());
  registry.get("a")->force_open();
  CHECK(taken(lines) == Lines{"a: closed -> forced-open, forced"});
}

TEST_CASE("G6 a breaker that is not registered is not reported", "[G6]") {
  Registry registry{{.max_breakers = 1}};
  Lines lines;
  const auto subscription = registry.on_state_change(write_to(lines));
  const auto held = registry.get("held");
  const auto extra = registry.get("extra");
  REQUIRE(registry.unregistered() == 1);
  extra->force_open();
  CHECK(lines.empty());
}

TEST_CASE("G6 a Subscription may outlive its registry", "[G6]") {
  Lines lines;
  std::optional<Subscription> subscription;
  Registry::Handle held;
  {
    Registry registry;
    held = registry.get("payments");
    subscription.emplace(registry.on_state_change(write_to(lines)));
    held->disable();
  }
  subscription.reset();
  held->reset();
  CHECK(lines == Lines{"payments: closed -> disabled, disabled"});
}

TEST_CASE("G6 a callback may call every member of the registry", "[G6]") {
  Registry registry{{.max_breakers = 3, .default_config = one_probe}};
  const auto breaker = registry.get("payments");
  int calls = 0;
  const auto on_opening = [&](auto action) {
    return registry.on_state_change([&calls, action](const StateChange& change) {
      if (change.to != State::open) return;
      ++calls;
      action();
    });
  };

  SECTION("get an existing breaker") {
    Registry::Handle got;
    const auto subscription = on_opening([&] { got = registry.get("payments", {.failure_threshold = 9}); });
    fail(*breaker);
    CHECK(got == breaker);
    CHECK(registry.config_conflicts() == 1);
  }
  SECTION("get a new breaker") {
    const auto subscription = on_opening([&] { registry.get("new")->disable(); });
    fail(*breaker);
    CHECK(registry.get("new")->state() == State::disabled);
  }
  SECTION("get so many that others are evicted") {
    const auto subscription = on_opening([&] {
      for (int i = 0; i < 10; ++i) (void)registry.get("host-" + std::to_string(i));
    });
    fail(*breaker);
    CHECK(registry.size() == 3);
    CHECK(registry.find("payments") == breaker);
  }
  SECTION("look") {
    CircuitBreakerStats seen;
    const auto subscription = on_opening([&] {
      seen = registry.stats().at("payments");
      (void)registry.find("payments");
      (void)registry.size();
      (void)registry.unregistered();
    });
    fail(*breaker);
    CHECK(seen.state == State::open);
    CHECK(seen.opened_count == 1);
  }
  SECTION("remove") {
    const auto subscription = on_opening([&] { registry.remove("payments"); });
    fail(*breaker);
    CHECK(registry.size() == 0);
    CHECK(breaker->state() == State::open);
  }
  SECTION("clear") {
    (void)registry.get("other");
    const auto subscription = on_opening([&] { registry.clear(); });
    fail(*breaker);
    CHECK(registry.size() == 0);
  }
  SECTION("reset") {
    const auto subscription = on_opening([&] { registry.reset("payments"); });
    fail(*breaker);
    CHECK(breaker->state() == State::closed);
  }
  SECTION("reset all") {
    registry.get("forced")->force_open();
    const auto subscription = on_opening([&] { registry.reset_all(); });
    fail(*breaker);
    CHECK(breaker->state() == State::closed);
    CHECK(registry.get("forced")->state() == State::closed);
  }
  SECTION("subscribe") {
    Lines lines;
    std::optional<Subscription> inner;
    const auto subscription = on_opening([&] { inner.emplace(registry.on_state_change(write_to(lines))); });
    fail(*breaker);
    CHECK(lines.empty());
    breaker->reset();
    CHECK(lines == Lines{"payments: open -> closed, reset"});
  }
  SECTION("end its own subscription") {
    Subscription subscription;
    subscription = on_opening([&] { subscription.unsubscribe(); });
    fail(*breaker);
    breaker->reset();
    fail(*breaker);
  }
  SECTION("end another subscription") {
    Lines lines;
    Subscription other;
    const auto subscription = on_opening([&] { other.unsubscribe(); });
    other = registry.on_state_change(write_to(lines));
    fail(*breaker);
    breaker->reset();
    CHECK(lines.empty());
  }
  CHECK(calls == 1);
}

TEST_CASE("G6 a breaker whose last handle a callback releases ends after the call", "[G6]") {
  Registry registry{{.default_config = one_probe}};
  std::weak_ptr<Breaker> weak;
  {
    auto handle = registry.get("payments");
    weak = handle;
    const auto subscription = registry.on_state_change([&](const StateChange&) {
      handle.reset();
      registry.remove("payments");
    });
    Breaker& breaker = *handle;
    CHECK_THROWS_AS(breaker.execute([] { throw std::runtime_error{"down"}; }), std::runtime_error);
  }
  CHECK(weak.expired());
}

TEST_CASE("B14 G6 a change that a callback causes is reported after that callback returns", "[B14][G6]") {
  Registry registry;
  Lines lines;
  const auto dependent = registry.get("dependent");
  const auto subscription = registry.on_state_change([&](const StateChange& change) {
    lines.push_back(line(change));
    if (change.name == "database") {
      dependent->force_open();
      lines.push_back("database: callback returns");
    }
  });
  registry.get("database")->force_open();
  CHECK(lines == Lines{"database: closed -> forced-open, forced", "database: callback returns",
                       "dependent: closed -> forced-open, forced"});
}

TEST_CASE("G6 what a callback holds is destroyed with its subscription, and may call the registry", "[G6]") {
  Registry registry;
  struct CallsBack {
    Registry& registry;
    std::size_t& seen;
    ~CallsBack() { seen = registry.size(); }
  };
  std::size_t seen = 0;
  {
    const auto subscription = registry.on_state_change(
        [held = std::unique_ptr<CallsBack>{new CallsBack{registry, seen}}](const StateChange&) {});
    (void)registry.get("payments");
    CHECK(seen == 0);
  }
  CHECK(seen == 1);
}

TEST_CASE("B14 G6 the changes of each breaker are a chain, also if many threads cause them", "[B14][G6]") {
  Registry registry;
  constexpr int threads = 4;
  const std::vector<std::string> names{"a", "b", "c"};
  std::map<std::string, State> last;
  std::mutex mutex;
  int breaks = 0;
  for (const auto& name : names) {
    (void)registry.get(name);
    last[name] = State::closed;
  }
  auto subscription = registry.on_state_change([&](const StateChange& change) {
    const std::lock_guard lock{mutex};
    if (last.at(change.name) != change.from || change.from == change.to) ++breaks;
    last.at(change.name) = change.to;
  });
  support::run_together(threads, [&](int thread) {
    for (int i = 0; i < 200; ++i) {
      const auto breaker = registry.get(names[static_cast<std::size_t>(i + thread) % names.size()]);
      switch ((i + thread) % 3) {
        case 0: breaker->force_open(); break;
        case 1: breaker->disable(); break;
        default: breaker->reset(); break;
      }
    }
  });
  subscription.unsubscribe();
  CHECK(breaks == 0);
  for (const auto& name : names) CHECK(last.at(name) == registry.get(name)->state());
}

TEST_CASE(
    "G6 a breaker that is made while somebody subscribes is reported as soon as on_state_change returns",
    "[G6]") {
  for (int round = 0; round < 50; ++round) {
    Registry registry;
    std::atomic<int> reported{0};
    std::optional<Subscription> subscription;
    support::run_together(3, [&](int thread) {
      if (thread == 0) {
        subscription.emplace(registry.on_state_change([&](const StateChange&) { ++reported; }));
      } else {
        for (int i = 0; i < 5; ++i) (void)registry.get(std::to_string(5 * thread + i));
      }
    });
    REQUIRE(registry.size() == 10);
    for (const auto& [name, stats] : registry.stats()) registry.get(name)->disable();
    REQUIRE(reported == 10);
  }
}

TEST_CASE("B14 G6 after a subscription is gone its callback is not called, even if others cause changes",
          "[B14][G6]") {
  Registry registry;
  const auto breaker = registry.get("payments");
  std::atomic<int> late{0};
  support::run_together(3, [&](int thread) {
    for (int i = 0; i < 100; ++i) {
      if (thread == 0) {
        auto alive = std::make_unique<std::atomic<bool>>(true);
        {
          const auto subscription = registry.on_state_change([&late, flag = alive.get()](const StateChange&) {
            if (!*flag) ++late;
          });
          (void)registry.get(std::to_string(i));
        }
        *alive = false;
        alive.reset();
      } else if (thread == 1) {
        breaker->disable();
        breaker->reset();
      } else {
        registry.get(std::to_string(i))->force_open();
        registry.remove(std::to_string(i - 1));
      }
    }
  });
  CHECK(late == 0);
}

TEST_CASE("G5 every member may be called while others are", "[G5]") {
  Registry registry{{.max_breakers = 4, .default_config = one_probe}};
  std::atomic<int> wrong{0};
  support::run_together(4, [&](int thread) {
    for (int i = 0; i < 150; ++i) {
      const std::string name = std::to_string(i % 6);
      switch (thread) {
        case 0:
          registry.get(name)->execute([] {}, [] {});
          fail(*registry.get(name));
          if (i % 50 == 49) registry.clear();
          break;
        case 1:
          for (const auto& [key, stats] : registry.stats()) {
            if (key.empty() || stats.opened_count > 1000) ++wrong;
          }
          if (registry.size() > 4) ++wrong;
          break;
        case 2: {
          const auto subscription = registry.on_state_change([](const StateChange&) {});
          registry.reset_all();
          registry.reset(name);
          break;
        }
        default:
          if (const auto found = registry.find(name); found && found->name() != name) ++wrong;
          registry.remove(name);
          (void)registry.get(name, {.failure_threshold = 2});
          if (registry.config_conflicts() > 10'000 || registry.unregistered() > 10'000) ++wrong;
          break;
      }
    }
  });
  CHECK(wrong == 0);
  CHECK(registry.size() <= 4);
}
