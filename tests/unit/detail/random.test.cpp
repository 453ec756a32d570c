#include <fusebox/detail/random.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t all_ones = std::numeric_limits<std::uint64_t>::max();

/// Gives the same number again and again.
template <class U, U Min, U Max>
struct Stuck {
  U value;
  int draws = 0;
  static constexpr U min() { return Min; }
  static constexpr U max() { return Max; }
  U operator()() {
    ++draws;
    return value;
  }
};
using Stuck64 = Stuck<std::uint64_t, 0, all_ones>;

/// Numbers of its range, each with the same probability.
template <class U, U Min, U Max>
struct Scattered {
  std::mt19937_64 engine{20'250'107};
  static constexpr U min() { return Min; }
  static constexpr U max() { return Max; }
  U operator()() { return static_cast<U>(std::uniform_int_distribution<std::uint64_t>{Min, Max}(engine)); }
};

struct Range {
  std::int64_t low;
  std::int64_t high;
};
const std::vector<Range> ranges{{0, 1},
                                {0, 9},
                                {-5, 5},
                                {500'000'000, 1'000'000'000},
                                {0, 30'000'000'000},
                                {0, 3'600'000'000'000},
                                {0, highest},
                                {lowest, 0},
                                {lowest, highest},
                                {highest - 1, highest},
                                {lowest, lowest + 1}};

template <class U, U Min, U Max>
void check_reaches_both_ends() {
  const std::uint64_t from = Min;
  const std::uint64_t to = Max;
  CAPTURE(from, to);
  for (const Range& range : ranges) {
    CAPTURE(range.low, range.high);
    Stuck<U, Min, Max> smallest{Min};
    CHECK(detail::uniform(smallest, range.low, range.high) == range.low);
    Stuck<U, Min, Max> largest{Max};
    CHECK(detail::uniform(largest, range.low, range.high) == range.high);
  }
}

/// How many of 8000 draws fall into each eighth of [0, 1 s).
template <class G>
void check_even(G generator) {
  std::array<int, 8> counts{};
  for (int i = 0; i < 8000; ++i) {
    const std::int64_t drawn = detail::uniform(generator, 0, 999'999'999);
    ++counts.at(static_cast<std::size_t>(drawn / 125'000'000));
  }
  for (const int count : counts) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}

struct Signed {
  static constexpr int min() { return 0; }
  static constexpr int max() { return 9; }
  int operator()();
};
struct Mixed {
  static constexpr unsigned min() { return 0; }
  static constexpr std::uint64_t max() { return 9; }
  unsigned operator()();
};
struct NoRange {
  unsigned operator()();
};

static_assert(detail::RandomSource<std::mt19937> && detail::RandomSource<std::mt19937_64>);
static_assert(detail::RandomSource<std::minstd_rand> && detail::RandomSource<std::ranlux24>);
static_assert(detail::RandomSource<std::random_device>);
static_assert(detail::RandomSource<detail::EntropySource> &&
              detail::RandomSource<const detail::EntropySource>);
static_assert(!detail::RandomSource<const std::mt19937>);
static_assert(!detail::RandomSource<Signed> && !detail::RandomSource<Mixed> &&
              !detail::RandomSource<NoRange> && !detail::RandomSource<int>);

// The first outputs of SplitMix64 seeded with 0.
static_assert(detail::mix(0) == 0xe220a8397b1dcdafU);
static_assert(detail::mix(0x9e3779b97f4a7c15U) == 0x6e789e6aa1b965f4U);
static_assert(detail::mix(2 * 0x9e3779b97f4a7c15U) == 0x06c45d188009454fU);

static_assert(detail::multiply_high(all_ones, all_ones) == all_ones - 1);
static_assert(detail::multiply_high(all_ones, 1) == 0 && detail::multiply_high(all_ones, 2) == 1);
static_assert(detail::multiply_high(0, all_ones) == 0);
static_assert(detail::multiply_high(0xffffffffU, 0x100000001U) == 0);
static_assert(detail::multiply_high(0x100000000U, 0x100000000U) == 1);
static_assert(detail::multiply_high(0x123456789abcdef0U, 0xfedcba9876543210U) == 0x121fa00ad77d7422U);

static_assert(detail::EntropySource::min() == 0 && detail::EntropySource::max() == all_ones);

/// Draws of a bare source.
std::vector<std::int64_t> draws_of_entropy() {
  std::vector<std::int64_t> draws;
  const detail::EntropySource source;
  for (int i = 0; i < 8; ++i) draws.push_back(static_cast<std::int64_t>(source()));
  return draws;
}

bool all_differ(std::vector<std::int64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}

}  // namespace

TEST_CASE("multiply_high by a power of two is a shift") {
  std::mt19937_64 engine{7};
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t bits = engine();
    for (unsigned shift = 1; shift < 64; ++shift) {
      CHECK(detail::multiply_high(bits, std::uint64_t{1} << shift) == bits >> (64U - shift));
      CHECK(detail::multiply_high(std::uint64_t{1} << shift, bits) == bits >> (64U - shift));
    }
  }
}

