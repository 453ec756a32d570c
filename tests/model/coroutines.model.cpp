// Pipelines of coroutines against the model of pipeline.model.cpp (A5): the same layers, configs and answers
// of op, awaited; also destroyed at any step (A8).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/input.hpp"
#include "pipeline_run.hpp"
#include "rapidcheck.hpp"

using namespace model;

namespace {

// Those of pipeline.model.cpp without policies of the program, which block (P15).
const std::vector<flow::Pipeline>& pipelines() {
  using flow::awaited_pipeline;
  static const std::vector<flow::Pipeline> all{
      awaited_pipeline<'T', 'S', 'B', 'A'>,
      awaited_pipeline<'L', 'T', 'K', 'F'>,
      awaited_pipeline<'F', 'K', 'B'>,
      awaited_pipeline<'G', 'W', 'T'>,
      awaited_pipeline<'B', 'K', 'L'>,
      awaited_pipeline<'A', 'T', 'G', 'B'>,
      awaited_pipeline<'F', 'L', 'G', 'A'>,
      awaited_pipeline<'G', 'S', 'L'>,
      awaited_pipeline<'W', 'L', 'B', 'R'>,
      awaited_pipeline<'B', 'T', 'A', 'W'>,
      awaited_pipeline<'W', 'A', 'F'>,
      awaited_pipeline<'K', 'T', 'H', 'A'>,
      awaited_pipeline<'B', 'G', 'F', 'W'>,
      awaited_pipeline<'T', 'A', 'L'>,
      awaited_pipeline<'W', 'G', 'A', 'K'>,
      awaited_pipeline<'K', 'L', 'G', 'W'>,
      awaited_pipeline<'F', 'T', 'H'>,
      awaited_pipeline<'R', 'B', 'K', 'A'>,
      awaited_pipeline<'S'>,
      awaited_pipeline<'T', 'A'>,
      awaited_pipeline<'R', 'H', 'A'>,
      awaited_pipeline<'F', 'B'>,
      awaited_pipeline<'K', 'L'>,
      awaited_pipeline<'G', 'B', 'A'>,
  };
  return all;
}

}  // namespace

TEST_CASE("A5 A8 whatever a coroutine meets in any order of policies, it does what the rules say",
          "[A5][A8][P1][P2][P3][P5][P6][P7][P8][P9][P11]") {
  flow::Reached reached;
  const auto byte = rc::gen::cast<std::uint8_t>(rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 256)));
  const auto bytes = rc::gen::resize(150, rc::gen::container<std::vector<std::uint8_t>>(byte));
  CHECK(rc::check("a pipeline of coroutines", [&] {
    const auto choices = *bytes;
    fuzz::Input input{choices.data(), choices.size()};
    const auto& all = pipelines();
    const flow::Pipeline& chosen = all[input.below(static_cast<unsigned>(all.size()))];
    flow::Decoder decoder{input};
    const flow::Script script = decoder.script(chosen.kinds);
    if (const std::string problem = chosen.compare(script, reached); !problem.empty())
      RC_FAIL(chosen.kinds + (": " + problem));
  }));
  CHECK(reached.values > 100);
  CHECK(reached.late > 100);
  CHECK(reached.timed_out > 100);
  CHECK(reached.cancelled > 100);
  CHECK(reached.rejected > 100);
  CHECK(reached.retried > 100);
  CHECK(reached.refused_by_budget > 100);
  CHECK(reached.waited > 100);
  CHECK(reached.cut_short > 50);
  CHECK(reached.fell_back > 100);
  CHECK(reached.hooks_threw > 50);
  CHECK(reached.probes > 50);
  CHECK(reached.abandoned > 100);
}

TEST_CASE("the pipelines of coroutines hold every pair of kinds in every order that compose() allows",
          "[P16]") {
  const std::string kinds = "BRTAKLFWG";
  const std::set<std::pair<char, char>> refused{{'A', 'R'}, {'R', 'T'}, {'R', 'F'}, {'R', 'W'}, {'R', 'G'}};
  std::set<std::pair<char, char>> held;
  for (const auto& one : pipelines()) {
    std::string order = one.kinds;
    for (char& kind : order)
      if (kind == 'S' || kind == 'H') kind = 'R';
    for (std::size_t i = 0; i < order.size(); ++i)
      for (std::size_t j = i + 1; j < order.size(); ++j) held.insert({order[i], order[j]});
  }
  for (const char outer : kinds) {
    for (const char inner : kinds) {
      if (outer == inner || refused.contains({outer, inner})) continue;
      INFO(outer << inner);
      CHECK(held.contains({outer, inner}));
    }
  }
}
