// measure.hpp: what keeps a timed loop honest.
//
// `repeat` is the one loop that is measured. The optimiser neither specialises it for the object it runs
// nor looks into the op that is guarded, so that nothing is computed once and for all before the loop.
#pragma once

#include <cstddef>

#if defined(__GNUC__) && !defined(__clang__)
#define BENCH_OPAQUE __attribute__((noipa))
#else
#define BENCH_OPAQUE __attribute__((noinline))
#endif

#define BENCH_INLINE __attribute__((always_inline)) inline

namespace bench {

/// The value counts as used.
template <class T>
inline void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}
inline void keep(int value) { asm volatile("" : : "r"(value)); }

/// The guarded operation: its result is not known to the optimiser, and it costs next to nothing.
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
