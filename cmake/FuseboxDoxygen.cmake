# The target `docs`: the pages and the API reference as HTML. A broken link or image fails it.
find_package(Doxygen QUIET)
find_package(Python3 COMPONENTS Interpreter QUIET)
if(NOT DOXYGEN_FOUND OR NOT Python3_FOUND)
  fusebox_left_out("the target docs" "no Doxygen or no Python")
  return()
endif()

set(DOXYGEN_PROJECT_NUMBER ${PROJECT_VERSION})
set(DOXYGEN_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
set(DOXYGEN_STRIP_FROM_PATH ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR})
set(DOXYGEN_STRIP_FROM_INC_PATH ${PROJECT_SOURCE_DIR}/include)
set(DOXYGEN_GENERATE_LATEX NO)
set(DOXYGEN_HAVE_DOT NO)
set(DOXYGEN_QUIET YES)
set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)

# The public names. Most functions of ApiError are in two bases in fusebox::detail; a filter moves them out.
set(DOXYGEN_EXTRACT_ALL YES)
set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
set(DOXYGEN_INLINE_INHERITED_MEMB YES)
set(DOXYGEN_EXCLUDE_SYMBOLS fusebox::detail fusebox::error_text fusebox::RejectionSource std fmt nlohmann)
set(DOXYGEN_FILTER_PATTERNS
    "*/api_error/*.hpp=sed -e s/detail::Error/Error/g -e s/.*namespace.detail.*//"
    "*.md=${PROJECT_SOURCE_DIR}/scripts/docs/filter_markdown.py")
set(DOXYGEN_MACRO_EXPANSION YES)
set(DOXYGEN_EXPAND_ONLY_PREDEF YES)
set(DOXYGEN_PREDEFINED
    "FUSEBOX_BEGIN_NAMESPACE=namespace fusebox {"
    "FUSEBOX_END_NAMESPACE=}"
    FUSEBOX_API=
    FUSEBOX_DETAIL_COLD=
    FUSEBOX_DETAIL_INLINE=inline
    FUSEBOX_DETAIL_NOINLINE=
    FUSEBOX_DETAIL_EXCEPTIONS=1
    FUSEBOX_DETAIL_STOP_TOKEN=1)

# The pages, and the examples that they link to. The namespaces avoid warnings about specialisations in them.
set(DOXYGEN_USE_MDFILE_AS_MAINPAGE ${PROJECT_SOURCE_DIR}/README.md)
set(DOXYGEN_IMAGE_PATH ${PROJECT_SOURCE_DIR}/docs/img)
set(DOXYGEN_EXAMPLE_PATH ${PROJECT_SOURCE_DIR}/examples)
file(
  GLOB fusebox_examples CONFIGURE_DEPENDS
  RELATIVE ${PROJECT_SOURCE_DIR}/examples
  ${PROJECT_SOURCE_DIR}/examples/*.cpp)
list(TRANSFORM fusebox_examples REPLACE "(.+)" "/** @example \\1 */\n")
list(JOIN fusebox_examples "" fusebox_examples)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/examples.dox "${fusebox_examples}namespace std {}\nnamespace fmt {}\nnamespace nlohmann {}\n")

file(GLOB fusebox_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/*.md)
doxygen_add_docs(docs ${CMAKE_CURRENT_BINARY_DIR}/examples.dox include/fusebox docs ${fusebox_pages}
                 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
add_custom_command(
  TARGET docs
  POST_BUILD
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/docs/check_links.py html
  VERBATIM)
