#include "web/websocket.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "base/cat.hpp"
#include "base/to_size.hpp"
#include "web/faults.hpp"
#include "web/wire.hpp"

namespace linnet::web {

namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

using net::ReadResult;
using net::WriteResult;
using State = net::ReadResult::State;
using Stream = websocket::stream<Wire, true>;

/// Bytes from the wire are read behind this much of the room, and become messages at its start:
/// Beast holds up to 1,536 bytes in between, and a message must not overtake the bytes behind it.
constexpr std::size_t kAhead = 2048;
/// From the wire in one call: frames that hold nothing cost time, too.
constexpr std::size_t kReadBytesMax = std::size_t{64} << 10;
/// What one message takes, so that a slow wire gives a link's memory back piece by piece.
constexpr std::size_t kMessageBytesMax = std::size_t{1} << 20;
constexpr std::size_t kMessagePartsMax = 63;  // with the frame's head, what one call gathers

/// Where messages go while no room is shown: when a pong is out, Beast goes on at once.
constexpr std::size_t kOwnBytes = 16;
/// The same with permessage-deflate, and then always: it may be half full at the end of a read().
constexpr std::size_t kInflateBytes = 4096;
/// 16 KiB to deflate instead of 128 KiB; a smaller message is not worth the time.
constexpr int kWindowBits = 12;
constexpr std::size_t kDeflateMin = 256;

struct Terms {
  bool deflate = false;
  std::uint64_t message_max = 0;
};

class WebSocket final : public net::Channel {
 public:
  WebSocket(boost::asio::io_context& context, std::unique_ptr<net::Channel> below, Terms terms,
            Upgrade upgrade);

  void set_unread(std::string unread) noexcept { unread_ = std::move(unread); }

  [[nodiscard]] ReadResult read(int socket, std::span<char> room) override;
  [[nodiscard]] bool has_more() const noexcept override;
  [[nodiscard]] WriteResult write(int socket, std::span<const iovec> parts) override;
  [[nodiscard]] bool wants_write() const noexcept override;
  [[nodiscard]] WriteResult end(int socket) override;
  [[nodiscard]] bool is_opening() const noexcept override;
  [[nodiscard]] std::string fault() const override;
  [[nodiscard]] net::PeerFacts facts() const override;
  [[nodiscard]] const net::Endpoint* told_endpoint() const noexcept override;

 private:
  struct Granting {
    Upgrade upgrade;
    Terms terms;
  };

  void grant();
  void on_granted(Error error);
  [[nodiscard]] State fill(int socket, std::span<char> room);
  [[nodiscard]] std::size_t take_messages(std::span<char> room);
  [[nodiscard]] std::span<char> own_room() noexcept;
  [[nodiscard]] std::size_t take_own(std::span<char> target) noexcept;
  void begin_read();
  void on_read(Error error, std::size_t count);
  void on_read_error(Error error);
  void keep_unread();
  void stop(State outcome, Fault fault);
  void begin_close(websocket::close_reason reason);
  void write_below(int socket, WriteResult& result);
  [[nodiscard]] std::size_t begin_message(std::span<const iovec> parts, std::size_t skip,
                                          std::span<iovec> cut);
  [[nodiscard]] bool is_held() const noexcept;
  [[nodiscard]] bool is_open() const noexcept { return open_ && outcome_ == State::again; }

