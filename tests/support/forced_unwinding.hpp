// support/forced_unwinding.hpp: threads that end inside a call, which glibc does by unwinding the stack.
#pragma once

#include <stdexcept>

#if defined(__GLIBC__) && defined(__GLIBCXX__)
#define HAS_FORCED_UNWINDING 1

#include <pthread.h>

namespace support {

inline void end_by_exit() { ::pthread_exit(nullptr); }
inline void end_by_cancel() {
  ::pthread_cancel(::pthread_self());
  ::pthread_testcancel();
}
inline constexpr void (*all_ends[])() = {end_by_exit, end_by_cancel};

/// Runs f on a thread of its own; false if the thread ended before f returned.
template <class F>
bool returns(F f) {
  struct Start {
    F& call;
    bool returned = false;
  } start{f};
  const auto run = [](void* argument) -> void* {
    auto& started = *static_cast<Start*>(argument);
    started.call();
    started.returned = true;
    return nullptr;
  };
  ::pthread_t thread{};
  if (::pthread_create(&thread, nullptr, run, &start) != 0) throw std::runtime_error{"no thread"};
  ::pthread_join(thread, nullptr);
  return start.returned;
}

}  // namespace support

#else
#define HAS_FORCED_UNWINDING 0
#endif
