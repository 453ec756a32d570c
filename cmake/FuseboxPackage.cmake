# cpack -G DEB: the Debian package fusebox-dev, made of what install() installs and of Debian's own files.
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  return()
endif()

set(FUSEBOX_DEB_MAINTAINER "fusebox contributors <fusebox@localhost>"
    CACHE STRING "The name and address of whoever distributes the Debian package")
set(fusebox_deb_doc share/doc/fusebox-dev)
install(FILES packaging/debian/copyright DESTINATION ${fusebox_deb_doc} COMPONENT fusebox_deb EXCLUDE_FROM_ALL)
find_program(FUSEBOX_GZIP gzip)
if(FUSEBOX_GZIP)
  string(TIMESTAMP fusebox_deb_date "%a, %d %b %Y %H:%M:%S +0000" UTC) # or SOURCE_DATE_EPOCH
  configure_file(packaging/debian/changelog.in deb/changelog @ONLY)
  foreach(one IN ITEMS "${PROJECT_SOURCE_DIR}/CHANGELOG.md=changelog.gz"
                       "${PROJECT_BINARY_DIR}/deb/changelog=changelog.Debian.gz")
    string(REPLACE "=" ";" one ${one})
    list(GET one 0 source)
    list(GET one 1 target)
    set(target ${PROJECT_BINARY_DIR}/deb/${target})
    install(CODE "execute_process(COMMAND ${FUSEBOX_GZIP} -9nc ${source} OUTPUT_FILE ${target}
      COMMAND_ERROR_IS_FATAL ANY)" COMPONENT fusebox_deb EXCLUDE_FROM_ALL)
    install(FILES ${target} DESTINATION ${fusebox_deb_doc} COMPONENT fusebox_deb EXCLUDE_FROM_ALL)
  endforeach()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fusebox-dev)
set(CPACK_PACKAGE_VENDOR "fusebox contributors")
set(CPACK_PACKAGE_CONTACT "${FUSEBOX_DEB_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "resilience policies for C++20, header-only")
set(CPACK_PACKAGE_DESCRIPTION
    "Timeouts, retries, hedges, circuit breakers, bulkheads, adaptive limits,
throttles, rate limiters and fallbacks, composed into one pipeline around a
call, and testable with one fake clock.

This package has the headers, the CMake package, the file of pkg-config and
printers for GDB.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
# The licence component is left out: Debian uses its copyright file.
set(CPACK_INSTALL_CMAKE_PROJECTS "")
foreach(component IN ITEMS fusebox fusebox_deb)
  list(APPEND CPACK_INSTALL_CMAKE_PROJECTS ${PROJECT_BINARY_DIR} fusebox ${component} /)
endforeach()

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libfmt-dev (>= 9)")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
include(CPack)
