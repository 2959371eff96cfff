# One interface target carries every compiler setting, so that a room states only its sources.
add_library(weighbridge_settings INTERFACE)
target_compile_features(weighbridge_settings INTERFACE cxx_std_20)
target_compile_options(weighbridge_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wimplicit-fallthrough -fstack-protector-strong
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps in optimised std::string concatenations where there are none (GCC bug 105651).
  target_compile_options(weighbridge_settings INTERFACE -Wno-restrict)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(weighbridge_settings INTERFACE _GLIBCXX_ASSERTIONS)
endif()
if(WEIGHBRIDGE_WARNINGS_AS_ERRORS)
  target_compile_options(weighbridge_settings INTERFACE -Werror)
endif()
if(WEIGHBRIDGE_SANITIZE)
  target_compile_options(weighbridge_settings INTERFACE
    -fsanitize=${WEIGHBRIDGE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(weighbridge_settings INTERFACE -fsanitize=${WEIGHBRIDGE_SANITIZE})
endif()
if(WEIGHBRIDGE_BUILD_FUZZERS)
  # Coverage feedback in the library itself; the targets add libFuzzer's main.
  target_compile_options(weighbridge_settings INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(weighbridge_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(WEIGHBRIDGE_COVERAGE)
  target_compile_options(weighbridge_settings INTERFACE --coverage)
  target_link_options(weighbridge_settings INTERFACE --coverage)
endif()

if(WEIGHBRIDGE_SELF_CONTAINED)
  # Names of static libraries stay inside: the process may have others of the same names.
  add_link_options(-static-libstdc++ -static-libgcc LINKER:--as-needed LINKER:--exclude-libs,ALL)
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# weighbridge_room(<name> SOURCES … [USES …]): one layer of the library as an object library.
function(weighbridge_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES" ${ARGN})
  add_library(weighbridge_${name} OBJECT ${ROOM_SOURCES})
  target_include_directories(weighbridge_${name}
    PUBLIC ${PROJECT_SOURCE_DIR}/include
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(weighbridge_${name} PRIVATE weighbridge_settings ${ROOM_USES})
  weighbridge_use_precompiled(weighbridge_${name} library)
  set_property(GLOBAL APPEND PROPERTY WEIGHBRIDGE_ROOMS weighbridge_${name})
endfunction()
