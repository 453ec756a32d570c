# An overlay port: it packs the checkout that it stands in.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../../.." ABSOLUTE)
set(VCPKG_BUILD_TYPE release) # headers only

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    -DFUSEBOX_INSTALL=ON
    -DFUSEBOX_FETCH=OFF
    -DFUSEBOX_BUILD_TESTS=OFF
    -DFUSEBOX_BUILD_EXAMPLES=OFF
    -DFUSEBOX_BUILD_BENCHMARKS=OFF
    -DFUSEBOX_BUILD_STORM=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME fusebox CONFIG_PATH share/cmake/fusebox)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug" "${CURRENT_PACKAGES_DIR}/share/licenses")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
