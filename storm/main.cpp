// storm/main.cpp: the program: storm run, storm replay, storm list, storm bench.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "plot.hpp"
#include "progress.hpp"
#include "replay.hpp"
#include "report.hpp"
#include "scenario_json.hpp"
#include "scenarios.hpp"
#include "simulation.hpp"
#include "table.hpp"
#include "trace.hpp"
#include "words.hpp"

namespace {

constexpr std::string_view usage =
    R"(Plays what goes wrong between clients and what they call, with the policies of fusebox.

  storm list                 the scenarios that ship with it
  storm run [OPTION]...      plays scenarios, and prints a table for each
  storm replay TRACE [OPTION]...   recorded calls under other configs: which breaker would have opened, and when
  storm bench                how many events it simulates in a second

Options of run:
  --scenario NAME|FILE   one that ships with it, or a JSON file; repeat it for more (all that ship with it)
  --pipeline FILE        a pipeline to compare, as JSON, instead of the scenario's own; repeat it for more
  --only NAME,NAME       of the pipelines, only these
  --seed N               of all random numbers (1): the same seed gives the same result
  --out DIR              writes DIR/NAME.html and DIR/NAME.csv
  --svg PANEL,PANEL      writes DIR/NAME.svg too, with these panels: load, success, p50, p99, queued, busy, limit,
                         breakers, rejected, retries
  --threads N            pipelines played at once (one for each processor); the result does not depend on it

TRACE is CSV with the columns time_s, latency_ms, outcome and, if there is one, code, as CallRecorder of fusebox
writes it. Options of replay:
  --pipeline FILE        a pipeline to try, as JSON; repeat it for more (those that ship with it)
  --seed N               of the jitter (1)
  --out DIR              writes DIR/replay.csv and DIR/state_changes.csv
)";

/// A mistake in the command line, or in a file.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Options {
  std::vector<std::string> scenarios;
  std::vector<std::string> pipelines;
  std::vector<std::string> traces;
  std::vector<std::string> only;
  std::vector<storm::Panel> panels;
  std::uint64_t seed = 1;
  std::string out;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
};

template <class T>
[[nodiscard]] T parse_number(std::string_view option, std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    throw UserError{fmt::format("{} takes a number, got '{}'", option, text)};
  return number;
}

