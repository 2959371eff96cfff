# libhdf5, whose C interface src/hdf5 is made on. The archive is preferred: Debian's shared library brings
# an HTTP client and all that it needs into every process that loads it, for files on the web.
#
# Sets HDF5_FOUND, and makes weighbridge_libhdf5.
set(HDF5_FOUND FALSE)
if(NOT WEIGHBRIDGE_HDF5)
  return()
endif()

find_path(WEIGHBRIDGE_HDF5_HEADERS hdf5.h PATH_SUFFIXES hdf5/serial)
find_library(WEIGHBRIDGE_HDF5_LIBRARY NAMES libhdf5_serial.a libhdf5.a hdf5_serial hdf5)
if(NOT WEIGHBRIDGE_HDF5_HEADERS OR NOT WEIGHBRIDGE_HDF5_LIBRARY)
  message(STATUS "libhdf5 was not found: HDF5 and Keras files will be refused")
  return()
endif()

set(HDF5_FOUND TRUE)
add_library(weighbridge_libhdf5 INTERFACE)
target_include_directories(weighbridge_libhdf5 SYSTEM INTERFACE ${WEIGHBRIDGE_HDF5_HEADERS})
target_compile_definitions(weighbridge_libhdf5 INTERFACE H5_USE_110_API)
target_link_libraries(weighbridge_libhdf5 INTERFACE ${WEIGHBRIDGE_HDF5_LIBRARY})
if(WEIGHBRIDGE_HDF5_LIBRARY MATCHES "[.]a$")
  # What the archive may need itself: szip is a filter that Debian builds in.
  find_library(WEIGHBRIDGE_SZIP_LIBRARY NAMES sz szip)
  find_library(WEIGHBRIDGE_AEC_LIBRARY NAMES aec)
  foreach(library IN ITEMS ${WEIGHBRIDGE_SZIP_LIBRARY} ${WEIGHBRIDGE_AEC_LIBRARY})
    if(library)
      target_link_libraries(weighbridge_libhdf5 INTERFACE ${library})
    endif()
  endforeach()
  target_link_libraries(weighbridge_libhdf5 INTERFACE ZLIB::ZLIB Threads::Threads m ${CMAKE_DL_LIBS})
endif()
