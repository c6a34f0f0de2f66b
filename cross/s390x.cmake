# Big endian. Nobody's board, but it proves that no byte stands in the wrong order.
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(LINNET_ARCH s390x)
set(LINNET_TRIPLE s390x-linux-gnu)
set(LINNET_QEMU qemu-s390x-static)
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