[[nodiscard]] std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts{""};
  for (const char letter : text) {
    if (letter == ',') {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

[[nodiscard]] std::vector<storm::Panel> parse_panels(std::string_view text) {
  std::vector<storm::Panel> panels;
  for (const std::string& name : split(text)) {
    const std::optional<storm::Panel> panel = storm::panel_by_name(name);
    if (!panel)
      throw UserError{fmt::format("no panel is called '{}'; there are {}", name, storm::panel_names())};
    panels.push_back(*panel);
  }
  return panels;
}

struct OptionRule {
  std::string_view name;
  std::string_view commands;  // that take it, each with a space behind it
  void (*read)(Options& options, std::string_view value);
};
constexpr std::array option_rules{
    OptionRule{"--scenario", "run ",
               [](Options& to, std::string_view value) { to.scenarios.emplace_back(value); }},
    OptionRule{"--pipeline", "run replay ",
               [](Options& to, std::string_view value) { to.pipelines.emplace_back(value); }},
    OptionRule{"--only", "run ", [](Options& to, std::string_view value) { to.only = split(value); }},
    OptionRule{"--svg", "run ", [](Options& to, std::string_view value) { to.panels = parse_panels(value); }},
    OptionRule{
        "--seed", "run replay ",
        [](Options& to, std::string_view value) { to.seed = parse_number<std::uint64_t>("--seed", value); }},
    OptionRule{"--out", "run replay ", [](Options& to, std::string_view value) { to.out = value; }},
    OptionRule{"--threads", "run ",
               [](Options& to, std::string_view value) {
                 to.threads = std::clamp(parse_number<unsigned>("--threads", value), 1U, 256U);
               }},
};

[[nodiscard]] Options parse_options(std::string_view command, std::span<char*> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view option = arguments[i];
    if (!option.starts_with('-')) {
      if (command != "replay")
        throw UserError{fmt::format("'{}' is no option; storm --help shows them", option)};
      options.traces.emplace_back(option);
      continue;
    }
    const auto* const rule = std::find_if(option_rules.begin(), option_rules.end(),
                                          [&](const OptionRule& one) { return one.name == option; });
    if (rule == option_rules.end())
      throw UserError{fmt::format("unknown option '{}'; storm --help shows them", option)};
    if (rule->commands.find(fmt::format("{} ", command)) == std::string_view::npos)
      throw UserError{fmt::format("{} does not take {}; storm --help shows what it takes", command, option)};
    if (++i == arguments.size()) throw UserError{fmt::format("{} needs a value", option)};
    rule->read(options, arguments[i]);
  }
  return options;
}

[[nodiscard]] std::string read_file(const std::string& path, std::size_t most) {
  std::ifstream in{path, std::ios::binary};
  if (!in) throw UserError{fmt::format("{}: {}", path, std::strerror(errno))};
  std::string text;
  std::array<char, 1U << 16U> part{};
  while (text.size() <= most) {
    in.read(part.data(), part.size());
    if (in.gcount() == 0) break;
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw UserError{fmt::format("{}: cannot be read", path)};
  if (text.size() > most) throw UserError{fmt::format("{}: is larger than {} MiB", path, most >> 20U)};
  return text;
}
constexpr std::size_t most_json = std::size_t{1} << 20U;
constexpr std::size_t most_trace = std::size_t{1} << 30U;

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out{path, std::ios::binary};
  out << text;
  out.close();
  if (!out) throw UserError{fmt::format("{}: cannot be written", path.string())};
}

/// Says in which file an error is.
template <class Read>
[[nodiscard]] auto in_file(const std::string& name, Read read) {
  try {
    return read();
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    throw UserError{fmt::format("{}: {}", name, error.what())};
  }
}

[[nodiscard]] std::vector<storm::PipelineSpec> default_pipelines() {
  return storm::parse_pipelines(storm::shipped_pipelines());
}

[[nodiscard]] storm::Scenario load_scenario(const std::string& name,
                                            const std::vector<storm::PipelineSpec>& pipelines) {
  for (const storm::ShippedScenario& shipped : storm::shipped_scenarios()) {
    if (shipped.name == name) return storm::parse_scenario(shipped.json, pipelines);
  }
  if (!std::filesystem::exists(name))
    throw UserError{
        fmt::format("no scenario and no file is called '{}'; storm list shows the scenarios", name)};
  return in_file(name, [&] { return storm::parse_scenario(read_file(name, most_json), pipelines); });
}

/// Of two with one name, rows could not be told apart, and files would overwrite each other.
template <class T>
void refuse_twins(const std::vector<T>& all, std::string_view what) {
  std::set<std::string> names;
  for (const T& one : all) {
    if (!names.insert(one.name).second)
      throw UserError{fmt::format("two {} are called '{}'", what, one.name)};
  }
}

/// In the order of the names.
void keep_only(storm::Scenario& scenario, const std::vector<std::string>& names) {
  std::vector<storm::PipelineSpec> kept;
  for (const std::string& name : names) {
    const auto found = std::find_if(scenario.pipelines.begin(), scenario.pipelines.end(),
                                    [&](const storm::PipelineSpec& one) { return one.name == name; });
    if (found == scenario.pipelines.end())
      throw UserError{fmt::format("{} has no pipeline '{}'", scenario.name, name)};
    kept.push_back(*found);
  }
  refuse_twins(kept, "pipelines");
  scenario.pipelines = std::move(kept);
}

[[nodiscard]] std::vector<storm::PipelineSpec> load_pipelines(const Options& options) {
  std::vector<storm::PipelineSpec> given;
  for (const std::string& file : options.pipelines)
    given.push_back(in_file(file, [&] { return storm::parse_pipeline(read_file(file, most_json)); }));
  refuse_twins(given, "pipelines");
  return given;
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw UserError{fmt::format("{}: {}", path, error.message())};
}

[[nodiscard]] std::vector<storm::Scenario> load_scenarios(const Options& options) {
  const std::vector<storm::PipelineSpec> given = load_pipelines(options);
  std::vector<storm::Scenario> scenarios;
  const auto add = [&](const std::string& name) {
    scenarios.push_back(load_scenario(name, default_pipelines()));
    if (!given.empty()) scenarios.back().pipelines = given;
    if (!options.only.empty()) keep_only(scenarios.back(), options.only);
  };
  for (const std::string& name : options.scenarios) add(name);
  if (options.scenarios.empty()) {
    for (const storm::ShippedScenario& shipped : storm::shipped_scenarios()) add(std::string{shipped.name});
  }
  refuse_twins(scenarios, "scenarios");
  return scenarios;
}

/// Plays the pipelines of a scenario, several at once. They share nothing, so the order does not matter.
class Player {
 public:
  Player(const storm::Scenario& scenario, std::uint64_t seed)
      : scenario_{scenario}, seed_{seed}, results_(scenario.pipelines.size()) {}

  [[nodiscard]] storm::Result play(unsigned threads) {
    const auto count = std::min<std::size_t>(threads, results_.size());
    running_ = count;
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < count; ++i) workers.emplace_back([this] { work(); });
    show_progress();
    workers.clear();
    if (failure_) std::rethrow_exception(failure_);
    return {scenario_, seed_, std::move(results_)};
  }

 private:
  static constexpr std::chrono::seconds step{1};

  void work() {
    try {
      for (std::size_t i = next_++; i < results_.size(); i = next_++) play_pipeline(i);
    } catch (...) {
      const std::lock_guard lock{mutex_};
      failure_ = std::current_exception();
      next_ = results_.size();
    }
    const std::lock_guard lock{mutex_};
    --running_;
    changed_.notify_one();
  }
  void play_pipeline(std::size_t i) {
    const storm::PipelineSpec& pipeline = scenario_.pipelines[i];
    const auto made = [&] {
      try {
        return std::make_unique<storm::Simulation>(scenario_, pipeline, seed_);
      } catch (const std::exception& error) {
        throw UserError{fmt::format("{}: pipeline {}: {}", scenario_.name, pipeline.name, error.what())};
      }
    }();
    try {
      for (storm::Duration time = step; made->run_until(time); time += step) ++seconds_;
    } catch (const std::length_error& error) {
      throw UserError{fmt::format("{}: pipeline {}: {}", scenario_.name, pipeline.name, error.what())};
    }
    results_[i] = made->result();
  }

  void show_progress() {
    storm::Progress progress{stderr};
    const double total = static_cast<double>(scenario_.pipelines.size()) *
                         std::chrono::duration<double>{scenario_.duration}.count();
    std::unique_lock lock{mutex_};
    while (!changed_.wait_for(lock, std::chrono::milliseconds{100}, [this] { return running_ == 0; }))
      progress.show(scenario_.name, static_cast<double>(seconds_.load()), total);
  }

  const storm::Scenario& scenario_;
  const std::uint64_t seed_;
  std::vector<storm::PipelineResult> results_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> seconds_{0};  // simulated
  std::mutex mutex_;                       // guards what follows
  std::condition_variable changed_;
  std::size_t running_ = 0;
  std::exception_ptr failure_;
};

