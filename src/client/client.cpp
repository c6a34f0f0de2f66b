#include "client/client.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>

#include "base/cat.hpp"

namespace linnet::client {

namespace {

using ReadState = net::ReadResult::State;

/// Long enough for any broker to close what it has been told to.
constexpr std::uint64_t kGoodbyeNs = 2 * kSecondNs;
/// A connection that has lasted so long was a good one: the next is tried soon.
constexpr std::uint64_t kGoodNs = 10 * kSecondNs;
/// A broker that does not take its acknowledgements gets no more to acknowledge.
constexpr std::size_t kUnsentMax = 1 << 20;
/// Reads in one turn, so that time is minded.
constexpr int kReadsMax = 16;

}  // namespace

Client::Client(Loop& loop, Target& target, const ClientOptions& options, ClientUser& user)
    : loop_(loop),
      target_(target),
      options_(options),
      user_(user),
      session_(options.session, user),
      wait_ns_(options.wait_min_ns) {}

void Client::begin() {
  deadline_ns_ = now_ns() + options_.opening_max_ns;
  connect();
}

void Client::connect() {
  std::string error;
  address_ = target_.address();
  socket_ = target_.begin_connect(error);
  if (!socket_) return on_connect_fault(error);
  stage_ = Stage::connecting;
  watched_ = EPOLLIN | EPOLLOUT;
  loop_.add(socket_.get(), watched_, *this);
}

void Client::on_connect_fault(const std::string& error) {
  close();
  if (target_.try_next(address_)) return connect();
  lose(cat("cannot be connected to: ", error), false, ReasonCode::server_unavailable);
}

void Client::on_connected() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return on_connect_fault(std::generic_category().message(error));
  target_.note_connected();
  channel_ = target_.channel(socket_.get());
  stage_ = Stage::opening;
  session_.begin(loop_.now());
  flush();
}

void Client::end(ReasonCode reason) {
  session_.end(reason);
  if (stage_ == Stage::opening || stage_ == Stage::open) {
    stage_ = Stage::ending;
    deadline_ns_ = now_ns() + kGoodbyeNs;
    return;
  }
  if (stage_ == Stage::ending || stage_ == Stage::over) return;
  close();
  stage_ = Stage::over;
}

std::uint64_t Client::tend() {
  if (!loop_.fault().empty() && stage_ != Stage::over) give_up(loop_.fault());
  std::uint64_t next_ns = now_ns();
  // Nobody can hear an answer while nothing is read.
  if (!is_reading_) session_.note_alive(loop_.now());
  if (stage_ == Stage::open) next_ns = session_.on_time(loop_.now());
  if (socket_ && stage_ != Stage::connecting) after_bytes();
  if (stage_ == Stage::idle || stage_ == Stage::over || stage_ == Stage::open) return next_ns;
  if (now_ns() >= deadline_ns_) on_deadline();
  return deadline_ns_;
}

void Client::on_deadline() {
  switch (stage_) {
    case Stage::waiting: target_.restart(); return begin();
    case Stage::connecting:
      deadline_ns_ = now_ns() + options_.opening_max_ns;
      return on_connect_fault("it does not answer");
    case Stage::opening:
      return lose(cat("has not answered CONNECT for ", options_.opening_max_ns / kSecondNs, " s"),
                  false, ReasonCode::server_unavailable);
    default: close(); stage_ = Stage::over;
  }
}

void Client::on_ready(std::uint32_t events) {
  if (!socket_) return;  // closed since, in the same turn
  if (stage_ == Stage::connecting) {
    on_connected();
    if (stage_ != Stage::opening) return;
  }
  if (events & EPOLLOUT) flush();
  if (socket_ && (events & ~std::uint32_t{EPOLLOUT}) != 0) read();
  if (socket_) after_bytes();
}

void Client::read() {
  for (int reads = 0; reads < kReadsMax && socket_; ++reads) {
    if (!read_once() || !channel_ || !channel_->has_more()) break;
  }
}

/// False: nothing more for now.
bool Client::read_once() {
  const std::span<char> room = loop_.read_room();
  const auto result = net::read_from(channel_.get(), socket_.get(), room);
  if (result.state == ReadState::again) return channel_ != nullptr && channel_->has_more();
  if (result.state != ReadState::bytes) {
    on_wire_lost(result);
    return false;
  }
  take({room.data(), result.count});
  return !session_.has_ended();
}

