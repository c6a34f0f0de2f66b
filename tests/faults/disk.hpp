// The disk under the data files, as the fault library shows it: knows which descriptors are data
// files, keeps to its orders, and writes the trace. The functions that replace libc's are in
// preload.cpp. Any thread.
//
// It serves a whole process from its first system call on, so it is the one object here that is
// global.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <sys/types.h>
#include <sys/uio.h>

#include "faults/orders.hpp"
#include "faults/trace.hpp"

namespace linnet::faults {

/// libc's own functions.
struct Libc {
  int (*open)(const char*, int, ...);
  int (*openat)(int, const char*, int, ...);
  int (*close)(int);
  ssize_t (*pwrite)(int, const void*, std::size_t, off_t);
  ssize_t (*pwritev)(int, const iovec*, int, off_t);
  ssize_t (*write)(int, const void*, std::size_t);
  ssize_t (*writev)(int, const iovec*, int);
  int (*fdatasync)(int);
  int (*fsync)(int);
  int (*ftruncate)(int, off_t);
  int (*fallocate)(int, int, off_t, off_t);
  int (*clock_gettime)(int, struct timespec*);
};
[[nodiscard]] const Libc& libc();

class Disk {
 public:
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Takes orders and the trace's path from the environment: LINNET_FAULTS, LINNET_FAULTS_TRACE.
  void read_environment();
  /// Within a test's own process: writes a trace from now on, until it is null.
  void trace_to(const char* path);
  void mark(std::uint64_t file, std::uint64_t offset);
  /// The test has put what the disk holds in place of what was written and not synced.
  void give_up();
  /// The next sync but `skip` fails with this errno; 0: none does.
  void fail_sync(int error, int skip);

  void opened(int fd, const char* path, int flags);
  void closed(int fd);
  /// Whether this is a data file that is open for writing.
  [[nodiscard]] bool watches(int fd) const noexcept;

  [[nodiscard]] ssize_t write(int fd, const iovec* parts, int count, off_t offset);
  [[nodiscard]] int sync(int fd, int (*real)(int));
  [[nodiscard]] int resize(int fd, off_t size);
  [[nodiscard]] int allocate(int fd, int mode, off_t offset, off_t size);
  [[nodiscard]] std::int64_t wall_offset_ms() const noexcept;

 private:
  struct File {
    std::atomic<bool> watched{false};
    bool syncs_itself = false;  // O_DSYNC
    std::uint64_t inode = 0;
  };
  static constexpr int kFilesMax = 4096;

  [[nodiscard]] Orders& orders() noexcept { return orders_ != nullptr ? *orders_ : own_orders_; }
  [[nodiscard]] int fault(Number& error, Number& count, Number& skip);
  [[nodiscard]] int sync_fault(const File& file);
  void record(TraceKind kind, const File& file, off_t offset, std::size_t size);
  void record_write(const File& file, const iovec* parts, off_t offset, std::size_t size);
  void put(const TraceEntry& entry, const iovec* parts);

  Orders own_orders_;
  Orders* orders_ = nullptr;  // in the shared file
  std::array<File, kFilesMax> files_{};
  std::mutex trace_mutex_;
  std::atomic<int> trace_{-1};
};

[[nodiscard]] Disk& disk();

}  // namespace linnet::faults
