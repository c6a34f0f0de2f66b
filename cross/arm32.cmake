# What 32-bit ARM needs: times after 2038, files beyond 2 GiB, and no notes of GCC about an ABI
# that changed before these boards were made.
set(LINNET_FLAGS -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Wno-psabi)
