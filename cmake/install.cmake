# Installs headers, both libraries, the CMake package, the pkg-config file, and the program with what
# its room made for it. Each library has an export of its own: who asks for the shared one needs none
# of the libraries that the static one is linked with.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weighbridge)

install(DIRECTORY include/weighbridge DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")

foreach(kind IN ITEMS static shared)
  install(TARGETS weighbridge_${kind} EXPORT weighbridge-${kind}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT weighbridge-${kind} NAMESPACE weighbridge:: DESTINATION ${package_dir})
endforeach()

configure_file(cmake/weighbridge-config.cmake.in weighbridge-config.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weighbridge-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weighbridge-config.cmake
              ${PROJECT_BINARY_DIR}/weighbridge-config-version.cmake
        DESTINATION ${package_dir})

# The paths of the .pc file are relative to itself, so that an installed tree can be moved.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(cmake/weighbridge.pc.in weighbridge.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/weighbridge.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(WEIGHBRIDGE_BUILD_CLI)
  install(TARGETS weighbridge DESTINATION ${CMAKE_INSTALL_BINDIR})
  set(shares ${CMAKE_INSTALL_DATAROOTDIR})
  install(FILES ${PROJECT_BINARY_DIR}/weighbridge.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${PROJECT_BINARY_DIR}/weighbridge.bash RENAME weighbridge
          DESTINATION ${shares}/bash-completion/completions)
  install(FILES ${PROJECT_BINARY_DIR}/_weighbridge DESTINATION ${shares}/zsh/site-functions)
  install(FILES ${PROJECT_BINARY_DIR}/weighbridge.fish DESTINATION ${shares}/fish/vendor_completions.d)
endif()
