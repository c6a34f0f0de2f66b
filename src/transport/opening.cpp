#include "transport/opening.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "base/cat.hpp"
#include "net/first_bytes.hpp"
#include "transport/proxied.hpp"

namespace linnet::transport {

namespace {

using net::FirstProtocol;
using net::ReadResult;
using net::WriteResult;
using State = net::ReadResult::State;

/// Looks at what has come without taking it. Errors are told as read() tells them.
ReadResult peek(int socket, std::span<char> room) {
  ssize_t size = 0;
  do {
    size = ::recv(socket, room.data(), room.size(), MSG_PEEK);
  } while (size < 0 && errno == EINTR);
  if (size > 0) return {State::bytes, static_cast<std::size_t>(size)};
  if (size == 0) return {State::closed};
  return {errno == EAGAIN ? State::again : State::failed};
}

constexpr std::string_view kUnknownText =
    "it speaks neither MQTT nor HTTP, and no TLS that is offered here";

}  // namespace

Opening::Opening(const Entrance& entrance, const net::Endpoint& peer) noexcept
    : entrance_(entrance),
      peer_(peer),
      stage_(entrance.proxy_protocol ? Stage::proxy : Stage::socket) {}

ReadResult Opening::read(int socket, std::span<char> room) {
  if (!fault_.empty()) return {State::failed};
  switch (stage_) {
    case Stage::proxy: return read_proxy(socket, room);
    case Stage::socket: return read_first(socket);
    case Stage::tls: return read_tls(socket, room);
    case Stage::done: break;
  }
  return {State::again};
}

ReadResult Opening::read_proxy(int socket, std::span<char> room) {
  if (!entrance_.trusted_proxies.contains(peer_)) {
    return refuse("it is not a proxy to be believed; listener.trusted_proxies names those");
  }
  const std::span<char> fresh = room.first(net::kProxyHeaderMax - header_.size());
  const ReadResult peeked = peek(socket, fresh);
  if (peeked.state != State::bytes) return peeked;
  const std::size_t known = header_.size();
  header_.append(fresh.data(), peeked.count);
  net::ProxyParse parse = net::parse_proxy_header(header_);
  if (parse.state == net::ProxyParse::State::bad) {
    return refuse(cat("its PROXY header is wrong: ", std::string_view(parse.error)));
  }
  header_.resize(parse.count);
  // These bytes were there a moment ago, and nobody else reads this socket.
  const ReadResult taken = net::read_from(nullptr, socket, fresh.first(parse.count - known));
  if (taken.state != State::bytes || taken.count != parse.count - known) return {State::failed};
  if (parse.state == net::ProxyParse::State::incomplete) {
    if (header_.size() < net::kProxyHeaderMax) return {State::again};
    return refuse("its PROXY header is too long");
  }
  header_ = {};
  return take_header(std::move(parse.header), socket);
}

ReadResult Opening::take_header(net::ProxyHeader header, int socket) {
  if (header.client) {
    peer_ = *header.client;
    told_ = true;
  }
  if (entrance_.takes_proxied_name && header.certificate_verified) {
    proxied_name_ = std::move(header.common_name);
  }
  if (entrance_.scheme != net::Scheme::any) return open_listed(socket);
  stage_ = Stage::socket;
  return read_first(socket);
}

/// The header has been read, and the rest is as the listener's URL says.
ReadResult Opening::open_listed(int socket) {
  std::unique_ptr<net::Channel> below;
  if (entrance_.tls) {
    below = entrance_.tls->accept(socket);
    if (!below) return {State::failed};
  } else {
    below = plain();
  }
  if (entrance_.web) return become_web(std::move(below), {});
  return become(std::move(below));
}

ReadResult Opening::read_first(int socket) {
  char first = 0;
  const ReadResult peeked = peek(socket, {&first, 1});
  if (peeked.state != State::bytes) return peeked;
  switch (net::first_protocol({&first, 1})) {
    case FirstProtocol::mqtt: return become(plain());
    case FirstProtocol::http: return become_web(plain(), {});
    case FirstProtocol::tls: break;
    case FirstProtocol::none:
    case FirstProtocol::unknown: return refuse(std::string(kUnknownText));
  }
  if (!entrance_.tls) {
    return refuse("it speaks TLS, which this listener has no certificate for; set tls.cert");
  }
  tls_ = entrance_.tls->accept(socket);
  if (!tls_) return {State::failed};
  stage_ = Stage::tls;
  return {State::again};
}

ReadResult Opening::read_tls(int socket, std::span<char> room) {
  const ReadResult result = tls_->read(socket, room);
  if (result.state == State::failed) fault_ = tls_->fault();
  if (result.state != State::bytes) return result;
  const std::string_view bytes(room.data(), result.count);
  FirstProtocol protocol = net::first_protocol(bytes);
  if (tls_->chosen() == tls::Chosen::mqtt) protocol = FirstProtocol::mqtt;
  if (tls_->chosen() == tls::Chosen::http) protocol = FirstProtocol::http;
  if (protocol == FirstProtocol::http) return become_web(std::move(tls_), bytes);
  if (protocol != FirstProtocol::mqtt) return refuse(std::string(kUnknownText));
  (void)become(std::move(tls_));
  return result;
}

/// Without TLS of its own, the client is whom the proxy says.
std::unique_ptr<net::Channel> Opening::plain() {
  if (proxied_name_.empty()) return nullptr;
  return std::make_unique<Proxied>(std::move(proxied_name_));
}

ReadResult Opening::become(std::unique_ptr<net::Channel> next) {
  next_ = std::move(next);
  stage_ = Stage::done;
  return {State::again};
}

ReadResult Opening::become_web(std::unique_ptr<net::Channel> below, std::string_view known) {
  return become(entrance_.web->accept(std::move(below), peer_, known));
}

ReadResult Opening::refuse(std::string fault) {
  fault_ = std::move(fault);
  return {State::failed};
}

WriteResult Opening::write(int socket, std::span<const iovec> parts) {
  // Nothing is said before CONNECT; but a TLS alert may wait.
  WriteResult result = tls_ ? tls_->write(socket, {}) : WriteResult{};
  if (result.blocked || result.failed) return result;
  for (const iovec& part : parts)
    result.count += part.iov_len;
  return result;
}

WriteResult Opening::end(int socket) {
  return net::end_of(tls_.get(), socket);
}

bool Opening::has_more() const noexcept {
  return tls_ && tls_->has_more();
}

bool Opening::wants_write() const noexcept {
  return tls_ && tls_->wants_write();
}

bool Opening::is_opening() const noexcept {
  return tls_ && tls_->is_opening();
}

net::Channel::Successor Opening::take_successor() {
  if (stage_ != Stage::done) return {};
  return {true, std::move(next_)};
}

std::string Opening::fault() const {
  return fault_;
}

const net::Endpoint* Opening::told_endpoint() const noexcept {
  return told_ ? &peer_ : nullptr;
}

}  // namespace linnet::transport
