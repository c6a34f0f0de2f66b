#include "net/channel.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace linnet::net {

ReadResult read_from(Channel* below, int socket, std::span<char> room) {
  if (below != nullptr) return below->read(socket, room);
  ssize_t received = 0;
  do {
    received = ::recv(socket, room.data(), room.size(), 0);
  } while (received < 0 && errno == EINTR);
  if (received > 0) return {ReadResult::State::bytes, static_cast<std::size_t>(received)};
  if (received == 0) return {ReadResult::State::closed};
  if (errno == EAGAIN) return {ReadResult::State::again};
  return {ReadResult::State::failed};
}

WriteResult write_to(Channel* below, int socket, std::span<const iovec> parts) {
  if (below != nullptr) return below->write(socket, parts);
  if (parts.empty()) return {};
  std::size_t offered = 0;
  for (const iovec& part : parts)
    offered += part.iov_len;
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());  // sendmsg does not change them
  message.msg_iovlen = parts.size();
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return {0, errno == EAGAIN, errno != EAGAIN};
  const auto count = static_cast<std::size_t>(sent);
  return {count, count < offered, false};
}

WriteResult end_of(Channel* below, int socket) {
  return below == nullptr ? WriteResult{} : below->end(socket);
}

}  // namespace linnet::net
