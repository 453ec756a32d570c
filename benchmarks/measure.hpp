// measure.hpp: the timed loop, protected from the optimiser.
//
// `repeat` is the only measured loop. The optimiser can neither specialise it for its object nor see the
// guarded operation (op), so it cannot move work out of the loop.
#pragma once

#include <cstddef>

#if defined(__GNUC__) && !defined(__clang__)
#define BENCH_OPAQUE __attribute__((noipa))
#else
#define BENCH_OPAQUE __attribute__((noinline))
#endif

#define BENCH_INLINE __attribute__((always_inline)) inline

namespace bench {

/// Makes the optimiser treat the value as used.
template <class T>
inline void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}
inline void keep(int value) { asm volatile("" : : "r"(value)); }

/// The guarded operation: opaque to the optimiser, and nearly free.
inline int op() {
  int result = 1;
  asm volatile("" : "+r"(result));
  return result;
}

template <class Path>
BENCH_OPAQUE void repeat(Path& path, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) path();
}

}  // namespace bench
