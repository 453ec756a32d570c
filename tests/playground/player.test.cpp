#include "storm/playground/player.hpp"

#include <nlohmann/json.hpp>

#include <string>

#include "catch.hpp"

namespace {

const std::string scenario = R"({
  "name": "small", "duration": "20s", "warm_up": "2s",
  "clients": {"count": 100, "calls_per_minute": 60},
  "dependencies": [{"name": "service", "disturbances": [{"kind": "outage", "from": "5s", "to": "8s"}]}],
  "pipelines": [{"name": "mine", "policies": [
    {"policy": "retry", "base_delay": "100ms"}, {"policy": "breaker", "reset_timeout": "1s"}]}]})";

}  // namespace

TEST_CASE("S40 a run in slices finds what a run at once finds", "[S40]") {
  storm::Player player;
  const int at_once = player.open(scenario, 7);
  const int in_slices = player.open(scenario, 7);
  const int other_seed = player.open(scenario, 8);
  REQUIRE(at_once > 0);
  REQUIRE(in_slices > at_once);
  CHECK(player.run_until(at_once, 100) == 0);
  CHECK(player.run_until(other_seed, 100) == 0);
  int slices = 0;
  double time = 0;
  while (player.run_until(in_slices, time) == 1) {
    time += 0.0371;
    ++slices;
  }
  CHECK(slices > 500);
  CHECK(player.result(in_slices) == player.result(at_once));
  CHECK(player.result(other_seed) != player.result(at_once));
  const auto result = nlohmann::json::parse(player.result(at_once));
  CHECK(result["summary"]["calls"].get<int>() > 1000);
  CHECK(result["seconds"].size() == 20);
}

TEST_CASE("S40 the progress has the seconds that are asked for, and the present moment", "[S40]") {
  storm::Player player;
  const int number = player.open(scenario, 7);
  CHECK(player.run_until(number, 6.5) == 1);
  const auto all = nlohmann::json::parse(player.progress(number, 0));
  const auto last = nlohmann::json::parse(player.progress(number, 5));
  CHECK(last["from"] == 5);
  REQUIRE(all["seconds"].size() == 6);
  REQUIRE(last["seconds"].size() == 1);
  CHECK(last["seconds"][0] == all["seconds"][5]);
  CHECK(last["summary"] == all["summary"]);
  CHECK(all["live"]["now_s"] == 6.5);
  CHECK(all["live"]["disturbed"] == true);
  CHECK(all["live"]["breakers"].size() == 10);
  CHECK_FALSE(nlohmann::json::parse(player.progress(number, 100))["seconds"].is_null());
}

TEST_CASE("S42 what cannot be played is said, and nothing is thrown", "[S42]") {
  storm::Player player;
  CHECK(player.open("", 1) == 0);
  CHECK_FALSE(player.error().empty());
  CHECK(
      player.open(
          R"({"name": "x", "dependencies": [{"capacity": -1}], "pipelines": [{"name": "p", "policies": []}]})",
          1) == 0);
  CHECK(player.error().find("capacity") != std::string::npos);
  CHECK(player.open(R"({"name": "x", "dependencies": [{}]})", 1) == 0);
  CHECK(player.error() == "pipelines: needs one");
  CHECK(player.cpp("{}").empty());
  CHECK(player.run_until(1, 1) == -1);
  CHECK(player.error() == "no such simulation");
  CHECK(player.progress(1, 0).empty());
  CHECK(player.result(-1).empty());
  const int number = player.open(scenario, 1);
  CHECK(player.run_until(number, -1) == -1);
  CHECK(player.run_until(number, 1e300) == -1);
  player.close(number);
  CHECK(player.run_until(number, 1) == -1);
}
