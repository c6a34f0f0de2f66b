#include "transport/acceptor.hpp"

#include <memory>
#include <utility>

#include "transport/socket_link.hpp"

namespace linnet::transport {

Acceptor::Acceptor(net::FileDescriptor socket, const Entrance& entrance, shard::Shard& shard,
                   DoorKeeper& keeper)
    : entrance_(&entrance),
      shard_(shard),
      keeper_(keeper),
      door_(entrance, keeper),
      listener_(std::move(socket), shard.reactor(), *this) {}

void Acceptor::use(const Entrance& entrance) noexcept {
  entrance_ = &entrance;
  door_ = Door(entrance, keeper_);
}

void Acceptor::on_accept(net::FileDescriptor socket, const net::Endpoint& peer) {
  auto admission = door_.open(peer, shard_.reactor().now_ms());
  if (!admission) return;  // closed
  FirstChannel first = first_channel(*entrance_, socket.get(), peer);
  if (first.failed) return;  // closed: there is no memory to say more
  auto link =
      std::make_unique<SocketLink>(std::move(socket), peer, entrance_->traits, shard_.reactor());
  link->use(std::move(first.channel));
  link->hold(std::move(admission));
  shard_.accept(std::move(link));
}

}  // namespace linnet::transport
