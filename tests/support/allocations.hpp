// support/allocations.hpp: counts what operator new gives out. Include it in one file of a program.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace support {

inline std::atomic<std::size_t> allocation_count{0};

/// How often f allocates.
template <class F>
std::size_t allocations_of(F&& f) {
  const std::size_t before = allocation_count.load();
  f();
  return allocation_count.load() - before;
}

inline void* allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
  ++allocation_count;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (void* const memory = std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment)) return memory;
  throw std::bad_alloc{};
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
REPLACED void operator delete(void* memory) noexcept { std::free(memory); }
REPLACED void operator delete[](void* memory) noexcept { std::free(memory); }
REPLACED void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
REPLACED void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
REPLACED void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
REPLACED void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
REPLACED void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
REPLACED void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#undef REPLACED
// NOLINTEND(misc-definitions-in-headers)
