// fusebox/detail/thread_index.hpp: a small number for each thread, to spread threads over cache lines.
#pragma once

#include <atomic>

#include <fusebox/version.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

FUSEBOX_API inline constinit std::atomic<unsigned> next_thread_index{0};
inline constexpr unsigned no_thread_index = ~0U;
inline constinit thread_local unsigned own_thread_index = no_thread_index;

FUSEBOX_DETAIL_COLD inline unsigned take_thread_index() noexcept {
  return own_thread_index = next_thread_index.fetch_add(1, std::memory_order_relaxed) & 0xffffU;
}

/// 0, 1, 2, … in the order in which threads ask first; begins anew after 65,536 of them.
[[nodiscard]] inline unsigned thread_index() noexcept {
  const unsigned index = own_thread_index;
  return index != no_thread_index ? index : take_thread_index();
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
