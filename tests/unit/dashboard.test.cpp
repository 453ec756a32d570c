#include <fusebox/dashboard.hpp>

#include <fusebox/health.hpp>
#include <fusebox/metrics.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;
using test::FakeClock;

namespace {

using Registry = PolicyRegistry<FakeClock>;
using Breaker = CircuitBreaker<FakeClock>;
using Headers = std::multimap<std::string, std::string>;

const std::string hostile = "</script><img src=x onerror=alert(1)>\"'\\\n\xff";
constexpr const char* origin = "http://127.0.0.1:8080";

json data_of(const Dashboard<FakeClock>& dashboard) { return json::parse(dashboard.data().body); }

void fail(Breaker& breaker, const Failure& failure) {
  auto permit = breaker.try_acquire();
  permit.report(failure);
}

/// A request of the page.
Headers good(const std::string& action) {
  return {{"Host", "127.0.0.1:8080"}, {"Origin", origin}, {"X-Fusebox-Action", action}};
}

/// Calls use(std::type_identity<P>{}) for each.
template <class... Ps, class Use>
void for_each_kind(std::type_identity<detail::NamedOfKinds<FakeClock, Ps...>> /*kinds*/, Use use) {
  (use(std::type_identity<Ps>{}), ...);
}

std::string field(const DashboardResponse& response, const std::string& name) {
  for (const auto& [one, value] : response.fields) {
    if (one == name) return value;
  }
  return "";
}

struct Acted {
  FakeClock clock;
  Registry registry{{}, clock};
  std::vector<std::string> names = {};
  Dashboard<FakeClock> dashboard{
      registry,
      {},
      {.reset = [this](const std::string& name) { return registry.circuit_breakers().reset(name); },
       .force_open = [this](const std::string& name) { return names.push_back(name), name != "nobody"; }}};
  Acted() { registry.get<Breaker>("payments"); }
};

}  // namespace

TEST_CASE("H70 the document has the health document of the registry, and what the page needs", "[H70]") {
  Registry registry{{}, FakeClock{}};
  const Dashboard dashboard{registry, DashboardConfig{.title = "Shop", .refresh = 750ms}};
  registry.get<Breaker>("payments");
  registry.get<Bulkhead<FakeClock>>("reports", {.max_concurrent = 3});
  const json document = data_of(dashboard);
  CHECK(document["title"] == "Shop");
  CHECK(document["refreshMs"] == 750);
  CHECK(document["instance"].get<std::string>().size() == 36);
  CHECK(document["instance"] == data_of(dashboard)["instance"]);
  CHECK(document["instance"] != data_of(Dashboard{registry})["instance"]);
  CHECK(document["health"] == json::parse(to_json(health_report(registry))));
  CHECK(document["health"]["bulkheads"]["reports"]["limit"] == 3);
  CHECK(document["events"] == json::array());
  CHECK(dashboard.data().content_type == "application/json");
  CHECK(field(dashboard.data(), "Cache-Control") == "no-store");
}

TEST_CASE("H70 M2 each kind of the registry is in health, in metrics and on the page", "[H70][M2]") {
  for_each_kind(std::type_identity<detail::PolicyKinds<FakeClock>>{}, []<class P>(std::type_identity<P>) {
    Registry registry{{}, FakeClock{}};
    const std::string no_metrics = to_prometheus(registry);
    registry.get<P>("only");
    CHECK(to_prometheus(registry).size() > no_metrics.size());
    const Dashboard dashboard{registry};
    const json document = data_of(dashboard)["health"];
    std::string kind;
    for (const auto& [member, policies] : document.items()) {
      if (policies.contains("only")) kind = member;
    }
    CAPTURE(kind, document.dump());
    CHECK(document.size() == 4);  // with timestamp, circuitBreakers, summary
    CHECK(dashboard.page().body.find("\n  " + kind + ": {\n") != std::string::npos);
  });
}

