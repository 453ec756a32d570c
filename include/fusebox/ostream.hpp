// fusebox/ostream.hpp: operator<< for the public enums.
//
//     std::cerr << breaker.name() << " is " << std::setw(10) << breaker.state() << '\n';
//
// Each is written as its to_string() (R15), so that width, fill and adjustment work as for strings. A door of
// its own, and not part of fusebox.hpp: a program that includes it pays for <ostream>, others do not.
#pragma once

#include <ostream>

#include <fusebox/adaptive_limit.hpp>
#include <fusebox/backoff.hpp>
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/named_enum.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/throttle.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Writes `to_string(value)`.
template <detail::NamedEnum E>
std::ostream& operator<<(std::ostream& out, E value) {
  return out << to_string(value);
}

FUSEBOX_END_NAMESPACE