int run(const Options& options) {
  if (!options.panels.empty() && options.out.empty()) throw UserError{"--svg needs --out"};
  const std::vector<storm::Scenario> scenarios = load_scenarios(options);
  if (!options.out.empty()) make_folder(options.out);
  const bool is_terminal = storm::is_terminal(stdout);
  for (const storm::Scenario& scenario : scenarios) {
    const storm::Result result = Player{scenario, options.seed}.play(options.threads);
    fmt::print("{}\n", storm::table(result, is_terminal));
    std::fflush(stdout);
    if (options.out.empty()) continue;
    const std::filesystem::path folder{options.out};
    write_file(folder / (scenario.name + ".csv"), storm::csv(result));
    write_file(folder / (scenario.name + ".html"), storm::html_report(result));
    if (!options.panels.empty())
      write_file(folder / (scenario.name + ".svg"), storm::svg(result, options.panels));
    fmt::print("{}\n\n", (folder / (scenario.name + ".html")).string());
  }
  return EXIT_SUCCESS;
}

int replay(const Options& options) {
  if (options.traces.size() != 1) throw UserError{"replay takes one file with a trace"};
  const std::string& file = options.traces[0];
  const storm::Trace trace = in_file(file, [&] { return storm::parse_trace(read_file(file, most_trace)); });
  std::vector<storm::PipelineSpec> pipelines = load_pipelines(options);
  if (pipelines.empty()) pipelines = default_pipelines();
  std::vector<storm::ReplayResult> results;
  for (const storm::PipelineSpec& pipeline : pipelines) {
    results.push_back(
        in_file("pipeline " + pipeline.name, [&] { return storm::replay(trace, pipeline, options.seed); }));
  }
  fmt::print("{}", storm::replay_table(trace, results));
  if (options.out.empty()) return EXIT_SUCCESS;
  make_folder(options.out);
  const std::filesystem::path folder{options.out};
  write_file(folder / "replay.csv", storm::replay_csv(trace, results));
  write_file(folder / "state_changes.csv", storm::replay_changes_csv(results));
  return EXIT_SUCCESS;
}

