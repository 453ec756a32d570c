// fusebox/dashboard.hpp: Dashboard, a page on which people see the policies of a registry.
//
//   Dashboard                 page(), data(), act(method, headers, body)
//   dashboard/config.hpp      DashboardConfig, validate; DashboardActions
//   dashboard/response.hpp    DashboardResponse, which fills the response of an HTTP library
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <fusebox/dashboard/config.hpp>  // IWYU pragma: export
#include <fusebox/dashboard/detail/event_log.hpp>
#include <fusebox/dashboard/detail/gate.hpp>
#include <fusebox/dashboard/detail/page.hpp>
#include <fusebox/dashboard/response.hpp>  // IWYU pragma: export
#include <fusebox/detail/idempotency_key.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/health.hpp>
#include <fusebox/policy_registry.hpp>
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// One HTML page without outside resources, and the document that it asks for (rules H70 to H75 in
/// docs/rules.md). It names your dependencies and shows the text of failures: serve it to your own people
/// only. All members are thread-safe.
///
///     Dashboard<> dashboard{default_policy_registry()};
///     server.Get("/", [&](const auto&, auto& response) { dashboard.page().send(response); });
///     server.Get("/dashboard.json", [&](const auto&, auto& response) { dashboard.data().send(response); });
template <class C>
class Dashboard {
 public:
  /// Of a registry that outlives it. Keeps events from now on. Throws ConfigError for a config that
  /// `validate` refuses.
  explicit Dashboard(PolicyRegistry<C>& registry, const DashboardConfig& config = {},
                     DashboardActions actions = {})
      : registry_{registry},
        config_{checked(config)},
        actions_{std::move(actions)},
        page_{detail::dashboard_page(config)},
        log_{static_cast<std::size_t>(config.max_events)},
        subscription_{registry.on_event([this](const auto& event) { log_.add(event); })} {}
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;
  /// Ends the subscription. A callback that runs is waited for.
  ~Dashboard() = default;

  /// The page, with a Content-Security-Policy that lets it load nothing but data() (H71).
  [[nodiscard]] DashboardResponse page() const {
    return {.content_type = "text/html; charset=utf-8",
            .fields = fields({{"Content-Security-Policy", detail::dashboard_csp()},
                              {"X-Frame-Options", "DENY"},
                              {"Cache-Control", "no-cache"}}),
            .body = page_};
  }

  /// What the page asks for every `refresh`: the health document, the events, and which buttons exist (H70).
  [[nodiscard]] DashboardResponse data() const {
    DashboardResponse response{.content_type = "application/json",
                               .fields = fields({{"Cache-Control", "no-store"}})};
    {
      detail::JsonObject document{response.body};
      document.text("instance", instance_);
      document.text("title", config_.title);
      document.number("refreshMs", config_.refresh.count());
      document.member("actions").append(actions_.reset ? R"({"reset":true)" : R"({"reset":false)");
      response.body.append(actions_.force_open ? R"(,"forceOpen":true})" : R"(,"forceOpen":false})");
      document.member("health").append(to_json(health_report(registry_)));
      detail::append_events(document.member("events"), log_.newest_first());
    }
    return response;
  }

  /// Answers a request to act on a breaker, and acts if it comes from the page. Refuses it otherwise (H74):
  /// 404 without a function for the action, 405 for another method than POST, 403 unless X-Fusebox-Action and
  /// Origin are those of the page, 404 without a breaker of the name. Whether the user may act is for the
  /// application to check, before it calls this. `headers` is a range of pairs of names and values, or of
  /// Boost.Beast's fields; the body is the name. Throws what the function throws.
  template <class Headers>
  [[nodiscard]] DashboardResponse act(std::string_view method, const Headers& headers,
                                      std::string_view body) const {
    if (!actions_.reset && !actions_.force_open) return refusal(404, "no actions");
    if (method != "POST") {
      DashboardResponse response = refusal(405, "POST only");
      response.fields.emplace_back("Allow", "POST");
      return response;
    }
    const detail::ActionHeaders deciding{headers};
    if (deciding.action.times != 1) return refusal(403, "not from the dashboard");
    if (!detail::is_same_origin(deciding, config_.origins)) return refusal(403, "another origin");
    const bool is_reset = deciding.action.is("reset");
    const auto& function = is_reset ? actions_.reset : actions_.force_open;
    if (!function || (!is_reset && !deciding.action.is("force-open"))) return refusal(404, "no such action");
    if (body.empty() || body.size() > detail::max_name) return refusal(400, "the body is a name");
    if (!function(std::string{body})) return refusal(404, "no such breaker");
    return {.status = 204, .fields = fields({{"Cache-Control", "no-store"}})};
  }

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  [[nodiscard]] static const DashboardConfig& checked(const DashboardConfig& config) {
    detail::throw_if("DashboardConfig", detail::check(config));
    return config;
  }
  /// With those that every answer has.
  [[nodiscard]] static Fields fields(Fields some) {
    some.emplace_back("X-Content-Type-Options", "nosniff");
    some.emplace_back("Referrer-Policy", "no-referrer");
    some.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    return some;
  }
  [[nodiscard]] static DashboardResponse refusal(int status, std::string_view why) {
    return {
        .status = status, .fields = fields({{"Cache-Control", "no-store"}}), .body = std::string{why} + "\n"};
  }

  PolicyRegistry<C>& registry_;
  const DashboardConfig config_;
  const DashboardActions actions_;
  const std::string page_;
  const std::string instance_ = detail::make_idempotency_key();  // counters of two instances make no rate
  detail::EventLog log_;
  Subscription subscription_;  // last: destroyed first, so that no callback runs any more
};

template <class C>
Dashboard(PolicyRegistry<C>&) -> Dashboard<C>;
template <class C>
Dashboard(PolicyRegistry<C>&, DashboardConfig) -> Dashboard<C>;
template <class C>
Dashboard(PolicyRegistry<C>&, DashboardConfig, DashboardActions) -> Dashboard<C>;

FUSEBOX_END_NAMESPACE
