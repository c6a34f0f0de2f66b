#include "web/http_channel.hpp"

#include <sys/socket.h>
#include <utility>

namespace linnet::web {

using net::ReadResult;
using net::WriteResult;
using State = net::ReadResult::State;

namespace {

net::Endpoint local_endpoint(int socket) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return net::Endpoint::from(address);
}

}  // namespace

HttpChannel::HttpChannel(const ReadyRules& rules, const WebSockets& websockets,
                         std::unique_ptr<net::Channel> below, const net::Endpoint& peer,
                         std::string_view known)
    : rules_(rules),
      websockets_(websockets),
      below_(std::move(below)),
      known_(known),
      peer_(peer) {}

ReadResult HttpChannel::read(int socket, std::span<char> room) {
  if (refused_) return {State::failed};
  if (next_) return {State::again};
  if (!known_.empty()) return take(socket, std::exchange(known_, {}));
  const ReadResult result = net::read_from(below_.get(), socket, room);
  if (result.state == State::failed && below_) fault_ = below_->fault();
  if (result.state != State::bytes) return result;
  return take(socket, {room.data(), result.count});
}

ReadResult HttpChannel::take(int socket, std::string_view bytes) {
  const HeadReader::State state = reader_.feed(bytes);
  if (state == HeadReader::State::incomplete) return {State::again};
  if (state != HeadReader::State::whole)
    return follow(refuse_bytes(state, net::first_protocol(bytes)), socket);
  return follow(judge(reader_.take_head(), rules_, {peer_, local_endpoint(socket)}), socket);
}

ReadResult HttpChannel::follow(Verdict verdict, int socket) {
  if (verdict.upgrade) {
    next_ = websockets_.open(std::move(below_), *std::move(verdict.upgrade), reader_.take_rest());
    return {State::again};
  }
  answer_ = verdict.answer.wire();
  fault_ = std::move(verdict.fault);
  refused_ = true;
  (void)send_answer(socket);
  return {State::failed};
}

/// Whether the wire takes no more now.
bool HttpChannel::send_answer(int socket) {
  while (!answer_.empty() && !broken_) {
    const iovec part{answer_.data(), answer_.size()};
    const WriteResult result = net::write_to(below_.get(), socket, {&part, 1});
    answer_.erase(0, result.count);
    broken_ = result.failed;
    if (result.blocked) return true;
  }
  return false;
}

WriteResult HttpChannel::write(int socket, std::span<const iovec> parts) {
  WriteResult result;
  result.blocked = send_answer(socket);
  if (!result.blocked && !broken_ && below_) result = below_->write(socket, {});
  // There is nobody who could want MQTT.
  for (const iovec& part : parts)
    result.count += part.iov_len;
  result.failed = broken_ || result.failed;
  return result;
}

WriteResult HttpChannel::end(int socket) {
  if (send_answer(socket)) return {0, true, false};
  return broken_ ? WriteResult{} : net::end_of(below_.get(), socket);
}

bool HttpChannel::has_more() const noexcept {
  if (refused_ || next_) return false;
  return !known_.empty() || (below_ && below_->has_more());
}

bool HttpChannel::wants_write() const noexcept {
  return (!answer_.empty() && !broken_) || (below_ && below_->wants_write());
}

bool HttpChannel::is_opening() const noexcept {
  return below_ && below_->is_opening();
}

net::Channel::Successor HttpChannel::take_successor() {
  const bool changed = next_ != nullptr;
  return {changed, std::move(next_)};
}

std::string HttpChannel::fault() const {
  return fault_;
}

net::PeerFacts HttpChannel::facts() const {
  return below_ ? below_->facts() : net::PeerFacts{};
}

const net::Endpoint* HttpChannel::told_endpoint() const noexcept {
  return below_ ? below_->told_endpoint() : nullptr;
}

}  // namespace linnet::web
