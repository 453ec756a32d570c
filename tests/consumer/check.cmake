# Builds the consumer project in one WAY (add_subdirectory or find_package), runs it, and looks at its output.
cmake_minimum_required(VERSION 3.23)

set(source ${CMAKE_CURRENT_LIST_DIR}/project)
set(prefix ${WORK_DIR}/prefix)
set(configure ${CMAKE_COMMAND} -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${CONFIG} -DCMAKE_CXX_COMPILER=${COMPILER}
              -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
if(FMT_SOURCE_DIR) # fetched once is enough
  list(APPEND configure -DFETCHCONTENT_SOURCE_DIR_FMT=${FMT_SOURCE_DIR})
endif()
if(WAY STREQUAL "find_package")
  list(APPEND configure -DCMAKE_PREFIX_PATH=${prefix})
else()
  list(APPEND configure -DFUSEBOX_SOURCE_DIR=${SOURCE_DIR})
endif()

# run(what command…): ends the test where the command fails; its output is left in `output`.
macro(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message("${output}")
    message(FATAL_ERROR "${what} failed: ${result}")
  endif()
endmacro()

file(REMOVE_RECURSE ${WORK_DIR})
if(WAY STREQUAL "find_package")
  run("installing" ${CMAKE_COMMAND} --install ${BINARY_DIR} --config ${CONFIG} --prefix ${prefix})
  file(GLOB_RECURSE installed RELATIVE ${prefix} ${prefix}/*)
  foreach(header IN ITEMS version.hpp fusebox.hpp test/fake_clock.hpp adapters/httplib.hpp)
    if(NOT "include/fusebox/${header}" IN_LIST installed)
      message(FATAL_ERROR "not installed: ${header}")
    endif()
  endforeach()
endif()

run("configuring" ${configure} -S ${source} -B ${WORK_DIR}/build)
run("building" ${CMAKE_COMMAND} --build ${WORK_DIR}/build --config ${CONFIG})
find_program(consumer consumer PATHS ${WORK_DIR}/build ${WORK_DIR}/build/${CONFIG} NO_DEFAULT_PATH REQUIRED)
run("running the consumer" ${consumer})
set(expected "fusebox ${VERSION}: order 42 after 3 attempts, payments is closed\n")
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "the consumer printed\n${output}instead of\n${expected}")
endif()

if(WAY STREQUAL "find_package")
  # While the version is 0.x, another minor version is another library.
  foreach(wanted IN ITEMS 0.2 1.0)
    execute_process(COMMAND ${configure} -DFUSEBOX_WANTED=${wanted} -S ${source} -B ${WORK_DIR}/wanted-${wanted}
                    RESULT_VARIABLE result ERROR_VARIABLE output OUTPUT_QUIET)
    if(result EQUAL 0 OR NOT output MATCHES "requested version")
      message("${output}")
      message(FATAL_ERROR "find_package(fusebox ${wanted}) was not refused")
    endif()
  endforeach()
else()
  # A subproject adds nothing but the library to the build of its user.
  run("listing the targets" ${CMAKE_COMMAND} --build ${WORK_DIR}/build --target help)
  if(output MATCHES "webhook_delivery|test_retry|fusebox_catch")
    message(FATAL_ERROR "the subproject builds its own tests or examples:\n${output}")
  endif()
endif()
