// fusebox/detail/macros.hpp: every macro of the library except the version's, each with when to use it.
//
// Only FUSEBOX_API and the two namespace macros may appear in a program that includes the library. Macros
// that begin with FUSEBOX_DETAIL_ are private.
#pragma once
// IWYU pragma: private

#if __cplusplus <= 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG > 201703L)
#error "fusebox needs C++20: compile with -std=c++20 or newer"
#endif

#include <version>

/// FUSEBOX_API: default visibility. Use it for everything that must exist once in a process: thrown types,
/// error categories and process-wide objects. They keep their identity in programs that are built with
/// -fvisibility=hidden.
#if defined(__GNUC__) || defined(__clang__)
#define FUSEBOX_API __attribute__((visibility("default")))
#else
#define FUSEBOX_API
#endif

/// FUSEBOX_DETAIL_EXCEPTIONS: 1 if exceptions are enabled. Use it where code differs without them.
///
/// FUSEBOX_DETAIL_ABI: the inline namespace of this build. Builds whose inline functions differ have
/// different namespaces, so that one program may contain both.
#if defined(__cpp_exceptions)
#define FUSEBOX_DETAIL_EXCEPTIONS 1
#define FUSEBOX_DETAIL_ABI v0
#else
#define FUSEBOX_DETAIL_EXCEPTIONS 0
#define FUSEBOX_DETAIL_ABI v0_noexcept
#endif

/// FUSEBOX_BEGIN_NAMESPACE and FUSEBOX_END_NAMESPACE: around everything that a header declares. Programs
/// that specialise a template of the library may write `namespace fusebox { … }` instead.
#define FUSEBOX_BEGIN_NAMESPACE namespace fusebox::inline FUSEBOX_DETAIL_ABI {
#define FUSEBOX_END_NAMESPACE }

/// FUSEBOX_DETAIL_INLINE: for the hot path, where a call would cost more than the function.
/// FUSEBOX_DETAIL_NOINLINE: for a function that must not enlarge its callers' frames.
/// FUSEBOX_DETAIL_COLD: for a function that is rarely called; also not inlined.
#if defined(__GNUC__) || defined(__clang__)
#define FUSEBOX_DETAIL_INLINE __attribute__((always_inline)) inline
#define FUSEBOX_DETAIL_NOINLINE __attribute__((noinline))
#define FUSEBOX_DETAIL_COLD __attribute__((cold, noinline))
#else
#define FUSEBOX_DETAIL_INLINE inline
#define FUSEBOX_DETAIL_NOINLINE
#define FUSEBOX_DETAIL_COLD
#endif

/// FUSEBOX_DETAIL_TRY, FUSEBOX_DETAIL_CATCH_ALL and FUSEBOX_DETAIL_RETHROW: `try`, `catch (...)` and `throw;`
/// in code that must also compile without exceptions, where they become plain control flow. The last one
/// needs detail/throw.hpp.
#if FUSEBOX_DETAIL_EXCEPTIONS
#define FUSEBOX_DETAIL_TRY try
#define FUSEBOX_DETAIL_CATCH_ALL catch (...)
#define FUSEBOX_DETAIL_RETHROW throw
#else
#define FUSEBOX_DETAIL_TRY if constexpr (true)
#define FUSEBOX_DETAIL_CATCH_ALL else
#define FUSEBOX_DETAIL_RETHROW ::fusebox::detail::die("exception in a build without exceptions")
#endif

/// FUSEBOX_DETAIL_WALK_BASES: 1 if an exception can be asked for its type, and that type for its bases,
/// without throwing it again: libstdc++ with RTTI. Elsewhere a handler must find out.
#if FUSEBOX_DETAIL_EXCEPTIONS && defined(__GLIBCXX__) && defined(__GXX_RTTI)
#define FUSEBOX_DETAIL_WALK_BASES 1
#else
#define FUSEBOX_DETAIL_WALK_BASES 0
#endif

/// FUSEBOX_DETAIL_CXXABI: 1 if <cxxabi.h> says what a handler has caught: the C++ ABI of all but MSVC.
#if FUSEBOX_DETAIL_EXCEPTIONS && (defined(__GLIBCXX__) || defined(_LIBCPP_VERSION)) && !defined(_MSC_VER) && \
    !defined(__EMSCRIPTEN__)
#define FUSEBOX_DETAIL_CXXABI 1
#else
#define FUSEBOX_DETAIL_CXXABI 0
#endif

/// FUSEBOX_DETAIL_STOP_TOKEN: 1 if the standard library has std::stop_token. Use it around code that stops
/// a wait.
#if defined(__cpp_lib_jthread)
#define FUSEBOX_DETAIL_STOP_TOKEN 1
#else
#define FUSEBOX_DETAIL_STOP_TOKEN 0
#endif

/// FUSEBOX_DETAIL_TO_CHARS: 1 if the standard library has std::to_chars for double. libc++ does not say so by
/// its feature macro; on Apple's systems its functions are in a library that comes with macOS 13.3.
#if defined(__APPLE__)
#if defined(__ENVIRONMENT_MAC_OS_X_VERSION_MIN_REQUIRED__) && \
    __ENVIRONMENT_MAC_OS_X_VERSION_MIN_REQUIRED__ >= 130300
#define FUSEBOX_DETAIL_TO_CHARS 1
#else
#define FUSEBOX_DETAIL_TO_CHARS 0
#endif
#elif defined(__cpp_lib_to_chars) || (defined(_LIBCPP_VERSION) && _LIBCPP_VERSION >= 14000)
#define FUSEBOX_DETAIL_TO_CHARS 1
#else
#define FUSEBOX_DETAIL_TO_CHARS 0
#endif

/// FUSEBOX_DETAIL_GETENTROPY: 1 if the operating system has getentropy().
#if defined(__unix__) || defined(__APPLE__)
#define FUSEBOX_DETAIL_GETENTROPY 1
#else
#define FUSEBOX_DETAIL_GETENTROPY 0
#endif

/// FUSEBOX_DETAIL_UNWIND: 1 if the compiler's runtime can walk the call stack, for which it needs the tables
/// that exceptions or debuggers use.
#if defined(__has_include) && (defined(__EXCEPTIONS) || defined(__GCC_HAVE_DWARF2_CFI_ASM))
#if __has_include(<unwind.h>) && !defined(__EMSCRIPTEN__) && (defined(__GNUC__) || defined(__clang__))
#define FUSEBOX_DETAIL_UNWIND 1
#endif
#endif
#ifndef FUSEBOX_DETAIL_UNWIND
#define FUSEBOX_DETAIL_UNWIND 0
#endif

/// FUSEBOX_DETAIL_THREADS: 1 if a thread can be started. Use it around what needs a thread of the library's.
/// FUSEBOX_DETAIL_PTHREADS: 1 if that is a POSIX thread.
#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
#define FUSEBOX_DETAIL_THREADS 0
#define FUSEBOX_DETAIL_PTHREADS 0
#elif defined(__unix__) || defined(__APPLE__) || defined(__EMSCRIPTEN__)
#define FUSEBOX_DETAIL_THREADS 1
#define FUSEBOX_DETAIL_PTHREADS 1
#elif defined(_WIN32)
#define FUSEBOX_DETAIL_THREADS 1
#define FUSEBOX_DETAIL_PTHREADS 0
#else
#define FUSEBOX_DETAIL_THREADS 0
#define FUSEBOX_DETAIL_PTHREADS 0
#endif
