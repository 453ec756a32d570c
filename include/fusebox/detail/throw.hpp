// fusebox/detail/throw.hpp: how an error leaves the library, with exceptions and without.
//
// Without exceptions, code that could only throw does not compile (exceptions_are_on). The few errors that
// could only be thrown are then written to stderr, and the process aborts.
#pragma once
// IWYU pragma: private

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include <fusebox/config_error.hpp>
#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// For a static_assert in a template: it depends on T, so it fails only if the template is used.
template <class...>
inline constexpr bool exceptions_are_on = FUSEBOX_DETAIL_EXCEPTIONS == 1;

/// Writes "fusebox: <what>" to stderr and aborts.
[[noreturn]] FUSEBOX_DETAIL_COLD inline void die(const char* what) noexcept {
  std::fprintf(stderr, "fusebox: %s\n", what);
  std::abort();
}

/// Throws the error; without exceptions, dies with its what().
template <class Error>
[[noreturn]] FUSEBOX_DETAIL_COLD void throw_error(Error error) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  throw std::move(error);
#else
  die(error.what());
#endif
}

/// Throws a ConfigError (E6).
[[noreturn]] FUSEBOX_DETAIL_COLD inline void throw_invalid(const std::string& what) {
  throw_error(ConfigError{what});
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
