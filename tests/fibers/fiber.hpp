// fibers/fiber.hpp: Fiber, a function on a stack of its own that any thread may go on with.
//
// Made of Boost.Context, which Boost.Fiber and Boost.Asio's spawn are made of too. The test is the scheduler,
// so every interleaving is the one that it asks for. The sanitizers are told about each change of stacks.
#pragma once

#include <boost/context/fiber.hpp>

#include <cstddef>
#include <memory>
#include <utility>

#include "fibers/stacks.hpp"

#if FIBERS_ASAN
#include <sanitizer/common_interface_defs.h>
#elif FIBERS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace fibers {

class Fiber {
 public:
  /// Runs nothing yet. body(Fiber&) must not throw.
  template <class Body>
  Fiber(Stacks& stacks, Body body)
      : stack_{stacks.take()},
        context_{std::allocator_arg, OneStack{stack_},
                 [this, run = std::move(body)](boost::context::fiber&& resumer) mutable {
                   arrive(nullptr);
                   resumer_ = std::move(resumer);
                   run(*this);
                   is_done_ = true;
                   leave(nullptr);
                   return std::move(resumer_);
                 }} {}
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  /// A fiber that is still suspended, as after a failed test, is left behind.
  ~Fiber() {
    if (context_) new boost::context::fiber{std::move(context_)};
#if FIBERS_TSAN
    __tsan_destroy_fiber(this_fiber_);
#endif
  }

  /// Runs the body on this thread until it suspends itself or returns. Once it has returned, its stack is
  /// given back.
  void resume() {
#if FIBERS_ASAN
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, stack_, Stacks::size);
#elif FIBERS_TSAN
    resuming_fiber_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(this_fiber_, 0);
#endif
    context_ = std::move(context_).resume();
#if FIBERS_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
  }
  [[nodiscard]] bool is_done() const { return is_done_; }

  /// From inside the body: returns from resume(); goes on from here at the next resume().
  void suspend() {
    void* fake_stack = nullptr;
    leave(&fake_stack);
    resumer_ = std::move(resumer_).resume();
    arrive(fake_stack);
  }

 private:
  /// A stack allocator in the sense of Boost.Context.
  struct OneStack {
    using traits_type = boost::context::stack_traits;
    std::byte* lowest;
    [[nodiscard]] boost::context::stack_context allocate() const {
      boost::context::stack_context stack;
      stack.size = Stacks::size;
      stack.sp = lowest + Stacks::size;
      return stack;
    }
    void deallocate(boost::context::stack_context&) const noexcept { Stacks::give_back(lowest); }
  };

  /// Before and after a change of stacks. `fake_stack` is where AddressSanitizer keeps what it holds for the
  /// stack that is left; null if that stack has ended.
  void leave([[maybe_unused]] void** fake_stack) {
#if FIBERS_ASAN
    __sanitizer_start_switch_fiber(fake_stack, resumer_stack_, resumer_size_);
#elif FIBERS_TSAN
    __tsan_switch_to_fiber(resuming_fiber_, 0);
#endif
  }
  void arrive([[maybe_unused]] void* fake_stack) {
#if FIBERS_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, &resumer_stack_, &resumer_size_);
#endif
  }

  std::byte* stack_;
  bool is_done_ = false;
#if FIBERS_ASAN
  const void* resumer_stack_ = nullptr;
  std::size_t resumer_size_ = 0;
#elif FIBERS_TSAN
  void* this_fiber_ = __tsan_create_fiber(0);
  void* resuming_fiber_ = nullptr;
#endif
  boost::context::fiber resumer_;
  boost::context::fiber context_;
};

}  // namespace fibers
