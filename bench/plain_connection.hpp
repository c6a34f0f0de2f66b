// A connection over plain TCP, as Traffic wants one.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include "wire.hpp"

namespace linnet::bench {

class PlainConnection {
 public:
  explicit PlainConnection(std::uint32_t port) : socket_(connect_to(port)) {}

  [[nodiscard]] const Descriptor& socket() const { return socket_; }

  /// How a packet travels: what send() takes.
  [[nodiscard]] static std::string framed(std::string packet) { return packet; }

  void send_whole(std::string_view bytes) const { bench::send_whole(socket_, bytes); }
  void expect(std::string_view answer) const { bench::expect(socket_, answer); }

  /// Does not block; 0 if there is no room.
  [[nodiscard]] std::size_t send(std::string_view bytes) const {
    const auto sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (sent < 0) fail_errno("send");
    return static_cast<std::size_t>(sent);
  }

  /// Does not block; 0 if there is nothing.
  [[nodiscard]] std::size_t receive(char* room, std::size_t room_bytes) const {
    const auto got = ::recv(socket_.get(), room, room_bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (got <= 0) fail("the broker closed a connection");
    return static_cast<std::size_t>(got);
  }

  /// Whether more can be received without the socket's being readable.
  [[nodiscard]] static bool has_more() { return false; }

 private:
  Descriptor socket_;
};

}  // namespace linnet::bench