  // Handlers live in the pipe and hold on to the stream's memory, so that it must go first.
  Pipe pipe_;
  Stream stream_;
  std::unique_ptr<Granting> granting_;  // until the upgrade is granted
  std::unique_ptr<char[]> inflated_;    // with permessage-deflate
  std::string unread_;                  // from the wire, and not given to the stream yet
  Outgoing message_;
  std::optional<net::Endpoint> told_;
  std::array<char, kOwnBytes> own_{};
  std::size_t read_count_ = 0;  // bytes of messages that the stream has given
  std::size_t sent_count_ = 0;  // bytes of messages that are out
  Fault fault_ = Fault::none;
  State outcome_ = State::again;  // closed or failed, once it is
  bool open_ = false;
  bool reading_ = false;
  bool more_inside_ = false;  // the room was full before the stream was empty
  bool told_outcome_ = false;
  bool closing_ = false;  // we have begun to close
};

WebSocket::WebSocket(boost::asio::io_context& context, std::unique_ptr<net::Channel> below,
                     Terms terms, Upgrade upgrade)
    : pipe_(context, std::move(below)), stream_(pipe_), told_(upgrade.told_client) {
  pipe_.set_room(own_room());
  granting_ = std::make_unique<Granting>(Granting{std::move(upgrade), terms});
}

/// Beast answers a request; this is the one that matters, without all that has been judged.
void WebSocket::grant() {
  const Upgrade& upgrade = granting_->upgrade;
  const auto view = [](std::string_view text) {
    return boost::beast::string_view(text.data(), text.size());
  };
  http::request<http::empty_body> request(http::verb::get, "/", 11);
  request.set(http::field::host, "linnet");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::connection, "upgrade");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, view(upgrade.key));
  if (granting_->terms.deflate) {
    request.set(http::field::sec_websocket_extensions, view(upgrade.extensions));
    websocket::permessage_deflate deflate;
    deflate.server_enable = true;
    deflate.server_max_window_bits = kWindowBits;
    // Beast declines a client that can't be told its window, if ours for it is small.
    const bool can_be_told = upgrade.extensions.find("client_max_window_bits") != std::string::npos;
    deflate.client_max_window_bits = can_be_told ? kWindowBits : 15;
    deflate.msg_size_threshold = kDeflateMin;
    stream_.set_option(deflate);
  }
  stream_.read_message_max(to_size(granting_->terms.message_max));
  stream_.auto_fragment(false);
  stream_.binary(true);
  const auto subprotocol = view(upgrade.subprotocol);
  stream_.set_option(
      websocket::stream_base::decorator([subprotocol](websocket::response_type& response) {
        response.set(http::field::sec_websocket_protocol, subprotocol);
        response.set(http::field::server, "Linnet");
      }));
  stream_.async_accept(request, [this](Error error) { on_granted(error); });
}

void WebSocket::on_granted(Error error) {
  if (error) return stop(State::failed, Fault::wire);
  // Beast does not tell whether it has taken the offer.
  if (granting_->terms.deflate && !granting_->upgrade.extensions.empty()) {
    inflated_ = std::make_unique_for_overwrite<char[]>(kInflateBytes);
  }
  granting_.reset();
  open_ = true;
}

ReadResult WebSocket::read(int socket, std::span<char> room) {
  pipe_.begin(socket);
  const Tasks::Scope scope(pipe_.tasks());
  std::size_t count = 0;
  if (outcome_ == State::again) {
    const State below = fill(socket, room);
    count = take_messages(room);
    keep_unread();
    if (below == State::closed || below == State::failed) stop(below, Fault::below);
  }
  pipe_.set_room(own_room());
  if (count > 0) return {State::bytes, count};
  told_outcome_ = outcome_ != State::again;
  return {outcome_};
}

/// Shows the pipe what is to be read in this call. Bytes of the wire come only when all older ones
/// are done with.
State WebSocket::fill(int socket, std::span<char> room) {
  if (granting_ && !pipe_.writer_waits()) {
    grant();
    pipe_.advance();
  } else if (open_ && unread_.empty() && !more_inside_ && !is_held()) {
    const std::size_t ahead = inflated_ ? room.size() / 2 : kAhead;
    const std::size_t size = std::min(room.size() - ahead, kReadBytesMax);
    const ReadResult result = net::read_from(pipe_.below(), socket, room.subspan(ahead, size));
    if (result.state != State::bytes) return result.state;
    pipe_.feed({room.data() + ahead, result.count});
    return State::again;
  }
  pipe_.feed(unread_);
  return State::again;
}

