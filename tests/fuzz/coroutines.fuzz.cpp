// Pipelines of coroutines against the reference of the model tests, also destroyed at any step: bytes become
// layers, their configs, and what op does, as for pipeline.fuzz.cpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "input.hpp"
#include "model/pipeline_run.hpp"

namespace {

using model::flow::awaited_pipeline;

// As in pipeline.fuzz.cpp, without policies of the program. The order is part of the corpus.
const std::vector<model::flow::Pipeline>& pipelines() {
  static const std::vector<model::flow::Pipeline> all{
      awaited_pipeline<'T', 'S', 'B', 'A'>, awaited_pipeline<'F', 'T', 'H'>,
      awaited_pipeline<'G', 'S', 'L'>,      awaited_pipeline<'R', 'B', 'K', 'A'>,
      awaited_pipeline<'B', 'T', 'A', 'W'>,
  };
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t longest = 256;
  fuzz::Input input{data, std::min(size, longest)};
  model::flow::Reached reached;
  const std::string problem = model::flow::compare_any(pipelines(), input, reached);
  if (!problem.empty()) fuzz::fail(problem);
  return 0;
}
