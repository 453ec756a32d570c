// A registry in a storm: more names than fit, whose breakers are got, held, tripped, removed and read at
// once, while the configs of new ones change.
#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "configs.hpp"
#include "support/threads.hpp"

using namespace stress;
using namespace fusebox;

namespace {

using Registry = CircuitBreakerRegistry<test::FakeClock>;

class User {
 public:
  User(Registry& registry, unsigned number, std::atomic<const char*>& impossible)
      : registry_{registry}, random_{number + 1}, impossible_{impossible} {}

  void step() {
    const std::string name = "name " + std::to_string(random_() % 24);
    switch (random_() % 16) {
      case 0: registry_.remove(name); break;
      case 1: look(); break;
      case 2: registry_.reset_all(); break;
      case 3: held_.clear(); break;
      case 4:
        if (random_() % 64 == 0) registry_.clear();
        break;
      case 5: listen(); break;
      case 6: configure(); break;
      default: use(name);
    }
  }

 private:
  void use(const std::string& name) {
    const Registry::Handle breaker = registry_.get(name, {.failure_threshold = given});
    if (breaker->name() != name) impossible_ = "get() gave a breaker of another name";
    const Registry::Handle found = registry_.find(name);
    if (found && found->name() != name) impossible_ = "find() gave a breaker of another name";
    switch (random_() % 8) {
      case 0: breaker->try_acquire().failure(); break;
      case 1: breaker->disable(); break;
      case 2: breaker->reset(); break;
      case 3:
        if (held_.size() < 6) held_.push_back(breaker);
        break;
      default: breaker->try_acquire().success();
    }
  }

  /// "name 1" and "name 1x" get even thresholds, other names odd ones.
  void configure() {
    const int half = static_cast<int>(random_() % 1000);
    switch (random_() % 3) {
      case 0: registry_.configure("name 1*", {.failure_threshold = 2 * half + 2}); break;
      case 1: registry_.configure("name 1", {.failure_threshold = 2 * half + 4}); break;
      default:
        registry_.configure({.max_breakers = 16, .default_config = {.failure_threshold = 2 * half + 1}});
    }
    const std::string name = "name " + std::to_string(random_() % 24);
    const int threshold = registry_.get(name)->config().failure_threshold;
    if (threshold != given && (threshold % 2 == 0) != name.starts_with("name 1"))
      impossible_ = "a breaker has the config of another name";
    if (registry_.config().default_config.failure_threshold % 2 == 0)
      impossible_ = "a registry has the config of a name";
  }

  void look() {
    std::size_t seen = 0;
    for (const auto& [name, stats] : registry_.stats()) {
      ++seen;
      if (stats.failure_rate < 0 || stats.failure_rate > 1) impossible_ = "a rate outside [0, 1]";
    }
    const auto most = static_cast<std::size_t>(registry_.config().max_breakers);
    if (seen > most || registry_.size() > most) impossible_ = "more breakers than max_breakers";
  }

  void listen() {
    const Subscription subscription = registry_.on_state_change([this](const StateChange& change) {
      if (change.from == change.to) impossible_ = "a change from a state to itself";
    });
    use("name " + std::to_string(random_() % 24));
  }

  static constexpr int given = 1;  // to get()

  Registry& registry_;
  std::minstd_rand random_;
  std::atomic<const char*>& impossible_;
  std::vector<Registry::Handle> held_;
};

}  // namespace

TEST_CASE("B19 G1 to G3 a registry that every thread uses at once keeps its bound and tells names apart",
          "[B19][G1][G2][G3]") {
  std::atomic<const char*> impossible{nullptr};
  Registry registry{{.max_breakers = 16, .default_config = {.failure_threshold = 3}}};
  registry.configure("name 1*", {.failure_threshold = 2});
  support::run_together(threads, [&](int i) {
    User user{registry, static_cast<unsigned>(i), impossible};
    for (int step = 0; step < 2 * steps(); ++step) user.step();
  });
  INFO("impossible: " << (impossible.load() == nullptr ? "nothing" : impossible.load()));
  CHECK(impossible.load() == nullptr);
  CHECK(registry.size() <= 16);

  // Nobody holds a breaker any more: every new name fits.
  registry.reset_all();
  const auto unregistered = registry.unregistered();
  for (int i = 0; i < 100; ++i) static_cast<void>(registry.get("new " + std::to_string(i)));
  CHECK(registry.unregistered() == unregistered);
  CHECK(registry.size() == 16);
}
