// fusebox/config_error.hpp: ConfigError, what every refused config throws (C2, E6).
#pragma once

#include <stdexcept>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// A config, a name or an option that the library refuses; what() names the field, the rule and the value.
/// The program is wrong, not a dependency: a policy around the call does not count it, retry it or call its
/// fallback.
class FUSEBOX_API ConfigError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

FUSEBOX_END_NAMESPACE
