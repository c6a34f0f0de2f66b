// The file of a Unix socket that we have bound: it is removed with its owner, unless another
// program has put its own in its place. One thread at a time.
#pragma once

#include <string>
#include <sys/types.h>

namespace linnet::net {

class SocketFile {
 public:
  SocketFile() noexcept = default;
  /// The file exists.
  explicit SocketFile(std::string path) noexcept;
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile() { remove(); }

  void remove() noexcept;
  /// Leaves the file where it is.
  void forget() noexcept { path_.clear(); }

 private:
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace linnet::net
