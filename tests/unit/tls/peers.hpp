// Both ends of a TLS connection in one thread: a ServerChannel of ours and a client of OpenSSL's
// own, over a socket pair.
#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <tuple>
#include <vector>

#include "net/file_descriptor.hpp"
#include "support/certificates.hpp"
#include "tls/openssl_types.hpp"
#include "tls/server_context.hpp"

namespace linnet::tls::test {

using linnet::test::Folder;
using linnet::test::Identity;
using linnet::test::kDay_s;
using linnet::test::Works;
using State = net::ReadResult::State;

/// What a client of a test is like.
struct ClientSpec {
  int version_min = 0;
  int version_max = 0;
  std::string host = {};
  std::string alpn = {};  // as on the wire: "\x04mqtt"
  const Identity* identity = nullptr;
  std::string psk_identity = {};
  std::string psk_key = {};
  std::string ciphers = {};
  std::string ciphersuites = {};
  SSL_SESSION* session = nullptr;
};

class Client {
 public:
  Client(const ClientSpec& spec, int socket) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_min_proto_version(context, spec.version_min);
    SSL_CTX_set_max_proto_version(context, spec.version_max);
    const bool is_old = spec.version_max != 0 && spec.version_max < TLS1_2_VERSION;
    const std::string ciphers = spec.ciphers.empty() ? "ALL" : spec.ciphers;
    SSL_CTX_set_cipher_list(context, (ciphers + (is_old ? ":@SECLEVEL=0" : "")).c_str());
    if (!spec.ciphersuites.empty()) SSL_CTX_set_ciphersuites(context, spec.ciphersuites.c_str());
    if (spec.identity != nullptr) {
      SSL_CTX_use_certificate(context, spec.identity->certificate());
      SSL_CTX_use_PrivateKey(context, spec.identity->key());
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    ssl_.reset(SSL_new(context));
    SSL_set_ex_data(ssl_.get(), 0, this);
    if (!spec.host.empty())
      SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(spec.host.c_str()));
    if (!spec.alpn.empty())
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(spec.alpn.data()),
                          static_cast<unsigned int>(spec.alpn.size()));
    psk_identity_ = spec.psk_identity;
    psk_key_ = spec.psk_key;
    if (!psk_identity_.empty()) SSL_set_psk_client_callback(ssl_.get(), on_psk);
    if (spec.session != nullptr) SSL_set_session(ssl_.get(), spec.session);
    SSL_set_fd(ssl_.get(), socket);
    SSL_set_connect_state(ssl_.get());
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] SSL_SESSION* session() const { return session_.get(); }
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] bool is_closed() const { return is_closed_; }
  void keep_received_short() { received_.clear(); }

  /// Handshakes and reads all that is there.
  void pump() {
    if (!failure_.empty() || is_closed_) return;
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get()) == 0) {
      const int result = SSL_do_handshake(ssl_.get());
      if (result != 1) return note(result);
    }
    std::array<char, 16384> room;
    for (;;) {
      const int got = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
      if (got <= 0) return note(got);
      received_.append(room.data(), static_cast<std::size_t>(got));
    }
  }
  /// How many bytes were taken.
  std::size_t send(std::string_view text) {
    ERR_clear_error();
    std::size_t taken = 0;
    SSL_write_ex(ssl_.get(), text.data(), text.size(), &taken);
    return taken;
  }

 private:
  using SessionPtr = std::unique_ptr<SSL_SESSION, OpensslDelete<SSL_SESSION_free>>;

  static int on_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<Client*>(SSL_get_ex_data(ssl, 0))->session_.reset(session);
    return 1;
  }
  // The rest is the room for the identity, the key and the room for it.
  template <class... Rest>
  static unsigned int on_psk(SSL* ssl, const char*, char* identity, Rest... rest) {
    const auto& self = *static_cast<Client*>(SSL_get_ex_data(ssl, 0));
    std::copy_n(self.psk_identity_.c_str(), self.psk_identity_.size() + 1, identity);
    std::copy(self.psk_key_.begin(), self.psk_key_.end(), std::get<1>(std::tuple(rest...)));
    return static_cast<unsigned int>(self.psk_key_.size());
  }
  void note(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_ZERO_RETURN) is_closed_ = true;
    if (error == SSL_ERROR_SYSCALL) failure_ = "gone";
    if (error == SSL_ERROR_SSL) failure_ = take_openssl_error();
  }

  SslContextPtr context_;
  SslPtr ssl_;
  SessionPtr session_;
  std::string psk_identity_;
  std::string psk_key_;
  std::string failure_;
  std::string received_;
  bool is_closed_ = false;
};

