// fusebox/detail/call_stack.hpp: is a function call part of another one?
//
// A policy that must know whether it is called from inside its own op, or from inside its own callback, asks
// by the address of that call's frame. A thread-local mark would not do: stackful fibers share a thread, and
// may go on on another one (B7, B14).
#pragma once
// IWYU pragma: private

#include <cstdint>

#include <fusebox/detail/macros.hpp>

#if FUSEBOX_DETAIL_UNWIND
#include <unwind.h>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Where the stack stands: an address below every frame of the callers.
[[nodiscard]] FUSEBOX_DETAIL_NOINLINE inline const void* stack_position() noexcept {
  return __builtin_frame_address(0);
}

/// A call that is nested deeper, in bytes of stack, is taken for one on another stack.
inline constexpr std::uintptr_t deepest_nesting = std::uintptr_t{16} << 20U;

/// Could the call whose frame contains `frame` be a caller of the code at `position`? Stacks grow downwards.
[[nodiscard]] inline bool may_be_caller(const void* frame, const void* position) noexcept {
  const auto above = reinterpret_cast<std::uintptr_t>(frame) - reinterpret_cast<std::uintptr_t>(position);
  return frame != nullptr && above < deepest_nesting;  // a frame below the position wraps around
}

/// Does the part of a stack from `begin` up to `end` contain `frame`?
[[nodiscard]] inline bool lies_between(const void* frame, std::uintptr_t begin, std::uintptr_t end) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(frame);
  return begin <= address && address < end;
}

#if FUSEBOX_DETAIL_UNWIND
/// A walk of the stack, from the innermost call on. Asks contains(begin, end) about each frame.
template <class Contains>
struct StackWalk {
  Contains& contains;
  std::uintptr_t previous = 0;
  bool found = false;

  /// False to end the walk.
  bool visit(std::uintptr_t end) {
    if (previous != 0) {
      if (end < previous) return false;  // the walk has come to another stack
      found = contains(previous, end);   // a frame lies between the ends of two calls of the same stack
      if (found) return false;
    }
    previous = end;
    return true;
  }

  static ::_Unwind_Reason_Code step(::_Unwind_Context* context, void* walk) {
    const auto end = static_cast<std::uintptr_t>(::_Unwind_GetCFA(context));
    return static_cast<StackWalk*>(walk)->visit(end) ? ::_URC_NO_REASON : ::_URC_END_OF_STACK;
  }
};
#endif

/// Does contains(begin, end) hold for the frame of one of the callers of this function? Walks the stack,
/// about 0.2 us in all for some ten frames: ask may_be_caller() first. Where no stack can be walked, asks
/// once about all of it that may_be_caller() takes for callers.
template <class Contains>
[[nodiscard]] FUSEBOX_DETAIL_COLD bool is_any_caller(Contains contains) noexcept {
#if FUSEBOX_DETAIL_UNWIND
  StackWalk<Contains> walk{contains};
  ::_Unwind_Backtrace(&StackWalk<Contains>::step, &walk);
  return walk.found;
#else
  const auto position = reinterpret_cast<std::uintptr_t>(stack_position());
  return contains(position, position + deepest_nesting);
#endif
}

/// Is the call whose frame contains `frame` one of the callers of this function?
[[nodiscard]] inline bool is_caller(const void* frame) noexcept {
  return is_any_caller(
      [frame](std::uintptr_t begin, std::uintptr_t end) { return lies_between(frame, begin, end); });
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
