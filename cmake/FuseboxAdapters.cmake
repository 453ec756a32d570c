# Verifies that each adapter header compiles by itself, where the library that it adapts was found.
set(fusebox_httplib_adapter_needs fusebox_httplib)
set(fusebox_nlohmann_json_adapter_needs nlohmann_json::nlohmann_json)

foreach(header IN LISTS fusebox_adapters)
  cmake_path(GET header STEM name)
  set(needs ${fusebox_${name}_adapter_needs})
  if(NOT needs OR NOT TARGET ${needs})
    fusebox_left_out("the check of adapters/${name}.hpp" "its library was not found")
    continue()
  endif()
  add_library(fusebox_adapter_${name} INTERFACE)
  target_sources(fusebox_adapter_${name} INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include
                                                   FILES ${header})
  target_link_libraries(fusebox_adapter_${name} INTERFACE fusebox::fusebox ${needs})
  set_target_properties(fusebox_adapter_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
endforeach()
