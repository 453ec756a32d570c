// examples/service.cpp: a service that depends on a flaky one, through a standard_pipeline. Shows its
// dashboard at /, every kind of error response, GET /health and GET /metrics, and an alert on each state
// change and while a breaker is open.
#include <fusebox/adapters/httplib.hpp>
#include <fusebox/fusebox.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include <httplib.h>

#include "support/arguments.hpp"
#include "support/caller.hpp"
#include "support/client.hpp"
#include "support/error_gallery.hpp"
#include "support/every.hpp"
#include "support/json_answer.hpp"
#include "support/routes.hpp"
#include "support/server_thread.hpp"
#include "support/terminal.hpp"
#include "support/upstream.hpp"
#include "support/url.hpp"

using namespace std::chrono_literals;
using support::Reply;
using support::say;
using support::Tone;

namespace {

std::atomic<bool> interrupted{false};

/// Fetches the upstream's document.
std::string fetch_stock(const fusebox::StandardPipeline<>& calls, const support::Url& url) {
  const auto ask = [&url](const fusebox::Deadline& deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
    return support::get(url, std::max(left, 1ms));
  };
  const auto answer = calls.try_execute(ask, fusebox::failure_if(support::no_json));
  if (!answer.has_value()) answer.error().rethrow();
  return (*answer)->body;
}

support::Routes make_routes(const fusebox::StandardPipeline<>& calls, const support::Url& upstream,
                            const fusebox::Dashboard<>& dashboard) {
  support::Routes routes;
  support::add_operations(routes, dashboard);
  routes.get("/routes", [](const auto&, auto& response) {
    std::string index = "GET / /stock/ITEM /health /metrics";
    for (const auto& [path, answer] : support::error_gallery) index += " " + path;
    response.set_content(index + "\n", "text/plain");
  });
  // The upstream cannot mistake a name for more than a name.
  routes.get("/stock/*", [&calls, upstream](const auto& request, auto& response) {
    support::Url url = upstream;
    url.path = request.path;
    response.set_content(fetch_stock(calls, url), "application/json");
  });
  for (const auto& [path, answer] : support::error_gallery) {
    routes.get(path, [&answer = answer](const auto& request, auto& response) {
      answer(response, support::info_of(request));
    });
  }
  return routes;
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<std::chrono::milliseconds> duration;
  int port = 0;
  bool quiet = false;
  support::Arguments{"A service that depends on a flaky one. It runs until Ctrl-C, or as long as --for says."}
      .value("--for", "a time in ms, s or m such as 10s, at most 1440m", "ends after this time",
             [&](std::string_view text) { return (duration = support::parse_duration(text)).has_value(); })
      .value("--port", "a number from 1 to 65535", "listens there instead of on a free port",
             [&](std::string_view text) {
               port = static_cast<int>(support::parse_number(text, 1, 65'535).value_or(0));
               return port != 0;
             })
      .flag("--no-visitor", "without the visitor who asks for something every 250 ms", quiet)
      .parse(argc, argv);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = true; });

  // The bulkhead, the retries, the breaker and the limits of "stock" are in the process-wide registry.
  const auto calls = fusebox::standard_pipeline(
      "stock", {.bulkhead = {.max_concurrent = 8},
                .total_timeout = 2s,
                .retry = {.max_retries = 2, .base_delay = 50ms, .max_delay = 1s},
                .breaker = {.failure_threshold = 5, .success_threshold = 1, .reset_timeout = 1700ms},
                .attempt_timeout = 200ms});
  support::Upstream stock;
  const fusebox::Dashboard dashboard{fusebox::default_policy_registry(), {.title = "Stock service"}};
  httplib::Server service;
  make_routes(calls, {.host = "stock.example", .port = stock.port()}, dashboard).serve(service);
  std::optional<support::ServerThread> running;
  try {
    running.emplace(service, port);
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "service: {}\n", error.what());
    return 1;
  }
  say(Tone::plain, "listening on 127.0.0.1:{}", running->port());
  say(Tone::quiet, "GET / is the dashboard, GET /routes lists what is there");

  const auto alert = fusebox::default_registry().on_state_change(support::say_change);
  const auto attempts = fusebox::get_circuit_breaker("stock")->on_call(support::say_attempt);
  const support::Every reminder{1000ms, [] {
                                  for (const auto& [name, stats] : fusebox::get_all_circuit_breaker_stats()) {
                                    if (stats.state == fusebox::State::open)
                                      say(Tone::bad, "  ! breaker {} is still open: {}", name, stats);
                                  }
                                }};

  const auto change_weather = [&stock, hour = 0]() mutable {
    switch (hour++ % 5) {
      case 0: return stock.play({Reply::ok()});
      case 1: return stock.play({Reply::busy(), Reply::busy(1), Reply::not_found(), Reply::ok()});
      case 2: return stock.play({Reply::garbage(), Reply::ok(), Reply::slow(400ms)});
      case 3: return stock.go_down();
      case 4: stock.play({Reply::ok()}), stock.come_up();
    }
  };
  const support::Every weather{1500ms, change_weather};
  std::optional<support::Every> visitor;
  if (!quiet) {
    visitor.emplace(250ms, [&] {
      say(Tone::plain, "GET /stock/apple");
      support::say_answer(running->port(), [](auto& client) { return client.Get("/stock/apple"); });
    });
  }

  const auto end = std::chrono::steady_clock::now() + duration.value_or(std::chrono::hours{24 * 365});
  while (!interrupted && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(20ms);
  visitor.reset();
  support::say_health();
}
