// Turns the connections of one listening socket into links of one shard.
#pragma once

#include "net/listener.hpp"
#include "shard/shard.hpp"
#include "transport/door.hpp"
#include "transport/entrance.hpp"

namespace linnet::transport {

class Acceptor final : public net::AcceptHandler {
 public:
  /// `socket` listens; the others outlive the acceptor, and `keeper` is the shard's. Throws
  /// std::system_error (start-up).
  Acceptor(net::FileDescriptor socket, const Entrance& entrance, shard::Shard& shard,
           DoorKeeper& keeper);

  void on_accept(net::FileDescriptor socket, const net::Endpoint& peer) override;
  /// What those meet who come from now on.
  void use(const Entrance& entrance) noexcept;

 private:
  const Entrance* entrance_;
  shard::Shard& shard_;
  DoorKeeper& keeper_;
  Door door_;
  net::Listener listener_;
};

}  // namespace linnet::transport