/// Sockets that do not block; the first is the server's.
struct Sockets {
  Sockets() {
    int pair[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    server = net::FileDescriptor(pair[0]);
    client = net::FileDescriptor(pair[1]);
  }
  net::FileDescriptor server;
  net::FileDescriptor client;
};

class Link {
 public:
  Link(const ServerContext& context, const ClientSpec& spec)
      : channel_(context.accept(sockets_.server.get())), client_(spec, sockets_.client.get()) {}

  [[nodiscard]] ServerChannel& channel() { return *channel_; }
  [[nodiscard]] Client& client() { return client_; }
  [[nodiscard]] Sockets& sockets() { return sockets_; }
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] State state() const { return state_; }

  /// The server reads until there is nothing more; what it has become is state().
  void serve() {
    std::array<char, 32768> room;
    for (;;) {
      if (channel_->wants_write()) static_cast<void>(channel_->write(socket(), {}));
      const auto result = channel_->read(socket(), room);
      state_ = result.state;
      if (result.state != State::bytes) return;
      received_.append(room.data(), result.count);
    }
  }
  /// Both sides, until neither has more to say.
  void settle() {
    for (int i = 0; i < 12; ++i) {
      client_.pump();
      serve();
    }
  }
  /// Settles, and says whether both sides are through.
  [[nodiscard]] bool opens() {
    settle();
    return !channel_->is_opening() && state_ == State::again && client_.failure().empty() &&
           SSL_is_init_finished(client_.ssl()) == 1;
  }
  [[nodiscard]] net::WriteResult write(std::string_view text) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    return channel_->write(socket(), {&part, 1});
  }
  [[nodiscard]] int socket() const { return sockets_.server.get(); }
  [[nodiscard]] std::string user() { return channel_->facts().user_name; }
  [[nodiscard]] net::PeerFacts::Proof proof() { return channel_->facts().proof; }

 private:
  Sockets sockets_;
  std::unique_ptr<ServerChannel> channel_;
  Client client_;
  std::string received_;
  State state_ = State::again;
};

/// Files of a Works, and contexts over them.
class TlsTest : public testing::Test {
 protected:
  TlsTest() { std::signal(SIGPIPE, SIG_IGN); }

  [[nodiscard]] std::unique_ptr<ServerContext> open(Offer offer = Offer::mqtt) {
    error_.clear();
    auto context = ServerContext::open(config_, offer, error_);
    EXPECT_NE(context, nullptr) << error_;
    return context;
  }
  /// Why it cannot be opened.
  [[nodiscard]] std::string refusal() {
    std::string error;
    EXPECT_EQ(ServerContext::open(config_, Offer::mqtt, error), nullptr);
    return error;
  }
  /// The configuration shows this one too.
  void show(const Identity& identity, const std::string& name) {
    config_.cert.push_back(folder_.write(name + ".pem", identity.pem()));
    config_.key.push_back(folder_.write(name + ".key", identity.key_pem()));
  }
  void show_works() { show(works_.server, "server"); }
  void demand_certificates() {
    config_.client_ca = folder_.write("ca.pem", works_.authority.pem());
  }

  Works works_;
  Folder folder_;
  TlsConfig config_;
  std::string error_;
};

}  // namespace linnet::tls::test
