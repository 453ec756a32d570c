// support/routes.hpp: the routes of a server, and standard errors for every request that has none.
#pragma once

#include <cstddef>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <httplib.h>

#include <fusebox/fusebox.hpp>

namespace support {

inline fusebox::RequestInfo info_of(const httplib::Request& request) {
  return {.request_id = request.get_header_value("X-Request-Id"), .path = request.path};
}

/// A name in a path: 1 to 64 ASCII letters, digits, hyphens and underscores.
inline bool is_name(std::string_view text) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !text.empty() && text.size() <= 64 && text.find_first_not_of(allowed) == std::string_view::npos;
}

/// For whoever uses this machine: the handler answers if Host is 127.0.0.1 or localhost, with any port, and
/// 403 does otherwise. The name of a site may lead here (DNS rebinding); its pages could read the answer.
inline httplib::Server::Handler for_this_host(httplib::Server::Handler handler) {
  return [handler = std::move(handler)](const httplib::Request& request, httplib::Response& response) {
    const std::string host = request.get_header_value("Host");
    const std::string_view name = std::string_view{host}.substr(0, host.find(':'));
    const bool is_known = name == "127.0.0.1" || name == "localhost";
    if (is_known && request.get_header_value_count("Host") == 1) return handler(request, response);
    send_forbidden_error(response, "Not for this Host", info_of(request));
  };
}

/// Routes are looked up in a map. cpp-httplib matches the patterns of its own routes with std::regex, which
/// needs the more stack the longer the path is.
class Routes {
 public:
  using Handler = httplib::Server::Handler;

  /// Answers GET and HEAD. "/health" is one path; "/stock/*" is every path with one name after the slash.
  void get(const std::string& path, Handler handler) { routes_[path] = {false, std::move(handler)}; }
  void post(const std::string& path, Handler handler) { routes_[path] = {true, std::move(handler)}; }

  void serve(httplib::Server& server) const {
    for (const auto& [path, route] : routes_) {
      if (route.is_post) server.Post(path, route.handler);
    }
    server.set_payload_max_length(longest_payload);
    // Before the body is read: the server would wait for the body of a POST without a length.
    server.set_pre_routing_handler([routes = *this](const auto& request, auto& response) {
      return routes.answer(request, response) ? httplib::Server::HandlerResponse::Handled
                                              : httplib::Server::HandlerResponse::Unhandled;
    });
    server.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
      if (!response.body.empty()) return;  // answered already
      send_api_error(response, fusebox::ApiError{fusebox::ErrorCode{response.status}}, info_of(request));
    });
    server.set_exception_handler([](const auto& request, auto& response, const std::exception_ptr& error) {
      send_exception(response, error, info_of(request));
    });
  }

 private:
  static constexpr std::size_t longest_payload = 64 * 1024;

  struct Route {
    bool is_post;
    Handler handler;

    [[nodiscard]] bool allows(const std::string& method) const {
      return is_post ? method == "POST" : method == "GET" || method == "HEAD";
    }
  };

  /// False if cpp-httplib must read the body first: only for a POST to exactly the path of a route.
  bool answer(const httplib::Request& request, httplib::Response& response) const {
    const fusebox::RequestInfo info = info_of(request);
    const Route* const route = find(request.path);
    if (route == nullptr) {
      send_not_found_error(response, "Resource not found", info);
    } else if (!route->allows(request.method)) {
      response.set_header("Allow", route->is_post ? "POST" : "GET, HEAD");
      send_method_not_allowed_error(response, request.method + " is not allowed here", info);
    } else if (!route->is_post) {
      route->handler(request, response);
    } else if (!request.has_header("Content-Length") || request.has_header("Transfer-Encoding")) {
      send_api_error(response, fusebox::ApiError{fusebox::ErrorCode{411}}, info);
    } else if (request.has_header("Content-Encoding") || request.is_multipart_form_data()) {
      send_api_error(response, fusebox::ApiError{fusebox::ErrorCode{415}}, info);
    } else {
      return false;
    }
    return true;
  }

  [[nodiscard]] const Route* find(const std::string& path) const {
    if (path.find('*') != path.npos) return nullptr;
    auto found = routes_.find(path);
    const auto name = path.rfind('/') + 1;
    if (found == routes_.end() && is_name(std::string_view{path}.substr(name)))
      found = routes_.find(path.substr(0, name) + '*');
    return found == routes_.end() ? nullptr : &found->second;
  }

  std::map<std::string, Route> routes_;
};

/// What the people who run the service look at: the dashboard at /, /health and /metrics. The routes use
/// `dashboard`, which must live as long.
inline void add_operations(Routes& routes, const fusebox::Dashboard<>& dashboard) {
  routes.get("/",
             for_this_host([&dashboard](const auto&, auto& response) { dashboard.page().send(response); }));
  routes.get("/dashboard.json",
             for_this_host([&dashboard](const auto&, auto& response) { dashboard.data().send(response); }));
  routes.get("/health", [](const auto&, auto& response) {
    response.set_content(to_json(fusebox::health_report()), "application/json");
  });
  routes.get("/metrics", [](const auto&, auto& response) {
    response.set_content(fusebox::to_prometheus(), "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace support
