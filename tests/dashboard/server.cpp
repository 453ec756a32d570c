// H70 to H75: two dashboards of registries that a browser looks at, see check_page.py.
//
// server BREAKERS: a plain one on the first port that it prints, one with hostile names and with buttons on
// the second. Each request for data moves their time and their calls on; it ends with its standard input.
#include <fusebox/dashboard.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <httplib.h>

using namespace std::chrono_literals;
using Clock = fusebox::test::FakeClock;
using Registry = fusebox::PolicyRegistry<Clock>;

namespace {

constexpr const char* hostile_names[] = {
    "<img src=x onerror=\"window.hacked=1\">",
    "</script><script>window.hacked=1</script>",
    "__proto__",
    "constructor",
    "\"'`${window.hacked=1}",
    "two\nlines\tand \x1b[31mescape",
    "\u202edrawkcab",
    "not UTF-8: \xff\xc3",
    " ",
    "javascript:window.hacked=1",
};

/// The same calls for everybody, so that a test knows what it sees.
class Traffic {
 public:
  explicit Traffic(Registry& registry, std::vector<std::string> names)
      : registry_{registry}, clock_{registry.clock()}, names_{std::move(names)} {
    for (const std::string& name : names_)
      registry.get<fusebox::CircuitBreaker<Clock>>(name, {.reset_timeout = 20s});
    const std::string first = names_.front();
    // One policy of each further kind: check_page.py asks for all that the health document has.
    registry.get<fusebox::Bulkhead<Clock>>(first, {.max_concurrent = 8})->execute([] {});
    registry.get<fusebox::AdaptiveLimit<fusebox::Measured, Clock>>(first)->execute([] {});
    (void)registry.get<fusebox::RateLimiter<Clock>>(first, {.permits = 1})->try_acquire();
    (void)registry.get<fusebox::RateLimiter<Clock>>(first)->try_acquire();
    registry.get<fusebox::Throttle<Clock>>(first)->execute([] {});
    (void)registry.get<fusebox::RetryCounts>(first);
    (void)registry.get<fusebox::RetryBudget<Clock>>(first);
    (void)registry.get<fusebox::RetryThrottle>(first);
    (void)registry.get<fusebox::TimeoutCounts>(first);
    (void)registry.get<fusebox::HedgeCounts>(first);
    (void)registry.get<fusebox::CallDurations>(first);
    registry.get<fusebox::Chaos<Clock>>(first)->enable(true);
  }

  /// One second.
  void step() {
    clock_.advance(1s);
    ++second_;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto breaker = registry_.find<fusebox::CircuitBreaker<Clock>>(names_[i]);
      const std::size_t phase = (second_ + i * 13) % 40;  // a wave of 40 s, and what looks like chance
      const std::size_t calls =
          2 + i * 7 % 15 + (phase < 20 ? phase : 40 - phase) / 4 + (i * 31 + second_ * second_ * 7) % 4;
      for (std::size_t call = 0; call < calls; ++call) {
        auto permit = breaker->try_acquire();
        if (!permit) continue;
        const bool fails = i % 9 == 4 && second_ % 60 < 40 && call % 10 < 8;
        if (fails)
          permit.report(fusebox::Failure::from_status(503));
        else
          permit.success();
      }
    }
  }

 private:
  Registry& registry_;
  Clock clock_;
  std::vector<std::string> names_;
  std::size_t second_ = 0;
};

class Site {
 public:
  Site(std::vector<std::string> names, const fusebox::DashboardConfig& config, bool has_actions)
      : traffic_{registry_, std::move(names)}, dashboard_{registry_, config, actions(has_actions)} {
    for (int i = 0; i < 30; ++i) traffic_.step();
    server_.Get("/", [this](const auto&, auto& response) { dashboard_.page().send(response); });
    server_.Get("/dashboard.json", [this](const auto&, auto& response) {
      const std::lock_guard lock{mutex_};
      traffic_.step();
      dashboard_.data().send(response);
    });
    const auto act = [this](const httplib::Request& request, auto& response) {
      dashboard_.act(request.method, request.headers, request.body).send(response);
    };
    server_.Get("/dashboard/action", act);
    server_.Post("/dashboard/action", act);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread{[this] { server_.listen_after_bind(); }};
    while (!server_.is_running()) std::this_thread::sleep_for(1ms);
  }
  ~Site() {
    server_.stop();
    thread_.join();
  }
  [[nodiscard]] int port() const { return port_; }

 private:
  [[nodiscard]] fusebox::DashboardActions actions(bool has_actions) {
    if (!has_actions) return {};
    return {.reset = [this](const std::string& name) { return registry_.circuit_breakers().reset(name); },
            .force_open =
                [this](const std::string& name) {
                  const auto breaker = registry_.circuit_breakers().find(name);
                  if (breaker) breaker->force_open();
                  return breaker != nullptr;
                }};
  }

  Clock clock_;
  Registry registry_{{}, clock_};
  std::mutex mutex_;
  Traffic traffic_;
  fusebox::Dashboard<Clock> dashboard_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace

int main(int, char** argv) {
  std::vector<std::string> names{"payments", "catalog", "payments eu", "search", "inventory", "mail"};
  for (int i = static_cast<int>(names.size()); i < std::atoi(argv[1]); ++i)
    names.push_back("service-" + std::to_string(1000 + i).substr(1));
  std::vector<std::string> hostile{"payments", "search", std::string(512, 'n')};
  hostile.insert(hostile.end(), std::begin(hostile_names), std::end(hostile_names));
  const Site plain{names, {.title = "Checkout service", .refresh = 500ms}, false};
  const Site armed{hostile, {.title = "</title><script>window.hacked=1</script>", .refresh = 500ms}, true};
  std::cout << plain.port() << '\n' << armed.port() << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
}