int list(const Options& /*options*/) {
  for (const storm::ShippedScenario& shipped : storm::shipped_scenarios()) {
    const auto scenario = storm::parse_scenario(shipped.json, default_pipelines());
    fmt::print("{:12} {}\n", shipped.name, scenario.title);
  }
  return EXIT_SUCCESS;
}

/// A million clients, a call a minute each, for ten minutes, through standard_pipeline.
int bench(const Options& /*options*/) {
  storm::Scenario scenario;
  scenario.name = "bench";
  scenario.duration = std::chrono::minutes{10};
  scenario.clients.count = 1'000'000;
  scenario.clients.instances = 20;
  scenario.clients.calls_per_minute = 1;
  scenario.dependencies.resize(1);
  scenario.dependencies[0].capacity = 2000;
  scenario.dependencies[0].queue = 4000;
  for (storm::PipelineSpec& pipeline : default_pipelines()) {
    if (pipeline.name == "standard_pipeline") scenario.pipelines.push_back(std::move(pipeline));
  }
  const auto begin = std::chrono::steady_clock::now();
  const storm::Result result = Player{scenario, 1}.play(1);
  const double seconds = std::chrono::duration<double>{std::chrono::steady_clock::now() - begin}.count();
  const storm::Summary& summary = result.pipelines[0].summary;
  fmt::print("{} calls, {} events in {:.2f} s: {:.0f} events/s, {:.0f} ns a call\n", summary.calls,
             summary.events, seconds, static_cast<double>(summary.events) / seconds,
             seconds * 1e9 / static_cast<double>(summary.calls));
  return EXIT_SUCCESS;
}

struct Command {
  std::string_view name;
  int (*run)(const Options&);
};
constexpr std::array commands{Command{"run", run}, Command{"replay", replay}, Command{"list", list},
                              Command{"bench", bench}};

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments{argv, static_cast<std::size_t>(argc)};
  try {
    const std::string_view command = argc > 1 ? arguments[1] : "--help";
    const auto is_help = [](std::string_view argument) { return argument == "--help" || argument == "-h"; };
    if (command == "help" || is_help(command) || std::any_of(arguments.begin(), arguments.end(), is_help)) {
      fmt::print("{}", usage);
      return EXIT_SUCCESS;
    }
    const auto* const found = std::find_if(commands.begin(), commands.end(),
                                           [&](const Command& one) { return one.name == command; });
    if (found == commands.end())
      throw UserError{fmt::format("unknown command '{}'; storm --help shows them", command)};
    return found->run(parse_options(command, arguments.subspan(2)));
  } catch (const UserError& error) {
    fmt::print(stderr, "storm: {}\n", storm::printable(error.what()));
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "storm: {}\n", storm::printable(error.what()));
    return EXIT_FAILURE;
  }
}
