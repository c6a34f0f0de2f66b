// A client over one of the broker's transports, as Traffic wants one (plain_connection.hpp): MQTT
// goes in and comes out, TLS and WebSocket frames are dealt with here. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wire.hpp"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace linnet::bench {

enum class Transport : std::uint8_t { tcp, tls13, tls12, ws, wss };

[[nodiscard]] std::string_view name_of(Transport transport);
[[nodiscard]] bool has_tls(Transport transport);
[[nodiscard]] bool has_frames(Transport transport);

struct SslFree {
  void operator()(SSL* ssl) const;
  void operator()(SSL_CTX* context) const;
};
using SslHandle = std::unique_ptr<SSL, SslFree>;
using SslContext = std::unique_ptr<SSL_CTX, SslFree>;

/// Clients that trust any certificate and resume no session. Empty for what has no TLS.
[[nodiscard]] SslContext client_context(Transport transport);
/// The client's side of TLS on a connected socket, before its first byte.
[[nodiscard]] SslHandle tls_on(const Descriptor& socket, SSL_CTX* context);

class TransportClient {
 public:
  /// Connects, and shakes hands up to where CONNECT can be sent. `context` is that of `transport`.
  TransportClient(Transport transport, std::uint32_t port, SSL_CTX* context);

  [[nodiscard]] const Descriptor& socket() const { return socket_; }

  /// How a packet travels: what send() takes. Over WebSocket each packet is a frame.
  [[nodiscard]] std::string framed(const std::string& packet) const;

  /// These wait.
  void send_whole(const std::string& packet);
  void expect(std::string_view answer);

  /// Does not block; 0 if there is no room.
  [[nodiscard]] std::size_t send(std::string_view bytes);
  /// Does not block; 0 if there is nothing of MQTT.
  [[nodiscard]] std::size_t receive(char* room, std::size_t room_bytes);
  /// Whether more can be received without the socket's being readable.
  [[nodiscard]] bool has_more() const;

 private:
  void shake_hands();
  void upgrade(std::uint32_t port);
  void wait_for(short events) const;
  std::size_t receive_below(char* room, std::size_t room_bytes);
  std::size_t without_frames(char* bytes, std::size_t size);
  void take_header(char byte);

  bool framed_;
  Descriptor socket_;
  SslHandle ssl_;
  std::string header_;            // of a frame, unfinished
  std::uint64_t frame_left_ = 0;  // bytes of its payload that have yet to come
};

}  // namespace linnet::bench
