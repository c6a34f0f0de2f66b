#include "tls/openssl_channel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <openssl/err.h>
#include <tuple>

#include "base/assert.hpp"
#include "tls/context.hpp"
#include "tls/fault_text.hpp"
#include "tls/hello.hpp"
#include "tls/peer_name.hpp"

namespace linnet::tls {

namespace {

constexpr std::size_t kRecordBytesMax = SSL3_RT_MAX_PLAIN_LENGTH;
// Of plain bytes, so that one link does not keep its shard from the others.
constexpr std::size_t kReadBytesMax = 64 << 10;
constexpr std::size_t kWriteBytesMax = 1 << 20;
// More than this is likely to have more behind it; less is not worth a read(2) that finds nothing.
constexpr std::size_t kWorthAnotherRead = 4096;
// How often one call of OpenSSL may read the socket: else a client that sends nothing but
// KeyUpdates, as fast as they are worked off, would keep it in that call. A record takes two.
constexpr std::uint8_t kSocketReadsMax = 4;
// OpenSSL takes 128 KiB of ClientHello, and we take 64 KiB of certificates.
constexpr std::uint64_t kHandshakeBytesMax = 256 << 10;
// Of a record's head and that of the handshake message in it.
constexpr std::uint8_t kHelloHeadBytes = 9;
constexpr std::uint32_t kHelloBytesMax = 16 << 10;

// The parts as one row of bytes.
class PartsCursor {
 public:
  explicit PartsCursor(std::span<const iovec> parts) noexcept : parts_(parts) { settle(); }

  [[nodiscard]] bool at_end() const noexcept { return parts_.empty(); }
  /// What lies in one place from here on.
  [[nodiscard]] std::span<const char> here() const noexcept {
    return std::span(static_cast<const char*>(parts_.front().iov_base), parts_.front().iov_len)
        .subspan(offset_);
  }
  [[nodiscard]] bool is_last_part() const noexcept { return parts_.size() == 1; }
  void skip(std::size_t count) noexcept {
    while (count > 0) {
      const auto step = std::min(count, here().size());
      offset_ += step;
      count -= step;
      settle();
    }
  }
  /// As much as fits, of a copy of the cursor.
  [[nodiscard]] std::size_t copy_to(std::span<char> target) const noexcept {
    PartsCursor from = *this;
    std::size_t count = 0;
    while (count < target.size() && !from.at_end()) {
      const auto piece = from.here().first(std::min(from.here().size(), target.size() - count));
      std::memcpy(target.data() + count, piece.data(), piece.size());
      count += piece.size();
      from.skip(piece.size());
    }
    return count;
  }

 private:
  void settle() noexcept {
    while (!parts_.empty() && offset_ == parts_.front().iov_len) {
      parts_ = parts_.subspan(1);
      offset_ = 0;
    }
  }

