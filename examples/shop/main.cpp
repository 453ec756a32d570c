// examples/shop: an application of ordinary size. Prices come from another service, with a copy in Redis as
// the fallback; a pool of workers sends orders to a third one. GET /health, /metrics, and / is a dashboard.
#include <fusebox/fusebox.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <httplib.h>

#include "shop/dependencies.hpp"
#include "support/arguments.hpp"
#include "support/random_key.hpp"
#include "support/routes.hpp"
#include "support/server_thread.hpp"
#include "support/terminal.hpp"
#include "support/workers.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  static std::atomic<bool> interrupted{false};
  std::string prices_host, orders_host;
  long redis_port = 6379;
  std::chrono::milliseconds keep_prices = 1h;
  support::Arguments{"A shop that keeps selling while what it depends on fails. It runs until Ctrl-C."}
      .required("--prices", "a host such as 127.0.0.1:8001", "answers GET /price/ITEM", prices_host)
      .required("--orders", "a host such as 127.0.0.1:8002", "takes POST /orders", orders_host)
      .value("--redis", "a port from 1 to 65535", "where Redis listens",
             [&](auto text) { return (redis_port = support::parse_number(text, 1, 65'535).value_or(0)) > 0; })
      .value("--keep", "a time in ms, s or m such as 10m", "how old a copy of a price may be",
             [&](auto text) { return (keep_prices = support::parse_duration(text).value_or(0ms)) > 0ms; })
      .parse(argc, argv);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = true; });
  std::signal(SIGPIPE, SIG_IGN);  // libcurl and hiredis may write to a closed connection
  curl_global_init(CURL_GLOBAL_DEFAULT);

  const shop::Service prices{prices_host}, orders{orders_host};
  shop::Cache cache{static_cast<int>(redis_port), keep_prices};
  const auto price = [&](const std::string& path, auto& response) {
    std::string found;
    try {
      found = prices.ask(path);
      cache.put(path, found);
    } catch (const std::exception&) {
      if (fusebox::Failure::from_current_exception().status() == 404)  // an answer, not an outage
        throw fusebox::ApiError{fusebox::ErrorCode::not_found, "No such item"};
      const auto copy = cache.find(path);
      if (!copy) throw;  // Routes answers with 502, 503 or 504
      found = *copy;
      response.set_header("X-From", "cache");
    }
    response.set_content(found, "application/json");
  };
  std::atomic<int> sent{0}, kept{0};
  const auto keep = [&kept](const shop::Order& order, const std::string& why) {
    ++kept;  // a real shop writes down both: it may have been sent, and is sent again with the same key
    support::say(support::Tone::warning, "kept order {} of {} bytes: {}", order.key, order.document.size(),
                 why);
  };
  support::Workers<shop::Order> workers{4, [&](const shop::Order& order, std::stop_token stop) {
                                          try {
                                            (void)orders.ask("/orders", &order, std::move(stop));
                                            ++sent;
                                          } catch (const std::exception& error) {
                                            keep(order, error.what());
                                          }
                                        }};

  fusebox::Dashboard dashboard{fusebox::default_policy_registry(), {.title = "shop"}};
  support::Routes routes;
  support::add_operations(routes, dashboard);
  routes.get("/price/*", [&](const auto& request, auto& response) { price(request.path, response); });
  routes.post("/orders", [&](const auto& request, auto& response) {
    if (!workers.add({support::random_key(), request.body}))
      throw fusebox::ApiError{fusebox::ErrorCode::service_unavailable};
    response.status = 202;
  });
  {
    httplib::Server server;
    routes.serve(server);
    const support::ServerThread running{server};
    support::say(support::Tone::plain, "listening on 127.0.0.1:{}", running.port());
    while (!interrupted) std::this_thread::sleep_for(20ms);
  }  // no new requests from here on
  for (const shop::Order& order : workers.end()) keep(order, "not begun");
  support::say(support::Tone::plain, "{} orders sent, {} kept", sent.load(), kept.load());
}
