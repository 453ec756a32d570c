// H4, H9: a service that asks other services on loopback and answers with what they said, or with an error.
// check_gateway.py runs it behind nginx. It ends with its standard input.
//
//   GET /plain/PORT/path     GET http://127.0.0.1:PORT/path: retried, the last error rethrown
//   GET /tls/PORT/path       the same by https
//   GET /breaker/PORT/path   inside a breaker of its own, which opens at the second failure
//   GET /thrown/PORT/path    upstream_error is thrown
//   GET /begun/PORT/path     as /plain, after the handler has described the answer it meant to give
#include <fusebox/adapters/httplib.hpp>
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>

#include <httplib.h>

using namespace std::chrono_literals;

namespace {

httplib::Result ask(const std::string& scheme, const httplib::Request& request) {
  httplib::Client client{scheme + "://127.0.0.1:" + request.matches[1].str()};
  client.set_connection_timeout(2s);
  client.set_read_timeout(2s);
  return client.Get(request.matches[2].str());
}

std::string fetch(const std::string& scheme, const httplib::Request& request) {
  auto answer = fusebox::retry_with_backoff([&] { return ask(scheme, request); },
                                            {.max_retries = 1, .base_delay = 1ms, .max_delay = 100ms});
  if (!answer.has_value()) answer.error().rethrow();
  return (*answer)->body;
}

void add_routes(httplib::Server& service) {
  const std::string rest = R"(/(\d+)(/.*))";
  service.Get("/plain" + rest, [](const auto& request, auto& response) {
    response.set_content(fetch("http", request), "text/plain");
  });
  service.Get("/tls" + rest, [](const auto& request, auto& response) {
    response.set_content(fetch("https", request), "text/plain");
  });
  service.Get("/breaker" + rest, [](const auto& request, auto& response) {
    const auto breaker = fusebox::get_circuit_breaker("port " + request.matches[1].str(),
                                                      {.failure_threshold = 2, .reset_timeout = 30s});
    response.set_content(breaker->execute([&] { return fetch("http", request); }), "text/plain");
  });
  service.Get("/thrown" + rest, [](const auto& request, auto& response) {
    const httplib::Result answer = ask("http", request);
    if (const auto error = fusebox::upstream_error(answer, "stock")) throw *error;
    response.set_content(answer->body, "text/plain");
  });
  service.Get("/begun" + rest, [](const auto& request, auto& response) {
    response.set_header("Content-Encoding", "gzip");
    response.set_header("Content-Range", "bytes 0-9/100");
    response.set_header("Content-Disposition", "attachment; filename=\"stock.csv\"");
    response.set_header("ETag", "\"v7\"");
    response.set_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT");
    response.set_header("Cache-Control", "public, max-age=60");
    response.set_header("Location", "/stock/7");
    response.set_header("X-Frame-Options", "DENY");
    if (request.has_param("length")) response.set_header("Content-Length", "5000000");
    const std::string body = fetch("http", request);
    response.headers.erase("Content-Encoding");
    response.set_content(body, "text/plain");
  });
  service.set_exception_handler([](const auto& request, auto& response, const std::exception_ptr& error) {
    fusebox::send_exception(response, error,
                            {.request_id = request.get_header_value("X-Request-Id"), .path = request.path});
  });
}

}  // namespace

int main() {
  httplib::Server service;
  add_routes(service);
  service.set_keep_alive_max_count(1);
  const int port = service.bind_to_any_port("127.0.0.1");
  std::thread thread{[&] { service.listen_after_bind(); }};
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
  std::printf("listening on 127.0.0.1:%d, asks by https too\n", port);
#else
  std::printf("listening on 127.0.0.1:%d\n", port);
#endif
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  service.stop();
  thread.join();
}
