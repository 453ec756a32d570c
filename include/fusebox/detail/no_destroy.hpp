// fusebox/detail/no_destroy.hpp: NoDestroy<T>, a value that lives until the process ends.
//
// For objects that a program's static destructors may still use, such as error categories and the
// process-wide registry.
#pragma once
// IWYU pragma: private

#include <new>
#include <utility>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

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

}  // namespace detail

FUSEBOX_END_NAMESPACE
