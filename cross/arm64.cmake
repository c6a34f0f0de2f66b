# 64-bit ARM: Raspberry Pi 3 and later, Zero 2 and nearly every newer board.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(LINNET_ARCH arm64)
set(LINNET_TRIPLE aarch64-linux-gnu)
set(LINNET_QEMU qemu-aarch64-static)
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
