// fusebox/detail/no_destroy.hpp: a value that lives until the process ends.
//
// What static destructors of the user may still reach (error categories, the process-wide registry)
// must not be destroyed before them.
#pragma once

#include <new>
#include <utility>

#include <fusebox/version.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

template <class T>
class NoDestroy {
 public:
  template <class... Args>
  explicit NoDestroy(Args&&... args) {
    ::new (static_cast<void*>(storage_)) T(std::forward<Args>(args)...);
  }
  NoDestroy(const NoDestroy&) = delete;
  NoDestroy& operator=(const NoDestroy&) = delete;
  ~NoDestroy() = default;

  [[nodiscard]] T& operator*() noexcept { return *std::launder(reinterpret_cast<T*>(storage_)); }
  [[nodiscard]] const T& operator*() const noexcept {
    return *std::launder(reinterpret_cast<const T*>(storage_));
  }

 private:
  alignas(T) unsigned char storage_[sizeof(T)];
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
