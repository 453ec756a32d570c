// fusebox/detail/cpu_index.hpp: a small number for where this thread runs, to spread threads over cache
// lines.
//
// Threads that run at the same time get different numbers, as far as the machine has processors. It is a
// hint: a thread may run elsewhere a moment later.
#pragma once

#include <fusebox/version.hpp>

#if defined(__linux__)
#include <sched.h>
#else
#include <atomic>
#endif

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

#if defined(__linux__)

[[nodiscard]] inline unsigned cpu_index() noexcept {
  const int cpu = ::sched_getcpu();
  return cpu < 0 ? 0 : static_cast<unsigned>(cpu);
}

#else

/// Where nobody tells the processor: a number for the thread.
[[nodiscard]] inline unsigned cpu_index() noexcept {
  static constinit std::atomic<unsigned> next{0};
  static thread_local const unsigned own = next.fetch_add(1, std::memory_order_relaxed);
  return own;
}

#endif

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
