// The version macros agree with each other.
#include <fusebox/version.hpp>

#include <string_view>

static_assert(FUSEBOX_VERSION ==
              FUSEBOX_VERSION_MAJOR * 10000 + FUSEBOX_VERSION_MINOR * 100 + FUSEBOX_VERSION_PATCH);
static_assert(std::string_view{FUSEBOX_VERSION_STRING}.size() >= 5);
