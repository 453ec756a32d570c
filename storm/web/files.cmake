# storm_web_files(target): the files of storm/web in a program, so that a report needs nothing beside it.
# By itself, `cmake -D OUT=files.cpp -P storm/web/files.cmake` only writes that source file.

set(STORM_WEB_FOLDER ${CMAKE_CURRENT_LIST_DIR})

function(storm_write_web_files out)
  foreach(file IN ITEMS style.css report.css charts.js report.js)
    string(REPLACE "." "_" variable ${file})
    file(READ ${STORM_WEB_FOLDER}/${file} ${variable})
    if(NOT CMAKE_SCRIPT_MODE_FILE)
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${STORM_WEB_FOLDER}/${file})
    endif()
  endforeach()
  configure_file(${STORM_WEB_FOLDER}/files.cpp.in ${out} @ONLY)
endfunction()

function(storm_web_files target)
  storm_write_web_files(${CMAKE_CURRENT_BINARY_DIR}/storm_web_files.cpp)
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/storm_web_files.cpp)
  target_include_directories(${target} PRIVATE ${STORM_WEB_FOLDER}/..)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  storm_write_web_files(${OUT})
endif()
