# FUSEBOX_SINGLE_HEADER: programs that include <fusebox/…> get the single header instead, so that the tests run over
# it. Headers with the usual names stand before the others; each includes the single one.
find_package(Python3 COMPONENTS Interpreter REQUIRED)

set(fusebox_single_header ${PROJECT_BINARY_DIR}/single/fusebox.hpp)
set(fusebox_single_script ${PROJECT_SOURCE_DIR}/scripts/single_header.py)
execute_process(
  COMMAND ${Python3_EXECUTABLE} -B ${fusebox_single_script} --forward ${PROJECT_BINARY_DIR}/single/include
          ${fusebox_single_header} COMMAND_ERROR_IS_FATAL ANY)
# Written again where one of these changes; cmake/FuseboxVersion.cmake has version.hpp.
set(fusebox_single_sources ${fusebox_single_script} ${fusebox_headers} ${fusebox_adapters})
list(FILTER fusebox_single_sources EXCLUDE REGEX "/fusebox/version\\.hpp$")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${fusebox_single_sources})
target_include_directories(fusebox BEFORE INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/single/include>)
