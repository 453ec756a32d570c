// examples/url_validation.cpp: the guide's second use case: GET /check?url=... checks a link, with quick
// retries, behind one breaker per host.
#include <fusebox/adapters/httplib.hpp>
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <string>

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

/// Checks a link. Returns a JSON document: whether it is valid, and its status or "unreachable".
std::string check_url(const support::Url& url, const support::Times& times) {
  const auto breaker = fusebox::get_circuit_breaker("url-check-" + url.host, {.reset_timeout = times(60s)});
  fusebox::RetryConfig patience = times(fusebox::retry_presets::quick);
  patience.max_retries = 2;
  return breaker->execute(
      [&] {
        httplib::Request request;
        request.method = "HEAD";
        const auto ask = [&] { return support::send(url, request, times(5s)); };
        auto answer = fusebox::retry_with_backoff(ask, patience, fusebox::on_retry(support::say_retry),
                                                  fusebox::on_give_up(support::say_give_up));
        if (!answer.has_value()) answer.error().rethrow();
        const int status = (*answer)->status;
        return fmt::format(R"({{"valid":{},"status":{}}})", support::is_success(status), status);
      },
      [](const fusebox::Failure& failure) -> std::string {
        const bool answered = failure.status().has_value() && !failure.is_rejection();
        if (answered) return fmt::format(R"({{"valid":false,"status":{}}})", *failure.status());
        return R"({"valid":false,"status":"unreachable"})";
      });
}

}  // namespace

int main(int argc, char** argv) {
  const support::Times times =
      support::parse_times(argc, argv, "Checks links to hosts that answer, are down, or take too long.", 20);
  const auto watch = fusebox::default_registry().on_state_change(support::say_change);

  support::Upstream docs;
  support::Upstream blog;
  support::Routes routes;
  routes.get("/check", [&](const httplib::Request& request, httplib::Response& response) {
    const auto url = support::parse_url(request.get_param_value("url"));
    if (!url) return fusebox::send_bad_request_error(response, "url " + url.problem());
    response.set_content(check_url(*url, times), "application/json");
  });
  httplib::Server service;
  routes.serve(service);
  const support::ServerThread running{service};
  say(Tone::quiet, "GET http://127.0.0.1:{}/check, with {}", running.port(), times.describe());

  const auto check = [&](const std::string& url) {
    say(Tone::plain, "check {}", url);
    support::say_answer(running.port(), [&](auto& client) { return client.Get("/check?url=" + url); });
  };
  const std::string guide = fmt::format("http://docs.example:{}/guide", docs.port());
  const std::string post = fmt::format("http://blog.example:{}/post/", blog.port());
  const auto check_posts = [&](int first, int last) {
    for (int number = first; number <= last; ++number) check(post + std::to_string(number));
  };

  scene("Two hosts that answer, and an invalid URL");
  check(guide);
  check_posts(1, 1);
  check("ftp://docs.example");
  scene("A 404 is an answer: the link is broken, the host is not");
  docs.play({support::Reply::not_found(), support::Reply::ok()});
  check(guide);
  scene("So is a 302: nobody has looked at the page that it names");
  docs.play({support::Reply::moved(), support::Reply::ok()});
  check(guide);
  scene("A 503 whose Retry-After exceeds the longest wait ends the retry");
  docs.play({support::Reply::busy(120), support::Reply::ok()});
  check(guide);
  scene("The blog takes too long; after five failed checks in a row its breaker opens");
  blog.play({support::Reply::slow(2 * times(5s))});
  check_posts(1, 3);
  scene("Now it is down: connections are refused");
  blog.go_down();
  check_posts(4, 5);
  scene("Links to the blog are unreachable at once; links to the docs are still checked");
  check_posts(6, 9);
  check(guide);
  scene("The blog is back: two probes succeed, and its breaker closes");
  blog.play({support::Reply::ok()});
  blog.come_up();
  support::wait_for_probe(*fusebox::get_circuit_breaker("url-check-blog.example"));
  check_posts(1, 3);
  support::say_health();
}
