#include "transport/tcp_link.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

#include "base/assert.hpp"

namespace linnet::transport {

namespace {

/// Up to this many unread bytes are moved in front of the next ones in the shard's buffer; more of
/// them stay where they are, and the next ones are read behind them.
constexpr std::size_t kMoveMax = 4096;
constexpr std::size_t kPartsPerWrite = 64;
/// A link that has more to send than this waits for its next turn, so that the others get theirs.
constexpr std::size_t kWritePerTurn = std::size_t{1} << 20;
/// For all that is to be sent when a link is closed, and then for the other side to close, in ms.
constexpr std::uint64_t kFlushMs = 5000;
constexpr std::uint64_t kLingerMs = 1000;
/// What an unread rest takes at least, in bytes.
constexpr std::size_t kUnreadMin = 64;

std::error_code error_of(int number) noexcept {
  return {number, std::generic_category()};
}

std::error_code pending_error(int socket) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error_of(error);
}

}  // namespace

std::span<char> UnreadBytes::room() {
  if (size_ == capacity_) reserve(std::max(std::size_t{capacity_} * 2, kUnreadMin));
  return {data_.get() + size_, capacity_ - size_};
}

void UnreadBytes::keep(std::string_view bytes) {
  if (bytes.empty()) {
    data_.reset();
    size_ = capacity_ = 0;
    return;
  }
  const bool oversized = capacity_ > 4 * kMoveMax && bytes.size() <= kMoveMax;
  if (bytes.size() > capacity_ || oversized) {
    const std::size_t capacity = std::bit_ceil(std::max(bytes.size(), kUnreadMin));
    auto fresh = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(fresh.get(), bytes.data(), bytes.size());
    data_ = std::move(fresh);
    capacity_ = static_cast<std::uint32_t>(capacity);
  } else if (bytes.data() != data_.get()) {
    std::memmove(data_.get(), bytes.data(), bytes.size());
  }
  size_ = static_cast<std::uint32_t>(bytes.size());
}

void UnreadBytes::reserve(std::size_t capacity) {
  // The framer refuses packets beyond its limit long before.
  LINNET_ASSERT(capacity <= std::size_t{1} << 31);
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
  data_ = std::move(larger);
  capacity_ = static_cast<std::uint32_t>(capacity);
}

TcpLink::TcpLink(net::FileDescriptor socket, const net::Endpoint& peer,
                 const net::ListenerTraits& listener, net::Reactor& reactor) noexcept
    : Link(listener, reactor.pool()), reactor_(&reactor), socket_(std::move(socket)), peer_(peer) {}

TcpLink::~TcpLink() {
  if (touched()) reactor_->forget_flush(*this);
  stop_watching();
}

void TcpLink::join(std::unique_ptr<net::Link> self, net::Reactor& reactor) {
  LINNET_ASSERT(state_ == State::apart && self.get() == this);
  reactor_ = &reactor;
  outbox().use(reactor.pool());
  reactor.keep(std::move(self));
  state_ = State::open;
  paused_ = false;
  show_again_ = !unread_.empty();
  if (const auto slot = reactor.add(socket_.get(), EPOLLIN, *this)) {
    slot_ = *slot;
    watched_ = EPOLLIN;
  }
  // What follows on a failure waits for the end of the turn: the user may not be set yet.
  if (show_again_ || slot_ == kNoSlot) touch();
}

std::unique_ptr<net::Link> TcpLink::leave() {
  LINNET_ASSERT(state_ == State::open && !showing_ && outbox().empty() && !broken_);
  if (touched()) {
    reactor_->forget_flush(*this);
    untouch();
  }
  stop_watching();
  state_ = State::apart;
  set_user(nullptr);
  return reactor_->release(*this);
}

void TcpLink::on_touched() {
  LINNET_ASSERT(state_ != State::apart);
  reactor_->flush_later(*this);
}

void TcpLink::watch() {
  const bool reads = state_ == State::open ? !paused_ : !peer_done_;
  const auto wanted =
      static_cast<std::uint8_t>((reads ? EPOLLIN : 0U) | (blocked_ ? EPOLLOUT : 0U));
  if (wanted == watched_ || slot_ == kNoSlot) return;
  watched_ = wanted;
  reactor_->modify(slot_, wanted);
}

void TcpLink::stop_watching() noexcept {
  if (slot_ != kNoSlot) reactor_->remove(std::exchange(slot_, kNoSlot));
}

void TcpLink::pause() {
  // The reactor goes on looking until bytes do come: often the link is resumed before.
  paused_ = true;
}

void TcpLink::resume() {
  if (state_ != State::open || !paused_) return;
  paused_ = false;
  watch();
  if (!showing_ && unread_.empty()) return;
  show_again_ = true;
  touch();
}

void TcpLink::on_ready(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && blocked_) write();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  switch (state_) {
    case State::open: return on_readable(events);
    case State::flushing:
    case State::lingering: return read_and_drop();
    case State::apart:
    case State::ended: return;
  }
}

void TcpLink::on_readable(std::uint32_t events) {
  // Bytes that wait to be shown come first, else they could pile up behind a user that pauses
  // often.
  if (!paused_ && show_again_) return;
  if (!paused_) return read();
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return fail(pending_error(socket_.get()));
  watch();
}

