# Installs BUILD into an empty prefix below WORK, builds the consumer by WAY (static, shared or
# pkg-config) against nothing but that prefix, and lets it convert SAMPLE.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(prefix ${WORK}/prefix)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})

# The headers' version, which the program prints, is the build's.
execute_process(COMMAND ${prefix}/bin/weighbridge --version
  OUTPUT_VARIABLE printed OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(NOT printed STREQUAL "weighbridge ${VERSION}")
  message(FATAL_ERROR "'${printed}' is not version ${VERSION}")
endif()

if(WAY STREQUAL "pkg-config")
  find_program(pkg_config pkg-config REQUIRED)
  set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBDIR}/pkgconfig)
  execute_process(COMMAND ${pkg_config} --cflags --libs weighbridge
    OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run(${COMPILER} -std=c++20 ${CONSUMER}/main.cpp ${flags} -Wl,-rpath,${prefix}/${LIBDIR} -o ${WORK}/consumer)
  set(consumer ${WORK}/consumer)
else()
  run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${WORK}/build -G ${GENERATOR}
      -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_PREFIX_PATH=${prefix} -D KIND=${WAY})
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  set(consumer ${WORK}/build/consumer)
endif()

run(${consumer} ${SAMPLE} ${WORK}/sample.safetensors)
