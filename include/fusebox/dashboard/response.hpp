// fusebox/dashboard/response.hpp: DashboardResponse, an answer of a dashboard, and how it is sent.
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <string>
#include <utility>
#include <vector>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What the application answers to a request for the page, for its data or for an action. It belongs to no
/// HTTP library: copy its four members, or call send().
struct DashboardResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> fields = {};  ///< further header fields, by name
  std::string body = {};

  /// Fills a response like that of cpp-httplib (status, set_content, set_header) or of Boost.Beast (result,
  /// set, body). Throws what the response throws.
  template <class Res>
  void send(Res& res) const {
    if constexpr (requires { res.set_content(body, content_type.c_str()); }) {
      res.status = status;
      res.set_content(body, content_type.c_str());
      for (const auto& [name, value] : fields) res.set_header(name.c_str(), value);
    } else {
      static_assert(
          requires {
            res.result(500U);
            res.set(content_type, body);
            res.body() = body;
          }, "fusebox: this response type is unknown: copy status, content_type, fields and body");
      res.result(static_cast<unsigned>(status));
      res.set("Content-Type", content_type);
      for (const auto& [name, value] : fields) res.set(name, value);
      res.body() = body;
      if constexpr (requires { res.prepare_payload(); }) res.prepare_payload();
    }
  }
};

FUSEBOX_END_NAMESPACE