  std::span<const iovec> parts_;
  std::size_t offset_ = 0;
};

// What the next record carries. `again` is how many bytes a blocked one must be offered again, or
// 0.
std::span<const char> next_piece(const PartsCursor& cursor, std::size_t again,
                                 std::span<char> scratch) {
  const auto wanted = again > 0 ? again : kRecordBytesMax;
  const auto here = cursor.here();
  if (here.size() >= wanted) return here.first(wanted);
  if (again == 0 && cursor.is_last_part()) return here;
  return scratch.first(cursor.copy_to(scratch.first(wanted)));
}

}  // namespace

std::unique_ptr<OpensslChannel> OpensslChannel::make(SSL_CTX& context, int socket) {
  std::unique_ptr<OpensslChannel> channel(new (std::nothrow) OpensslChannel());
  if (channel == nullptr || !channel->attach(context, socket)) return nullptr;
  return channel;
}

std::unique_ptr<OpensslChannel> OpensslChannel::make_client(SSL_CTX& context, int socket,
                                                            const std::string& name) {
  auto channel = make(context, socket);
  if (channel == nullptr) return nullptr;
  channel->is_client_ = true;
  channel->hello_seen_ = kHelloHeadBytes;  // a server that we have chosen is no stranger
  SSL_set_connect_state(channel->ssl_.get());
  // What SSL_set_tlsext_host_name() stands for.
  if (!name.empty() && SSL_ctrl(channel->ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str())) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return channel;
}

bool OpensslChannel::may_read_socket() noexcept {
  if (socket_reads_left_ == 0) return false;
  --socket_reads_left_;
  return true;
}

/// OpenSSL makes room for as much as a ClientHello claims to be, up to 128 KiB, as soon as it has
/// read its head. So a stranger's claim is looked at before OpenSSL sees it.
bool OpensslChannel::accept_hello(std::string_view bytes) noexcept {
  constexpr std::uint8_t kHandshakeRecord = 0x16;
  for (const char byte : bytes) {
    if (hello_seen_ == kHelloHeadBytes) return true;
    const auto value = static_cast<std::uint8_t>(byte);
    const std::uint8_t at = hello_seen_++;
    // Nothing that OpenSSL would take for a ClientHello: it says so itself.
    if (at == 0 && value != kHandshakeRecord) hello_seen_ = kHelloHeadBytes;
    // Bytes 3 and 4 are the record's length, 6 to 8 that of the message in it.
    if (at == 3 || at == 6) hello_claim_ = 0;
    if (at >= 3) hello_claim_ = hello_claim_ << 8 | value;
    const bool whole_head = at != 4 || hello_claim_ >= kHelloHeadBytes - 5;
    const bool fits = at != kHelloHeadBytes - 1 || hello_claim_ <= kHelloBytesMax;
    if (!whole_head || !fits) return false;
  }
  return true;
}

template <class... Rest>
long OpensslChannel::on_bio(BIO* bio, int operation, Rest... rest) {
  auto* channel = reinterpret_cast<OpensslChannel*>(BIO_get_callback_arg(bio));
  if (operation == (BIO_CB_READ | BIO_CB_RETURN)) {
    const auto all = std::tuple(rest...);
    const size_t* count = std::get<sizeof...(rest) - 1>(all);
    const long result = std::get<sizeof...(rest) - 2>(all);
    if (result <= 0 || channel->accept_hello({std::get<0>(all), *count})) return result;
    channel->fault_ =
        "its ClientHello is larger than 16 KiB, or its first record too short for one";
    BIO_clear_retry_flags(bio);
    return -1;
  }
  if (operation != BIO_CB_READ || channel->may_read_socket())
    return std::get<sizeof...(rest) - 2>(std::tuple(rest...));
  // What is left in the kernel makes the socket readable again.
  BIO_clear_retry_flags(bio);
  BIO_set_retry_read(bio);
  return -1;
}

bool OpensslChannel::attach(SSL_CTX& context, int socket) {
  prepare_call();
  ssl_.reset(SSL_new(&context));
  if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket) != 1) {
    ERR_clear_error();
    return false;
  }
  socket_ = socket;
  SSL_set_accept_state(ssl_.get());
  BIO* bio = SSL_get_rbio(ssl_.get());
  BIO_set_callback_arg(bio, reinterpret_cast<char*>(this));
  BIO_set_callback_ex(bio, on_bio);
  return true;
}

OpensslChannel& OpensslChannel::of(const SSL& ssl) noexcept {
  return *reinterpret_cast<OpensslChannel*>(BIO_get_callback_arg(SSL_get_rbio(&ssl)));
}

void OpensslChannel::note_fault(std::string text) {
  if (fault_.empty()) fault_ = std::move(text);
}

void OpensslChannel::prepare_call() noexcept {
  ERR_clear_error();
  errno = 0;
  socket_reads_left_ = kSocketReadsMax;
}

OpensslChannel::Halt OpensslChannel::halt_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return Halt::wants_read;
    case SSL_ERROR_WANT_WRITE: return Halt::wants_write;
    case SSL_ERROR_ZERO_RETURN: return Halt::closed;
    case SSL_ERROR_SYSCALL: break;  // the wire is broken, and there is nothing to say about it
    default: note_fault(take_own_fault()); break;
  }
  ERR_clear_error();
  return Halt::broken;
}

std::string OpensslChannel::take_own_fault() {
  return is_client_ ? take_server_fault(*ssl_) : take_fault(*ssl_);
}

void OpensslChannel::note_halt(Halt halt) noexcept {
  wants_write_ = halt == Halt::wants_write;
  if (halt == Halt::closed) stage_ = Stage::closed;
  if (halt == Halt::broken) stage_ = Stage::broken;
}

void OpensslChannel::open() {
  prepare_call();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) {
    note_halt(halt_of(result));
    if (BIO_number_read(SSL_get_rbio(ssl_.get())) < kHandshakeBytesMax) return;
    note_fault("its handshake does not end");
    stage_ = Stage::broken;
    return;
  }
  wants_write_ = false;
  stage_ = Stage::open;
}