void Client::take(std::string_view bytes) {
  if (stage_ == Stage::ending || session_.has_ended()) return;
  if (!partial_.empty()) {
    partial_ += bytes;
    partial_.erase(0, session_.on_bytes(partial_, loop_.now()));
    if (partial_.empty()) partial_ = {};
  } else {
    bytes.remove_prefix(session_.on_bytes(bytes, loop_.now()));
    partial_ = bytes;
  }
  if (stage_ == Stage::opening && session_.is_open()) {
    stage_ = Stage::open;
    was_open_ = true;
    open_since_ns_ = loop_.now();
  }
}

/// What the session has come to: something to send, a fault, or its end.
void Client::after_bytes() {
  if (session_.fault() && stage_ != Stage::ending) {
    flush();
    const Fault fault = *session_.fault();
    return lose(fault.text, fault.is_final, fault.reason);
  }
  if (session_.has_ended() && stage_ != Stage::ending) {
    stage_ = Stage::ending;
    was_open_ = true;
    deadline_ns_ = now_ns() + kGoodbyeNs;
  }
  user_.on_turn();
  flush();
}

void Client::on_wire_lost(const net::ReadResult& result) {
  if (stage_ == Stage::ending) {
    close();
    stage_ = Stage::over;
    return;
  }
  std::string fault = channel_ ? channel_->fault() : std::string();
  if (fault.empty()) {
    fault = result.state == ReadState::closed ? "has closed the connection"
                                              : "has broken the connection off";
  } else if (stage_ == Stage::opening) {
    fault = cat("cannot be spoken to: ", fault);
  }
  if (stage_ == Stage::opening) fault += ", before CONNACK";
  lose(fault, false, ReasonCode::server_unavailable);
}

void Client::flush() {
  for (;;) {
    if (sending_at_ == sending_.size()) {
      sending_.clear();
      sending_at_ = 0;
      std::swap(sending_, session_.output());
    }
    const bool channel_wants = channel_ && channel_->wants_write();
    if (sending_.empty() && !channel_wants && !(channel_ && channel_->is_opening())) break;
    const iovec part{sending_.data() + sending_at_, sending_.size() - sending_at_};
    const auto result =
        net::write_to(channel_.get(), socket_.get(), {&part, part.iov_len > 0 ? 1U : 0U});
    // Whoever reads hears why it has ended.
    if (result.failed) break;
    sending_at_ += result.count;
    if (result.count > 0) session_.note_alive(loop_.now());
    if (result.blocked || result.count == 0) break;
  }
  if (stage_ == Stage::ending && sending_.empty() && !has_shut_) {
    has_shut_ = true;
    (void)net::end_of(channel_.get(), socket_.get());
    (void)::shutdown(socket_.get(), SHUT_WR);
  }
  watch();
}

/// While the handshakes are under way it is the channel that knows what it waits for.
void Client::watch() {
  const bool channel_wants = channel_ && channel_->wants_write();
  const bool opening = channel_ && channel_->is_opening();
  const std::size_t unsent = sending_.size() - sending_at_;
  const bool writes = channel_wants || (!opening && unsent > 0);
  const bool is_taken = is_reading_ && unsent + session_.output().size() < kUnsentMax;
  const bool reads = is_taken || stage_ != Stage::open;
  const std::uint32_t wanted = (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U);
  if (wanted == watched_) return;
  watched_ = wanted;
  loop_.modify(socket_.get(), wanted, *this);
}

void Client::lose(std::string_view what, bool is_final, ReasonCode reason) {
  close();
  fault_reason_ = reason;
  std::string why = cat(target_.text(), ' ', what);
  if (is_final || !was_open_ || !options_.reconnects) return give_up(std::move(why));
  if (open_since_ns_ != 0 && loop_.now() - open_since_ns_ > kGoodNs)
    wait_ns_ = options_.wait_min_ns;
  open_since_ns_ = 0;
  stage_ = Stage::waiting;
  // Not all clients of a broker that comes back at the same moment.
  const std::uint64_t wait_ns = wait_ns_ - random_.below(wait_ns_ / 4 + 1);
  deadline_ns_ = now_ns() + wait_ns;
  wait_ns_ = std::min(2 * wait_ns_, options_.wait_max_ns);
  user_.on_lost(why, wait_ns);
}

void Client::give_up(std::string fault) {
  close();
  fault_ = std::move(fault);
  stage_ = Stage::over;
}

void Client::close() noexcept {
  if (socket_) loop_.remove(socket_.get());
  channel_.reset();
  socket_.close();
  session_.on_lost();
  partial_ = {};
  sending_ = {};
  sending_at_ = 0;
  has_shut_ = false;
}

}  // namespace linnet::client