/// Everything that is in the pipe becomes messages, as far as there is room. Returns their bytes.
std::size_t WebSocket::take_messages(std::span<char> room) {
  const std::size_t step = inflated_ ? kInflateBytes : 1;
  const std::size_t room_size = inflated_ ? room.size() / 2 : room.size();
  std::size_t filled = take_own(room);
  while (is_open()) {
    const std::span<char> target = room.first(room_size).subspan(filled);
    pipe_.set_room(inflated_ ? own_room() : target);
    if (!reading_) begin_read();
    pipe_.advance();
    filled += inflated_ ? take_own(target) : std::exchange(read_count_, 0);
    // What still reads waits for bytes, or to write.
    if (reading_ || room_size - filled < step) break;
  }
  more_inside_ = is_open() && !reading_;
  return filled;
}

std::span<char> WebSocket::own_room() noexcept {
  return inflated_ ? std::span(inflated_.get(), kInflateBytes) : std::span(own_);
}

/// Copies the bytes that came into our own room.
std::size_t WebSocket::take_own(std::span<char> target) noexcept {
  std::copy_n(own_room().data(), read_count_, target.data());
  return std::exchange(read_count_, 0);
}

void WebSocket::begin_read() {
  reading_ = true;
  stream_.async_read_some(RoomBuffers(pipe_),
                          [this](Error error, std::size_t count) { on_read(error, count); });
}

void WebSocket::on_read(Error error, std::size_t count) {
  reading_ = false;
  if (error == websocket::error::closed) return stop(State::closed, Fault::none);
  if (error) return on_read_error(error);
  if (stream_.got_text()) {
    stop(State::failed, Fault::text);
    return begin_close({websocket::close_code::unknown_data, "MQTT is sent in binary frames"});
  }
  read_count_ += count;
}

void WebSocket::on_read_error(Error error) {
  stop(State::failed, closing_ ? Fault::none : fault_of(error));
  if (fault_ != Fault::deflate || message_.busy || pipe_.writer_waits()) return;
  // The one error that Beast ends with in silence: code 1007, "data that is not valid".
  static constexpr std::array<unsigned char, 4> kClose = {0x88, 2, 0x03, 0xEF};
  boost::asio::async_write(stream_.next_layer(), boost::asio::buffer(kClose),
                           [](Error, std::size_t) {});
}

void WebSocket::keep_unread() {
  const std::string_view left = pipe_.left();
  if (outcome_ != State::again || left.empty()) {
    unread_ = {};
  } else if (unread_.empty()) {
    unread_ = left;
  } else {
    unread_.erase(0, unread_.size() - left.size());
  }
  pipe_.feed({});
}

void WebSocket::stop(State outcome, Fault fault) {
  if (outcome_ != State::again) return;
  outcome_ = outcome;
  fault_ = fault;
}

void WebSocket::begin_close(websocket::close_reason reason) {
  if (closing_ || !stream_.is_open()) return;
  closing_ = true;
  stream_.async_close(reason, [](Error) {});
}

/// Reading can't go on before something has been written: an answer to a ping, a Close frame.
bool WebSocket::is_held() const noexcept {
  return reading_ && !pipe_.reader_waits();
}

bool WebSocket::has_more() const noexcept {
  if (outcome_ != State::again) return !told_outcome_;
  const bool starts = granting_ && !pipe_.writer_waits();
  const bool holds = more_inside_ || read_count_ > 0 || (open_ && !unread_.empty());
  if (starts || (holds && !is_held())) return true;
  return pipe_.below() != nullptr && pipe_.below()->has_more() && !is_held();
}

WriteResult WebSocket::write(int socket, std::span<const iovec> parts) {
  pipe_.begin(socket);
  const Tasks::Scope scope(pipe_.tasks());
  pipe_.retry();
  WriteResult result;
  result.count = std::exchange(sent_count_, 0);
  std::array<iovec, kMessagePartsMax> cut;
  while (is_open() && !closing_ && !message_.busy) {
    if (begin_message(parts, result.count, cut) == 0) break;
    pipe_.advance();
    result.count += std::exchange(sent_count_, 0);
  }
  if (message_.busy && message_.kept.empty()) {
    message_.kept.assign(message_.parts.begin(), message_.parts.end());
    message_.parts = message_.kept;
  }
  if (outcome_ != State::again || closing_) {
    // Nothing may follow a Close frame.
    result.count = 0;
    for (const iovec& part : parts)
      result.count += message_.busy ? 0 : part.iov_len;
  }
  result.failed = pipe_.is_broken();
  result.blocked = !result.failed && (pipe_.writer_waits() || message_.busy);
  write_below(socket, result);
  return result;
}

