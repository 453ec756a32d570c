// fusebox/detail/throw.hpp: how an error leaves the library, with exceptions and without.
//
// Where exceptions are off, what could only throw does not compile (exceptions_are_on); an error that
// nobody can catch is written to stderr and the process aborts. FUSEBOX_DETAIL_TRY and
// FUSEBOX_DETAIL_CATCH_ALL compile to plain control flow there.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include <fusebox/version.hpp>

#if FUSEBOX_DETAIL_EXCEPTIONS
#define FUSEBOX_DETAIL_TRY try
#define FUSEBOX_DETAIL_CATCH_ALL catch (...)
#define FUSEBOX_DETAIL_RETHROW throw
#else
#define FUSEBOX_DETAIL_TRY if constexpr (true)
#define FUSEBOX_DETAIL_CATCH_ALL else
#define FUSEBOX_DETAIL_RETHROW ::fusebox::detail::die("exception in a build without exceptions")
#endif

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

/// For a static_assert in a template, which only its use brings to bear.
template <class...>
inline constexpr bool exceptions_are_on = FUSEBOX_DETAIL_EXCEPTIONS == 1;

[[noreturn]] FUSEBOX_DETAIL_COLD inline void die(const char* what) noexcept {
  std::fprintf(stderr, "fusebox: %s\n", what);
  std::abort();
}

template <class Error>
[[noreturn]] FUSEBOX_DETAIL_COLD void throw_error(Error error) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  throw std::move(error);
#else
  die(error.what());
#endif
}

[[noreturn]] FUSEBOX_DETAIL_COLD inline void throw_invalid(const std::string& what) {
  throw_error(std::invalid_argument{what});
}

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
