// Pipelines against a plain model of rules P1 to P13 and of the policies in them, which are all but adaptive
// limits and hedges: random layers, random configs, random answers of op, and all that is seen compared after
// each call, through each of the drivers.
#include <vector>

#include "pipeline_checks.hpp"

using namespace model;

namespace {

// Together they hold every pair of kinds in every order that compose() allows (a retry with or without a
// budget is one kind), and orders of the documentation.
const std::vector<flow::Pipeline>& pipelines() {
  using flow::pipeline;
  static const std::vector<flow::Pipeline> all{
      pipeline<'C', 'T', 'S', 'B', 'A', 'V'>,
      pipeline<'C', 'L', 'T', 'K', 'F', 'V'>,
      pipeline<'V', 'F', 'U', 'K', 'B', 'C'>,
      pipeline<'C', 'U', 'G', 'W', 'T', 'V'>,
      pipeline<'B', 'K', 'L', 'U'>,
      pipeline<'V', 'A', 'T', 'G', 'B', 'C'>,
      pipeline<'F', 'L', 'G', 'A'>,
      pipeline<'G', 'S', 'U', 'L'>,
      pipeline<'V', 'W', 'L', 'B', 'R', 'C'>,
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
      pipeline<'V', 'C'>,
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
          "[P1][P2][P3][P5][P6][P7][P8][P9][P10][P11][X1][X2][X3][X4][X5][X6]") {
  flow::check_scripts("a pipeline", pipelines());
}

TEST_CASE("the pipelines hold every pair of kinds in every order that compose() allows", "[P16]") {
  flow::check_pairs(flow::kinds_with_pairs(), pipelines());
}