TEST_CASE("R1 uniform gives the low end for a generator's smallest number and the high end for its largest",
          "[R1]") {
  check_reaches_both_ends<std::uint64_t, 0, all_ones>();
  check_reaches_both_ends<std::uint64_t, 1, all_ones>();
  check_reaches_both_ends<std::uint64_t, 1'000, (std::uint64_t{1} << 40U) + 7>();
  check_reaches_both_ends<std::uint64_t, 0, (std::uint64_t{1} << 33U) - 1>();
  check_reaches_both_ends<std::uint32_t, 0, 0xffffffffU>();
  check_reaches_both_ends<std::uint32_t, 1, 2'147'483'646>();
  check_reaches_both_ends<std::uint32_t, 0, 0xffffffU>();
  check_reaches_both_ends<std::uint32_t, 1, 6>();
  check_reaches_both_ends<std::uint16_t, 0, 0xffffU>();
  check_reaches_both_ends<std::uint8_t, 0, 0xffU>();
  check_reaches_both_ends<std::uint32_t, 0, 1>();
}

TEST_CASE("R1 uniform gives the middle for the middle of a generator's range", "[R1]") {
  Stuck64 middle{std::uint64_t{1} << 63U};
  CHECK(detail::uniform(middle, 0, 100) == 50);
  CHECK(detail::uniform(middle, 0, 99) == 50);
  CHECK(detail::uniform(middle, -100, 100) == 0);
  CHECK(detail::uniform(middle, 50, 150) == 100);
  CHECK(detail::uniform(middle, lowest, highest) == 0);
  CHECK(detail::uniform(middle, 0, highest) == (std::int64_t{1} << 62U));
}

TEST_CASE("R1 uniform of a single number is that number, without a draw", "[R1]") {
  Stuck64 source{all_ones};
  for (const std::int64_t only : {std::int64_t{0}, std::int64_t{7}, std::int64_t{-7}, lowest, highest}) {
    CHECK(detail::uniform(source, only, only) == only);
  }
  CHECK(source.draws == 0);
}

TEST_CASE("R1 uniform of an inverted range is its low end", "[R1]") {
  Stuck64 source{all_ones};
  CHECK(detail::uniform(source, 5, 4) == 5);
  CHECK(detail::uniform(source, highest, lowest) == highest);
}

TEST_CASE("R1 uniform never leaves its range", "[R1]") {
  std::mt19937_64 engine{42};
  for (const Range& range : ranges) {
    CAPTURE(range.low, range.high);
    int outside = 0;
    for (int i = 0; i < 2000; ++i) {
      const std::int64_t drawn = detail::uniform(engine, range.low, range.high);
      if (drawn < range.low || drawn > range.high) ++outside;
    }
    CHECK(outside == 0);
  }
}

TEST_CASE("R1 uniform gives every number of a small range about equally often", "[R1]") {
  std::mt19937_64 engine{42};
  std::array<int, 6> counts{};
  for (int i = 0; i < 6000; ++i) ++counts.at(static_cast<std::size_t>(detail::uniform(engine, 1, 6) - 1));
  for (const int count : counts) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}