TEST_CASE("H70 the document is valid whatever names and titles are", "[H70]") {
  Registry registry{{}, FakeClock{}};
  const Dashboard dashboard{registry, DashboardConfig{.title = hostile}};
  fail(*registry.get<Breaker>(hostile, {.failure_threshold = 1}),
       Failure::from_exception(std::make_exception_ptr(std::runtime_error{hostile})));
  const json document = data_of(dashboard);
  CHECK(document["events"][0]["name"] == document["title"]);
  CHECK(document["health"]["circuitBreakers"].contains(document["title"].get<std::string>()));
}

TEST_CASE("H71 the page is HTML without outside resources, with a policy that names its script", "[H71]") {
  Registry registry{{}, FakeClock{}};
  const Dashboard dashboard{registry,
                            DashboardConfig{.title = hostile, .data_path = "/ops/data.json?a=1&b='2'"}};
  const DashboardResponse page = dashboard.page();
  CHECK(page.status == 200);
  CHECK(page.content_type == "text/html; charset=utf-8");
  CHECK(page.body.find("<title>&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;\\") !=
        page.body.npos);
  CHECK(page.body.find("content=\"/ops/data.json?a=1&amp;b=&#39;2&#39;\"") != page.body.npos);
  CHECK(page.body.find("<img") == page.body.npos);
  const std::string policy = field(page, "Content-Security-Policy");
  CHECK(policy.starts_with("default-src 'none'; script-src 'sha256-"));
  CHECK(policy.find("unsafe") == policy.npos);
  CHECK(policy.find("frame-ancestors 'none'") != policy.npos);
  CHECK(policy.find("require-trusted-types-for 'script'") != policy.npos);
  for (const DashboardResponse& any : {page, dashboard.data(), dashboard.act("POST", Headers{}, "")}) {
    CHECK(field(any, "X-Content-Type-Options") == "nosniff");
    CHECK(field(any, "Referrer-Policy") == "no-referrer");
    CHECK(field(any, "Cross-Origin-Resource-Policy") == "same-origin");
  }
}

TEST_CASE("H72 an event of a breaker has the states, the reason and the cause, the newest in front",
          "[H72]") {
  const FakeClock clock;
  Registry registry{{}, clock};
  const Dashboard dashboard{registry};
  const auto breaker = registry.get<Breaker>("payments", {.failure_threshold = 2});
  fail(*breaker, Failure::from_status(503));
  clock.advance(2s);
  fail(*breaker, Failure::from_status(502));
  clock.advance(2s);
  breaker->reset();
  const json events = data_of(dashboard)["events"];
  REQUIRE(events.size() == 2);
  CHECK(events[0]["what"] == "closed");
  CHECK(events[0]["reason"] == "reset");
  CHECK_FALSE(events[0].contains("cause"));
  CHECK(events[1] == json{{"number", 1},
                          {"time", "2025-01-07T12:00:02.000Z"},
                          {"times", 1},
                          {"kind", "circuitBreakers"},
                          {"name", "payments"},
                          {"what", "open"},
                          {"from", "closed"},
                          {"reason", "failure_threshold"},
                          {"cause", Failure::from_status(502).message()}});
}

TEST_CASE("H72 events of every kind are kept, but none for each call", "[H72]") {
  const FakeClock clock;
  Registry registry{{}, clock};
  const Dashboard dashboard{registry};
  const auto limiter = registry.get<RateLimiter<FakeClock>>("mail", {.permits = 1});
  (void)limiter->try_acquire();
  (void)limiter->try_acquire();
  const auto bulkhead = registry.get<Bulkhead<FakeClock>>("reports", {.max_concurrent = 1});
  const auto first = bulkhead->try_acquire();
  (void)bulkhead->try_acquire();
  const auto budget = registry.get<RetryBudget<FakeClock>>("budget", {.min_per_second = 0, .reserve = 0});
  (void)budget->try_withdraw();
  const auto chaos = registry.get<Chaos<FakeClock>>("chaos", {.fault_rate = 1});
  chaos->enable(true);
  for (int i = 0; i < 3; ++i) CHECK_THROWS(chaos->execute([] {}));
  std::string seen;
  const json document = data_of(dashboard);
  for (const json& event : document["events"])
    seen.append(event["kind"]).append(" ").append(event["what"]).append(", ");
  CHECK(seen == "chaos enabled, retryBudgets exhausted, bulkheads saturated, rateLimiters exhausted, ");
}

