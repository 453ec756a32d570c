// support/url.hpp: parses http://host:port/path. One host has one spelling, so that it has one breaker.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>

#include "support/arguments.hpp"

namespace support {

struct Url {
  std::string host;  // in lower case, without a trailing dot; an IPv6 address without its brackets
  int port = 80;
  std::string path = "/";  // with the query
};

/// A URL, or the problem of a text that is none, such as "must have a port from 1 to 65535". A problem
/// repeats nothing of the text, which may hold a password or control bytes.
class ParsedUrl {
 public:
  static ParsedUrl refused(std::string problem) {
    ParsedUrl result{Url{}};
    result.problem_ = std::move(problem);
    return result;
  }
  explicit ParsedUrl(Url url) : url_{std::move(url)} {}

  explicit operator bool() const { return problem_.empty(); }
  const Url& operator*() const { return url_; }
  const Url* operator->() const { return &url_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  Url url_;
  std::string problem_;
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// In ASCII, whatever the locale.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) c = lower(c);
  return result;
}

/// A part of a name, between two dots: 1 to 63 letters, digits and inner hyphens.
inline bool is_label(std::string_view text) {
  const auto is_allowed = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-'; };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), is_allowed);
}

/// Is this label part of a number, as in 127.0.0.1, 127.1, 2130706433 and 0x7f000001? These are four
/// spellings of one address.
inline bool is_number(std::string_view label) {
  const bool hex = label.starts_with("0x");
  return label.find_first_not_of(hex ? "0123456789abcdef" : "0123456789", hex ? 2 : 0) ==
         std::string_view::npos;
}

/// The one spelling of a name or an IPv4 address; nothing if it is neither.
inline std::optional<std::string> parse_name(std::string_view text) {
  std::string name = lower(text);
  if (name.ends_with('.')) name.pop_back();
  if (name.size() > 253) return std::nullopt;
  std::string_view rest = name;
  for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    if (!is_label(rest.substr(0, dot))) return std::nullopt;
    rest.remove_prefix(dot + 1);
  }
  if (!is_label(rest)) return std::nullopt;
  ::in_addr address{};
  if (is_number(rest) && ::inet_pton(AF_INET, name.c_str(), &address) != 1) return std::nullopt;
  return name;
}

/// The one spelling of an IPv6 address; nothing if it is none.
inline std::optional<std::string> parse_ipv6(std::string_view text) {
  ::in6_addr address{};
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton would stop there
  if (::inet_pton(AF_INET6, std::string{text}.c_str(), &address) != 1) return std::nullopt;
  char spelling[INET6_ADDRSTRLEN];
  return ::inet_ntop(AF_INET6, &address, spelling, sizeof spelling);
}

inline ParsedUrl parse_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  constexpr std::size_t longest_path = 2'000;
  if (lower(text.substr(0, scheme.size())) != scheme)
    return ParsedUrl::refused("must be http://host:port/path");
  text.remove_prefix(scheme.size());
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  std::string_view path = text.substr(authority.size());
  path = path.substr(0, path.find('#'));  // the fragment is for the reader
  if (authority.find('@') != std::string_view::npos)
    return ParsedUrl::refused("must not name a user or a password");

  const bool bracketed = authority.starts_with('[');
  const auto closing = bracketed ? authority.find(']') : 0;
  const auto colon = closing == std::string_view::npos ? closing : authority.find(':', closing);
  const std::string_view host_text = authority.substr(0, colon);
  std::optional<std::string> host;
  if (!bracketed) {
    host = parse_name(host_text);
  } else if (host_text.ends_with(']')) {
    host = parse_ipv6(host_text.substr(1, host_text.size() - 2));
  }
  if (!host)
    return ParsedUrl::refused(
        "must have a host of at most 253 letters, digits, hyphens and dots, or an IP address (IPv6 in "
        "brackets)");

  const bool default_port = colon == std::string_view::npos || colon + 1 == authority.size();
  const auto port = default_port ? std::optional{80L} : parse_number(authority.substr(colon + 1), 1, 65'535);
  if (!port) return ParsedUrl::refused("must have a port from 1 to 65535");
  const auto is_printable = [](char c) { return c > ' ' && c <= '~'; };
  if (path.size() > longest_path || !std::all_of(path.begin(), path.end(), is_printable))
    return ParsedUrl::refused("must have a path of at most 2000 printable ASCII characters");
  return ParsedUrl{Url{.host = std::move(*host),
                       .port = static_cast<int>(*port),
                       .path = (path.starts_with('/') ? "" : "/") + std::string{path}}};
}

}  // namespace support
