#include <fusebox/detail/registry/named_policies.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using test::FakeClock;

namespace {

struct Config {
  int number = 0;
};

/// A policy without rules.
struct Thing {
  std::string text;
  Config config;
  int kind = 0;
  std::vector<std::shared_ptr<detail::Subscriber<>>> subscribers = {};
  [[nodiscard]] const std::string& name() const { return text; }
};

struct ThingEvent {};

/// Runs while a thing is made, if it is set.
void (*while_made)() = nullptr;

}  // namespace

FUSEBOX_BEGIN_NAMESPACE
namespace detail {
template <>
struct PolicyKind<Thing> {
  using Config = ::Config;
  using Event = ThingEvent;
  static constexpr const char* config_type = "ThingConfig";

  static std::shared_ptr<Thing> make(std::string name, const Config& config, const FakeClock& /*clock*/) {
    if (while_made != nullptr) std::exchange(while_made, nullptr)();
    return std::make_shared<Thing>(Thing{std::move(name), config});
  }
  static Problem check(const Config& config) {
    if (config.number >= 0) return {};
    return problem("number", "at least 0", static_cast<long long>(config.number));
  }
  static bool has_had(const Thing& thing, const Config& config) {
    return thing.config.number == config.number;
  }
  static int eviction_kind(const Thing& thing) { return thing.kind; }
  static int stats(const Thing& thing, const ClockReading& /*now*/) { return thing.config.number; }
  static void subscribe(Thing& thing, const std::shared_ptr<Subscriber<>>& subscriber) {
    thing.subscribers.push_back(subscriber);
  }
  static void unsubscribe(Thing& thing, const Subscriber<>& subscriber) noexcept {
    std::erase_if(thing.subscribers, [&](const auto& one) { return one.get() == &subscriber; });
  }
};
}  // namespace detail
FUSEBOX_END_NAMESPACE

namespace {

using Named = detail::NamedPolicies<Thing, FakeClock>;

void limit(Named& things, std::size_t max, int number = 0) {
  things.set_limits([&](std::size_t) { return Named::Limits{max, {number}}; });
}

}  // namespace

TEST_CASE("G1 a new policy has the config given, else that of its name, else the default one", "[G1]") {
  Named things{"Things", FakeClock{}};
  limit(things, 10, 1);
  things.configure("b*", {2});
  CHECK(things.get("a")->config.number == 1);
  CHECK(things.get("b")->config.number == 2);
  CHECK(things.get("bc", {3})->config.number == 3);
  limit(things, 10, 4);
  CHECK(things.get("c")->config.number == 4);
  CHECK(things.stats() == std::map<std::string, int>{{"a", 1}, {"b", 2}, {"bc", 3}, {"c", 4}});
  CHECK_THROWS_WITH(things.get("d", {-1}), "ThingConfig.number must be at least 0, got -1");
  CHECK_THROWS_AS(things.configure("*", {-1}), ConfigError);
  CHECK_THROWS_WITH(things.configure("*x", {1}),
                    "Things.configure pattern must be a name, or a prefix and one * at its end, got \"*x\"");
  CHECK(things.size() == 4);
}

TEST_CASE("G3 kind 0 is evicted before kind 1, and kind 2 never", "[G3]") {
  Named things{"Things", FakeClock{}};
  limit(things, 3);
  things.get("a")->kind = 2;
  things.get("b")->kind = 1;
  things.get("c")->kind = 0;
  things.get("d")->kind = 1;
  CHECK(things.find("c") == nullptr);
  things.get("e")->kind = 2;
  CHECK(things.find("b") == nullptr);
  things.get("f")->kind = 2;
  CHECK(things.find("d") == nullptr);
  CHECK(things.unregistered() == 0);
  (void)things.get("g");
  CHECK(things.find("g") == nullptr);
  CHECK(things.unregistered() == 1);
}

TEST_CASE("G6 a subscriber has every policy, present and to come, until it leaves the registry", "[G6]") {
  Named things{"Things", FakeClock{}};
  limit(things, 2);
  const auto a = things.get("a");
  const auto subscriber = detail::make_subscriber<ThingEvent>([](const ThingEvent&) {});
  things.subscribe(subscriber);
  auto b = things.get("b");
  CHECK(a->subscribers.size() == 1);
  CHECK(b->subscribers.size() == 1);
  CHECK(things.get("unregistered")->subscribers.empty());
  CHECK(things.remove("a"));
  CHECK(a->subscribers.empty());
  things.clear();
  CHECK(b->subscribers.empty());
  subscriber->stop();
  CHECK(things.get("c")->subscribers.empty());
}

TEST_CASE("G5 what set_limits() throws changes nothing", "[G5]") {
  Named things{"Things", FakeClock{}};
  limit(things, 1, 5);
  (void)things.get("a");
  CHECK_THROWS_AS(things.set_limits([](std::size_t registered) -> Named::Limits {
    CHECK(registered == 1);
    throw ConfigError{"no"};
  }),
                  ConfigError);
  things.clear();
  CHECK(things.get("b")->config.number == 5);
}

TEST_CASE("G2 all() keeps nobody alive", "[G2]") {
  Named things{"Things", FakeClock{}};
  limit(things, 5);
  (void)things.get("a");
  (void)things.get("b");
  const auto all = things.all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].lock() != nullptr);
  things.clear();
  CHECK(all[0].expired());
}

TEST_CASE("G1 a thread that asks for a name while another one makes it gets the same policy", "[G1]") {
  static Named things{"Things", FakeClock{}};
  static Named::Handle second;
  static std::jthread other;
  limit(things, 10);
  while_made = [] {
    static std::atomic<bool> asks{false};
    other = std::jthread{[] {
      asks = true;
      asks.notify_one();
      second = things.get("a");  // waits until the first one is made
    }};
    asks.wait(false);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});  // until it most likely waits
  };
  const auto first = things.get("a");
  other.join();
  CHECK(second == first);
  CHECK(things.size() == 1);
}

TEST_CASE("G1 threads that ask for new names at once make each once", "[G1]") {
  constexpr int threads = 8;
  constexpr int names = 200;
  Named things{"Things", FakeClock{}};
  limit(things, names);
  std::vector<std::vector<Named::Handle>> got(threads);
  support::run_together(threads, [&](int thread) {
    for (int i = 0; i < names; ++i)
      got[static_cast<std::size_t>(thread)].push_back(things.get("n" + std::to_string(i), {thread}));
  });
  CHECK(things.size() == names);
  for (const auto& one : got) CHECK(one == got.front());
  CHECK(things.config_conflicts() == names * (threads - 1));  // each thread has a config of its own
}
