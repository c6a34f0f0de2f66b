// A link's TLS, or that of our own connection to a service: OpenSSL on the descriptor itself. It
// holds no buffer while nothing is under way. See net/channel.hpp for threads and rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <openssl/ssl.h>
#include <optional>
#include <span>
#include <string>

#include "tls/openssl_types.hpp"
#include "tls/server_context.hpp"

namespace linnet::tls {

class OpensslChannel final : public ServerChannel {
 public:
  /// Null if there is no memory.
  [[nodiscard]] static std::unique_ptr<OpensslChannel> make(SSL_CTX& context, int socket);
  /// The client's side. `name` is told to the server (SNI); empty: none. Null as above.
  [[nodiscard]] static std::unique_ptr<OpensslChannel> make_client(SSL_CTX& context, int socket,
                                                                   const std::string& name);
  /// Whose `ssl` this is: for OpenSSL's callbacks.
  [[nodiscard]] static OpensslChannel& of(const SSL& ssl) noexcept;

  /// Parts are not taken before the handshake is done; then nothing is done and not blocked.
  [[nodiscard]] net::WriteResult write(int socket, std::span<const iovec> parts) override;
  [[nodiscard]] net::ReadResult read(int socket, std::span<char> room) override;
  [[nodiscard]] net::WriteResult end(int socket) override;
  [[nodiscard]] bool has_more() const noexcept override { return has_more_; }
  [[nodiscard]] bool wants_write() const noexcept override { return wants_write_; }
  [[nodiscard]] bool is_opening() const noexcept override { return stage_ == Stage::opening; }
  [[nodiscard]] std::string fault() const override { return fault_; }
  [[nodiscard]] net::PeerFacts facts() const override;
  [[nodiscard]] Chosen chosen() const noexcept override;

  /// The first one stands.
  void note_fault(std::string text);

 private:
  enum class Stage : std::uint8_t {
    opening,  // the handshake
    open,
    closed,  // the client has ended its side; we may still write
    broken,  // OpenSSL must not be asked any more
  };
  /// What one call of OpenSSL has come to, where it has not done its work.
  enum class Halt : std::uint8_t { wants_read, wants_write, closed, broken };
  using State = net::ReadResult::State;

  OpensslChannel() = default;
  /// OpenSSL calls it around each operation on the socket's BIO; the last but one of `rest` is what
  /// the operation is to return.
  template <class... Rest>
  static long on_bio(BIO* bio, int operation, Rest... rest);
  [[nodiscard]] bool may_read_socket() noexcept;
  [[nodiscard]] bool accept_hello(std::string_view bytes) noexcept;

  [[nodiscard]] bool attach(SSL_CTX& context, int socket);
  [[nodiscard]] std::string take_own_fault();
  void prepare_call() noexcept;
  [[nodiscard]] Halt halt_of(int result);
  void note_halt(Halt halt) noexcept;
  void open();
  /// How many bytes now; 0 leaves it to stage_ and wants_write_ to say why.
  [[nodiscard]] std::size_t read_open(std::span<char> room);
  /// Writes one piece that lies in one place. Null if OpenSSL has taken less than nothing.
  [[nodiscard]] std::optional<std::size_t> write_piece(std::span<const char> piece);

  // Constant after make().
  SslPtr ssl_;
  int socket_ = -1;
  bool is_client_ = false;

  Stage stage_ = Stage::opening;
  bool wants_write_ = false;
  bool has_more_ = false;
  bool said_goodbye_ = false;
  bool write_failed_ = false;
  std::uint8_t socket_reads_left_ = 0;
  std::uint8_t hello_seen_ = 0;    // of the first bytes, which tell the ClientHello's size
  std::uint32_t hello_claim_ = 0;  // the size as far as it has been read
  std::uint32_t unwritten_ = 0;    // bytes of the piece that OpenSSL holds as a record, blocked
  std::string fault_;
};

}  // namespace linnet::tls
