#include <fusebox/detail/no_destroy.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "catch.hpp"

using fusebox::detail::NoDestroy;

namespace {

struct Counted {
  explicit Counted(int& destroyed) : destroyed_{&destroyed} {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { ++*destroyed_; }
  int* destroyed_;
};

struct alignas(64) Aligned {
  char byte = 'x';
};

}  // namespace

TEST_CASE("a NoDestroy is constructed from any arguments, and its value can be read and changed") {
  NoDestroy<std::pair<int, char>> pair{7, 'c'};
  const NoDestroy<std::pair<int, char>> constant{8, 'd'};
  (*pair).first += 1;
  CHECK(*pair == std::pair{8, 'c'});
  CHECK((*constant).second == 'd');
  static_assert(std::is_same_v<decltype(*pair), std::pair<int, char>&>);
  static_assert(std::is_same_v<decltype(*constant), const std::pair<int, char>&>);
}

TEST_CASE("a NoDestroy forwards its arguments") {
  auto made = std::make_unique<int>(5);
  NoDestroy<std::unique_ptr<int>> held{std::move(made)};
  CHECK(made == nullptr);  // NOLINT(bugprone-use-after-move)
  CHECK(**held == 5);
  (*held).reset();
}

TEST_CASE("a NoDestroy never runs the destructor of its value") {
  int destroyed = 0;
  {
    const NoDestroy<Counted> forever{destroyed};
    CHECK((*forever).destroyed_ == &destroyed);
  }
  CHECK(destroyed == 0);
}

TEST_CASE("a NoDestroy is trivial to destroy, whatever it holds, and can be neither copied nor moved") {
  static_assert(std::is_trivially_destructible_v<NoDestroy<std::string>>);
  static_assert(!std::is_copy_constructible_v<NoDestroy<int>>);
  static_assert(!std::is_copy_assignable_v<NoDestroy<int>>);
  static_assert(!std::is_move_assignable_v<NoDestroy<int>>);
  SUCCEED();
}

TEST_CASE("a NoDestroy has the size and alignment of its value") {
  static_assert(alignof(NoDestroy<Aligned>) == 64);
  static_assert(sizeof(NoDestroy<Aligned>) == sizeof(Aligned));
  const NoDestroy<Aligned> aligned;
  CHECK(reinterpret_cast<std::uintptr_t>(&*aligned) % 64 == 0);
  CHECK((*aligned).byte == 'x');
}
