// support/allocations.hpp: counts what operator new gives out, and what comes back. Include it in one file of
// a program.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace support {

inline std::atomic<std::size_t> allocation_count{0};
inline std::atomic<std::size_t> allocated_bytes{0};
inline std::atomic<std::size_t> freed_bytes{0};

/// What is allocated now.
inline std::size_t live_bytes() { return allocated_bytes - freed_bytes; }

/// How often f allocates.
template <class F>
std::size_t allocations_of(F&& f) {
  const std::size_t before = allocation_count.load();
  f();
  return allocation_count.load() - before;
}

inline constexpr std::size_t least_alignment = alignof(std::max_align_t);

/// The size lies in front of the memory, in as many bytes as the alignment.
inline void* allocate(std::size_t size, std::size_t alignment = least_alignment) {
  ++allocation_count;
  allocated_bytes += size;
  const std::size_t before = std::max(alignment, least_alignment);
  const std::size_t rounded = (before + size + before - 1) / before * before;
  void* const start = std::aligned_alloc(before, rounded);
  if (start == nullptr) throw std::bad_alloc{};
  *static_cast<std::size_t*>(start) = size;
  return static_cast<char*>(start) + before;
}
inline void deallocate(void* memory, std::size_t alignment = least_alignment) noexcept {
  if (memory == nullptr) return;
  void* const start = static_cast<char*>(memory) - std::max(alignment, least_alignment);
  freed_bytes += *static_cast<std::size_t*>(start);
  std::free(start);
}

}  // namespace support

// NOLINTBEGIN(misc-definitions-in-headers)
// Not inlined: where g++ sees into one of a pair, it takes malloc and delete for a mismatch.
#define REPLACED [[gnu::noinline]]
REPLACED void* operator new(std::size_t size) { return support::allocate(size); }
REPLACED void* operator new[](std::size_t size) { return support::allocate(size); }
REPLACED void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return support::allocate(size);
}
REPLACED void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return support::allocate(size);
}
REPLACED void* operator new(std::size_t size, std::align_val_t alignment) {
  return support::allocate(size, static_cast<std::size_t>(alignment));
}
REPLACED void* operator new[](std::size_t size, std::align_val_t alignment) {
  return support::allocate(size, static_cast<std::size_t>(alignment));
}
REPLACED void operator delete(void* memory) noexcept { support::deallocate(memory); }
REPLACED void operator delete[](void* memory) noexcept { support::deallocate(memory); }
REPLACED void operator delete(void* memory, std::size_t) noexcept { support::deallocate(memory); }
REPLACED void operator delete[](void* memory, std::size_t) noexcept { support::deallocate(memory); }
REPLACED void operator delete(void* memory, std::align_val_t alignment) noexcept {
  support::deallocate(memory, static_cast<std::size_t>(alignment));
}
REPLACED void operator delete[](void* memory, std::align_val_t alignment) noexcept {
  support::deallocate(memory, static_cast<std::size_t>(alignment));
}
REPLACED void operator delete(void* memory, std::size_t, std::align_val_t alignment) noexcept {
  support::deallocate(memory, static_cast<std::size_t>(alignment));
}
REPLACED void operator delete[](void* memory, std::size_t, std::align_val_t alignment) noexcept {
  support::deallocate(memory, static_cast<std::size_t>(alignment));
}
#undef REPLACED
// NOLINTEND(misc-definitions-in-headers)
