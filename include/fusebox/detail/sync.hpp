// fusebox/detail/sync.hpp: StdSync, the atomics and the mutex of the lock-free parts.
//
// Those parts take them as a template parameter, so that a model checker or a counting mutex can replace
// them.
#pragma once
// IWYU pragma: private

#include <atomic>
#include <mutex>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

struct FUSEBOX_API StdSync {
  template <class T>
  using Atomic = std::atomic<T>;
  using Mutex = std::mutex;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
