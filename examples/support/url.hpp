// support/url.hpp: http://host:port/path, and a client for it that never leaves this machine.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <httplib.h>

#include "support/arguments.hpp"

namespace support {

struct Url {
  std::string host;
  int port = 80;
  std::string path = "/";
};

/// Nothing where the text is no such URL.
inline std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) return std::nullopt;
  text.remove_prefix(scheme.size());
  Url url;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    url.path = text.substr(slash);
    text = text.substr(0, slash);
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    const auto port = parse_number(text.substr(colon + 1), 1, 65'535);
    if (!port) return std::nullopt;
    url.port = static_cast<int>(*port);
    text = text.substr(0, colon);
  }
  url.host = text;
  return url.host.empty() ? std::nullopt : std::optional{url};
}

/// A client for the URL's host. Every host is 127.0.0.1 here.
inline httplib::Client client_for(const Url& url, std::chrono::nanoseconds timeout) {
  httplib::Client client{url.host, url.port};
  client.set_hostname_addr_map({{url.host, "127.0.0.1"}});
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  return client;
}

}  // namespace support
