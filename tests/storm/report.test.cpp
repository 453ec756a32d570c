#include "storm/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "made_result.hpp"
#include "storm/words.hpp"

using nlohmann::json;

namespace {

/// What stands between two texts.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const std::size_t to = text.find(end, from + begin.size());
  REQUIRE(to != std::string::npos);
  return text.substr(from + begin.size(), to - from - begin.size());
}

json data_of(const std::string& page) {
  return json::parse(between(page, R"(<script type="application/json" id="data">)", "</script>"));
}

/// A page without what its scripts and styles hold.
std::string markup_of(const std::string& page) {
  std::string markup;
  std::size_t at = 0;
  while (at < page.size()) {
    const std::size_t begin = std::min(page.find("<script", at), page.find("<style", at));
    if (begin == std::string::npos) break;
    const std::string end = page.compare(begin, 7, "<script") == 0 ? "</script>" : "</style>";
    const std::size_t inside = page.find('>', begin) + 1;
    markup += page.substr(at, inside - at);
    at = page.find(end, inside);
    REQUIRE(at != std::string::npos);
    markup += end;
    at += end.size();
  }
  return markup + page.substr(at);
}

/// Tags that are open at the end, or closed without being open.
std::vector<std::string> unbalanced(const std::string& markup) {
  static const std::set<std::string> empty{"meta", "link", "!doctype", "br", "input"};
  std::vector<std::string> open, wrong;
  const std::regex tag{R"(<(/?)([a-zA-Z!][a-zA-Z0-9]*)(?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*\s*>)"};
  std::size_t tags = 0;
  for (std::sregex_iterator it{markup.begin(), markup.end(), tag}, end; it != end; ++it) {
    ++tags;
    const std::string name = (*it)[2];
    if (empty.contains(name)) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else if (!open.empty() && open.back() == name) {
      open.pop_back();
    } else {
      wrong.push_back("/" + name);
    }
  }
  // Each "<" is a tag: none stands in text.
  if (tags != static_cast<std::size_t>(std::count(markup.begin(), markup.end(), '<'))) wrong.push_back("<");
  wrong.insert(wrong.end(), open.begin(), open.end());
  return wrong;
}

storm::Result hostile() {
  const std::string attack =
      "</script><script>alert(1)</script><!--\"'><img src=x onerror=alert(1)>\xE2\x80\xA8&amp;\xFF\x01";
  storm::Result result = made::result();
  result.scenario.name = attack;
  result.scenario.title = attack;
  result.scenario.description = attack;
  result.scenario.dependencies[0].name = attack;
  for (auto& pipeline : result.pipelines) {
    pipeline.name = attack;
    pipeline.title = attack;
    pipeline.explanation = attack;
  }
  return result;
}

}  // namespace

