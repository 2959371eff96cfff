# The native module of the Python package under AddressSanitizer, by the package's own tests.
if(NOT TARGET weighbridge_python OR NOT WEIGHBRIDGE_SANITIZE MATCHES "address")
  return()
endif()

# Python is not instrumented: the runtime has to be there before it, and every object must be its own allocation.
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so
                OUTPUT_VARIABLE asan_runtime OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(package ${PROJECT_BINARY_DIR}/python)
set(sanitized_environment
  LD_PRELOAD=${asan_runtime} PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
  PYTHONPATH=${package} PYTHONDONTWRITEBYTECODE=1)

add_test(NAME python.sanitized.package
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${PROJECT_SOURCE_DIR}/python/weighbridge ${package}/weighbridge)
set_tests_properties(python.sanitized.package PROPERTIES FIXTURES_SETUP sanitized_package)

# An interpreter that is not under the sanitizer cannot load the module: this shows that it is the one that is tested.
add_test(NAME python.sanitized.is_sanitized
  COMMAND ${WEIGHBRIDGE_PYTHON} -c "import weighbridge")
set_tests_properties(python.sanitized.is_sanitized PROPERTIES
  FIXTURES_REQUIRED sanitized_package ENVIRONMENT "PYTHONPATH=${package}" PASS_REGULAR_EXPRESSION "undefined symbol: __[au]")

# What leaks is measured without the sanitizer, whose allocator keeps what is freed.
foreach(suite IN ITEMS
    edit errors file index mirror_saving read_numpy read_torch safe_open save_numpy save_property save_torch threads writer)
  add_test(NAME python.sanitized.${suite}
    COMMAND ${WEIGHBRIDGE_PYTHON} -m pytest --quiet -p no:cacheprovider test_${suite}.py
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/package)
  set_tests_properties(python.sanitized.${suite} PROPERTIES
    FIXTURES_REQUIRED sanitized_package COST 20 ENVIRONMENT "${sanitized_environment}")
endforeach()
