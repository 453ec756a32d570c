# fusebox_warnings: for the project's own targets, never for its users. Warnings are errors.
include_guard()
add_library(fusebox_warnings INTERFACE)
if(MSVC)
  target_compile_options(fusebox_warnings INTERFACE /W4 /WX /permissive-)
else()
  target_compile_options(fusebox_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
  # g++ 12 at -O3 takes fmt 9's parser of a fill character for an overflow.
  target_compile_options(
    fusebox_warnings
    INTERFACE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-stringop-overflow>)
  # With sanitizers g++ warns of its own library's constructors.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    target_compile_options(fusebox_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

# fusebox_executable(name source…): an executable of this project, with the library and the warnings.
function(fusebox_executable name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE fusebox::fusebox fusebox_warnings)
endfunction()