TEST_CASE("S22 the report is one file that names nothing outside itself", "[S22]") {
  const std::string page = storm::html_report(made::result());
  CHECK(page.starts_with("<!doctype html>"));
  const std::regex outside{
      R"((\bsrc\s*=|@import|url\(|\bfetch\(|XMLHttpRequest|\bimport\b\s*[("']|href="(?!#|data:)))"};
  std::smatch match;
  CHECK_FALSE(std::regex_search(page, match, outside));
  // The name of a namespace is no address: nobody loads it.
  const std::string others = std::regex_replace(page, std::regex{"http://www\\.w3\\.org/2000/svg"}, "");
  CHECK(others.find("http://") == std::string::npos);
  CHECK(others.find("https://") == std::string::npos);
}

TEST_CASE("S22 the markup of the report is well formed", "[S22]") {
  CHECK(unbalanced(markup_of(storm::html_report(made::result()))).empty());
}

TEST_CASE("S22 names and texts of a scenario are only ever text", "[S22]") {
  const std::string page = storm::html_report(hostile());
  const std::string markup = markup_of(page);
  CHECK(unbalanced(markup).empty());
  CHECK(markup.find("<img") == std::string::npos);
  CHECK(markup.find("<script>alert") == std::string::npos);
  CHECK(markup.find("&lt;img src=x onerror=alert(1)&gt;") != std::string::npos);
  CHECK(markup.find("&amp;amp;") != std::string::npos);
  const std::string data = storm::report_data(hostile());
  CHECK(data.find('<') == std::string::npos);
  const json parsed = data_of(page);
  CHECK(parsed["pipelines"][0]["name"] ==
        "</script><script>alert(1)</script><!--\"'><img src=x "
        "onerror=alert(1)>\xE2\x80\xA8&amp;\xEF\xBF\xBD\x01");
  CHECK(page.find('\xFF') == std::string::npos);
  CHECK(page.find("SCENARIO='&lt;/script&gt;") ==
        std::string::npos);  // quoted for a shell, quotes escaped for HTML
  CHECK(page.find("SCENARIO=&#39;&lt;/script&gt;") != std::string::npos);
}

TEST_CASE("S23 the data of the report is the result, number by number", "[S23]") {
  storm::Result result = made::result();
  result.seed = std::numeric_limits<std::uint64_t>::max();
  result.pipelines[0].seconds[3].p99_ms = 0.1 + 0.2;
  result.pipelines[0].seconds[4].limit = 1.0 / 3;
  const json data = data_of(storm::html_report(result));
  CHECK(data["scenario"] == "outage");
  CHECK(data["seed"] == "18446744073709551615");
  CHECK(data["duration_s"] == 300);
  CHECK(data["warm_up_s"] == 30);
  CHECK(data["steady"] == 100);
  REQUIRE(data["bands"].size() == 1);
  CHECK(data["bands"][0] == json{{"from", 60}, {"to", 120}, {"label", "outage"}});
  REQUIRE(data["pipelines"].size() == result.pipelines.size());
  for (std::size_t p = 0; p < result.pipelines.size(); ++p) {
    const storm::PipelineResult& pipeline = result.pipelines[p];
    const json& shown = data["pipelines"][p];
    CHECK(shown["name"] == pipeline.name);
    const storm::Summary& summary = pipeline.summary;
    CHECK(shown["summary"]["success_ratio"].get<double>() == summary.success_ratio);
    CHECK(shown["summary"]["peak_load_ratio"].get<double>() == summary.peak_load_ratio);
    CHECK(shown["summary"]["peak_load_ratio_overall"].get<double>() == summary.peak_load_ratio_overall);
    CHECK(shown["summary"]["amplification"].get<double>() == summary.amplification);
    CHECK(shown["summary"]["wasted_ratio"].get<double>() == summary.wasted_ratio);
    CHECK(shown["summary"]["p50_ms"].get<double>() == summary.p50_ms);
    CHECK(shown["summary"]["p99_ms"].get<double>() == summary.p99_ms);
    CHECK(shown["summary"]["rejected_ratio"].get<double>() == summary.rejected_ratio);
    CHECK(shown["summary"]["calls"].get<std::uint64_t>() == summary.calls);
    if (std::isinf(summary.recovery_s)) {
      CHECK(shown["summary"]["recovery_s"].is_null());
    } else {
      CHECK(shown["summary"]["recovery_s"].get<double>() == summary.recovery_s);
    }
    std::size_t different = 0;
    for (std::size_t i = 0; i < pipeline.seconds.size(); ++i) {
      const storm::Second& second = pipeline.seconds[i];
      const auto equal = [&](const char* name, auto value) {
        different += shown["seconds"][name].at(i).get<decltype(value)>() != value;
      };
      equal("calls", second.calls);
      equal("succeeded", second.succeeded);
      equal("failed", second.failed);
      equal("rejected", second.rejected);
      equal("attempts", second.attempts);
      equal("served", second.served);
      equal("wasted", second.wasted);
      equal("retries", second.retries);
      equal("hedges", second.hedges);
      equal("busy", second.busy);
      equal("queued", second.queued);
      equal("in_flight", second.in_flight);
      equal("open_breakers", second.open_breakers);
      equal("limit", second.limit);
      equal("p50_ms", second.p50_ms);
      equal("p99_ms", second.p99_ms);
    }
    CHECK(different == 0);
    CHECK(shown["seconds"]["calls"].size() == pipeline.seconds.size());
  }
}

TEST_CASE("S22 the report says what happens, what follows, and how to run it again", "[S22]") {
  const storm::Result result = made::result();
  const std::string page = storm::html_report(result);
  CHECK(page.find("<h1>Full outage and recovery</h1>") != std::string::npos);
  CHECK(page.find("The service is down for a minute. Who lets it come back?") != std::string::npos);
  CHECK(page.find("<b>1:00 to 2:00</b> orders is down: it refuses every connection.") != std::string::npos);
  for (const std::string& paragraph : storm::story(result.scenario))
    CHECK(page.find("<p>" + paragraph + "</p>") != std::string::npos);
  CHECK(page.find("<li>Users are served best by standard pipeline: 89.5 % of their calls succeed.") !=
        std::string::npos);
  CHECK(page.find("make storm SCENARIO=outage SEED=7 OUT=") != std::string::npos);
  CHECK(page.find("<pre>1. op: is called once\n</pre>") != std::string::npos);
}

TEST_CASE("S22 the report shows the C++ of each pipeline of the scenario", "[S22]") {
  storm::Result result = made::result();
  CHECK(storm::html_report(result).find("In C++:") == std::string::npos);  // it has none
  storm::PipelineSpec spec;
  spec.name = "plain_retry";
  spec.policies.emplace_back(fusebox::BulkheadConfig{.max_concurrent = 7});
  result.scenario.pipelines.push_back(spec);
  const std::string page = storm::html_report(result);
  CHECK(page.find(".max_concurrent = 7") != std::string::npos);
  CHECK(page.find("fusebox::Bulkhead&lt;&gt;") != std::string::npos);
}

TEST_CASE("S22 the table of the report holds the exact numbers, and marks the best and what amplifies",
          "[S22]") {
  const std::string page = storm::html_report(made::result());
  CHECK(page.find(R"(<td data-value="3.25" class="bad">3.25 ×)") != std::string::npos);
  CHECK(page.find(R"(<td data-value="0.8951" class="best">89.5 %)") != std::string::npos);
  CHECK(page.find(R"(<td data-value="inf">never</td>)") != std::string::npos);
}

TEST_CASE("S22 a scenario without title, disturbance, warm-up or pipeline has a report, too", "[S22]") {
  storm::Result result{made::scenario(), 1, {}};
  result.scenario.title.clear();
  result.scenario.description.clear();
  result.scenario.warm_up = {};
  result.scenario.dependencies[0].disturbances.clear();
  const std::string page = storm::html_report(result);
  CHECK(unbalanced(markup_of(page)).empty());
  CHECK(page.find("<h1>outage</h1>") != std::string::npos);
  CHECK(page.find("Nothing goes wrong from outside") != std::string::npos);
  CHECK(data_of(page)["pipelines"].empty());
}
