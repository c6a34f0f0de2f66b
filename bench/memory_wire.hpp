// A wire in memory: what stands where the kernel's socket stands else. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <sys/uio.h>

#include "net/channel.hpp"
#include "transport/socket_link.hpp"

namespace linnet::bench {

/// The client's end of a wire. It outlives the link.
struct MemoryPeer {
  std::string_view to_broker;  // sent, and not yet read; the bytes belong to whoever sends them
  std::string from_broker;
  transport::SocketLink* link = nullptr;  // null: the broker has closed it
};

/// The copying is not counted: it is the kernel's part.
class MemoryWire final : public net::Channel {
 public:
  explicit MemoryWire(MemoryPeer& peer) noexcept : peer_(peer) {}
  ~MemoryWire() override { peer_.link = nullptr; }

  [[nodiscard]] net::ReadResult read(int socket, std::span<char> room) override;
  [[nodiscard]] net::WriteResult write(int socket, std::span<const iovec> parts) override;
  [[nodiscard]] net::WriteResult end(int) override { return {}; }

 private:
  MemoryPeer& peer_;
};

}  // namespace linnet::bench
