# FUSEBOX_VERSION, as include/fusebox/version.hpp says it: the header is the one place that holds it.
set(fusebox_version_header ${CMAKE_CURRENT_LIST_DIR}/../include/fusebox/version.hpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${fusebox_version_header})

set(fusebox_version_parts "")
foreach(part MAJOR MINOR PATCH)
  file(STRINGS ${fusebox_version_header} line REGEX "^#define FUSEBOX_VERSION_${part} [0-9]+$")
  if(NOT line MATCHES "([0-9]+)$")
    message(FATAL_ERROR "version.hpp does not define FUSEBOX_VERSION_${part}")
  endif()
  list(APPEND fusebox_version_parts ${CMAKE_MATCH_1})
endforeach()
list(JOIN fusebox_version_parts "." FUSEBOX_VERSION)

file(STRINGS ${fusebox_version_header} line REGEX "^#define FUSEBOX_VERSION_STRING ")
if(NOT line STREQUAL "#define FUSEBOX_VERSION_STRING \"${FUSEBOX_VERSION}\"")
  message(FATAL_ERROR "version.hpp contradicts itself: the numbers say ${FUSEBOX_VERSION}, but: ${line}")
endif()
