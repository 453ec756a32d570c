# storm_scenarios(target): the scenarios of storm/scenarios in a program.
# By itself, `cmake -D OUT=scenarios.cpp -P storm/scenarios.cmake` only writes that source file.

set(STORM_FOLDER ${CMAKE_CURRENT_LIST_DIR})
set(STORM_SCENARIO_NAMES blip outage slow overload bad_shard rate_limit herd tiers)

function(storm_write_scenarios out)
  set(STORM_SCENARIOS "")
  foreach(name IN LISTS STORM_SCENARIO_NAMES)
    file(READ ${STORM_FOLDER}/scenarios/${name}.json text)
    string(APPEND STORM_SCENARIOS "    ShippedScenario{\"${name}\", R\"fusebox_file(${text})fusebox_file\"},\n")
  endforeach()
  file(READ ${STORM_FOLDER}/scenarios/pipelines.json STORM_PIPELINES)
  if(NOT CMAKE_SCRIPT_MODE_FILE)
    file(GLOB files CONFIGURE_DEPENDS ${STORM_FOLDER}/scenarios/*.json)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  endif()
  configure_file(${STORM_FOLDER}/scenarios.cpp.in ${out} @ONLY)
endfunction()

function(storm_scenarios target)
  storm_write_scenarios(${CMAKE_CURRENT_BINARY_DIR}/storm_scenarios.cpp)
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/storm_scenarios.cpp)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  storm_write_scenarios(${OUT})
endif()
