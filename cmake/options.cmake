# A subproject gets the library alone; everything else is for those who build Weighbridge itself.
option(WEIGHBRIDGE_BUILD_CLI "Build the weighbridge executable" ${PROJECT_IS_TOP_LEVEL})
option(WEIGHBRIDGE_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(WEIGHBRIDGE_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(WEIGHBRIDGE_BUILD_BENCH "Build the native part of the benchmark suite" OFF)
option(WEIGHBRIDGE_BUILD_FUZZERS "Build the fuzz targets with libFuzzer (clang only)" OFF)
option(WEIGHBRIDGE_HDF5 "Read HDF5 and Keras files through libhdf5, where it is installed" ${PROJECT_IS_TOP_LEVEL})
option(WEIGHBRIDGE_INSTALL "Define the install rules" ${PROJECT_IS_TOP_LEVEL})
option(WEIGHBRIDGE_PYTHON_MODULE "Build the native module of the Python package" OFF)
option(WEIGHBRIDGE_SELF_CONTAINED "Link all libraries but the C library statically" OFF)
option(WEIGHBRIDGE_WARNINGS_AS_ERRORS "Fail the build on any warning" OFF)
option(WEIGHBRIDGE_COVERAGE "Instrument for gcov" OFF)
set(WEIGHBRIDGE_PREBUILT "" CACHE PATH
    "Prefix of an installed Weighbridge; the Python module is built over it, and nothing else")
set(WEIGHBRIDGE_LICENCES "" CACHE PATH "Folder of licences that go with a wheel, for what is linked into it")
set(WEIGHBRIDGE_PRECOMPILED_HEADERS "" CACHE STRING
    "Whose sources begin with precompiled headers, to build faster: library, tests, or library;tests")
set(WEIGHBRIDGE_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=, e.g. address,undefined")
set(WEIGHBRIDGE_FIXTURES "" CACHE PATH "Folder of real and hostile checkpoints; tests over it need it")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
