# What every target of Linnet is compiled with: warnings are errors, everywhere.

add_library(linnet_options INTERFACE)
target_compile_options(linnet_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough
  -ffunction-sections -fdata-sections)
target_link_options(linnet_options INTERFACE -Wl,--gc-sections)
target_link_libraries(linnet_options INTERFACE Threads::Threads)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of GCC 12 at -O2 in the standard library's own string code.
  target_compile_options(linnet_options INTERFACE
    -Wno-restrict -Wno-stringop-overflow -Wno-null-dereference)
endif()

if(LINNET_STATIC)
  # Still at a random address, where the C library has what that takes: not on 32-bit ARM.
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=rcrt1.o
                  OUTPUT_VARIABLE start_of_static_pie OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(EXISTS "${start_of_static_pie}")
    target_link_options(linnet_options INTERFACE -static-pie)
  else()
    target_link_options(linnet_options INTERFACE -static -no-pie)
  endif()
endif()

if(LINNET_SANITIZE)
  target_compile_options(linnet_options INTERFACE
    -fsanitize=${LINNET_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(linnet_options INTERFACE -fsanitize=${LINNET_SANITIZE})
endif()

if(LINNET_SANITIZE MATCHES "undefined")
  # The check of vtables opens a pipe to look at memory, and reports a fault where a test has taken
  # away all descriptors.
  target_compile_options(linnet_options INTERFACE -fno-sanitize=vptr)
endif()

if(LINNET_COVERAGE)
  target_compile_options(linnet_options INTERFACE --coverage)
  target_link_options(linnet_options INTERFACE --coverage)
endif()
