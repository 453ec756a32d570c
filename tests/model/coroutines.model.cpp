// Pipelines of coroutines against the model of pipeline.model.cpp (A5): the same layers, configs and answers
// of op, awaited; also destroyed at any step (A8).
#include <string>
#include <vector>

#include "pipeline_checks.hpp"

using namespace model;

namespace {

// Those of pipeline.model.cpp without policies of the program, which block (P15).
const std::vector<flow::Pipeline>& pipelines() {
  using flow::awaited_pipeline;
  static const std::vector<flow::Pipeline> all{
      awaited_pipeline<'C', 'T', 'S', 'B', 'A', 'V'>,
      awaited_pipeline<'C', 'L', 'T', 'K', 'F', 'V'>,
      awaited_pipeline<'V', 'F', 'K', 'B', 'C'>,
      awaited_pipeline<'C', 'G', 'W', 'T', 'V'>,
      awaited_pipeline<'B', 'K', 'L'>,
      awaited_pipeline<'V', 'A', 'T', 'G', 'B', 'C'>,
      awaited_pipeline<'F', 'L', 'G', 'A'>,
      awaited_pipeline<'G', 'S', 'L'>,
      awaited_pipeline<'V', 'W', 'L', 'B', 'R', 'C'>,
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
      awaited_pipeline<'V', 'C'>,
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
          "[A5][A8][P1][P2][P3][P5][P6][P7][P8][P9][P11][X1][X2][X3][X4][X5][X6]") {
  flow::check_scripts("a pipeline of coroutines", pipelines());
}

TEST_CASE("the pipelines of coroutines hold every pair of kinds in every order that compose() allows",
          "[P16]") {
  std::string kinds = flow::kinds_with_pairs();
  std::erase(kinds, static_cast<char>(flow::Kind::user));
  flow::check_pairs(kinds, pipelines());
}
