// Pipelines against a plain model of rules P1 to P13 and of the policies in them: random layers, random
// configs, random answers of op, and all that is seen compared after each call, through each of the drivers.
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

// Together they hold every pair of kinds in every order that compose() allows (a retry with or without a
// budget is one kind), and orders of the documentation.
const std::vector<flow::Pipeline>& pipelines() {
  using flow::pipeline;
  static const std::vector<flow::Pipeline> all{
      pipeline<'T', 'S', 'B', 'A'>,
      pipeline<'L', 'T', 'K', 'F'>,
      pipeline<'F', 'U', 'K', 'B'>,
      pipeline<'U', 'G', 'W', 'T'>,
      pipeline<'B', 'K', 'L', 'U'>,
      pipeline<'A', 'T', 'G', 'B'>,
      pipeline<'F', 'L', 'G', 'A'>,
      pipeline<'G', 'S', 'U', 'L'>,
      pipeline<'W', 'L', 'B', 'R'>,
      pipeline<'B', 'T', 'A', 'W'>,
      pipeline<'W', 'U', 'A', 'F'>,
      pipeline<'K', 'T', 'H', 'A'>,
      pipeline<'B', 'G', 'F', 'W'>,
      pipeline<'T', 'A', 'U', 'L'>,
      pipeline<'W', 'G', 'A', 'K'>,
      pipeline<'K', 'L', 'G', 'W'>,
      pipeline<'F', 'T', 'U', 'H'>,
      pipeline<'R', 'B', 'K', 'A'>,
      pipeline<'S'>,
      pipeline<'T', 'A'>,
      pipeline<'R', 'H', 'A'>,
      pipeline<'F', 'B'>,
      pipeline<'K', 'L'>,
      pipeline<'G', 'B', 'A'>,
  };
  return all;
}

}  // namespace

TEST_CASE("P1 P7 whatever a call meets in any order of policies, every driver does what the rules say",
          "[P1][P2][P3][P5][P6][P7][P8][P9][P10][P11]") {
  flow::Reached reached;
  const auto byte = rc::gen::cast<std::uint8_t>(rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 256)));
  const auto bytes = rc::gen::resize(150, rc::gen::container<std::vector<std::uint8_t>>(byte));
  CHECK(rc::check("a pipeline", [&] {
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

TEST_CASE("the pipelines hold every pair of kinds in every order that compose() allows", "[P16]") {
  const std::string kinds = "BRTAKLFWGU";
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
