# fusebox_warnings: for the project's own targets, never for its users. Warnings are errors.
add_library(fusebox_warnings INTERFACE)
if(MSVC)
  target_compile_options(fusebox_warnings INTERFACE /W4 /WX /permissive-)
else()
  target_compile_options(fusebox_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
endif()

# fusebox_executable(name source…): an executable of this project, with the library and the warnings.
function(fusebox_executable name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE fusebox::fusebox fusebox_warnings)
endfunction()
