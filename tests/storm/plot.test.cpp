#include "storm/plot.hpp"

#include <cstddef>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "made_result.hpp"

using storm::Panel;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The points of the first path.
std::vector<std::pair<double, double>> points(const std::string& picture) {
  std::smatch path;
  REQUIRE(std::regex_search(picture, path, std::regex{"<path d=\"([^\"]*)\""}));
  std::vector<std::pair<double, double>> all;
  const std::string d = path[1];
  const std::regex point{"[ML]([0-9.]+) ([0-9.]+)"};
  for (std::sregex_iterator it{d.begin(), d.end(), point}, end; it != end; ++it)
    all.emplace_back(std::stod((*it)[1]), std::stod((*it)[2]));
  return all;
}

storm::Result one_pipeline() {
  storm::Result result = made::result();
  result.pipelines.resize(1);
  return result;
}

}  // namespace

TEST_CASE("S25 the same result gives the same bytes of a plot", "[S25]") {
  CHECK(storm::svg(made::result(), {Panel::load, Panel::p99}) ==
        storm::svg(made::result(), {Panel::load, Panel::p99}));
  CHECK(storm::svg(made::result(), {Panel::load}) != storm::svg(made::result(), {Panel::success}));
}

TEST_CASE("S25 a plot has a line for each pipeline and panel, named at its end", "[S25]") {
  const std::string picture = storm::svg(made::result(), {Panel::load, Panel::success});
  CHECK(count(picture, "<path d=\"M") == 12);  // 3 pipelines, 2 panels: a line and its sample
  CHECK(count(picture, ">plain retry</text>") == 2);
  CHECK(count(picture, "fill=\"#fbe9df\"") == 2);  // the outage
  CHECK(count(picture, ">outage</text>") == 1);
  CHECK(count(picture, ">Full outage and recovery</text>") == 1);
}

TEST_CASE("S25 the points of a line are the numbers, one a second", "[S25]") {
  storm::Result result = one_pipeline();
  for (auto& second : result.pipelines[0].seconds) second.attempts = 100;
  result.pipelines[0].seconds[150].attempts = 200;
  const auto line = points(storm::svg(result, {Panel::load}));
  REQUIRE(line.size() == 300);
  const double bottom = 46 + 150;  // where 0 is
  CHECK(bottom - line[150].second == Approx(2 * (bottom - line[149].second)).margin(0.2));
  CHECK(line[150].first - line[0].first == Approx(150 * (600 - 62) / 300.0).margin(0.2));
}

TEST_CASE("S25 a latency is drawn where calls succeeded, on a logarithmic scale", "[S25]") {
  storm::Result result = one_pipeline();
  for (auto& second : result.pipelines[0].seconds) second.p99_ms = 0;
  const double values[] = {10, 100, 1000};
  for (std::size_t i = 0; i < 3; ++i) result.pipelines[0].seconds[40 + i].p99_ms = values[i];
  const std::string picture = storm::svg(result, {Panel::p99});
  const auto line = points(picture);
  REQUIRE(line.size() == 3);
  CHECK(line[0].second - line[1].second == Approx(line[1].second - line[2].second).margin(0.2));
  CHECK(picture.find(">1 s</text>") != std::string::npos);
}

TEST_CASE("S25 a pipeline without values in a panel has no line and no label there", "[S25]") {
  storm::Result result = made::result();
  for (auto& second : result.pipelines[1].seconds) second.limit = 20;
  const std::string picture = storm::svg(result, {Panel::limit});
  CHECK(count(picture, "<path d=\"M") == 2);
  CHECK(count(picture, ">plain retry</text>") == 1);
  CHECK(count(picture, ">no policy</text>") == 0);
}

TEST_CASE("S25 titles are only ever text in a plot", "[S25]") {
  storm::Result result = one_pipeline();
  result.scenario.title = "</title><script>alert(1)</script>&";
  result.pipelines[0].title = "<b>\x1b";
  const std::string picture = storm::svg(result, {Panel::load});
  CHECK(picture.find("<script") == std::string::npos);
  CHECK(picture.find("<b>") == std::string::npos);
  CHECK(picture.find('\x1b') == std::string::npos);
  CHECK(picture.find("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;") != std::string::npos);
}

TEST_CASE("S25 panels have names", "[S25]") {
  CHECK(storm::panel_by_name("load") == Panel::load);
  CHECK(storm::panel_by_name("p99") == Panel::p99);
  CHECK_FALSE(storm::panel_by_name("nonsense"));
  CHECK(storm::panel_names() ==
        "load, success, p50, p99, queued, busy, limit, breakers, rejected and retries");
}

TEST_CASE("S25 a scenario of no pipeline, no disturbance, no title has a plot, too", "[S25]") {
  storm::Result result{made::scenario(), 1, {}};
  result.scenario.title.clear();
  result.scenario.dependencies[0].disturbances.clear();
  const std::string picture = storm::svg(result, {Panel::load, Panel::p50});
  CHECK(picture.find("<title>outage</title>") != std::string::npos);
  CHECK(picture.find("nan") == std::string::npos);
  CHECK(picture.find("inf") == std::string::npos);
}
