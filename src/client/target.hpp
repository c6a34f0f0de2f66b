// The way to a broker: its addresses, and what stands between a socket and MQTT there. Opening it
// blocks for names and files; connecting does not block. One thread.
//
//   auto target = Target::open({.url = url}, error);        // null: `error` says why
//   auto socket = target->begin_connect(error);             // writable once it is connected
//   auto channel = target->channel(socket.get());           // null: plain TCP
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/channel.hpp"
#include "net/file_descriptor.hpp"
#include "net/socket_address.hpp"
#include "net/url.hpp"
#include "tls/client_context.hpp"

namespace linnet::client {

struct TargetOptions {
  /// mqtt, mqtts, ws, wss or unix; with a host.
  net::Url url;
  /// For mqtts and wss. The host is the one that the certificate must be for.
  tls::ClientTls tls{};
  /// The address of this machine to connect from; empty: the kernel chooses.
  std::string from{};
};

class Target {
 public:
  /// Null if there is no such host, or if a file of certificates is wrong; `error` says why.
  [[nodiscard]] static std::unique_ptr<Target> open(const TargetOptions& options,
                                                    std::string& error);

  /// Plain TCP to one of these addresses.
  [[nodiscard]] static std::unique_ptr<Target> of(std::string text,
                                                  std::vector<net::SocketAddress> addresses);

  /// Which address is connected to now.
  [[nodiscard]] std::size_t address() const noexcept { return at_; }
  /// A socket that connects; it has none if that has failed at once, and `error` says why.
  [[nodiscard]] net::FileDescriptor begin_connect(std::string& error) const;
  /// What speaks on a socket that has connected; null for plain TCP.
  [[nodiscard]] std::unique_ptr<net::Channel> channel(int socket) const;

  /// A name may have addresses where nobody listens. After a failure at address `failed`: takes the
  /// next one, unless somebody else has done so; false if there is none, or if this one has been
  /// connected to before.
  [[nodiscard]] bool try_next(std::size_t failed) noexcept;
  void note_connected() noexcept { connected_ = true; }
  /// Begins again with the first address: after a connection that was lost. A name is looked up
  /// again, since its service may have moved, which blocks; what was known stands if that fails.
  void restart();

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  Target() = default;

  std::string text_;  // the URL
  net::Url url_;
  std::vector<net::SocketAddress> addresses_;
  std::size_t at_ = 0;
  bool connected_ = false;
  net::SocketAddress from_;                        // of no size: any
  std::unique_ptr<const tls::ClientContext> tls_;  // null: no TLS
  std::string upgrade_host_;                       // empty: no WebSocket
  std::string upgrade_path_;
};

}  // namespace linnet::client
