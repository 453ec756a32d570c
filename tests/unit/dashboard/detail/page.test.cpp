#include <fusebox/dashboard/detail/page.hpp>

#include <string>

#include "catch.hpp"

using namespace fusebox::detail;

TEST_CASE("H71 a text in HTML is text", "[H71]") {
  CHECK(html_text("plain caf\xc3\xa9") == "plain caf\xc3\xa9");
  CHECK(html_text("<a href=\"x\" id='y'>&amp;") == "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
  CHECK(html_text("a\nb\x1b\xff") ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("H71 the policy names the script and the style that are in the page", "[H71]") {
  const std::string page = dashboard_page({});
  const auto between = [&](const std::string& open, const std::string& close) {
    const std::size_t from = page.find(open) + open.size();
    REQUIRE(page.find(open, from) == page.npos);
    return page.substr(from, page.find(close, from) - from);
  };
  const std::string policy = dashboard_csp();
  CHECK(policy.find("script-src " + csp_hash(between("<script>", "</script>")) + ";") != policy.npos);
  CHECK(policy.find("style-src " + csp_hash(between("<style>", "</style>")) + ";") != policy.npos);
  CHECK(page.find(" style=") == page.npos);
  CHECK(page.find(" onclick=") == page.npos);
}

TEST_CASE("H71 no part of the page is longer than a string literal may be everywhere", "[H71]") {
  for (const std::string_view part :
       {dashboard_head, dashboard_body, dashboard_style, dashboard_model, dashboard_list, dashboard_view})
    CHECK(part.size() < 16'000);
}
