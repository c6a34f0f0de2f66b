// The functions of libc that touch a file or tell the time, replaced: those on a data file go to
// the Disk, all others to libc. Either preloaded into a process (LD_PRELOAD, LINNET_FAULTS names
// the file with the orders) or linked into a test.
#include <cerrno>
#include <cstdarg>
#include <ctime>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include "faults/disk.hpp"

using linnet::faults::disk;
using linnet::faults::libc;

namespace {

bool takes_mode(int flags) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

int open_file(const char* path, int flags, mode_t mode) {
  const int fd = libc().open(path, flags, mode);
  disk().opened(fd, path, flags);
  return fd;
}

int open_file_at(int folder, const char* path, int flags, mode_t mode) {
  const int fd = libc().openat(folder, path, flags, mode);
  disk().opened(fd, path, flags);
  return fd;
}

void shift(timespec& time) {
  constexpr std::int64_t kMsPerS = 1'000;
  constexpr std::int64_t kNsPerMs = 1'000'000;
  const std::int64_t ms = time.tv_sec * kMsPerS + time.tv_nsec / kNsPerMs + disk().wall_offset_ms();
  time.tv_sec = ms / kMsPerS;
  time.tv_nsec = ms % kMsPerS * kNsPerMs + time.tv_nsec % kNsPerMs;
}

/// The mode of a variadic open().
mode_t mode_of(int flags, std::va_list arguments) {
  return takes_mode(flags) ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(path, flags | O_LARGEFILE, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file_at(folder, path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file_at(folder, path, flags | O_LARGEFILE, mode);
}

int close(int fd) {
  disk().closed(fd);
  return libc().close(fd);
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  if (!disk().watches(fd)) return libc().pwritev(fd, parts, count, offset);
  return disk().write(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t offset) {
  return pwritev(fd, parts, count, offset);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  if (!disk().watches(fd)) return libc().pwrite(fd, bytes, size, offset);
  const iovec part{const_cast<void*>(bytes), size};
  return disk().write(fd, &part, 1, offset);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return pwrite(fd, bytes, size, offset);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  if (!disk().watches(fd)) return libc().writev(fd, parts, count);
  const off_t offset = lseek(fd, 0, SEEK_CUR);
  const ssize_t done = disk().write(fd, parts, count, offset);
  if (done > 0) lseek(fd, offset + done, SEEK_SET);
  return done;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  if (!disk().watches(fd)) return libc().write(fd, bytes, size);
  const iovec part{const_cast<void*>(bytes), size};
  return writev(fd, &part, 1);
}

int fdatasync(int fd) {
  return disk().watches(fd) ? disk().sync(fd, libc().fdatasync) : libc().fdatasync(fd);
}

int fsync(int fd) {
  return disk().watches(fd) ? disk().sync(fd, libc().fsync) : libc().fsync(fd);
}

int ftruncate(int fd, off_t size) noexcept {
  return disk().watches(fd) ? disk().resize(fd, size) : libc().ftruncate(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept {
  return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  if (!disk().watches(fd)) return libc().fallocate(fd, mode, offset, size);
  return disk().allocate(fd, mode, offset, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  return fallocate(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  return fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  return posix_fallocate(fd, offset, size);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int code = libc().clock_gettime(clock, time);
  if (code == 0 && clock == CLOCK_REALTIME && disk().wall_offset_ms() != 0) shift(*time);
  return code;
}

time_t time(time_t* result) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(timeval* time, void*) noexcept {
  timespec now{};
  const int code = clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1'000};
  return code;
}
}
