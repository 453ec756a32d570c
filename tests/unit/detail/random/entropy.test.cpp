// EntropySource on a getentropy() that may fail.
#include <fusebox/detail/random.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <thread>

#include "catch.hpp"

#if FUSEBOX_DETAIL_GETENTROPY
#include <sys/wait.h>
#include <unistd.h>

namespace {
bool has_entropy = true;
}

// Takes the place of the system's.
extern "C" int getentropy(void* into, std::size_t size) {
  if (!has_entropy) return -1;
  std::memset(into, 0x5a, size);
  return 0;
}

namespace {

using fusebox::detail::EntropySource;

struct NoEntropy {
  NoEntropy() { has_entropy = false; }
  ~NoEntropy() { has_entropy = true; }
};

}  // namespace

TEST_CASE("R9 a draw is what the system gives", "[R9]") {
  CHECK(EntropySource{}() == 0x5a5a'5a5a'5a5a'5a5aU);
  CHECK(EntropySource{}() == 0x5a5a'5a5a'5a5a'5a5aU);
}

TEST_CASE("R9 if the system gives none, draws still differ, also on another thread", "[R9]") {
  const NoEntropy none;
  std::set<std::uint64_t> draws;
  for (int i = 0; i < 100; ++i) draws.insert(EntropySource{}());
  std::thread{[&] {
    for (int i = 0; i < 100; ++i) draws.insert(EntropySource{}());
  }}.join();
  CHECK(draws.size() == 200);
}

TEST_CASE("R9 if the system gives none, the two sides of a fork still draw different numbers", "[R9]") {
  const NoEntropy none;
  int pipe_ends[2] = {-1, -1};
  REQUIRE(::pipe(pipe_ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  const std::uint64_t ours = EntropySource{}();
  if (child == 0) ::_exit(::write(pipe_ends[1], &ours, sizeof ours) == sizeof ours ? 0 : 1);
  std::uint64_t theirs = ours;
  CHECK(::read(pipe_ends[0], &theirs, sizeof theirs) == sizeof theirs);
  CHECK(::waitpid(child, nullptr, 0) == child);
  CHECK(ours != theirs);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

#endif
