#include "transports_client.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

namespace linnet::bench {

namespace {

constexpr auto kMask = "\x37\xFA\x21\x3D"sv;  // any will do; zeros could be a broker's easy case

[[noreturn]] void fail_tls(std::string_view what) {
  char text[256] = "the broker closed the connection";
  if (const auto error = ::ERR_get_error(); error != 0) ::ERR_error_string_n(error, text, 256);
  fail(std::string(what) + ": " + text);
}

/// 0 if it has to wait; whatever else went wrong ends the process.
std::size_t done_of(SSL* ssl, int result, std::string_view what) {
  if (result > 0) return static_cast<std::size_t>(result);
  const auto error = ::SSL_get_error(ssl, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
  fail_tls(what);
}

int as_int(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, 1 << 30));
}

}  // namespace

std::string_view name_of(Transport transport) {
  switch (transport) {
    case Transport::tcp: return "tcp";
    case Transport::tls13: return "TLS 1.3";
    case Transport::tls12: return "TLS 1.2";
    case Transport::ws: return "ws";
    case Transport::wss: return "wss";
  }
  return {};
}

bool has_tls(Transport transport) {
  return transport != Transport::tcp && transport != Transport::ws;
}

bool has_frames(Transport transport) {
  return transport == Transport::ws || transport == Transport::wss;
}

void SslFree::operator()(SSL* ssl) const {
  ::SSL_free(ssl);
}

void SslFree::operator()(SSL_CTX* context) const {
  ::SSL_CTX_free(context);
}

SslContext client_context(Transport transport) {
  if (!has_tls(transport)) return {};
  SslContext context(::SSL_CTX_new(::TLS_client_method()));
  if (!context) fail_tls("no TLS context");
  const int version = transport == Transport::tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  ::SSL_CTX_set_min_proto_version(context.get(), version);
  ::SSL_CTX_set_max_proto_version(context.get(), version);
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  ::SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

SslHandle tls_on(const Descriptor& socket, SSL_CTX* context) {
  SslHandle ssl(::SSL_new(context));
  if (!ssl || ::SSL_set_fd(ssl.get(), socket.get()) != 1) fail_tls("no TLS");
  // OpenSSL reads and writes as the socket says, and nobody here wants to wait there.
  if (::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) fail_errno("fcntl");
  ::SSL_set_connect_state(ssl.get());
  return ssl;
}

TransportClient::TransportClient(Transport transport, std::uint32_t port, SSL_CTX* context)
    : framed_(has_frames(transport)), socket_(connect_to(port)) {
  if (context != nullptr) {
    ssl_ = tls_on(socket_, context);
    shake_hands();
  }
  if (framed_) upgrade(port);
}

void TransportClient::shake_hands() {
  while (true) {
    ::ERR_clear_error();
    if (done_of(ssl_.get(), ::SSL_do_handshake(ssl_.get()), "TLS handshake") > 0) return;
    wait_for(POLLIN);
  }
}

void TransportClient::upgrade(std::uint32_t port) {
  const auto request = "GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                       "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n"
                       "Sec-WebSocket-Key: bGlubmV0LWJlbmNobWFyaw==\r\n\r\n";
  if (send(request) != request.size()) fail("no room for a request");
  std::string answer;
  char bytes[1024];
  while (!answer.ends_with("\r\n\r\n")) {
    const auto got = receive_below(bytes, sizeof bytes);
    if (got == 0) wait_for(POLLIN);
    answer.append(bytes, got);
  }
  if (!answer.starts_with("HTTP/1.1 101 ")) fail("no WebSocket: " + answer);
}

std::string TransportClient::framed(const std::string& packet) const {
  if (!framed_) return packet;
  constexpr std::size_t kShort = 125;
  std::string frame = "\x82";  // binary, and the last of its message
  if (packet.size() <= kShort) {
    frame += static_cast<char>(0x80 | packet.size());
  } else if (packet.size() <= 0xFFFF) {
    frame.append("\xFE").append(two_bytes(packet.size()));
  } else {
    frame.append("\xFF").append(4, '\0').append(two_bytes(packet.size() >> 16));
    frame.append(two_bytes(packet.size() & 0xFFFF));
  }
  frame += kMask;
  for (std::size_t at = 0; at < packet.size(); ++at)
    frame += static_cast<char>(packet[at] ^ kMask[at % kMask.size()]);
  return frame;
}

void TransportClient::send_whole(const std::string& packet) {
  const auto bytes = framed(packet);
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto more = send(std::string_view(bytes).substr(sent));
    if (more == 0) wait_for(POLLOUT);
    sent += more;
  }
}

