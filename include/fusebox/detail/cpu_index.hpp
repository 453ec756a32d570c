// fusebox/detail/cpu_index.hpp: the processor that this thread runs on, to spread threads over cache lines.
//
// A hint: the thread may run elsewhere a moment later.
#pragma once
// IWYU pragma: private

#include <fusebox/detail/macros.hpp>

#if defined(__linux__)
#include <sched.h>
#else
#include <atomic>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

#if defined(__linux__)

[[nodiscard]] inline unsigned cpu_index() noexcept {
  const int cpu = ::sched_getcpu();
  return cpu < 0 ? 0 : static_cast<unsigned>(cpu);
}

#else

/// A number of the thread, since the processor is unknown here.
[[nodiscard]] inline unsigned cpu_index() noexcept {
  static constinit std::atomic<unsigned> next{0};
  static thread_local const unsigned own =
      next.fetch_add(1, std::memory_order_relaxed);  // relaxed: only the number counts
  return own;
}

#endif

}  // namespace detail

FUSEBOX_END_NAMESPACE