/// What is below may have something to write that no message of ours would take along.
void WebSocket::write_below(int socket, WriteResult& result) {
  net::Channel* below = pipe_.below();
  if (result.failed || below == nullptr || !below->wants_write()) return;
  const WriteResult own = below->write(socket, {});
  result.failed = own.failed;
  result.blocked = !own.failed && (result.blocked || own.blocked);
}

/// What stands behind the first `skip` bytes of the parts becomes a message. Returns its bytes.
std::size_t WebSocket::begin_message(std::span<const iovec> parts, std::size_t skip,
                                     std::span<iovec> cut) {
  std::size_t used = 0;
  std::size_t bytes = 0;
  for (const iovec& part : parts) {
    const std::size_t skipped = std::min(skip, part.iov_len);
    skip -= skipped;
    const std::size_t size = std::min(part.iov_len - skipped, kMessageBytesMax - bytes);
    if (size == 0) continue;
    if (used == cut.size()) break;
    cut[used++] = {static_cast<char*>(part.iov_base) + skipped, size};
    bytes += size;
  }
  if (bytes == 0) return 0;
  message_.parts = cut.first(used);
  message_.bytes = bytes;
  message_.busy = true;
  stream_.async_write(OutgoingBuffers(message_), [this](Error error, std::size_t) {
    if (error) stop(State::failed, Fault::none);
    sent_count_ += message_.bytes;
    message_ = {};
  });
  return bytes;
}

bool WebSocket::wants_write() const noexcept {
  if (pipe_.is_broken()) return false;
  if (pipe_.writer_waits() && (!message_.busy || is_held())) return true;
  return pipe_.below() != nullptr && pipe_.below()->wants_write();
}

WriteResult WebSocket::end(int socket) {
  pipe_.begin(socket);
  const Tasks::Scope scope(pipe_.tasks());
  pipe_.retry();
  if (is_open()) begin_close(websocket::close_code::normal);
  pipe_.advance();
  if (pipe_.is_broken()) return {};
  if (pipe_.writer_waits()) return {0, true, false};
  return net::end_of(pipe_.below(), socket);
}

bool WebSocket::is_opening() const noexcept {
  return pipe_.below() != nullptr && pipe_.below()->is_opening();
}

std::string WebSocket::fault() const {
  if (fault_ != Fault::below) return std::string(text_of(fault_));
  return pipe_.below() == nullptr ? std::string{} : pipe_.below()->fault();
}

net::PeerFacts WebSocket::facts() const {
  return pipe_.below() == nullptr ? net::PeerFacts{} : pipe_.below()->facts();
}

const net::Endpoint* WebSocket::told_endpoint() const noexcept {
  if (told_) return &*told_;
  return pipe_.below() == nullptr ? nullptr : pipe_.below()->told_endpoint();
}

}  // namespace

struct WebSockets::Impl {
  boost::asio::io_context context;
  Terms terms;
};

WebSockets::WebSockets(bool deflate, std::uint64_t message_max) : impl_(std::make_unique<Impl>()) {
  impl_->terms = {deflate, message_max};
  // Asio makes the services of its timers with the first of them: better here than at a client.
  try {
    const boost::asio::steady_timer first(impl_->context);
  } catch (const boost::system::system_error& failure) {
    throw std::system_error(failure.code(), "a WebSocket listener cannot be made");
  }
}

WebSockets::~WebSockets() = default;

std::unique_ptr<net::Channel> WebSockets::open(std::unique_ptr<net::Channel> below, Upgrade upgrade,
                                               std::string unread) const {
  auto channel = std::make_unique<WebSocket>(impl_->context, std::move(below), impl_->terms,
                                             std::move(upgrade));
  channel->set_unread(std::move(unread));
  return channel;
}

}  // namespace linnet::web
