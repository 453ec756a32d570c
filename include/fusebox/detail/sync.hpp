// fusebox/detail/sync.hpp: the atomics and the mutex that the lock-free parts are built on.
//
// They take them as a parameter, so that a model checker or a counting mutex can stand in.
#pragma once

#include <atomic>
#include <mutex>

#include <fusebox/version.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

struct FUSEBOX_API StdSync {
  template <class T>
  using Atomic = std::atomic<T>;
  using Mutex = std::mutex;
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
