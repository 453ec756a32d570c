// fusebox/detail/shards.hpp: which of the cache lines that hold a policy's counters a thread counts on.
//
// There are as many lines as processors, rounded up to a power of two: at least 4, at most 32.
#pragma once
// IWYU pragma: private

#include <cstddef>

#include <fusebox/detail/cpu_index.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr std::size_t shard_size = 64;  // bytes: a cache line
inline constexpr std::size_t fewest_shards = 4;
inline constexpr std::size_t most_shards = 32;

[[nodiscard]] constexpr std::size_t shards_for(long processors) noexcept {
  std::size_t shards = fewest_shards;
  while (shards < most_shards && static_cast<long>(shards) < processors) shards *= 2;
  return shards;
}

/// The same number for all of a process.
[[nodiscard]] inline std::size_t shard_count() noexcept {
#if defined(_SC_NPROCESSORS_CONF)
  static const std::size_t count = shards_for(::sysconf(_SC_NPROCESSORS_CONF));
  return count;
#else
  return fewest_shards;
#endif
}

/// Where this thread's shard begins, in bytes. Every thread begins on the first and moves to that of its
/// processor when it sees a new tick, so that threads that run at once soon have different shards and no call
/// needs to ask.
inline constinit thread_local std::size_t thread_shard_offset = 0;

[[nodiscard]] inline std::size_t thread_shard() noexcept { return thread_shard_offset / shard_size; }
inline void move_thread_to_shard(std::size_t shard) noexcept { thread_shard_offset = shard * shard_size; }

inline void rehome_thread() noexcept { move_thread_to_shard(cpu_index() % shard_count()); }

}  // namespace detail

FUSEBOX_END_NAMESPACE
