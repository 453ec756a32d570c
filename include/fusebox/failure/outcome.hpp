// fusebox/failure/outcome.hpp: Outcome, what a finished call says about the dependency.
#pragma once
// IWYU pragma: private, include <fusebox/failure.hpp>

#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What a finished call says about the health of the dependency.
enum class Outcome : unsigned char {
  success,  ///< it answered
  failure,  ///< it failed, or did not answer in time
  ignored,  ///< nothing: the call was cancelled or never made
};

/// The enumerator's name; "unknown" for any other value.
[[nodiscard]] constexpr std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::success: return "success";
    case Outcome::failure: return "failure";
    case Outcome::ignored: return "ignored";
  }
  return "unknown";
}

FUSEBOX_END_NAMESPACE
