// fusebox/detail/native_thread.hpp: the threads that the library starts (D7, D8). Nothing joins them.
//
// | platform | |
// |---|---|
// | POSIX | all signals are blocked on the thread, but those that it would cause itself, such as SIGSEGV |
// | Linux, macOS, BSD | a module that is unloaded stays, if it says keep_loaded() |
// | Windows | a DLL whose code such a thread runs must not be unloaded |
// | no threads (Emscripten without pthreads) | none can be started |
#pragma once
// IWYU pragma: private

#include <cerrno>
#include <cstdint>
#include <initializer_list>

#include <fusebox/detail/macros.hpp>

#if FUSEBOX_DETAIL_PTHREADS
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#elif FUSEBOX_DETAIL_THREADS
#include <process.h>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

#if FUSEBOX_DETAIL_PTHREADS

/// Starts `run(self)` on a thread of its own. Returns an errno, or 0.
[[nodiscard]] inline int start_thread(void* (*run)(void*), void* self) noexcept {
  ::sigset_t blocked;
  ::sigset_t before;
  ::sigfillset(&blocked);
  for (const int of_the_thread : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    ::sigdelset(&blocked, of_the_thread);
  ::pthread_attr_t attributes;
  if (const int error = ::pthread_attr_init(&attributes); error != 0) return error;
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);  // the new thread inherits it
  ::pthread_t thread;
  const int error = ::pthread_create(&thread, &attributes, run, self);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  return error;
}

/// For tools that list threads, at most 15 bytes.
inline void name_this_thread([[maybe_unused]] const char* name) noexcept {
#if defined(__linux__)
  static_cast<void>(::pthread_setname_np(::pthread_self(), name));
#endif
}

/// The module that contains the address is never unloaded: a thread runs in it.
inline void keep_loaded([[maybe_unused]] const void* address) noexcept {
#if defined(RTLD_NODELETE) && defined(RTLD_NOLOAD)
  ::Dl_info module;
  if (::dladdr(address, &module) != 0 && module.dli_fname != nullptr)
    static_cast<void>(::dlopen(module.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE));
#endif
}

#elif FUSEBOX_DETAIL_THREADS

/// Starts `run(self)` on a thread of its own. Returns an errno, or 0.
[[nodiscard]] inline int start_thread(void (*run)(void*), void* self) noexcept {
  return ::_beginthread(run, 0, self) == static_cast<std::uintptr_t>(-1) ? errno : 0;
}

#else

/// Starts no thread, and says so.
[[nodiscard]] inline int start_thread(void (* /*run*/)(void*), void* /*self*/) noexcept { return ENOSYS; }

#endif

}  // namespace detail

FUSEBOX_END_NAMESPACE
