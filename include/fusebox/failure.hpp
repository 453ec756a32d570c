// fusebox/failure.hpp: Failure, what one failed attempt left, and how results are judged.
//
//   default_outcome         what a circuit breaker makes of a Failure
//   failure/failure.hpp     Failure: an exception, an error code or a status, seen through one interface
//   failure/outcome.hpp     Outcome: success, failure or ignored
//   failure/traits.hpp      failure_traits<T> and failure_if(predicate): which returned values are failures
//   failure/translate.hpp   register_failure_translator: what a program's own exceptions stand for
//
// A function `std::optional<Failure> failure_of(const T&)`, found by argument-dependent lookup, does the
// same as failure_traits<T>::failure.
#pragma once

#include <system_error>

#include <fusebox/error_code.hpp>
#include <fusebox/failure/detail/rejections.hpp>
#include <fusebox/failure/failure.hpp>    // IWYU pragma: export
#include <fusebox/failure/outcome.hpp>    // IWYU pragma: export
#include <fusebox/failure/traits.hpp>     // IWYU pragma: export
#include <fusebox/failure/translate.hpp>  // IWYU pragma: export

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Throws the failure; without exceptions, prints it and aborts.
[[noreturn]] FUSEBOX_DETAIL_INLINE void rethrow_or_abort(const Failure& failure) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  failure.rethrow();
#else
  die(failure.message().c_str());
#endif
}

/// What an HTTP status says of the service that answered with it.
[[nodiscard]] constexpr Outcome outcome_of_status(int status) noexcept {
  const bool answered = status >= 400 && status < 500 && status != 408 && status != 429;
  return answered ? Outcome::success : Outcome::failure;
}

/// default_outcome(Failure{code}), without the Failure.
[[nodiscard]] inline Outcome outcome_of_code(const std::error_code& code) noexcept {
  const std::error_category& category = code.category();
  if (has_errno_values(category)) {
    return static_cast<std::errc>(code.value()) == std::errc::operation_canceled ? Outcome::ignored
                                                                                 : Outcome::failure;
  }
  if (category == http_category()) return outcome_of_status(code.value());
  if (category == network_error_category()) return Outcome::failure;
  const std::error_code known = detail::unwrapped(code);
  return is_rejection_code(known) || is_cancellation_code(known) ? Outcome::ignored : Outcome::failure;
}

}  // namespace detail

/// What a circuit breaker makes of a failure unless its config says otherwise (F2). A rejection, a
/// cancellation or a refused config is ignored. A timeout is a failure, and so is a status of 408, 429, or
/// 500 and above. Any other 4xx is a success, since the dependency answered. Everything else is a failure.
[[nodiscard]] FUSEBOX_API inline Outcome default_outcome(const Failure& failure) {
  if (failure.code().category() != http_category()) {
    if (failure.is_rejection() || detail::is_nobodys(failure)) return Outcome::ignored;
    if (failure.is_timeout()) return Outcome::failure;
  }
  return detail::outcome_of_status(failure.status().value_or(500));
}

FUSEBOX_END_NAMESPACE
