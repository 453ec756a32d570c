# install(): headers, the CMake package (find_package(fusebox 0.1)), the file of pkg-config, the source of the module,
# the views of debuggers and the licence.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(fusebox_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/fusebox)

install(
  TARGETS fusebox
  EXPORT fuseboxTargets
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT fusebox
  FILE_SET adapters DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT fusebox)
install(EXPORT fuseboxTargets NAMESPACE fusebox:: DESTINATION ${fusebox_package_dir} COMPONENT fusebox)
# The source of the C++20 module, for those who build it; the printers for GDB and the views for Visual Studio.
install(FILES modules/fusebox.cppm debuggers/fusebox_gdb.py debuggers/fusebox.natvis
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fusebox COMPONENT fusebox)

configure_package_config_file(cmake/fuseboxConfig.cmake.in fuseboxConfig.cmake
                              INSTALL_DESTINATION ${fusebox_package_dir})
# Before 1.0 a minor version may break what was.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(fusebox_compatibility SameMinorVersion)
else()
  set(fusebox_compatibility SameMajorVersion)
endif()
write_basic_package_version_file(fuseboxConfigVersion.cmake COMPATIBILITY ${fusebox_compatibility}
                                 ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/fuseboxConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/fuseboxConfigVersion.cmake
        DESTINATION ${fusebox_package_dir}
        COMPONENT fusebox)

set(fusebox_pc_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_INCLUDEDIR BASE_DIRECTORY ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig
           OUTPUT_VARIABLE fusebox_pc_includedir)
set(fusebox_pc_dl "")
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(fusebox_pc_dl " -ldl")
endif()
configure_file(cmake/fusebox.pc.in fusebox.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/fusebox.pc DESTINATION ${fusebox_pc_dir} COMPONENT fusebox)

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/fusebox COMPONENT fusebox_license)
