// storm/playground/wasm.cpp: what run.js calls. A text lasts until the next call.
#include <cstdint>
#include <string>
#include <utility>

#include <emscripten/emscripten.h>

#include "player.hpp"

namespace {

storm::Player& player() {
  static storm::Player player;
  return player;
}

const char* kept(std::string text) {
  static std::string last;
  last = std::move(text);
  return last.c_str();
}

}  // namespace

extern "C" {

EMSCRIPTEN_KEEPALIVE int storm_open(const char* scenario, double seed) {
  return player().open(scenario, static_cast<std::uint64_t>(seed));
}
EMSCRIPTEN_KEEPALIVE void storm_close(int number) { player().close(number); }
EMSCRIPTEN_KEEPALIVE int storm_run_until(int number, double seconds) {
  return player().run_until(number, seconds);
}
EMSCRIPTEN_KEEPALIVE const char* storm_progress(int number, int from) {
  return kept(player().progress(number, from));
}
EMSCRIPTEN_KEEPALIVE const char* storm_result(int number) { return kept(player().result(number)); }
EMSCRIPTEN_KEEPALIVE const char* storm_cpp(const char* scenario) { return kept(player().cpp(scenario)); }
EMSCRIPTEN_KEEPALIVE const char* storm_error() { return kept(player().error()); }

}  // extern "C"
