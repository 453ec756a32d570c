// support/standard_errors.hpp: the standard error for whatever no route of a server answers.
#pragma once

#include <exception>
#include <string>

#include <httplib.h>

#include <fusebox/fusebox.hpp>

namespace support {

inline fusebox::RequestInfo info_of(const httplib::Request& request) {
  return {.request_id = request.get_header_value("X-Request-Id"), .path = request.path};
}

/// For a server that has only GET routes; `is_known(path)` says whether one of them has this path.
template <class IsKnown>
void answer_with_standard_errors(httplib::Server& server, IsKnown is_known) {
  // Before the body is read: a POST that announces no length would be waited for.
  server.set_pre_routing_handler([is_known](const httplib::Request& request, httplib::Response& response) {
    if (request.method == "GET" || request.method == "HEAD")
      return httplib::Server::HandlerResponse::Unhandled;
    if (is_known(request.path)) {
      response.set_header("Allow", "GET, HEAD");
      fusebox::send_method_not_allowed_error(response, "Only GET is allowed here", info_of(request));
    } else {
      fusebox::send_not_found_error(response, "Resource not found", info_of(request));
    }
    return httplib::Server::HandlerResponse::Handled;
  });
  server.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty()) return;  // answered already
    fusebox::send_api_error(response, fusebox::ApiError{fusebox::ErrorCode{response.status}},
                            info_of(request));
  });
  server.set_exception_handler([](const auto& request, auto& response, const std::exception_ptr& error) {
    fusebox::send_exception(response, error, info_of(request));
  });
}

}  // namespace support
