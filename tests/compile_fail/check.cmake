# cmake -DCOMPILER=… -DSOURCE=… -DINCLUDES=… -P check.cmake
cmake_minimum_required(VERSION 3.23)

set(command ${CMAKE_COMMAND} -E env LC_ALL=C ${COMPILER} -std=c++20 -fsyntax-only)
foreach(directory IN LISTS INCLUDES)
  list(APPEND command -I${directory})
endforeach()

file(STRINGS ${SOURCE} line REGEX "^// flags: " LIMIT_COUNT 1)
string(REGEX REPLACE "^// flags: " "" flags "${line}")
separate_arguments(flags UNIX_COMMAND "${flags}")
list(APPEND command ${flags})

file(STRINGS ${SOURCE} line REGEX "^// expect: " LIMIT_COUNT 1)
string(REGEX REPLACE "^// expect: " "" expected "${line}")
if(expected STREQUAL "")
  message(FATAL_ERROR "${SOURCE} has no line '// expect: REGEX'")
endif()

execute_process(COMMAND ${command} ${SOURCE} RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message("${output}")
  message(FATAL_ERROR "the right use does not compile")
endif()

execute_process(COMMAND ${command} -DFUSEBOX_COMPILE_FAIL ${SOURCE} RESULT_VARIABLE result ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "the wrong use compiles")
endif()
# What the compiler quotes from the source is no message: only lines that say error or note count.
string(REGEX MATCHALL "[^\n]*(error|note):[^\n]*" messages "${output}")
if(NOT "${messages}" MATCHES "${expected}")
  message("${output}")
  message(FATAL_ERROR "no message matches '${expected}'")
endif()
message("as expected: ${CMAKE_MATCH_0}")
