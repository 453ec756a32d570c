// tests/playground/native.cpp: the playground's Player in the native build, with which check_wasm.py compares
// that in WebAssembly (S40, S41), and check_page.py the page in a browser (S40, S43).
//
// Each line of the input is {"scenario": {…}, "seed": 7}, with an optional "until" in seconds. For each,
// prints a line with the result of the first pipeline, and one with its C++ as a JSON text.
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>

#include "playground/player.hpp"

int main() {
  storm::Player player;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto asked = nlohmann::json::parse(line);
    const std::string scenario = asked.at("scenario").dump();
    const int number = player.open(scenario, asked.at("seed").get<std::uint64_t>());
    const double until = asked.value("until", 1e6);
    if (number == 0 || player.run_until(number, until) < 0) {
      std::fprintf(stderr, "%s\n", player.error().c_str());
      return 1;
    }
    std::printf("%s\n%s\n", player.result(number).c_str(),
                nlohmann::json(player.cpp(scenario)).dump().c_str());
    player.close(number);
  }
  return 0;
}
