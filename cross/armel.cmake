# 32-bit ARM from ARMv5T on, without a floating point unit: the first Raspberry Pi, the Zero, old
# network storage. The static binary also runs where the system itself is armhf.
set(CMAKE_SYSTEM_PROCESSOR armv5tel)
set(LINNET_ARCH armel)
set(LINNET_TRIPLE arm-linux-gnueabi)
set(LINNET_QEMU qemu-arm-static)
# These machines have no instruction for 64-bit atomics.
set(LINNET_LIBRARIES -latomic)
include(${CMAKE_CURRENT_LIST_DIR}/arm32.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
