// The program itself, run as a person runs it. CMake says where it is.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "catch.hpp"
#include "storm/scenarios.hpp"

#ifndef _WIN32

#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Ended {
  int status;
  std::string output;  // both streams
};

Ended run_storm(const std::string& arguments) {
  std::FILE* const pipe = ::popen(("'" STORM_PROGRAM "' " + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ended ended{};
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    ended.output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A folder that goes with it.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("fusebox_storm_" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{path / name} << text;
    return "'" + (path / name).string() + "'";
  }
};

const std::string small = R"({"name": "small", "duration": "20s", "warm_up": "5s", "clients": {"count": 100},
  "dependencies": [{"disturbances": [{"kind": "errors", "rate": 0.5, "from": "8s", "to": "12s"}]}],
  "pipelines": [{"name": "none", "policies": []},
                {"name": "retry", "policies": [{"policy": "retry", "base_delay": "10ms"}]},
                {"name": "limit", "policies": [{"policy": "attempt_timeout", "limit": "60ms"}]}]})";

}  // namespace

TEST_CASE("S14 storm list names the scenarios, storm --help the options", "[S14]") {
  const Ended list = run_storm("list");
  CHECK(list.status == 0);
  for (const auto& shipped : storm::shipped_scenarios()) {
    CAPTURE(shipped.name);
    CHECK(("\n" + list.output).find("\n" + std::string{shipped.name} + " ") != std::string::npos);
  }
  const Ended help = run_storm("--help");
  CHECK(help.status == 0);
  for (const char* option : {"--scenario", "--pipeline", "--seed", "--out", "--threads"})
    CHECK(help.output.find(option) != std::string::npos);
  CHECK(run_storm("").output == help.output);
  CHECK(run_storm("run --help").output == help.output);
}

TEST_CASE("S14 an error of the user ends it with status 2 and a line that says what is wrong", "[S14]") {
  const Folder folder;
  const auto error_of = [](const std::string& arguments) {
    const Ended ended = run_storm(arguments);
    CHECK(ended.status == 2);
    return ended.output;
  };
  CHECK(error_of("fly") == "storm: unknown command 'fly'; storm --help shows them\n");
  CHECK(error_of("run --speed 3") == "storm: unknown option '--speed'; storm --help shows them\n");
  CHECK(error_of("run \"$(printf -- '--a\\033[2Jb')\"") ==
        "storm: unknown option '--a\uFFFD[2Jb'; storm --help shows them\n");
  CHECK(error_of("run trace.csv") == "storm: 'trace.csv' is no option; storm --help shows them\n");
  for (const char* words : {"list --seed 5", "bench --out x", "replay trace.csv --scenario x",
                            "replay trace.csv --svg load", "replay --only x", "replay --threads 1"}) {
    const std::string text{words};
    const std::size_t option = text.find("--");
    CHECK(error_of(text) == "storm: " + text.substr(0, text.find(' ')) + " does not take " +
                                text.substr(option, text.find(' ', option) - option) +
                                "; storm --help shows what it takes\n");
  }
  CHECK(error_of("run --seed") == "storm: --seed needs a value\n");
  CHECK(error_of("run --seed 1x") == "storm: --seed takes a number, got '1x'\n");
  CHECK(error_of("run --scenario nothing") ==
        "storm: no scenario and no file is called 'nothing'; storm list shows the scenarios\n");
  const std::string bad = folder.write("bad.json", R"({"name": "x", "dependencies": [{"capacity": 0}]})");
  CHECK(error_of("run --scenario " + bad).find("bad.json: dependencies[0].capacity must be in [1, ") !=
        std::string::npos);
  const std::string order = folder.write(
      "order.json",
      R"({"name": "x", "policies": [{"policy": "attempt_timeout", "limit": "1s"}, {"policy": "retry"}]})");
  const std::string good = folder.write("small.json", small);
  CHECK(error_of("run --scenario " + good + " --pipeline " + order)
            .find("small: pipeline x: policies[1]: retry has no place here") != std::string::npos);
  CHECK(error_of("run --scenario " + good + " --scenario " + good) ==
        "storm: two scenarios are called 'small'\n");
  CHECK(error_of("run --scenario " + good + " --pipeline " + order + " --pipeline " + order) ==
        "storm: two pipelines are called 'x'\n");
  CHECK(error_of("run --scenario " + good + " --only none,none") ==
        "storm: two pipelines are called 'none'\n");
  CHECK(error_of("run --scenario " + good + " --svg load") == "storm: --svg needs --out\n");
  CHECK(error_of("run --scenario /dev/zero") == "storm: /dev/zero: is larger than 1 MiB\n");
}

TEST_CASE("S14 S2 storm run prints a table and writes a report, the same with any number of threads",
          "[S14][S2]") {
  const Folder folder;
  const std::string scenario = folder.write("small.json", small);
  const auto run = [&](const std::string& out, const std::string& more) {
    const Ended ended =
        run_storm("run --scenario " + scenario + " --out '" + (folder.path / out).string() + "' " + more);
    CAPTURE(ended.output);
    CHECK(ended.status == 0);
    CHECK(ended.output.find("Success") != std::string::npos);
    CHECK(ended.output.find('\x1b') == std::string::npos);  // no terminal: no colours, no bar
    return read(folder.path / out / "small.csv");
  };
  const std::string csv = run("one", "--seed 7 --threads 1");
  CHECK(csv.starts_with(
      "pipeline,success_ratio,peak_load_ratio,amplification,wasted_ratio,recovery_s,p50_ms,p99_ms"));
  for (const char* name : {"\nnone,", "\nretry,", "\nlimit,"}) CHECK(csv.find(name) != std::string::npos);
  CHECK(run("three", "--seed 7 --threads 3") == csv);
  CHECK(read(folder.path / "three/small.html") == read(folder.path / "one/small.html"));
  CHECK(run("other", "--seed 8") != csv);
  CHECK(read(folder.path / "one/small.html").find("<html") != std::string::npos);

  const std::string mine = folder.write("mine.json", R"({"name": "mine", "policies": []})");
  const std::string compared = run("mine", "--pipeline " + mine);
  CHECK(compared.find("\nmine,") != std::string::npos);
  CHECK(compared.find("\nretry,") == std::string::npos);
}

#endif
