// Pipelines against the reference of the model tests: bytes become layers, their configs, and what op does.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "input.hpp"
#include "model/pipeline_run.hpp"

namespace {

using model::flow::pipeline;

// Fewer than those of the model tests: they take long to compile. The order is part of the corpus.
const std::vector<model::flow::Pipeline>& pipelines() {
  static const std::vector<model::flow::Pipeline> all{
      pipeline<'T', 'S', 'B', 'A'>, pipeline<'F', 'T', 'U', 'H'>, pipeline<'G', 'S', 'U', 'L'>,
      pipeline<'R', 'B', 'K', 'A'>, pipeline<'B', 'T', 'A', 'W'>,
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
