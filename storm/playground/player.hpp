// storm/playground/player.hpp: Player, the simulations that the page plays, by number, and what it asks about
// them, as text. wasm.cpp exports it to JavaScript; the tests run it natively too.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "../cpp_text.hpp"
#include "../result_json.hpp"
#include "../scenario_json.hpp"
#include "../simulation.hpp"

namespace storm {

/// Nothing throws: a function that fails gives 0, -1 or an empty text, and error() says why. Texts are JSON
/// unless said otherwise.
class Player {
 public:
  /// Begins to play the first pipeline of a scenario (the form of storm/scenarios, with its pipelines). Gives
  /// its number, above 0.
  int open(std::string_view scenario, std::uint64_t seed) {
    return guarded(0, [&] {
      const Scenario parsed = parse_scenario(scenario, {});
      const auto simulation = std::make_shared<Simulation>(parsed, first(parsed), seed);
      simulations_.emplace(++last_, simulation);
      return last_;
    });
  }
  void close(int number) { simulations_.erase(number); }

  /// Plays until so many seconds after its beginning. 1: there is more to play, 0: it is over, -1: it has
  /// failed.
  int run_until(int number, double seconds) {
    return guarded(-1, [&] {
      constexpr double longest = 1e6;
      if (!(seconds >= 0 && seconds <= longest)) throw std::invalid_argument{"no time to play to"};
      return found(number).run_until(Duration{std::llround(seconds * 1e9)}) ? 1 : 0;
    });
  }

  /// The summary, the seconds from the one with this index on, and the present moment.
  [[nodiscard]] std::string progress(int number, int from) {
    return guarded(std::string{}, [&] {
      const Simulation& simulation = found(number);
      OrderedJson told = to_json(simulation.result(), static_cast<std::size_t>(from > 0 ? from : 0));
      told["live"] = to_json(simulation.live());
      return told.dump();
    });
  }
  [[nodiscard]] std::string result(int number) {
    return guarded(std::string{}, [&] { return to_json(found(number).result()).dump(); });
  }

  /// The C++ of the first pipeline of a scenario, as C++.
  [[nodiscard]] std::string cpp(std::string_view scenario) {
    return guarded(std::string{}, [&] {
      const Scenario parsed = parse_scenario(scenario, {});
      return to_cpp(first(parsed), parsed.dependencies.back().name);
    });
  }

  /// Of the last function that failed, as plain text.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  template <class T, class Use>
  T guarded(T failed, Use use) {
    try {
      return use();
    } catch (const std::exception& error) {
      error_ = error.what();
    }
    return failed;
  }

  [[nodiscard]] static const PipelineSpec& first(const Scenario& scenario) {
    if (scenario.pipelines.empty()) throw std::invalid_argument{"pipelines: needs one"};
    return scenario.pipelines.front();
  }
  [[nodiscard]] Simulation& found(int number) const {
    const auto found = simulations_.find(number);
    if (found == simulations_.end()) throw std::invalid_argument{"no such simulation"};
    return *found->second;
  }

  std::map<int, std::shared_ptr<Simulation>> simulations_;
  int last_ = 0;
  std::string error_;
};

}  // namespace storm
