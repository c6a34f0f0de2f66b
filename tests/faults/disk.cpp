#include "faults/disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <new>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace linnet::faults {

namespace {

template <class Function>
void look_up(Function& function, const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  std::memcpy(&function, &found, sizeof found);
}

Libc look_up_all() {
  Libc found{};
  look_up(found.open, "open");
  look_up(found.openat, "openat");
  look_up(found.close, "close");
  look_up(found.pwrite, "pwrite");
  look_up(found.pwritev, "pwritev");
  look_up(found.write, "write");
  look_up(found.writev, "writev");
  look_up(found.fdatasync, "fdatasync");
  look_up(found.fsync, "fsync");
  look_up(found.ftruncate, "ftruncate");
  look_up(found.fallocate, "fallocate");
  look_up(found.clock_gettime, "clock_gettime");
  return found;
}

std::uint64_t now_ns() {
  timespec now{};
  libc().clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void pause_us(std::int64_t us) {
  const timespec time{us / 1'000'000, us % 1'000'000 * 1'000};
  ::nanosleep(&time, nullptr);
}

std::size_t size_of(const iovec* parts, int count) {
  std::size_t size = 0;
  for (int i = 0; i < count; ++i)
    size += parts[i].iov_len;
  return size;
}

/// Shortens a list of parts to `size` bytes; returns how many parts are left.
int cut(iovec* parts, int count, std::size_t size) {
  for (int i = 0; i < count; ++i) {
    if (parts[i].iov_len >= size) {
      parts[i].iov_len = size;
      return i + 1;
    }
    size -= parts[i].iov_len;
  }
  return count;
}

}  // namespace

const Libc& libc() {
  static const Libc found = look_up_all();
  return found;
}

Disk& disk() {
  // Never destroyed: the process uses files until its very end.
  alignas(Disk) static char memory[sizeof(Disk)];
  static Disk* const made = [] {
    auto* const fresh = new (memory) Disk;
    fresh->read_environment();
    return fresh;
  }();
  return *made;
}

void Disk::read_environment() {
  if (const char* const path = std::getenv("LINNET_FAULTS")) {
    const int fd = libc().open(path, O_RDWR | O_CLOEXEC);
    void* const memory =
        fd < 0 ? MAP_FAILED
               : mmap(nullptr, sizeof(Orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) std::abort();
    libc().close(fd);
    orders_ = static_cast<Orders*>(memory);
  }
  if (const char* const path = std::getenv("LINNET_FAULTS_TRACE")) trace_to(path);
}

void Disk::trace_to(const char* path) {
  const std::scoped_lock lock(trace_mutex_);
  const int last = trace_.exchange(-1);
  if (last >= 0) libc().close(last);
  if (path == nullptr) return;
  trace_ = libc().open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (trace_ < 0) std::abort();
}

void Disk::put(const TraceEntry& entry, const iovec* parts) {
  const std::scoped_lock lock(trace_mutex_);
  const int fd = trace_;
  if (fd < 0) return;
  bool whole = libc().write(fd, &entry, sizeof entry) == sizeof entry;
  std::size_t left = parts != nullptr ? entry.size : 0;
  for (; left != 0 && whole; ++parts) {
    const std::size_t size = parts->iov_len < left ? parts->iov_len : left;
    whole = libc().write(fd, parts->iov_base, size) == static_cast<ssize_t>(size);
    left -= size;
  }
  if (!whole) std::abort();
}

void Disk::record(TraceKind kind, const File& file, off_t offset, std::size_t size) {
  if (trace_ >= 0) put({kind, file.inode, now_ns(), static_cast<std::uint64_t>(offset), size}, {});
}

void Disk::record_write(const File& file, const iovec* parts, off_t offset, std::size_t size) {
  if (trace_ < 0) return;
  const auto at = static_cast<std::uint64_t>(offset);
  put({TraceKind::written, file.inode, now_ns(), at, size}, parts);
}

void Disk::mark(std::uint64_t file, std::uint64_t offset) {
  if (trace_ >= 0) put({TraceKind::mark, file, now_ns(), offset, 0}, nullptr);
}

void Disk::give_up() {
  if (trace_ >= 0) put({TraceKind::given_up, 0, now_ns(), 0, 0}, nullptr);
}

void Disk::fail_sync(int error, int skip) {
  Orders& told = orders();
  told.sync_skip = skip;
  told.sync_count = 1;
  told.sync_error = error;
}

void Disk::opened(int fd, const char* path, int flags) {
  if (fd < 0 || fd >= kFilesMax || path == nullptr || (flags & O_ACCMODE) == O_RDONLY) return;
  const std::string_view name(path);
  if (name != "data.mdb" && !name.ends_with("/data.mdb")) return;
  struct stat status {};
  if (fstat(fd, &status) != 0) return;
  File& file = files_[static_cast<std::size_t>(fd)];
  file.syncs_itself = (flags & O_DSYNC) != 0;
  file.inode = status.st_ino;
  file.watched = true;
  record(TraceKind::opened, file, status.st_size, 0);
}

void Disk::closed(int fd) {
  if (fd >= 0 && fd < kFilesMax) files_[static_cast<std::size_t>(fd)].watched = false;
}

bool Disk::watches(int fd) const noexcept {
  return fd >= 0 && fd < kFilesMax && files_[static_cast<std::size_t>(fd)].watched;
}

int Disk::fault(Number& error, Number& count, Number& skip) {
  const auto code = static_cast<int>(error.load());
  if (code == 0 || count == 0) return 0;
  if (skip > 0) {
    --skip;
    return 0;
  }
  if (count > 0) --count;
  ++orders().failures;
  return code;
}

int Disk::sync_fault(const File& file) {
  Orders& told = orders();
  if (const std::int64_t delay_us = told.sync_delay_us; delay_us > 0) pause_us(delay_us);
  if (told.hold_syncs != 0) {
    ++told.syncs_held;
    while (told.hold_syncs != 0)
      pause_us(500);
    --told.syncs_held;
  }
  const int code = fault(told.sync_error, told.sync_count, told.sync_skip);
  if (code != 0) {
    record(TraceKind::sync_failed, file, 0, 0);
    errno = code;
  }
  return code;
}

ssize_t Disk::write(int fd, const iovec* parts, int count, off_t offset) {
  constexpr int kPartsMax = 1024;
  if (count > kPartsMax) {
    errno = EINVAL;
    return -1;
  }
  iovec taken[kPartsMax];
  std::memcpy(taken, parts, static_cast<std::size_t>(count) * sizeof *parts);
  const File& file = files_[static_cast<std::size_t>(fd)];
  Orders& told = orders();
  ++told.writes;
  if (const int code = fault(told.write_error, told.write_count, told.write_skip); code != 0) {
    errno = code;
    return -1;
  }
  const std::size_t size = size_of(parts, count);
  struct stat status {};
  const std::int64_t limit = told.disk_bytes;
  if (limit >= 0 && fstat(fd, &status) == 0) {
    const off_t end = std::max<off_t>(limit, status.st_size);
    if (offset + static_cast<off_t>(size) > end) {
      ++told.failures;
      if (offset >= end) {
        errno = ENOSPC;
        return -1;
      }
      count = cut(taken, count, static_cast<std::size_t>(end - offset));
    }
  }
  const ssize_t done = libc().pwritev(fd, taken, count, offset);
  if (done < 0) return done;
  const auto written = static_cast<std::size_t>(done);
  record_write(file, taken, offset, written);
  if (!file.syncs_itself) return done;
  if (sync_fault(file) != 0) return -1;
  ++told.syncs;
  record(TraceKind::synced_part, file, offset, written);
  return done;
}

int Disk::sync(int fd, int (*real)(int)) {
  const File& file = files_[static_cast<std::size_t>(fd)];
  if (sync_fault(file) != 0) return -1;
  const int code = real(fd);
  if (code != 0) return code;
  ++orders().syncs;
  record(TraceKind::synced, file, 0, 0);
  return 0;
}

int Disk::resize(int fd, off_t size) {
  const int code = libc().ftruncate(fd, size);
  if (code == 0) record(TraceKind::sized, files_[static_cast<std::size_t>(fd)], size, 0);
  return code;
}

int Disk::allocate(int fd, int mode, off_t offset, off_t size) {
  Orders& told = orders();
  struct stat status {};
  const std::int64_t limit = told.disk_bytes;
  const bool grows = fstat(fd, &status) == 0 && offset + size > status.st_size;
  if (limit >= 0 && grows && offset + size > limit) {
    ++told.failures;
    errno = ENOSPC;
    return -1;
  }
  const int code = libc().fallocate(fd, mode, offset, size);
  if (code == 0 && grows && mode == 0) {
    record(TraceKind::sized, files_[static_cast<std::size_t>(fd)], offset + size, 0);
  }
  return code;
}

std::int64_t Disk::wall_offset_ms() const noexcept {
  return orders_ != nullptr ? orders_->wall_offset_ms.load() : 0;
}

}  // namespace linnet::faults
