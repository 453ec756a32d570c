// fusebox/dashboard/detail/gate.hpp: which requests for an action are refused (H74).
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fusebox/dashboard/detail/origin.hpp>
#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

[[nodiscard]] constexpr char lower_ascii(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr bool equal_ascii(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_ascii(x) == lower_ascii(y); });
}

/// A header field that decides about a request. Twice is as bad as wrong: two readers may read two values.
struct DecidingField {
  std::string_view name;
  std::string value = {};
  int times = 0;

  [[nodiscard]] bool is(std::string_view wanted) const noexcept { return times == 1 && value == wanted; }
};

/// The fields that decide. `headers` is a range of pairs of name and value, such as httplib::Headers, or of
/// fields like those of Boost.Beast.
struct ActionHeaders {
  DecidingField host{"Host"};
  DecidingField origin{"Origin"};
  DecidingField site{"Sec-Fetch-Site"};
  DecidingField action{"X-Fusebox-Action"};

  template <class Headers>
  explicit ActionHeaders(const Headers& headers) {
    for (const auto& field : headers) {
      if constexpr (requires { field.name_string(); }) {
        note(std::string_view{field.name_string().data(), field.name_string().size()},
             std::string_view{field.value().data(), field.value().size()});
      } else {
        note(field.first, field.second);
      }
    }
  }

 private:
  void note(std::string_view name, std::string_view value) {
    for (DecidingField* const one : {&host, &origin, &site, &action}) {
      if (!equal_ascii(one->name, name)) continue;
      one->value.assign(value);
      ++one->times;
    }
  }
};

/// A name of this machine that no server of names can give to another one, with or without a port.
[[nodiscard]] constexpr bool is_loopback(std::string_view authority) noexcept {
  for (const std::string_view name : {"localhost", "127.0.0.1", "[::1]"}) {
    if (!equal_ascii(authority.substr(0, name.size()), name)) continue;
    const std::string_view rest = authority.substr(name.size());
    return rest.empty() || (rest.front() == ':' && rest.size() > 1 &&
                            rest.find_first_not_of("0123456789", 1) == std::string_view::npos);
  }
  return false;
}

/// May a page of this origin act? An attacker's page cannot choose its Origin, nor send X-Fusebox-Action to
/// another origin, and a name of its own that leads to this host (DNS rebinding) is no listed origin.
[[nodiscard]] inline bool is_same_origin(const ActionHeaders& headers,
                                         const std::vector<std::string>& origins) {
  if (headers.origin.times != 1 || headers.host.times != 1) return false;
  if (headers.site.times != 0 && !headers.site.is("same-origin")) return false;
  const std::string_view authority = authority_of(headers.origin.value);
  if (authority.empty()) return false;  // "null": a file, a sandboxed frame
  if (!origins.empty())
    return std::any_of(origins.begin(), origins.end(),
                       [&](const std::string& one) { return equal_ascii(one, headers.origin.value); });
  return is_loopback(authority) && equal_ascii(authority, headers.host.value);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
