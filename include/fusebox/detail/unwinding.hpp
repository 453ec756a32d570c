// fusebox/detail/unwinding.hpp: stacks that are unwound because their thread or fiber ends (F4).
//
// caught_exception()   what a handler caught; null if it must go on to the bottom of the stack
// run_to_end(step)     takes every step, also if one of them ends the thread (B14)
//
// glibc unwinds a thread that ends by something that is no C++ exception, which every handler must rethrow.
// Boost unwinds a suspended fiber that is destroyed by a C++ exception of its own. That is recognised by its
// name, so that Boost is not included.
#pragma once
// IWYU pragma: private

#include <exception>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/throw.hpp>

#if FUSEBOX_DETAIL_CXXABI
#include <cstring>
#include <string_view>
#include <typeinfo>

#include <cxxabi.h>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

#if FUSEBOX_DETAIL_CXXABI
/// Is it the name of a type that ends a fiber: of Boost.Context, which Boost.Fiber and Boost.Coroutine2 are
/// made of, or of Boost.Coroutine? As the C++ ABI of all but MSVC writes it.
[[nodiscard]] inline bool ends_a_fiber(std::string_view type_name) noexcept {
  return type_name == "N5boost7context6detail13forced_unwindE" ||
         type_name == "N5boost10coroutines6detail13forced_unwindE";
}
#endif

/// In a catch-all handler: what it caught. Null if the stack is being unwound because its thread or its fiber
/// ends: rethrow then, and call nothing of the user's that is not due anyway.
[[nodiscard]] FUSEBOX_DETAIL_COLD inline std::exception_ptr caught_exception() noexcept {
#if FUSEBOX_DETAIL_EXCEPTIONS
  std::exception_ptr caught = std::current_exception();
#if FUSEBOX_DETAIL_CXXABI
  if (caught && ends_a_fiber(abi::__cxa_current_exception_type()->name())) return nullptr;
#endif
  return caught;
#else
  return nullptr;
#endif
}

/// Takes the exceptions that the thread's handlers hold off its list: while that is not empty, no handler can
/// begin to handle the end of a thread, and the runtime aborts. A callback may run in a handler, such as that
/// of execute(). The callback may suspend a fiber that goes on on another thread, so the list is looked up
/// anew each time.
class HandledAside {
 public:
#if FUSEBOX_DETAIL_EXCEPTIONS && defined(__GLIBCXX__)
  HandledAside() noexcept {
    const bool is_exception = std::current_exception() != nullptr;
    list_ = exchange(nullptr);
    ends_thread_ = list_ != nullptr && !is_exception;
  }
  /// Puts the exceptions back, for the handlers to release. Another end of the thread replaces the first: its
  /// handler has nothing left to rethrow, and aborts if it finds it.
  ~HandledAside() {
    if (list_ != nullptr && !ends_thread_) exchange(list_);
  }
  HandledAside(const HandledAside&) = delete;
  HandledAside& operator=(const HandledAside&) = delete;

  /// Call it where the stack is not unwound.
  void put_back() noexcept {
    if (list_ != nullptr) exchange(list_);
    list_ = nullptr;
  }

 private:
  /// Not inlined: the compiler takes the address of the list for a constant, and it is another one on another
  /// thread.
  FUSEBOX_DETAIL_NOINLINE static void* exchange(void* list) noexcept {
    void* const globals = abi::__cxa_get_globals();  // the C++ ABI says that the list comes first
    void* before = nullptr;
    std::memcpy(&before, globals, sizeof before);
    std::memcpy(globals, &list, sizeof list);
    return before;
  }

  void* list_ = nullptr;
  bool ends_thread_ = false;
#else
  static void put_back() noexcept {}
#endif
};

/// Calls step() until it returns false. If a step ends the thread, the steps that are left are taken while
/// the stack is unwound; another one may end it again. step() must otherwise not throw.
template <class Step>
void run_to_end(Step& step) {
  HandledAside handled;
  FUSEBOX_DETAIL_TRY {
    while (step()) {
    }
  }
  FUSEBOX_DETAIL_CATCH_ALL {
    run_to_end(step);
    FUSEBOX_DETAIL_RETHROW;
  }
  handled.put_back();
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
