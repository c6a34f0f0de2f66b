#include "transport/socket_link.hpp"

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
/// What a channel's read() must be given, in bytes.
constexpr std::size_t kChannelRoomMin = std::size_t{18} << 10;

std::error_code error_of(int number) noexcept {
  return {number, std::generic_category()};
}

/// The supplementary groups of the process at the other end of a Unix socket, as it connected.
std::vector<gid_t> groups_of_peer(int socket) {
  constexpr std::size_t kUsual = 32;
  constexpr std::size_t kMost = 65'536;  // no process of Linux has more
  std::vector<gid_t> groups(kUsual);
  auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE || size / sizeof(gid_t) > kMost) return {};
    groups.resize(size / sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return {};
  }
  groups.resize(size / sizeof(gid_t));
  return groups;
}

std::error_code pending_error(int socket) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error_of(error);
}

}  // namespace

UnreadBytes::BlockPtr UnreadBytes::make(std::size_t capacity) {
  // The framer refuses packets beyond its limit long before.
  LINNET_ASSERT(capacity <= std::size_t{1} << 31);
  void* const memory = ::operator new(sizeof(Block) + capacity);
  return BlockPtr(::new (memory) Block{0, static_cast<std::uint32_t>(capacity)});
}

std::span<char> UnreadBytes::room(std::size_t size_min, bool tight) {
  const std::size_t known = size();
  if (capacity() - known < size_min) {
    // In proportion in any case, so that a large packet is not copied with every read.
    const std::size_t grown = capacity() + capacity() / (tight ? 4 : 1);
    auto larger = make(std::max({grown, known + size_min, kUnreadMin}));
    std::swap(larger, block_);
    if (known > 0) std::memcpy(data(), larger.get() + 1, known);
    block_->size = static_cast<std::uint32_t>(known);
  }
  return {data() + known, block_->capacity - known};
}

void UnreadBytes::keep(std::string_view bytes) {
  if (bytes.empty()) return block_.reset();
  const bool oversized = capacity() > 4 * kMoveMax && bytes.size() <= kMoveMax;
  if (bytes.size() > capacity() || oversized) {
    auto fresh = make(std::bit_ceil(std::max(bytes.size(), kUnreadMin)));
    std::memcpy(fresh.get() + 1, bytes.data(), bytes.size());
    block_ = std::move(fresh);
  } else if (bytes.data() != data()) {
    std::memmove(data(), bytes.data(), bytes.size());
  }
  block_->size = static_cast<std::uint32_t>(bytes.size());
}

SocketLink::SocketLink(net::FileDescriptor socket, const net::Endpoint& peer,
                       const net::ListenerTraits& listener, net::Reactor& reactor) noexcept
    : Link(listener, reactor.pool()), reactor_(&reactor), socket_(std::move(socket)), peer_(peer) {}

SocketLink::~SocketLink() {
  if (touched()) reactor_->forget_flush(*this);
  stop_watching();
}

void SocketLink::join(std::unique_ptr<net::Link> self, net::Reactor& reactor) {
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
  blocked_ = channel_ != nullptr && channel_->wants_write();
  watch();
  // What follows on a failure waits for the end of the turn: the user may not be set yet.
  const bool holds_bytes = channel_ != nullptr && channel_->has_more();
  if (show_again_ || holds_bytes || broken_ || slot_ == kNoSlot) touch();
}

const net::Endpoint* SocketLink::told_endpoint() const noexcept {
  return channel_ == nullptr ? nullptr : channel_->told_endpoint();
}

net::Endpoint SocketLink::endpoint() const noexcept {
  const net::Endpoint* told = told_endpoint();
  return told == nullptr ? peer_ : *told;
}

net::PeerFacts SocketLink::facts() const {
  net::PeerFacts facts = channel_ == nullptr ? net::PeerFacts{} : channel_->facts();
  // Behind a proxy the process at the other end is not the client.
  if (endpoint().family() != net::Endpoint::Family::unix_socket) return facts;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
    facts.process = {peer.uid, peer.gid, groups_of_peer(socket_.get())};
  }
  return facts;
}

std::unique_ptr<net::Link> SocketLink::leave() {
  LINNET_ASSERT(state_ == State::open && !showing_ && outbox().empty());
  if (touched()) {
    reactor_->forget_flush(*this);
    untouch();
  }
  stop_watching();
  state_ = State::apart;
  set_user(nullptr);
  return reactor_->release(*this);
}

void SocketLink::on_touched() {
  LINNET_ASSERT(state_ != State::apart);
  reactor_->flush_later(*this);
}

void SocketLink::watch() {
  // A channel that has to write first would leave in the socket what is there.
  const bool held = channel_ != nullptr && channel_->wants_write();
  const bool reads = state_ == State::open ? !paused_ && !held : !peer_done_;
  const auto wanted =
      static_cast<std::uint8_t>((reads ? EPOLLIN : 0U) | (blocked_ ? EPOLLOUT : 0U));
  if (wanted == watched_ || slot_ == kNoSlot) return;
  watched_ = wanted;
  reactor_->modify(slot_, wanted);
}

