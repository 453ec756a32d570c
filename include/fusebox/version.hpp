// fusebox/version.hpp: the library's version, its ABI namespace and its export mark.
//
// Public macros: FUSEBOX_VERSION_MAJOR, _MINOR, _PATCH, FUSEBOX_VERSION (a number, 100 for 0.1.0),
// FUSEBOX_VERSION_STRING and FUSEBOX_API. Every other macro of the library is private and starts
// with FUSEBOX_DETAIL_.
#pragma once

#define FUSEBOX_VERSION_MAJOR 0
#define FUSEBOX_VERSION_MINOR 1
#define FUSEBOX_VERSION_PATCH 0
#define FUSEBOX_VERSION (FUSEBOX_VERSION_MAJOR * 10000 + FUSEBOX_VERSION_MINOR * 100 + FUSEBOX_VERSION_PATCH)
#define FUSEBOX_VERSION_STRING "0.1.0"

/// Default visibility for what must be one thing in the whole process: thrown types, error categories
/// and process-wide objects keep their identity in programs built with -fvisibility=hidden.
#if defined(__GNUC__) || defined(__clang__)
#define FUSEBOX_API __attribute__((visibility("default")))
#else
#define FUSEBOX_API
#endif

// Builds whose inline bodies differ live in namespaces that differ, so that mixing them in one program
// gives two libraries side by side instead of one broken one.
#if defined(__cpp_exceptions)
#define FUSEBOX_DETAIL_EXCEPTIONS 1
#define FUSEBOX_DETAIL_ABI v0
#else
#define FUSEBOX_DETAIL_EXCEPTIONS 0
#define FUSEBOX_DETAIL_ABI v0_noexcept
#endif

#if defined(__GNUC__) || defined(__clang__)
#define FUSEBOX_DETAIL_COLD __attribute__((cold, noinline))
#define FUSEBOX_DETAIL_NOINLINE __attribute__((noinline))
#define FUSEBOX_DETAIL_INLINE __attribute__((always_inline)) inline
#else
#define FUSEBOX_DETAIL_COLD
#define FUSEBOX_DETAIL_NOINLINE
#define FUSEBOX_DETAIL_INLINE inline
#endif
