#include "bench/client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <system_error>

#include "base/cat.hpp"
#include "bench/wire.hpp"

namespace linnet::bench {

namespace {

using ReadState = net::ReadResult::State;

/// Two acknowledgements of each of 65,535 messages, and one batch of a publisher.
constexpr std::size_t kUnsentMax = 1 << 20;

}  // namespace

void Client::begin(std::string connect_packet) {
  close();
  unsent_ = std::move(connect_packet);
  if (!is_opening_) ++crowd_.opening;
  is_opening_ = true;
  connect();
}

void Client::connect() {
  std::string error;
  address_ = place_.target.address();
  socket_ = place_.target.begin_connect(error);
  if (!socket_) return loop().fail(cat(place_.target.text(), " cannot be connected to: ", error));
  stage_ = Stage::connecting;
  watches_write_ = true;
  loop().add(socket_.get(), EPOLLIN | EPOLLOUT, *this);
}

void Client::on_connected() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    std::string connect_packet = std::move(unsent_);
    if (place_.target.try_next(address_)) return begin(std::move(connect_packet));
    close();
    return loop().fail(cat(place_.target.text(),
                           " cannot be connected to: ", std::generic_category().message(error)));
  }
  place_.target.note_connected();
  channel_ = place_.target.channel(socket_.get());
  stage_ = Stage::opening;
  flush();
}

void Client::end() {
  if (stage_ != Stage::open) return;
  send(disconnect_packet());
  if (stage_ == Stage::open) stage_ = Stage::ending;
}

void Client::close() noexcept {
  if (socket_) loop().remove(socket_.get());
  channel_.reset();
  socket_.close();
  stage_ = Stage::ended;
  unsent_.clear();
  unsent_at_ = 0;
  partial_.clear();
}

void Client::note_ready() noexcept {
  if (!is_opening_) return;
  is_opening_ = false;
  --crowd_.opening;
  ++crowd_.ready;
}

void Client::fail(std::string_view what) {
  loop().fail(cat(kind_, ' ', number_, ": ", place_.target.text(), ' ', what));
}

void Client::on_ready(std::uint32_t events) {
  if (!socket_) return;  // closed since, in the same turn
  if (stage_ == Stage::connecting) {
    on_connected();
    if (stage_ != Stage::opening) return;
  }
  if (events & EPOLLOUT) flush();
  if (socket_ && (events & ~std::uint32_t{EPOLLOUT}) != 0) read();
}

void Client::read() {
  do {
    read_once();
  } while (socket_ && loop().fault().empty() && channel_ && channel_->has_more());
  // The handshakes may be done now, or there was a reason to write.
  if (socket_ && !watches_write_ && (is_blocked() || (channel_ && channel_->wants_write())))
    flush();
}

void Client::read_once() {
  const std::span<char> room = loop().read_room();
  std::memcpy(room.data(), partial_.data(), partial_.size());
  const std::size_t kept = partial_.size();
  const auto result = net::read_from(channel_.get(), socket_.get(), room.subspan(kept));
  if (result.state == ReadState::again) return;
  if (result.state != ReadState::bytes) return on_closed(result);
  // What has just come may be younger than the turn.
  loop().refresh();
  std::string_view bytes(room.data(), kept + result.count);
  if (stage_ == Stage::opening) bytes.remove_prefix(take_connack(bytes));
  if (stage_ != Stage::opening && loop().fault().empty()) bytes.remove_prefix(on_bytes(bytes));
  if (!socket_ || !loop().fault().empty()) return;
  if (bytes.size() > loop().packet_max()) return fail("has sent too large a packet");
  partial_.assign(bytes);
}

std::size_t Client::take_connack(std::string_view bytes) {
  constexpr char kConnack = '\x20';
  const Found found = scan(bytes, loop().packet_max());
  const bool is_right = bytes.starts_with(kConnack) && found.state != Scan::bad;
  if (is_right && found.state == Scan::incomplete) return 0;
  if (!is_right) {
    fail("does not answer CONNECT with CONNACK; is it an MQTT broker?");
    return 0;
  }
  const ConnackAnswer answer = read_connack(found.body, version());
  if (!answer.fault.empty()) {
    fail(answer.fault);
    return 0;
  }
  if (answer.keep_alive_s > 0 &&
      (crowd_.keep_alive_s == 0 || answer.keep_alive_s < crowd_.keep_alive_s)) {
    crowd_.keep_alive_s = answer.keep_alive_s;
  }
  stage_ = Stage::open;
  on_connack(answer);
  return found.size;
}

void Client::on_closed(const net::ReadResult& result) {
  if (stage_ == Stage::ending) {
    ++crowd_.ended;
    return close();
  }
  std::string fault = channel_ ? channel_->fault() : std::string();
  if (fault.empty()) {
    fault = result.state == ReadState::closed ? "has closed the connection"
                                              : "has broken the connection off";
  } else if (stage_ == Stage::opening) {
    fault = cat("cannot be spoken to: ", fault);
  }
  if (stage_ == Stage::opening) fault += ", before CONNACK";
  fail(fault);
}

void Client::on_other_packet(std::uint8_t first_byte, std::string_view body) {
  switch (first_byte) {
    case 0xD0: ++crowd_.pongs; return;
    case 0xE0:
      if (version() == Version::v5) return fail(disconnect_text(body));
      break;
    default: break;
  }
  fail("has sent a packet that was not due");
}

void Client::send(std::string_view bytes) {
  if (!is_blocked()) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const auto result = net::write_to(channel_.get(), socket_.get(), {&part, 1});
    // Whoever reads hears why it has ended.
    if (result.failed) return;
    bytes.remove_prefix(result.count);
    if (bytes.empty()) return;
    unsent_.clear();
    unsent_at_ = 0;
  }
  if (unsent_.size() - unsent_at_ + bytes.size() > kUnsentMax + loop().packet_max())
    return fail("does not read what it is sent");
  unsent_ += bytes;
  watch();
}

void Client::flush() {
  while (is_blocked() || (channel_ && channel_->wants_write())) {
    const iovec part{unsent_.data() + unsent_at_, unsent_.size() - unsent_at_};
    const auto result =
        net::write_to(channel_.get(), socket_.get(), {&part, is_blocked() ? 1U : 0U});
    if (result.failed) break;
    unsent_at_ += result.count;
    if (result.blocked || result.count == 0) break;
  }
  const bool waited = watches_write_;
  watch();
  if (is_blocked()) return;
  if (unsent_.capacity() > 4096) unsent_.shrink_to_fit();
  unsent_.clear();
  unsent_at_ = 0;
  if (waited && stage_ == Stage::open) on_flushed();
}

/// While the handshakes are under way it is the channel that knows what it waits for.
void Client::watch() {
  const bool opening = channel_ && channel_->is_opening();
  const bool wants =
      opening ? channel_->wants_write() : is_blocked() || (channel_ && channel_->wants_write());
  if (wants == watches_write_) return;
  watches_write_ = wants;
  loop().modify(socket_.get(), wants ? EPOLLIN | EPOLLOUT : EPOLLIN, *this);
}

}  // namespace linnet::bench
