// Pipelines of coroutines against the model of pipeline.model.cpp (A5): the same layers, configs and answers
// of op, awaited; also destroyed at any step (A8).
#include <vector>

#include "pipeline_checks.hpp"

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
  flow::check_scripts("a pipeline of coroutines", pipelines());
}

TEST_CASE("the pipelines of coroutines hold every pair of kinds in every order that compose() allows",
          "[P16]") {
  flow::check_pairs("BRTAKLFWG", pipelines());
}
