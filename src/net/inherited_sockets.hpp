// Listening sockets that a service manager has opened for us: systemd's socket activation. Start-up
// only, before the first thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/file_descriptor.hpp"
#include "net/socket_address.hpp"

namespace linnet::net {

class InheritedSockets {
 public:
  /// None.
  InheritedSockets() noexcept = default;
  /// Those that LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES tell of; none if they are meant for
  /// another process. The variables are gone afterwards, and the sockets are non-blocking and
  /// closed on exec.
  [[nodiscard]] static InheritedSockets from_environment();
  /// Owns `count` descriptors from `first` on; `names` are separated by colons, and may be missing.
  [[nodiscard]] static InheritedSockets adopt(int first, int count, std::string_view names);

  /// The socket that listens there, which is then the caller's; nothing if there is none.
  [[nodiscard]] FileDescriptor take(const SocketAddress& address) noexcept;

  /// A warning about the descriptors that nobody has taken; empty if there are none.
  [[nodiscard]] std::string complaint() const;

 private:
  struct Entry {
    FileDescriptor descriptor;
    SocketAddress address;
    std::string name;
    bool listens = false;
  };
  std::vector<Entry> entries_;
};

}  // namespace linnet::net
