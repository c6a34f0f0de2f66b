# 32-bit ARMv7 with a floating point unit: Raspberry Pi 2, BeagleBone and their like. The first
# Raspberry Pi and the Zero are ARMv6: see armel.cmake.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(LINNET_ARCH armhf)
set(LINNET_TRIPLE arm-linux-gnueabihf)
set(LINNET_QEMU qemu-arm-static)
include(${CMAKE_CURRENT_LIST_DIR}/arm32.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
