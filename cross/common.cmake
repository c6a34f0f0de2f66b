# What the toolchain files of this folder share: Debian's cross compiler for LINNET_TRIPLE, and the
# target's libraries in the sysroot that cross/sysroot has filled. A toolchain file sets
#
#   LINNET_ARCH        Debian's name of the architecture, and the sysroot's
#   LINNET_TRIPLE      the compiler's prefix, and the folder of the target's libraries
#   LINNET_QEMU        what runs the target's programs here
#   LINNET_FLAGS       further flags of the compiler, if any
#   LINNET_LIBRARIES   further libraries that come last, if any

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER ${LINNET_TRIPLE}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${LINNET_TRIPLE})

get_filename_component(linnet_sysroot ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot/${LINNET_ARCH}
                       ABSOLUTE)
if(NOT EXISTS ${linnet_sysroot}/.filled)
  message(FATAL_ERROR "${linnet_sysroot} is not filled: run cross/sysroot ${LINNET_ARCH}, or "
                      "./dev cross ${LINNET_ARCH}, which does it")
endif()

# Libraries are the target's alone. Headers without libraries (Boost) serve every target: the
# sysroot has links to this machine's.
set(CMAKE_FIND_ROOT_PATH ${linnet_sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)

set(linnet_include ${linnet_sysroot}/usr/include)
set(linnet_lib ${linnet_sysroot}/usr/lib/${LINNET_TRIPLE})
string(JOIN " " CMAKE_CXX_FLAGS_INIT -isystem ${linnet_include}/${LINNET_TRIPLE}
       -isystem ${linnet_include} ${LINNET_FLAGS})
# The libraries of libraries, such as libssl's libcrypto, are looked for by -rpath-link.
string(JOIN " " CMAKE_EXE_LINKER_FLAGS_INIT -L${linnet_lib} -Wl,-rpath-link,${linnet_lib})
set(CMAKE_CXX_STANDARD_LIBRARIES_INIT "${LINNET_LIBRARIES}")

set(CMAKE_CROSSCOMPILING_EMULATOR ${LINNET_QEMU})
