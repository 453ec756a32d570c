# What the port of vcpkg does, with stand-ins for vcpkg's functions: cmake -DPORT_DIR=… -DPACKAGES=… -DBUILD=…
cmake_minimum_required(VERSION 3.23)

set(PORT fusebox)
set(CURRENT_PORT_DIR ${PORT_DIR})
set(CURRENT_PACKAGES_DIR ${PACKAGES})

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vcpkg_cmake_configure does not take ${arg_UNPARSED_ARGUMENTS}")
  endif()
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${BUILD} -DCMAKE_INSTALL_PREFIX=${PACKAGES}
            -DCMAKE_CXX_COMPILER=${COMPILER} --warn-uninitialized ${arg_OPTIONS} ${MORE}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0 OR output MATCHES "Manually-specified variables were not used")
    message(FATAL_ERROR "${output}")
  endif()
endfunction()

function(vcpkg_cmake_install)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "PACKAGE_NAME;CONFIG_PATH" "")
  if(arg_UNPARSED_ARGUMENTS OR NOT EXISTS ${PACKAGES}/${arg_CONFIG_PATH}/${arg_PACKAGE_NAME}Config.cmake)
    message(FATAL_ERROR "no CMake package in ${arg_CONFIG_PATH} ${arg_UNPARSED_ARGUMENTS}")
  endif()
endfunction()

function(vcpkg_fixup_pkgconfig)
  if(NOT EXISTS ${PACKAGES}/share/pkgconfig/fusebox.pc)
    message(FATAL_ERROR "no file of pkg-config")
  endif()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  file(COPY_FILE ${arg_FILE_LIST} ${PACKAGES}/share/fusebox/copyright)
endfunction()

include(${PORT_DIR}/portfile.cmake)