void TransportClient::expect(std::string_view answer) {
  std::string bytes(answer.size(), '\0');
  for (std::size_t size = 0; size < bytes.size();) {
    const auto more = receive(bytes.data() + size, bytes.size() - size);
    if (more == 0 && !has_more()) wait_for(POLLIN);
    size += more;
  }
  if (bytes != answer) fail("the broker refused a client");
}

std::size_t TransportClient::send(std::string_view bytes) {
  if (ssl_) {
    ::ERR_clear_error();
    return done_of(ssl_.get(), ::SSL_write(ssl_.get(), bytes.data(), as_int(bytes.size())),
                   "send over TLS");
  }
  const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (sent < 0) fail_errno("send");
  return static_cast<std::size_t>(sent);
}

std::size_t TransportClient::receive(char* room, std::size_t room_bytes) {
  const auto got = receive_below(room, room_bytes);
  return framed_ ? without_frames(room, got) : got;
}

bool TransportClient::has_more() const {
  return ssl_ && ::SSL_pending(ssl_.get()) > 0;
}

std::size_t TransportClient::receive_below(char* room, std::size_t room_bytes) {
  if (!ssl_) {
    const auto got = ::recv(socket_.get(), room, room_bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (got <= 0) fail("the broker closed a connection");
    return static_cast<std::size_t>(got);
  }
  std::size_t all = 0;
  while (all < room_bytes) {
    ::ERR_clear_error();
    const auto got =
        done_of(ssl_.get(), ::SSL_read(ssl_.get(), room + all, as_int(room_bytes - all)),
                "receive over TLS");
    if (got == 0) break;
    all += got;
  }
  return all;
}

// In place: what is left of the bytes when the frames' headers are gone.
std::size_t TransportClient::without_frames(char* bytes, std::size_t size) {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < size;) {
    if (frame_left_ == 0) {
      take_header(bytes[at++]);
      continue;
    }
    const auto part = std::min<std::uint64_t>(frame_left_, size - at);
    std::memmove(bytes + kept, bytes + at, part);
    kept += part;
    at += part;
    frame_left_ -= part;
  }
  return kept;
}

void TransportClient::take_header(char byte) {
  header_ += byte;
  if (header_.size() < 2) return;
  const auto is = [&](std::size_t at) { return static_cast<unsigned char>(header_[at]); };
  const auto opcode = is(0) & 0x0F;
  if (opcode > 2 || opcode == 1 || is(1) > 127) fail("the broker sent an unexpected frame");
  const std::size_t header_bytes = is(1) == 127 ? 10 : is(1) == 126 ? 4 : 2;
  if (header_.size() < header_bytes) return;
  frame_left_ = header_bytes == 2 ? is(1) : 0;
  for (std::size_t at = 2; at < header_bytes; ++at)
    frame_left_ = frame_left_ << 8 | is(at);
  header_.clear();
}

void TransportClient::wait_for(short events) const {
  pollfd socket{.fd = socket_.get(), .events = events, .revents = 0};
  constexpr int kTimeoutMs = std::chrono::milliseconds(kAnswerTimeout).count();
  const int ready = ::poll(&socket, 1, kTimeoutMs);
  if (ready == 0) fail("no answer from the broker");
  if (ready < 0 && errno != EINTR) fail_errno("poll");
}

}  // namespace linnet::bench
