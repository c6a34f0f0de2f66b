#include "transport/acceptor.hpp"

#include <memory>
#include <utility>

#include "transport/tcp_link.hpp"

namespace linnet::transport {

Acceptor::Acceptor(net::FileDescriptor socket, const net::ListenerTraits& traits,
                   shard::Shard& shard)
    : traits_(traits), shard_(shard), listener_(std::move(socket), shard.reactor(), *this) {}

void Acceptor::on_accept(net::FileDescriptor socket, const net::Endpoint& peer) {
  shard_.accept(std::make_unique<TcpLink>(std::move(socket), peer, traits_, shard_.reactor()));
}

}  // namespace linnet::transport
