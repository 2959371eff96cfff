# Precompiled headers: what most sources of a kind include is compiled once for all of them, where
# WEIGHBRIDGE_PRECOMPILED_HEADERS names the kind. They only save time: every source still includes what it
# uses, and a build without them shows it.
#
# weighbridge_precompiled(<kind> [PROGRAM] HEADERS … USES …): the headers of a kind of sources. Those of
# programs are compiled otherwise than those of libraries, and so are their headers.
function(weighbridge_precompiled kind)
  if(NOT kind IN_LIST WEIGHBRIDGE_PRECOMPILED_HEADERS)
    return()
  endif()
  cmake_parse_arguments(PRECOMPILED "PROGRAM" "" "HEADERS;USES" ${ARGN})
  set(owner weighbridge_${kind}_headers)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${owner}.cpp)
  if(PRECOMPILED_PROGRAM)
    file(CONFIGURE OUTPUT ${source} CONTENT "int main() {}\n")
    add_executable(${owner} ${source})
  else()
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(${owner} OBJECT ${source})
  endif()
  target_link_libraries(${owner} PRIVATE weighbridge_settings ${PRECOMPILED_USES})
  target_precompile_headers(${owner} PRIVATE ${PRECOMPILED_HEADERS})
endfunction()

# weighbridge_use_precompiled(<target> <kind>): the sources of the target begin with those headers.
function(weighbridge_use_precompiled target kind)
  if(TARGET weighbridge_${kind}_headers)
    target_precompile_headers(${target} REUSE_FROM weighbridge_${kind}_headers)
  endif()
endfunction()
