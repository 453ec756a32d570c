# Third-party libraries: the system's where there is one, else fetched at a pinned tag (FUSEBOX_FETCH),
# else left out with a line that says so. Only fmt is needed by users of the library.
include(FetchContent)

# fusebox_fetch(name repository tag result): result is true when it could be fetched.
function(fusebox_fetch name repository tag result)
  set(${result} FALSE PARENT_SCOPE)
  string(TOUPPER ${name} upper)
  if(NOT FETCHCONTENT_SOURCE_DIR_${upper})
    if(NOT FUSEBOX_FETCH)
      return()
    endif()
    # FetchContent ends the configuration where there is no network, so look first.
    find_program(FUSEBOX_GIT git)
    if(NOT FUSEBOX_GIT)
      return()
    endif()
    execute_process(
      COMMAND ${CMAKE_COMMAND} -E env GIT_TERMINAL_PROMPT=0 ${FUSEBOX_GIT} ls-remote --exit-code ${repository}
              refs/tags/${tag}
      RESULT_VARIABLE unreachable
      TIMEOUT 30
      OUTPUT_QUIET ERROR_QUIET)
    if(NOT unreachable EQUAL 0)
      return()
    endif()
    message(STATUS "fusebox: fetching ${name} ${tag}")
  endif()
  set(system "")
  if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.25)
    set(system SYSTEM) # its warnings are not ours
  endif()
  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON ${system})
  FetchContent_MakeAvailable(${name})
  set(${result} TRUE PARENT_SCOPE)
endfunction()

# fusebox_left_out(what why [INTEGRATION]): with FUSEBOX_STRICT, no test of make test-integration may be left out.
function(fusebox_left_out what why)
  if("INTEGRATION" IN_LIST ARGN AND FUSEBOX_STRICT)
    message(SEND_ERROR "fusebox: ${what} left out: ${why}")
  else()
    message(STATUS "fusebox: ${what} left out: ${why}")
  endif()
endfunction()

# fmt::fmt
macro(fusebox_find_fmt)
  if(NOT TARGET fmt::fmt)
    find_package(fmt 9 QUIET)
  endif()
  if(NOT TARGET fmt::fmt)
    if(FUSEBOX_INSTALL)
      set(FMT_INSTALL ON) # so that the installed fusebox finds it
    endif()
    fusebox_fetch(fmt https://github.com/fmtlib/fmt.git 10.2.1 fusebox_fetched)
    if(NOT fusebox_fetched)
      message(FATAL_ERROR "fusebox needs fmt 9 or later: install it (scripts/setup.sh does, or libfmt-dev, "
                          "fmt-devel, fmt), or set FUSEBOX_FETCH=ON where github.com can be reached")
    endif()
  endif()
endmacro()

# fusebox_httplib: cpp-httplib, header-only or compiled.
macro(fusebox_find_httplib)
  find_package(Threads REQUIRED)
  find_package(httplib CONFIG QUIET)
  if(NOT TARGET httplib::httplib)
    # Debian's has no CMake package, and the macros it was compiled with must be ours too.
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
      pkg_check_modules(FUSEBOX_CPP_HTTPLIB QUIET IMPORTED_TARGET cpp-httplib)
    endif()
  endif()
  if(NOT TARGET httplib::httplib AND NOT TARGET PkgConfig::FUSEBOX_CPP_HTTPLIB)
    fusebox_fetch(httplib https://github.com/yhirose/cpp-httplib.git v0.15.3 fusebox_fetched)
  endif()

  if(TARGET httplib::httplib)
    set(fusebox_httplib_target httplib::httplib)
  elseif(TARGET PkgConfig::FUSEBOX_CPP_HTTPLIB)
    set(fusebox_httplib_target PkgConfig::FUSEBOX_CPP_HTTPLIB)
  endif()
  if(fusebox_httplib_target)
    add_library(fusebox_httplib INTERFACE)
    target_link_libraries(fusebox_httplib INTERFACE ${fusebox_httplib_target} Threads::Threads)
  else()
    fusebox_left_out("everything that speaks HTTP (adapters/httplib.hpp and most examples)" "no cpp-httplib")
  endif()
endmacro()

# nlohmann_json::nlohmann_json
macro(fusebox_find_nlohmann_json)
  find_package(nlohmann_json 3 QUIET)
  if(NOT TARGET nlohmann_json::nlohmann_json)
    fusebox_fetch(nlohmann_json https://github.com/nlohmann/json.git v3.11.3 fusebox_fetched)
    if(NOT fusebox_fetched)
      fusebox_left_out("what checks JSON with a parser" "no nlohmann-json")
    endif()
  endif()
endmacro()

# Catch2::Catch2, version 3 or 2.
macro(fusebox_find_catch2)
  find_package(Catch2 QUIET)
  if(NOT TARGET Catch2::Catch2)
    fusebox_fetch(Catch2 https://github.com/catchorg/Catch2.git v3.7.1 fusebox_fetched)
    set(Catch2_VERSION 3.7.1)
    if(NOT fusebox_fetched)
      message(FATAL_ERROR "the tests need Catch2 (scripts/setup.sh installs it); FUSEBOX_BUILD_TESTS=OFF does without")
    endif()
  endif()
endmacro()

# benchmark::benchmark
macro(fusebox_find_benchmark)
  find_package(benchmark QUIET)
  if(NOT TARGET benchmark::benchmark)
    set(BENCHMARK_ENABLE_TESTING OFF)
    set(BENCHMARK_ENABLE_INSTALL OFF)
    fusebox_fetch(benchmark https://github.com/google/benchmark.git v1.8.5 fusebox_fetched)
    if(NOT fusebox_fetched)
      fusebox_left_out("the benchmarks" "no Google Benchmark")
    endif()
  endif()
endmacro()
