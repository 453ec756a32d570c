// examples/webhook_delivery.cpp: the guide's first use case: POST /deliver?url=... delivers a webhook to its
// host, with retries, behind one breaker per host.
#include <fusebox/adapters/httplib.hpp>
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <string>
#include <utility>

#include <httplib.h>

#include "support/caller.hpp"
#include "support/client.hpp"
#include "support/routes.hpp"
#include "support/server_thread.hpp"
#include "support/status.hpp"
#include "support/terminal.hpp"
#include "support/times.hpp"
#include "support/upstream.hpp"
#include "support/url.hpp"

using namespace std::chrono_literals;
using support::say;
using support::scene;
using support::Tone;

namespace {

struct Delivery {
  bool delivered;
  std::string note;
};

Delivery deliver(const support::Url& url, const std::string& payload, const support::Times& times) {
  const auto breaker = fusebox::get_circuit_breaker("webhook-" + url.host,
                                                    {.failure_threshold = 5,
                                                     .reset_timeout = times(10s),
                                                     .probe_timeout = times(60s)});  // a probe may be retried
  const auto send = [&](const fusebox::Attempt& attempt) {
    httplib::Request request;
    request.method = "POST";
    request.body = payload;
    // The same key in every attempt, so that the receiver recognises a repetition.
    request.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", attempt.idempotency_key()}};
    return support::send(url, std::move(request), times(10s));
  };
  return breaker->execute(
      [&] {
        auto answer = fusebox::retry_with_backoff(send, times(fusebox::retry_presets::standard),
                                                  fusebox::on_retry(support::say_retry),
                                                  fusebox::on_give_up(support::say_give_up));
        if (!answer.has_value()) answer.error().rethrow();
        const int status = (*answer)->status;  // a redirect is no failure, and no delivery either
        return Delivery{support::is_success(status),
                        fmt::format("status {}, attempt {}", status, answer.stats.attempts)};
      },
      [](const fusebox::Failure& failure) {
        if (!failure.is_rejection()) failure.rethrow();
        return Delivery{false, "Circuit breaker open"};
      });
}

/// POST /deliver?url=http://host:port/path, with the payload as its body.
void handle_deliver(const httplib::Request& request, httplib::Response& response,
                    const support::Times& times) {
  const fusebox::RequestInfo info{.path = request.path};
  const auto url = support::parse_url(request.get_param_value("url"));
  if (!url) return send_validation_error(response, {{"url", url.problem()}}, info);
  try {
    const Delivery delivery = deliver(*url, request.body, times);
    const auto document = delivery.delivered ? R"({{"success":true,"delivered":true,"result":"{}"}})"
                                             : R"({{"success":false,"delivered":false,"reason":"{}"}})";
    response.set_content(fmt::format(fmt::runtime(document), delivery.note), "application/json");
  } catch (const fusebox::ApiError& error) {
    // The guide's answer. send_exception would hide the receiver's status too.
    send_api_error(response,
                   fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "Failed to deliver webhook"}
                       .with_category(fusebox::ErrorCategory::external_service)
                       .with_details(error.message()),
                   info);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const support::Times times = support::parse_times(
      argc, argv, "Delivers webhooks to a host that is busy, down, slow and well again.", 10);
  const auto watch = fusebox::default_registry().on_state_change(support::say_change);

  support::Upstream shop;  // the receivers: hooks.shop.example and hooks.bank.example
  support::Upstream bank;
  support::Routes routes;
  routes.post("/deliver",
              [&](const auto& request, auto& response) { handle_deliver(request, response, times); });
  httplib::Server service;
  routes.serve(service);
  const support::ServerThread running{service};
  say(Tone::quiet, "POST http://127.0.0.1:{}/deliver, with {}", running.port(), times.describe());

  int order = 0;
  const auto post = [&](const std::string& host, int port) {
    say(Tone::plain, "order {} for {}", ++order, host);
    const std::string target = fmt::format("/deliver?url=http://{}:{}/orders", host, port);
    const std::string payload = fmt::format(R"({{"order":{}}})", order);
    support::say_answer(running.port(),
                        [&](auto& client) { return client.Post(target, payload, "application/json"); });
  };
  const auto post_to_shop = [&](int times_over) {
    for (int i = 0; i < times_over; ++i) post("hooks.shop.example", shop.port());
  };

  scene("The shop takes its webhooks");
  post_to_shop(1);
  scene("It is busy: 503, the second time with Retry-After: 1; then it answers");
  shop.play({support::Reply::busy(), support::Reply::busy(1), support::Reply::ok()});
  post_to_shop(1);
  scene("It does not know the path: a 404 is an answer: not retried, and no failure to the breaker");
  shop.play({support::Reply::not_found()});
  post_to_shop(1);
  scene("It has moved: only a final 2xx is a delivery, and a 302 is not");
  shop.play({support::Reply::moved()});
  post_to_shop(1);
  scene("It is down: connections are refused, each wait is longer; the fifth failure opens its breaker");
  shop.go_down();
  post_to_shop(5);
  scene("Its webhooks are rejected at once; the bank, however it is spelled, has a breaker of its own");
  post_to_shop(3);
  post("hooks.bank.example", bank.port());
  post("Hooks.Bank.Example.", bank.port());

  const auto breaker = fusebox::get_circuit_breaker("webhook-hooks.shop.example");
  scene("The shop is up again, but too slow: the probe fails, and the breaker opens again");
  shop.play({support::Reply::slow(2 * times(10s))});
  shop.come_up();
  support::wait_for_probe(*breaker);
  post_to_shop(1);
  scene("It has recovered: two probes succeed, and the breaker closes");
  shop.play({support::Reply::ok()});
  support::wait_for_probe(*breaker);
  post_to_shop(3);
  support::say_health();
}
