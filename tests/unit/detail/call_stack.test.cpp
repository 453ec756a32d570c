#include <fusebox/detail/call_stack.hpp>

#include <cstdint>
#include <memory>
#include <thread>

#include "catch.hpp"

using namespace fusebox;

namespace {

/// Is the call whose frame contains `frame` a caller, seen from `depth` calls of 1 KiB further in?
[[gnu::noinline]] bool is_caller_from(const void* frame, int depth) {
  volatile char own_frame[1024];
  own_frame[0] = 0;
  const bool answer = depth == 0
                          ? detail::may_be_caller(frame, detail::stack_position()) && detail::is_caller(frame)
                          : is_caller_from(frame, depth - 1);
  own_frame[sizeof own_frame - 1] = 0;
  return answer;
}

/// The address of a frame that is gone when the caller sees it.
[[gnu::noinline]] const void* ended_frame() { return __builtin_frame_address(0); }

const void* at(std::uintptr_t address) { return reinterpret_cast<const void*>(address); }

}  // namespace

TEST_CASE("B7 B14 a call is a caller of what it calls, however deep", "[B7][B14]") {
  const int frame = 0;
  for (const int depth : {0, 1, 10, 1000}) {
    CAPTURE(depth);
    CHECK(is_caller_from(&frame, depth));
  }
}

TEST_CASE("B7 B14 each of several callers is one", "[B7][B14]") {
  const int outer = 0;
  const auto inside = [&outer](const auto& self, int depth) -> bool {
    const int frame = 0;
    if (depth > 0 && !self(self, depth - 1)) return false;
    return is_caller_from(&frame, 3) && is_caller_from(&outer, 3);
  };
  CHECK(inside(inside, 5));
}

TEST_CASE("B7 B14 a call that has ended is no caller", "[B7][B14]") {
  CHECK_FALSE(detail::may_be_caller(ended_frame(), __builtin_frame_address(0)));
}

TEST_CASE("B7 B14 neither a frame of another thread nor one on the heap is a caller", "[B7][B14]") {
  const int frame = 0;
  bool on_thread = true;
  std::thread{[&] { on_thread = is_caller_from(&frame, 3) || detail::is_caller(&frame); }}.join();
  CHECK_FALSE(on_thread);
  const auto on_heap = std::make_unique<int>(0);
  CHECK_FALSE(is_caller_from(on_heap.get(), 3));
  CHECK_FALSE(detail::is_caller(on_heap.get()));
  CHECK_FALSE(is_caller_from(nullptr, 3));
}

TEST_CASE("B7 B14 what may be a caller lies above the position, at most 16 MiB", "[B7][B14]") {
  constexpr std::uintptr_t position = 0x7000'0000;
  constexpr std::uintptr_t most = detail::deepest_nesting;
  CHECK(detail::may_be_caller(at(position), at(position)));
  CHECK(detail::may_be_caller(at(position + most - 1), at(position)));
  CHECK_FALSE(detail::may_be_caller(at(position + most), at(position)));
  CHECK_FALSE(detail::may_be_caller(at(position - 1), at(position)));
  CHECK_FALSE(detail::may_be_caller(nullptr, at(16)));
}

TEST_CASE("B7 a frame lies between its beginning and the next one's", "[B7]") {
  CHECK_FALSE(detail::lies_between(at(99), 100, 110));
  CHECK(detail::lies_between(at(100), 100, 110));
  CHECK(detail::lies_between(at(109), 100, 110));
  CHECK_FALSE(detail::lies_between(at(110), 100, 110));
}

TEST_CASE("B7 the walk stops at the first caller that is wanted", "[B7]") {
  int asked = 0;
  CHECK(detail::is_any_caller([&](std::uintptr_t begin, std::uintptr_t end) {
    CHECK(begin <= end);
    return ++asked == 2;
  }));
  CHECK(asked == 2);
}