TEST_CASE("H72 a dashboard that is destroyed hears nothing more; several threads may use one", "[H72]") {
  Registry registry{{}, FakeClock{}};
  const auto breaker = registry.get<Breaker>("payments");
  {
    const Dashboard dashboard{registry, DashboardConfig{.max_events = 3}};
    std::atomic<bool> ended{false};
    std::thread reader{[&] {
      while (!ended) CHECK(data_of(dashboard)["events"].size() <= 3);
    }};
    for (int i = 0; i < 200; ++i) {
      breaker->force_open();
      breaker->reset();
    }
    ended = true;
    reader.join();
  }
  breaker->force_open();
}

TEST_CASE("H73 without a function there is no button, and no action", "[H73]") {
  Registry registry{{}, FakeClock{}};
  const auto breaker = registry.get<Breaker>("payments");
  const Dashboard dashboard{registry};
  CHECK(data_of(dashboard)["actions"] == json{{"reset", false}, {"forceOpen", false}});
  CHECK(dashboard.act("POST", good("force-open"), "payments").status == 404);
  CHECK(breaker->state() == State::closed);
  const Dashboard half{registry, {}, {.reset = [](const std::string&) { return true; }}};
  CHECK(data_of(half)["actions"] == json{{"reset", true}, {"forceOpen", false}});
  CHECK(half.act("POST", good("reset"), "payments").status == 204);
  CHECK(half.act("POST", good("force-open"), "payments").status == 404);
}

TEST_CASE("H73 H74 a request of the page calls the function with the name", "[H73][H74]") {
  Acted acted;
  CHECK(acted.dashboard.act("POST", good("force-open"), hostile).status == 204);
  CHECK(acted.names == std::vector{hostile});
  CHECK(acted.dashboard.act("POST", good("force-open"), "nobody").status == 404);
  const auto breaker = acted.registry.get<Breaker>("payments");
  breaker->force_open();
  CHECK(acted.dashboard.act("POST", good("reset"), "payments").status == 204);
  CHECK(breaker->state() == State::closed);
  CHECK(acted.dashboard.act("POST", good("reset"), "unknown").status == 404);
}

TEST_CASE("H74 any other request is refused, and calls nothing", "[H74]") {
  Acted acted;
  const auto status = [&](const std::string& method, const Headers& headers, const std::string& body) {
    return acted.dashboard.act(method, headers, body).status;
  };
  for (const std::string method : {"GET", "HEAD", "PUT", "post", ""})
    CHECK(status(method, good("force-open"), "payments") == 405);
  CHECK(field(acted.dashboard.act("GET", good("reset"), ""), "Allow") == "POST");
  Headers headers = good("force-open");
  headers.erase("X-Fusebox-Action");
  CHECK(status("POST", headers, "payments") == 403);
  headers = good("force-open");
  headers.emplace("X-Fusebox-Action", "force-open");
  CHECK(status("POST", headers, "payments") == 403);
  headers = good("force-open");
  headers.find("Origin")->second = "http://evil.example";
  CHECK(status("POST", headers, "payments") == 403);
  CHECK(status("POST", good("close"), "payments") == 404);
  CHECK(status("POST", good("FORCE-OPEN"), "payments") == 404);
  CHECK(status("POST", good("force-open"), "") == 400);
  CHECK(status("POST", good("force-open"), std::string(513, 'n')) == 400);
  CHECK(acted.names.empty());
}
