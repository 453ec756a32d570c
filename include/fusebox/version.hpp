// fusebox/version.hpp: the version of the library.
//
// FUSEBOX_VERSION_MAJOR, _MINOR, _PATCH   the numbers
// FUSEBOX_VERSION                         one number to compare: 100 for 0.1.0, 10203 for 1.2.3
// FUSEBOX_VERSION_STRING                  "0.1.0"
#pragma once

#include <fusebox/detail/macros.hpp>  // IWYU pragma: export

#define FUSEBOX_VERSION_MAJOR 0
#define FUSEBOX_VERSION_MINOR 1
#define FUSEBOX_VERSION_PATCH 0
#define FUSEBOX_VERSION (FUSEBOX_VERSION_MAJOR * 10000 + FUSEBOX_VERSION_MINOR * 100 + FUSEBOX_VERSION_PATCH)
#define FUSEBOX_VERSION_STRING "0.1.0"