void SocketLink::stop_watching() noexcept {
  if (slot_ != kNoSlot) reactor_->remove(std::exchange(slot_, kNoSlot));
}

void SocketLink::pause() {
  // The reactor goes on looking until bytes do come: often the link is resumed before.
  paused_ = true;
}

void SocketLink::resume() {
  if (state_ != State::open || !paused_) return;
  paused_ = false;
  watch();
  const bool holds_bytes = channel_ != nullptr && (channel_->has_more() || broken_);
  show_again_ = showing_ || !unread_.empty();
  if (show_again_ || holds_bytes) touch();
}

void SocketLink::on_ready(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && blocked_) {
    const bool was_channel = channel_ != nullptr && channel_->wants_write();
    write();
    // It may have waited with what it reads until it could write.
    if (was_channel) events |= EPOLLIN;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  switch (state_) {
    case State::open: return on_readable(events);
    case State::flushing:
    case State::lingering: return read_and_drop();
    case State::apart:
    case State::ended: return;
  }
}

void SocketLink::on_readable(std::uint32_t events) {
  // Bytes that wait to be shown come first, else they could pile up behind a user that pauses
  // often.
  if (!paused_ && show_again_) return;
  // The socket stays ready, so that a later turn does it.
  if (!paused_ && channel_ != nullptr && channel_->is_opening() && !reactor_->take_slow_step()) {
    return;
  }
  if (!paused_) return read();
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return fail(pending_error(socket_.get()));
  watch();
}

void SocketLink::read() {
  // A stream of small packets nearly always ends in a part of one; that part is cheap to move, and
  // the shard's buffer takes far more at once than a buffer of this link would.
  const std::size_t known = unread_.size();
  const bool moves = known <= kMoveMax;
  std::span<char> room = reactor_->scratch();
  if (moves) {
    if (known > 0) std::memcpy(room.data(), unread_.view().data(), known);
    room = room.subspan(known);
  } else {
    const bool tight = reactor_->read_max() < SIZE_MAX;
    const std::size_t least = tight ? kMoveMax : 1;
    room = unread_.room(channel_ == nullptr ? least : kChannelRoomMin, tight);
  }
  // While memory is short, not more is read than is served soon.
  if (channel_ == nullptr) room = room.first(std::min(room.size(), reactor_->read_max()));
  const net::ReadResult result = net::read_from(channel_.get(), socket_.get(), room);
  const int error = errno;
  const bool half_open = admission() != nullptr;
  const bool told = half_open && told_endpoint() != nullptr;
  if (channel_ != nullptr) follow_channel();
  if (half_open && !is_welcome(told, result.state == net::ReadResult::State::bytes)) return;
  switch (result.state) {
    case net::ReadResult::State::again: return;
    case net::ReadResult::State::closed:
      // A goodbye is answered, if that can be done at once.
      if (!blocked_ && !broken_) (void)net::end_of(channel_.get(), socket_.get());
      return fail({});
    case net::ReadResult::State::failed:
      return channel_ != nullptr ? refuse() : fail(error_of(error));
    case net::ReadResult::State::bytes: break;
  }
  ++reactor_->counters().reads;
  reactor_->counters().bytes_received += result.count;
  if (moves) return show({reactor_->scratch().data(), known + result.count});
  unread_.grew(result.count);
  show(unread_.view());
}

/// After each read: another channel may take over, and each may have something to write or to show.
void SocketLink::follow_channel() {
  if (auto successor = channel_->take_successor(); successor.changed) {
    if (const net::Endpoint* told = channel_->told_endpoint()) peer_ = *told;
    channel_ = std::move(successor.next);
  }
  if (channel_ == nullptr) return;
  if (channel_->wants_write()) {
    blocked_ = true;
    watch();
  }
  if (channel_->has_more()) touch();
}

/// Whether the client's address may come in, as soon as it is known: a proxy has `told` it, or the
/// client is about to speak itself. If not, the link has ended.
bool SocketLink::is_welcome(bool told, bool shows) {
  if (!told && !shows && told_endpoint() == nullptr) return true;
  if (admission()->meet(endpoint(), shows, reactor_->now_ms())) return true;
  fail(std::make_error_code(std::errc::permission_denied));
  return false;
}

void SocketLink::show(std::string_view bytes) {
  LINNET_ASSERT(user() != nullptr && !showing_);
  showing_ = true;
  const std::size_t done = user()->on_bytes(bytes);
  showing_ = false;
  if (state_ != State::open) return unread_.keep({});
  LINNET_ASSERT(done <= bytes.size());
  unread_.keep(bytes.substr(done));
}

