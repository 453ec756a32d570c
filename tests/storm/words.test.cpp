#include "storm/words.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "catch.hpp"
#include "made_result.hpp"

using namespace std::chrono_literals;

namespace {

std::string text_of(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + "\n";
  return text;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("S24 the conclusion says who amplifies, by the numbers", "[S24]") {
  storm::Result result = made::result();
  const std::string text = text_of(storm::conclusions(result));
  CHECK(has(text,
            "Once the disturbance is over, the load on orders stays below 1.2 times its calm load with no "
            "policy (1.04 ×) and standard pipeline (1.10 ×). It amplifies with plain retry (3.25 ×)."));
  result.pipelines[0].summary.peak_load_ratio = 1.2;
  CHECK(has(text_of(storm::conclusions(result)),
            "It amplifies with plain retry (3.25 ×) and no policy (1.20 ×)."));
  result.pipelines[2].summary.peak_load_ratio = 1.3;
  CHECK(has(text_of(storm::conclusions(result)), "Every pipeline amplifies: once the disturbance is over"));
  for (auto& pipeline : result.pipelines) pipeline.summary.peak_load_ratio = 1.1;
  CHECK(has(text_of(storm::conclusions(result)), "No pipeline amplifies: once the disturbance is over"));
  result.scenario.dependencies[0].disturbances.clear();
  CHECK(has(text_of(storm::conclusions(result)), "No pipeline amplifies: in the busiest second"));
}

TEST_CASE("S24 the conclusion says how users fare, who wastes, who recovers", "[S24]") {
  storm::Result result = made::result();
  const std::string text = text_of(storm::conclusions(result));
  CHECK(has(text,
            "Users are served best by standard pipeline: 89.5 % of their calls succeed. They are served "
            "worst by no policy: 77.1 %."));
  CHECK(has(text, "Of the pipelines that do not amplify, standard pipeline serves users best (89.5 %)."));
  CHECK(has(text,
            "Most attempts for each call are sent by plain retry: 1.60, of which 45.0 % bring no user a "
            "success; fewest by standard pipeline: 0.90."));
  CHECK(has(text,
            "Users are served as before 1 s after the disturbance with no policy, and 12 s after it with "
            "standard pipeline. Never within this run: plain retry."));
  CHECK(has(text,
            "Standard pipeline against plain retry: peak load 1.10 × against 3.25 ×, users' success 89.5 % "
            "against 85.0 %, 0.90 against 1.60 attempts per call."));
  for (auto& pipeline : result.pipelines) {
    pipeline.summary.success_ratio = 0.99;
    pipeline.summary.amplification = 1;
    pipeline.summary.recovery_s = made::never;
  }
  const std::string same = text_of(storm::conclusions(result));
  CHECK(has(same, "99.0 % of the users' calls succeed, with each pipeline."));
  CHECK(has(same, "Each pipeline sends about 1.00 attempts for each call."));
  CHECK(has(same, "With no pipeline are users served as before the disturbance within this run."));
}

TEST_CASE("S24 the conclusion is about any number of pipelines", "[S24]") {
  storm::Result result = made::result();
  result.pipelines.resize(1);
  const std::string one = text_of(storm::conclusions(result));
  CHECK(has(one, "77.1 % of the users' calls succeed."));
  CHECK_FALSE(has(one, "each pipeline"));
  CHECK_FALSE(has(one, "best"));
  result.pipelines.clear();
  CHECK(storm::conclusions(result).empty());
}

TEST_CASE("S24 the story tells the scenario's own numbers", "[S24]") {
  storm::Scenario scenario = made::scenario();
  const std::string text = text_of(storm::story(scenario));
  CHECK(
      has(text,
          "1,000 clients call through 10 processes of a service, 6 calls a minute each: 100 a second in all, "
          "at random moments. A client waits at most 30 s"));
  CHECK(
      has(text,
          "It serves 50 calls at once. 100 more can wait; a further one gets 503 at once. Half of the calls "
          "take it less than 50 ms, one in a hundred more than 200 ms."));
  CHECK(has(text, "The simulation plays 5 min. Nothing counts in the first 30 s"));

  scenario.clients.arrivals = storm::Arrivals::closed;
  scenario.clients.think_time = 9950ms;
  scenario.dependencies[0].service = {.kind = storm::ServiceTime::Kind::constant, .median = 50ms};
  CHECK(has(text_of(storm::story(scenario)), "each again 9.95 s after its last call has ended"));
  CHECK(storm::steady_rate(scenario) == Approx(100));
}

TEST_CASE("S24 what the dependency can serve follows from its service time", "[S24]") {
  storm::Scenario scenario = made::scenario();
  scenario.dependencies[0].service = {.kind = storm::ServiceTime::Kind::constant, .median = 100ms};
  CHECK(has(text_of(storm::story(scenario)), "about 500 calls a second; the clients ask for 20 % of that"));
  scenario.dependencies[0].shards = 2;
  CHECK(has(text_of(storm::story(scenario)), "about 1,000 calls a second; the clients ask for 10 % of that"));
}

TEST_CASE("S24 each disturbance and surge has a sentence, by its beginning", "[S24]") {
  using Kind = storm::Disturbance::Kind;
  storm::Scenario scenario = made::scenario();
  scenario.clients.surges.push_back({.from = 90s, .to = 100s, .factor = 3});
  storm::Disturbance slow = made::disturbance(Kind::slow, 200s, 210s);
  slow.factor = 5;
  storm::Disturbance errors = made::disturbance(Kind::errors, 40s, 50s);
  errors.rate = 0.5;
  errors.retry_after = 7s;
  errors.shard = 2;
  storm::Disturbance capacity = made::disturbance(Kind::capacity, 220s, 230s);
  capacity.factor = 0.25;
  for (const auto& one : {slow, errors, capacity}) scenario.dependencies[0].disturbances.push_back(one);
  const auto all = storm::happenings(scenario);
  REQUIRE(all.size() == 5);
  CHECK(std::is_sorted(all.begin(), all.end(),
                       [](const auto& a, const auto& b) { return a.from_s < b.from_s; }));
  CHECK(all[0].label == "shard 2: 50 % errors");
  CHECK(all[0].words ==
        "shard 2 of orders answers 50 % of the calls with 503. Its failures carry a Retry-After of 7 s.");
  CHECK(all[1].words == "orders is down: it refuses every connection.");
  CHECK(all[2].label == "3 × calls");
  CHECK(all[3].label == "5 × slower");
  CHECK(all[3].words == "orders needs 5 times as long for each call.");
  CHECK(all[4].label == "25 % capacity");
  CHECK(all[4].from_s == 220);
  CHECK(all[4].to_s == 230);
}

TEST_CASE("S24 moments and durations read as people write them", "[S24]") {
  CHECK(storm::moment_text(0) == "0:00");
  CHECK(storm::moment_text(90.5) == "1:30.5");
  CHECK(storm::moment_text(3725) == "1:02:05");
  CHECK(storm::duration_text(50ms) == "50 ms");
  CHECK(storm::duration_text(1500ms) == "1.5 s");
  CHECK(storm::duration_text(5min) == "5 min");
  CHECK(storm::duration_text(100s) == "100 s");
  CHECK(storm::list({}).empty());
  CHECK(storm::list({"a"}) == "a");
  CHECK(storm::list({"a", "b", "c"}) == "a, b and c");
}
