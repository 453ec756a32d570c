// support/threads.hpp: threads that start together.
#pragma once

#include <barrier>
#include <thread>
#include <vector>

namespace support {

/// Runs f(0) to f(count - 1), each on a thread of its own; all begin at the same moment. Returns when all
/// have ended. f must not throw, and must leave Catch2's assertions to the caller: they are not
/// thread-safe.
template <class F>
void run_together(int count, F f) {
  std::barrier start{count};
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&start, &f, i] {
      start.arrive_and_wait();
      f(i);
    });
  }
}

}  // namespace support
