// fuzz/replay_main.cpp: runs a fuzz target on every file of the given folders, and on the beginnings of each,
// where there is no libFuzzer. A crash is known by the last line that was written.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes read(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void run(const std::filesystem::path& path, const Bytes& bytes, std::size_t size) {
  std::fprintf(stderr, "%s, %zu bytes\n", path.string().c_str(), size);
  const Bytes exactly(bytes.begin(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(size));  // for AddressSanitizer
  LLVMFuzzerTestOneInput(exactly.data(), exactly.size());
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator{arguments[i]}) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    const Bytes bytes = read(path);
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / 32);
    for (std::size_t size = 0; size < bytes.size(); size += step) run(path, bytes, size);
    run(path, bytes, bytes.size());
  }
  std::fprintf(stderr, "%zu files replayed\n", paths.size());
  return paths.empty() ? 1 : 0;  // a folder that was not found checks nothing
}