void SocketLink::read_and_drop() {
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

void SocketLink::on_flush() {
  if (state_ == State::open && slot_ == kNoSlot) {
    untouch();
    return fail(std::make_error_code(std::errc::not_enough_memory));
  }
  if (state_ == State::open && show_again_ && !paused_) {
    show_again_ = false;
    if (!unread_.empty()) show(unread_.view());
  }
  untouch();
  // The user may have paused and resumed while it was being shown them.
  if (state_ == State::open && show_again_ && !paused_) touch();
  if (state_ == State::open && channel_ != nullptr) read_more();
  if (state_ == State::ended) return;
  if (!blocked_) write();
}

/// What the socket will not tell: that its channel holds bytes, or has failed at writing.
void SocketLink::read_more() {
  if (!paused_ && !show_again_ && (channel_->has_more() || broken_)) read();
}

void SocketLink::write() {
  const bool was_blocked = blocked_;
  blocked_ = false;
  std::size_t sent = 0;
  while (!blocked_ && (!outbox().empty() || (channel_ != nullptr && channel_->wants_write()))) {
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

std::size_t SocketLink::write_parts() {
  std::array<iovec, kPartsPerWrite> parts;
  const std::size_t count = outbox().gather(parts);
  const net::WriteResult result =
      net::write_to(channel_.get(), socket_.get(), std::span(parts).first(count));
  if (result.failed) {
    // A channel has no number for it. As with a wire that is cut, what was read before still
    // counts.
    on_write_error(channel_ == nullptr ? errno : ECONNRESET);
    return 0;
  }
  ++reactor_->counters().writes;
  reactor_->counters().bytes_sent += result.count;
  outbox().consume(result.count);
  // The kernel's buffer is full, or a channel can't write yet: asking again is of no use.
  const bool headway = result.count > 0 || (count == 0 && !channel_->wants_write());
  if (result.blocked || !headway) blocked_ = true;
  return result.count;
}

void SocketLink::on_write_error(int error) {
  outbox().clear();
  broken_ = true;
  if (channel_ != nullptr) touch();  // it may have failed where the socket sees nothing
  if (state_ != State::open) return finish();
  // The other side has gone, but what it sent before may still be unread; reading it ends the link.
  if (error == EPIPE || error == ECONNRESET) return;
  fail(error_of(error));
}

void SocketLink::close(net::CloseMode mode) {
  LINNET_ASSERT(state_ != State::apart);
  set_user(nullptr);
  if (mode == net::CloseMode::now && !broken_ && !blocked_) {
    if (!outbox().empty()) write_parts();
    // Whether it can be said in full is of no importance.
    if (!broken_) (void)net::end_of(channel_.get(), socket_.get());
  }
  if (mode == net::CloseMode::now || broken_) return finish();
  leaves_ = mode == net::CloseMode::leave && channel_ == nullptr;
  if (state_ == State::open) begin_flushing();
}

void SocketLink::begin_flushing() {
  state_ = State::flushing;
  show_again_ = false;
  // Within on_bytes() the user still reads them.
  if (!showing_) unread_.keep({});
  if (outbox().empty()) return shut_write_side();
  set_deadline(kFlushMs);
  watch();
  touch();
}

void SocketLink::shut_write_side() {
  const net::WriteResult goodbye = net::end_of(channel_.get(), socket_.get());
  if (goodbye.blocked) {
    blocked_ = true;
    if (!deadline_) set_deadline(kFlushMs);
    return watch();
  }
  if (goodbye.failed || peer_done_ || leaves_) return finish();
  if (::shutdown(socket_.get(), SHUT_WR) != 0) return finish();
  state_ = State::lingering;
  set_deadline(kLingerMs);
  watch();
}

void SocketLink::set_deadline(std::uint64_t delay_ms) {
  if (!deadline_) deadline_.reset(new Timer(Timer::calling<&SocketLink::finish>(*this)));
  reactor_->timers().arm(*deadline_, reactor_->now_ms() + delay_ms);
}

void SocketLink::fail(std::error_code reason) {
  net::LinkUser* left = user();
  set_user(nullptr);
  finish();
  if (left != nullptr) left->on_closed(reason);
}

/// The other side broke the rules of its channel, which still has to say so.
void SocketLink::refuse() {
  LINNET_ASSERT(user() != nullptr);
  user()->on_refused(channel_->fault());
  LINNET_ASSERT(state_ != State::open);
}

void SocketLink::finish() {
  if (state_ == State::ended) return;
  state_ = State::ended;
  deadline_.reset();
  channel_.reset();  // before the outbox, whose bytes it may be writing
  outbox().clear();
  if (!showing_) unread_.keep({});
  if (slot_ != kNoSlot) reactor_->forget(std::exchange(slot_, kNoSlot));
  socket_.close();
  reactor_->end(*this);
}

}  // namespace linnet::transport
