// fusebox/detail/shards.hpp: which of a few cache lines a thread counts on.
#pragma once
// IWYU pragma: private

#include <cstddef>

#include <fusebox/detail/cpu_index.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr std::size_t shard_count = 4;

/// The shard of this thread. Every thread begins on the first and moves to that of its processor when it sees
/// a new tick, so that threads that run at once soon have different shards and no call needs to ask.
inline constinit thread_local unsigned thread_shard = 0;

inline void rehome_thread() noexcept { thread_shard = cpu_index() % shard_count; }

}  // namespace detail

FUSEBOX_END_NAMESPACE