TEST_CASE("R1 uniform is even, whatever the range of its generator", "[R1]") {
  check_even(std::mt19937_64{1});
  check_even(std::mt19937{1});
  check_even(std::minstd_rand{1});
  check_even(std::ranlux24{1});
  check_even(Scattered<std::uint64_t, 5, (std::uint64_t{1} << 40U) + 7>{});
  check_even(Scattered<std::uint64_t, 0, (std::uint64_t{1} << 32U) + 1>{});
  check_even(Scattered<std::uint16_t, 0, 0xffffU>{});
  check_even(Scattered<std::uint8_t, 0, 0xffU>{});
  check_even(Scattered<std::uint32_t, 1, 6>{});
  check_even(Scattered<std::uint32_t, 0, 1>{});
}

TEST_CASE("R1 uniform_unit is in [0, 1)", "[R1]") {
  Stuck64 smallest{0};
  CHECK(detail::uniform_unit(smallest) == 0.0);
  Stuck64 middle{std::uint64_t{1} << 63U};
  CHECK(detail::uniform_unit(middle) == 0.5);
  Stuck64 largest{all_ones};
  CHECK(detail::uniform_unit(largest) == 1.0 - 0x1p-53);

  std::mt19937_64 engine{42};
  std::array<int, 8> counts{};
  for (int i = 0; i < 8000; ++i) ++counts.at(static_cast<std::size_t>(detail::uniform_unit(engine) * 8));
  for (const int count : counts) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}

TEST_CASE("R9 EntropySource is even and its draws differ", "[R9]") {
  check_even(detail::EntropySource{});
  const detail::EntropySource source;
  std::vector<std::int64_t> draws;
  for (int i = 0; i < 1000; ++i) draws.push_back(static_cast<std::int64_t>(source()));
  CHECK(all_differ(draws));
}

TEST_CASE("R9 threads draw different numbers", "[R9]") {
  for (int round = 0; round < 10; ++round) {
    std::array<std::vector<std::int64_t>, 4> drawn;
    support::run_together(4, [&](int i) { drawn.at(static_cast<std::size_t>(i)) = draws_of_entropy(); });
    std::vector<std::int64_t> all;
    for (const auto& draws : drawn) {
      CHECK(draws.size() == 8);
      all.insert(all.end(), draws.begin(), draws.end());
    }
    CHECK(all_differ(all));
  }
}

#if defined(__unix__)
namespace {

/// A forked process that waits for `go` to be closed, then sends its draws.
struct Child {
  pid_t pid;
  int draws;
};

Child fork_child(int go_read, int go_write) {
  int draws[2] = {-1, -1};
  REQUIRE(::pipe(draws) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid > 0) {
    ::close(draws[1]);
    return {pid, draws[0]};
  }
  ::close(go_write);
  char nothing = 0;
  (void)!::read(go_read, &nothing, 1);
  const std::vector<std::int64_t> drawn = draws_of_entropy();
  const auto size = drawn.size() * sizeof drawn[0];
  ::_exit(::write(draws[1], drawn.data(), size) == static_cast<ssize_t>(size) ? 0 : 1);
}

void read_draws(const Child& child, std::vector<std::int64_t>& all) {
  std::array<std::int64_t, 8> theirs{};
  CHECK(::read(child.draws, theirs.data(), sizeof theirs) == static_cast<ssize_t>(sizeof theirs));
  ::close(child.draws);
  int status = -1;
  CHECK(::waitpid(child.pid, &status, 0) == child.pid);
  CHECK(status == 0);
  all.insert(all.end(), theirs.begin(), theirs.end());
}

}  // namespace

TEST_CASE("R9 the two sides of a fork, and processes started together, draw different numbers", "[R9]") {
  std::vector<std::int64_t> all = draws_of_entropy();  // whatever state there is exists before the fork
  int go[2] = {-1, -1};
  REQUIRE(::pipe(go) == 0);
  const std::array<Child, 3> children{fork_child(go[0], go[1]), fork_child(go[0], go[1]),
                                      fork_child(go[0], go[1])};
  ::close(go[1]);
  const std::vector<std::int64_t> ours = draws_of_entropy();
  all.insert(all.end(), ours.begin(), ours.end());
  for (const Child& child : children) read_draws(child, all);
  ::close(go[0]);
  CHECK(all.size() == 40);
  CHECK(all_differ(all));
}
#endif
