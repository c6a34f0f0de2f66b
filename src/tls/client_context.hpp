// How we speak TLS to a service: the server shows a certificate for its name, signed by somebody
// whom we trust, or there is no connection. TLS 1.2 and newer. Immutable; any thread.
#pragma once

#include <memory>
#include <string>

#include "net/channel.hpp"

namespace linnet::tls {

/// Whom a client believes, and who it is itself.
struct ClientTls {
  std::string authorities;  // a PEM file or a folder of them; empty: the system's
  std::string host;         // the name or the address that the certificate must be for
  std::string cert_file;    // our own certificate and its key; both empty: none
  std::string key_file;
  bool insecure = false;  // believes everybody: for measurements, not for messages
  bool any_name = false;  // a trusted certificate may be for another host
  /// A key that both sides know, in hexadecimal digits, and its name: instead of certificates.
  std::string psk{};
  std::string psk_identity{};
  std::string ciphers{};  // of TLS 1.2, as OpenSSL writes them; empty: its choice
  std::string version{};  // "1.2" or "1.3" alone; empty: both
  std::string alpn{};     // the protocol that is asked for; empty: none
};

class ClientContext {
 public:
  /// `authorities` is a PEM file, or a folder of them, of whose certificates are trusted; empty:
  /// the system's. `host` is the name or the address that the server's certificate must be for. It
  /// reads files: start-up and reload only. Null if something is wrong: `error` then says what.
  [[nodiscard]] static std::unique_ptr<const ClientContext> open(const std::string& authorities,
                                                                 const std::string& host,
                                                                 std::string& error);
  /// The same, with a certificate of our own, or without asking for the server's name.
  [[nodiscard]] static std::unique_ptr<const ClientContext> open(const ClientTls& options,
                                                                 std::string& error);
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;
  ~ClientContext();

  /// The TLS of a socket that has just been connected: the first write() begins the handshake, and
  /// takes no parts before it is done. Null if there is no memory. The context must outlive it.
  [[nodiscard]] std::unique_ptr<net::Channel> connect(int socket) const;

 private:
  struct Impl;
  explicit ClientContext(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::tls