net::ReadResult OpensslChannel::read(int socket, std::span<char> room) {
  LINNET_ASSERT(socket == socket_ && !room.empty());
  has_more_ = false;
  if (stage_ == Stage::opening) open();
  std::size_t count = 0;
  if (stage_ == Stage::open) count = read_open(room.first(std::min(room.size(), kReadBytesMax)));
  if (count > 0) {
    // How it ended is for the next call, which no event of the socket may bring.
    if (stage_ != Stage::open) has_more_ = true;
    return {State::bytes, count};
  }
  if (stage_ == Stage::closed) return {State::closed};
  return {stage_ == Stage::broken ? State::failed : State::again};
}

std::size_t OpensslChannel::read_open(std::span<char> room) {
  std::size_t count = 0;
  while (count < room.size()) {
    prepare_call();
    const auto rest = room.subspan(count);
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), rest.data(), rest.size(), &got);
    if (result != 1) {
      note_halt(halt_of(result));
      return count;
    }
    count += got;
    wants_write_ = false;
    if (got < kWorthAnotherRead && SSL_has_pending(ssl_.get()) == 0) return count;
  }
  has_more_ = SSL_has_pending(ssl_.get()) == 1;
  return count;
}

std::optional<std::size_t> OpensslChannel::write_piece(std::span<const char> piece) {
  prepare_call();
  std::size_t taken = 0;
  const int result = SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &taken);
  if (result == 1) {
    unwritten_ = 0;
    return taken;
  }
  const bool is_syscall = SSL_get_error(ssl_.get(), result) == SSL_ERROR_SYSCALL;
  if (halt_of(result) == Halt::wants_write) {
    unwritten_ = static_cast<std::uint32_t>(piece.size());
    return 0;
  }
  // After a broken wire what has come before can still be read.
  write_failed_ = true;
  if (!is_syscall) stage_ = Stage::broken;
  return std::nullopt;
}

net::WriteResult OpensslChannel::write(int socket, std::span<const iovec> parts) {
  LINNET_ASSERT(socket == socket_);
  if (stage_ == Stage::opening) open();
  if (stage_ == Stage::broken || write_failed_) return {0, false, true};
  if (stage_ == Stage::opening) return {0, wants_write_, false};
  wants_write_ = false;
  std::array<char, kRecordBytesMax> scratch;
  PartsCursor cursor(parts);
  std::size_t count = 0;
  while (!cursor.at_end()) {
    if (count >= kWriteBytesMax) return {count, true, false};
    const auto piece = next_piece(cursor, unwritten_, scratch);
    LINNET_ASSERT(piece.size() >= unwritten_);
    const auto taken = write_piece(piece);
    if (!taken) return {count, false, true};
    if (*taken == 0) return {count, true, false};
    cursor.skip(*taken);
    count += *taken;
  }
  return {count, false, false};
}

net::WriteResult OpensslChannel::end(int socket) {
  LINNET_ASSERT(socket == socket_);
  const bool can_speak = stage_ == Stage::open || stage_ == Stage::closed;
  if (!can_speak || write_failed_ || said_goodbye_ || unwritten_ > 0) return {};
  prepare_call();
  const int result = SSL_shutdown(ssl_.get());
  if (result >= 0) {
    said_goodbye_ = true;
    return {};
  }
  if (halt_of(result) == Halt::wants_write) return {0, true, false};
  write_failed_ = true;
  return {0, false, true};
}

net::PeerFacts OpensslChannel::facts() const {
  if (is_client_ || stage_ == Stage::opening || stage_ == Stage::broken) return {};
  using Proof = net::PeerFacts::Proof;
  if (const X509* certificate = SSL_get0_peer_certificate(ssl_.get()); certificate != nullptr) {
    auto name = peer_name(*certificate, data_of(*SSL_get_SSL_CTX(ssl_.get())).identity);
    if (!name) return {};
    const auto called = [certificate](CertificateName kind) {
      return peer_name(*certificate, kind).value_or(std::string());
    };
    return {Proof::certificate,
            std::move(*name),
            {called(CertificateName::cn), called(CertificateName::subject),
             called(CertificateName::san)},
            std::nullopt};
  }
  auto identity = psk_identity(*ssl_);
  if (identity.empty()) return {};
  return {Proof::pre_shared_key, std::move(identity), {}, std::nullopt};
}

Chosen OpensslChannel::chosen() const noexcept {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  const std::string_view text(reinterpret_cast<const char*>(name), name != nullptr ? size : 0);
  if (text == "mqtt") return Chosen::mqtt;
  return text == "http/1.1" ? Chosen::http : Chosen::nothing;
}

}  // namespace linnet::tls
