# vcpkg port of the C++ library. See ../README.md.
vcpkg_from_github(
  OUT_SOURCE_PATH SOURCE_PATH
  REPO TO_BE_FILLED_IN
  REF "v${VERSION}"
  SHA512 TO_BE_FILLED_IN)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}")
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/gsg)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include"
  "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE"
  "${SOURCE_PATH}/THIRD_PARTY_NOTICES.txt")