void TcpLink::read() {
  // A stream of small packets nearly always ends in a part of one; that part is cheap to move, and
  // the shard's buffer takes far more at once than a buffer of this link would.
  const std::size_t known = unread_.size();
  const bool moves = known <= kMoveMax;
  std::span<char> room = reactor_->scratch();
  if (moves) {
    if (known > 0) std::memcpy(room.data(), unread_.view().data(), known);
    room = room.subspan(known);
  } else {
    room = unread_.room();
  }
  const ssize_t received = ::recv(socket_.get(), room.data(), room.size(), 0);
  if (received < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return fail(error_of(errno));
  }
  if (received == 0) return fail({});
  const auto count = static_cast<std::size_t>(received);
  ++reactor_->counters().reads;
  reactor_->counters().bytes_received += count;
  if (moves) return show({reactor_->scratch().data(), known + count});
  unread_.grew(count);
  show(unread_.view());
}

void TcpLink::show(std::string_view bytes) {
  LINNET_ASSERT(user() != nullptr && !showing_);
  showing_ = true;
  const std::size_t done = user()->on_bytes(bytes);
  showing_ = false;
  if (state_ != State::open) return unread_.keep({});
  LINNET_ASSERT(done <= bytes.size());
  unread_.keep(bytes.substr(done));
}

void TcpLink::read_and_drop() {
  const std::span<char> room = reactor_->scratch();
  const ssize_t received = ::recv(socket_.get(), room.data(), room.size(), 0);
  if (received > 0) {
    reactor_->counters().bytes_received += static_cast<std::size_t>(received);
    return;
  }
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received < 0 || state_ == State::lingering || peer_done_) return finish();
  // It has sent its last byte, and may still read what is being flushed.
  peer_done_ = true;
  watch();
}

void TcpLink::on_flush() {
  if (state_ == State::open && slot_ == kNoSlot) {
    untouch();
    return fail(std::make_error_code(std::errc::not_enough_memory));
  }
  if (state_ == State::open && show_again_ && !paused_) {
    show_again_ = false;
    if (!unread_.empty()) show(unread_.view());
  }
  untouch();
  if (state_ == State::ended) return;
  // The user may have paused and resumed while it was being shown them.
  if (show_again_ && !paused_) touch();
  if (!blocked_) write();
}

void TcpLink::write() {
  const bool was_blocked = blocked_;
  blocked_ = false;
  for (std::size_t sent = 0; !outbox().empty() && !blocked_;) {
    if (broken_) return outbox().clear();
    sent += write_parts();
    if (state_ == State::ended) return;
    if (sent >= kWritePerTurn && !outbox().empty()) blocked_ = true;
  }
  watch();
  if (!outbox().empty() || broken_) return;
  if (state_ == State::flushing) return shut_write_side();
  const bool wanted = take_wants_drained() || was_blocked;
  if (wanted && user() != nullptr) user()->on_drained();
}

std::size_t TcpLink::write_parts() {
  std::array<iovec, kPartsPerWrite> parts;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = outbox().gather(parts);
  std::size_t offered = 0;
  for (std::size_t at = 0; at < message.msg_iovlen; ++at)
    offered += parts[at].iov_len;
  const ssize_t result = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  if (result < 0) {
    on_write_error(errno);
    return 0;
  }
  const auto sent = static_cast<std::size_t>(result);
  ++reactor_->counters().writes;
  reactor_->counters().bytes_sent += sent;
  outbox().consume(sent);
  if (sent < offered) blocked_ = true;  // the kernel's buffer is full: asking again is of no use
  return sent;
}

void TcpLink::on_write_error(int error) {
  if (error == EINTR) return;
  if (error == EAGAIN) {
    blocked_ = true;
    return;
  }
  outbox().clear();
  broken_ = true;
  if (state_ != State::open) return finish();
  // The other side has gone, but what it sent before may still be unread; reading it ends the link.
  if (error == EPIPE || error == ECONNRESET) return;
  fail(error_of(error));
}

void TcpLink::close(net::CloseMode mode) {
  LINNET_ASSERT(state_ != State::apart);
  set_user(nullptr);
  if (mode == net::CloseMode::now && !broken_ && !blocked_ && !outbox().empty()) write_parts();
  if (mode == net::CloseMode::now || broken_) return finish();
  if (state_ != State::open) return;
  state_ = State::flushing;
  show_again_ = false;
  // Within on_bytes() the user still reads them.
  if (!showing_) unread_.keep({});
  set_deadline(kFlushMs);
  watch();
  if (outbox().empty()) return shut_write_side();
  touch();
}

void TcpLink::shut_write_side() {
  if (peer_done_ || ::shutdown(socket_.get(), SHUT_WR) != 0) return finish();
  state_ = State::lingering;
  set_deadline(kLingerMs);
}

void TcpLink::set_deadline(std::uint64_t delay_ms) {
  if (!deadline_) deadline_.reset(new Timer(Timer::calling<&TcpLink::finish>(*this)));
  reactor_->timers().arm(*deadline_, reactor_->now_ms() + delay_ms);
}

void TcpLink::fail(std::error_code reason) {
  net::LinkUser* left = user();
  set_user(nullptr);
  finish();
  if (left != nullptr) left->on_closed(reason);
}

void TcpLink::finish() {
  if (state_ == State::ended) return;
  state_ = State::ended;
  deadline_.reset();
  outbox().clear();
  if (!showing_) unread_.keep({});
  stop_watching();
  socket_.close();
  reactor_->end(*this);
}

}  // namespace linnet::transport
