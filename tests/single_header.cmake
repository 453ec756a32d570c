# The tests over the single header (FUSEBOX_SINGLE_HEADER): those above, and one that they do compile against it.
# The label `single`, and the target single_header_tests, are a sample from every part of the library.
set(sample
    adapters/httplib circuit_breaker/execute coro error_response/document fallback format hedge/run ostream pipeline
    registry/eviction retry/waits test/fake_clock)
list(TRANSFORM sample PREPEND unit/)
list(APPEND sample contract/policies contract/results contract/hot_path composition/pairs)

add_library(fusebox_uses_single_header OBJECT single_header.cpp)
target_link_libraries(fusebox_uses_single_header PRIVATE fusebox::fusebox fusebox_warnings)
add_custom_target(single_header_tests DEPENDS fusebox_uses_single_header)
foreach(name IN LISTS sample)
  string(REPLACE "/" "." target "test.${name}")
  if(TARGET ${target})
    add_dependencies(single_header_tests ${target})
    set_property(TEST ${name} APPEND PROPERTY LABELS single)
  else()
    fusebox_left_out("${name} over the single header" "it is no test here")
  endif()
endforeach()
