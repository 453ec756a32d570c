// Runs every path a fixed number of times, for a tool that counts instructions (scripts/bench.py
// instructions). In the profile, each path has its own function `bench::repeat<…>`.
//
//   instructions [times]        prints the path's name, its type's name and times
#include <cxxabi.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <tuple>
#include <typeinfo>

#include "coro_paths.hpp"
#include "paths.hpp"
#include "pipeline_paths.hpp"

namespace {

template <class Path>
void run(std::size_t times) {
  Path path;
  path();  // one-time work
  bench::repeat(path, times);
  int status = 0;
  char* const type = abi::__cxa_demangle(typeid(Path).name(), nullptr, nullptr, &status);
  std::printf("%s %s %zu\n", Path::name, type, times);
  std::free(type);  // NOLINT(*-no-malloc)
}

template <class... Path>
void run_all(const std::tuple<Path...>*, std::size_t times) {
  (run<Path>(times), ...);
}

}  // namespace

int main(int argc, char** argv) {
  const long times = argc > 1 ? std::atol(argv[1]) : 1000;
  if (times < 1) return 1;
  fusebox::detail::rehome_thread();  // bench.py keeps the program on one processor: each count is in one
                                     // shard
  run_all(static_cast<bench::Paths*>(nullptr), static_cast<std::size_t>(times));
  run_all(static_cast<bench::PipelinePaths*>(nullptr), static_cast<std::size_t>(times));
  run_all(static_cast<bench::CoroPaths*>(nullptr), static_cast<std::size_t>(times));
}
