// support/client.hpp: sends a request to the host of a URL. Every host is 127.0.0.1 here.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include <httplib.h>

#include "support/url.hpp"

namespace support {

/// A host could answer without end.
constexpr std::size_t longest_answer = 1'000'000;

/// An answer that is longer than `longest_answer` is a failed read.
inline httplib::Result send(const Url& url, httplib::Request request, std::chrono::nanoseconds timeout) {
  httplib::Client client{url.host, url.port};
  client.set_hostname_addr_map({{url.host, "127.0.0.1"}});
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);

  std::string body;
  request.path = url.path;
  request.content_receiver = [&body](const char* data, std::size_t size, auto...) {
    body.append(data, size);
    return body.size() <= longest_answer;
  };
  httplib::Result answer = client.send(request);
  if (body.size() > longest_answer) return httplib::Result{nullptr, httplib::Error::Read};
  if (answer) answer->body = std::move(body);
  return answer;
}

inline httplib::Result get(const Url& url, std::chrono::nanoseconds timeout) {
  httplib::Request request;
  request.method = "GET";
  return send(url, std::move(request), timeout);
}

}  // namespace support
