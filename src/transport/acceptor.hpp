// Turns the connections of one listening socket into links of one shard.
#pragma once

#include "net/listener.hpp"
#include "shard/shard.hpp"

namespace linnet::transport {

class Acceptor final : public net::AcceptHandler {
 public:
  /// `socket` listens; shard and traits outlive the acceptor. Throws std::system_error (start-up).
  Acceptor(net::FileDescriptor socket, const net::ListenerTraits& traits, shard::Shard& shard);

  void on_accept(net::FileDescriptor socket, const net::Endpoint& peer) override;
  /// Stops accepting for good.
  void stop() { listener_.pause(); }

 private:
  const net::ListenerTraits& traits_;
  shard::Shard& shard_;
  net::Listener listener_;
};

}  // namespace linnet::transport
