#include <fusebox/dashboard.hpp>

#include <fusebox/policy_registry.hpp>

#include <chrono>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

TEST_CASE("C2 C3 a config of a dashboard that is refused is named", "[C2][C3]") {
  CHECK(validate(DashboardConfig{}).empty());
  CHECK(validate(DashboardConfig{.max_events = 10'000, .refresh = 1h, .data_path = "/a/b?c=d"}).empty());
  CHECK(validate({.max_events = 0}) == "DashboardConfig.max_events must be in [1, 10000], got 0");
  CHECK(validate({.max_events = 10'001}) == "DashboardConfig.max_events must be in [1, 10000], got 10001");
  CHECK(validate({.refresh = 99ms}) == "DashboardConfig.refresh must be in [100 ms, 1 h], got 99ms");
  CHECK_FALSE(validate({.refresh = 1h + 1ms}).empty());
  CHECK(validate({.data_path = "//evil.example"}) ==
        "DashboardConfig.data_path must be a path without a scheme and a host, got //evil.example");
  for (const char* const path :
       {"", "http://evil.example", "javascript:alert(1)", "a b", "a\nb", "\\\\evil", "\xc3\xa9"}) {
    CHECK_FALSE(validate({.data_path = path}).empty());
    CHECK(validate({.action_path = path}).starts_with("DashboardConfig.action_path must be "));
  }
  CHECK(validate({.origins = {"https://ops.example", "http://[::1]:8080", "HTTPS://ops.example"}}) ==
        "DashboardConfig.origins must be like https://ops.example, without a path, got HTTPS://ops.example");
  CHECK(validate({.origins = {"https://ops.example", "http://[::1]:8080"}}).empty());
  for (const char* const origin : {"", "null", "*", "https://", "https://*.example", "https://ops.example/",
                                   "ops.example", "https://:80", "https://user@ops.example",
                                   "https://ops.example https://b.example", "file://ops.example"})
    CHECK(validate({.origins = {origin}}).starts_with("DashboardConfig.origins must be like "));
  PolicyRegistry<> registry;
  CHECK_THROWS_AS((Dashboard<>{registry, {.max_events = 0}}), ConfigError);
}
