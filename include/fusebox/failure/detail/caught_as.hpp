// fusebox/failure/detail/caught_as.hpp: what a handler would catch, without a second throw.
#pragma once
// IWYU pragma: private, include <fusebox/failure.hpp>

#include <exception>

#include <fusebox/detail/macros.hpp>

#if FUSEBOX_DETAIL_WALK_BASES
#include <cstring>
#include <typeinfo>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

#if FUSEBOX_DETAIL_WALK_BASES
/// The thrown object. libstdc++'s exception_ptr is a pointer to it.
[[nodiscard]] inline void* thrown_object(const std::exception_ptr& exception) noexcept {
  void* object = nullptr;
  static_assert(sizeof object == sizeof exception);
  std::memcpy(&object, &exception, sizeof object);
  return object;
}

/// The class object that `catch (const T&)` would receive; null if that handler would not take the exception.
/// It lives as long as the exception, which may not be a null pointer.
template <class T>
[[nodiscard]] const T* caught_as(const std::exception_ptr& exception) noexcept {
  const std::type_info* const type = exception.__cxa_exception_type();
  void* object = thrown_object(exception);
  // What the runtime asks of each handler; it moves `object` to the base. 1: no pointer has been followed.
  return typeid(T).__do_catch(type, &object, 1) ? static_cast<const T*>(object) : nullptr;
}
#endif

}  // namespace detail

FUSEBOX_END_NAMESPACE
