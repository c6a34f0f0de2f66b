#include "auth/http_connection.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

#include "base/assert.hpp"
#include "base/cat.hpp"

namespace linnet::auth {

namespace {

using ReadState = net::ReadResult::State;

std::string text_of(int error) {
  return std::generic_category().message(error);
}

std::string fault_of(web::ResponseReader::State state) {
  using State = web::ResponseReader::State;
  switch (state) {
    case State::head_too_long:
      return cat("has answered with more than ", web::ResponseReader::kHeadMax, " bytes of head");
    case State::body_too_long:
      return cat("has answered with more than ", web::ResponseReader::kBodyMax, " bytes");
    default: break;
  }
  return "has not answered in HTTP/1.1";
}

}  // namespace

HttpConnection::HttpConnection(net::Reactor& reactor, const HttpService& service, User& user)
    : reactor_(reactor), service_(service), user_(user) {}

void HttpConnection::set_addresses(std::vector<net::SocketAddress> addresses, std::size_t first) {
  addresses_ = std::move(addresses);
  untried_ = addresses_.size();
  // connect_next() goes on to the next one, also at the beginning.
  at_ = untried_ > 0 ? (first + untried_ - 1) % untried_ : 0;
}

void HttpConnection::ask(std::string_view request, std::uint64_t deadline_ms) {
  LINNET_ASSERT(state_ == State::fresh || state_ == State::spare);
  request_ = request;
  deadline_ms_ = deadline_ms;
  sent_ = 0;
  reader_.start();
  timer_.cancel();
  if (state_ == State::fresh) return connect_next();
  state_ = State::asking;
  reused_ = true;
  send();
}

void HttpConnection::connect_next() {
  state_ = State::connecting;
  while (untried_ > 0) {
    at_ = (at_ + 1) % addresses_.size();
    --untried_;
    if (!connect()) {
      drop_socket();
      continue;
    }
    // Each address gets its share of the time that is left; the last one has the user's deadline.
    const std::uint64_t now = reactor_.now_ms();
    const std::uint64_t left = deadline_ms_ > now ? deadline_ms_ - now : 0;
    if (untried_ > 0) reactor_.timers().arm(timer_, now + left / (untried_ + 1));
    return;
  }
  fail(addresses_.empty() ? "has a host whose address cannot be found"
                          : cat("cannot be connected to: ", last_error_));
}

/// Begins to connect. False if that is impossible; last_error_ says why.
bool HttpConnection::connect() {
  const net::SocketAddress& address = addresses_[at_];
  socket_ = net::FileDescriptor(
      ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (socket_) (void)::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const bool begun = socket_ && (::connect(socket_.get(), address.get(), address.size) == 0 ||
                                 errno == EINPROGRESS || errno == EINTR);
  if (!begun) {
    last_error_ = cat(address.text(), ": ", text_of(errno));
    return false;
  }
  const auto slot = reactor_.add(socket_.get(), EPOLLOUT, *this);
  if (!slot) {
    last_error_ = slot.error().message();
    return false;
  }
  slot_ = *slot;
  watched_ = EPOLLOUT;
  return true;
}

void HttpConnection::on_connected() {
  timer_.cancel();
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    last_error_ = cat(addresses_[at_].text(), ": ", text_of(error));
    drop_socket();
    return connect_next();
  }
  state_ = State::asking;
  if (service_.tls() != nullptr) {
    channel_ = service_.tls()->connect(socket_.get());
    if (channel_ == nullptr) return fail("cannot be spoken to: no memory for TLS");
  }
  send();
}

void HttpConnection::on_timer() {
  if (state_ == State::connecting) {
    last_error_ = cat(addresses_[at_].text(), ": no answer");
    drop_socket();
    return connect_next();
  }
  close();
  user_.on_spare_end(*this);
}

void HttpConnection::on_ready(std::uint32_t events) {
  if (state_ == State::connecting) return on_connected();
  if (state_ == State::spare) {
    if (is_quiet()) return;
    close();
    return user_.on_spare_end(*this);
  }
  if (channel_ && channel_->is_opening() && !reactor_.take_slow_step()) return;
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) return receive();
  send();
}

bool HttpConnection::is_quiet() {
  // Through the channel, since TLS has things to say that are nobody's answer.
  const auto result = net::read_from(channel_.get(), socket_.get(), reactor_.scratch());
  return result.state == ReadState::again;
}

void HttpConnection::send() {
  bool blocked = false;
  while (sent_ < request_.size()) {
    const std::string_view rest = request_.substr(sent_);
    const iovec part{const_cast<char*>(rest.data()), rest.size()};
    const auto result = net::write_to(channel_.get(), socket_.get(), {&part, 1});
    sent_ += result.count;
    blocked = result.blocked;
    if (result.failed) {
      // It may have said why before it went.
      receive();
      if (state_ == State::asking) fail("has closed the connection");
      return;
    }
    if (result.blocked || result.count == 0) break;
  }
  const bool wants_write = blocked || (channel_ && channel_->wants_write());
  watch(wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void HttpConnection::receive() {
  for (;;) {
    const auto result = net::read_from(channel_.get(), socket_.get(), reactor_.scratch());
    if (result.state == ReadState::bytes) {
      if (!take(reader_.feed({reactor_.scratch().data(), result.count}))) return;
      continue;
    }
    if (result.state == ReadState::again) break;
    if (result.state == ReadState::failed) {
      const std::string fault = channel_ ? channel_->fault() : std::string();
      return fail(fault.empty() ? "has broken the connection off"
                                : cat("cannot be spoken to safely: ", fault,
                                      " (see auth.http.url and auth.http.ca)"));
    }
    if (!reader_.has_begun()) return fail("has closed the connection without an answer");
    if (!take(reader_.finish())) return;
    return fail("has closed the connection within its answer");
  }
  const bool ready_to_send = !channel_ || !channel_->is_opening();
  const bool may_go_on = (watched_ & EPOLLOUT) == 0;
  if (ready_to_send && may_go_on && sent_ < request_.size()) return send();
  if (channel_ && channel_->wants_write()) watch(EPOLLIN | EPOLLOUT);
}

bool HttpConnection::take(Status status) {
  if (status == Status::incomplete) return true;
  if (status == Status::whole) {
    succeed();
  } else {
    fail(fault_of(status));
  }
  return false;
}

void HttpConnection::succeed() {
  Outcome outcome{reader_.status(), std::string(reader_.body()), {}};
  const bool all_sent = sent_ == request_.size();
  const bool more = channel_ && channel_->has_more();
  request_ = {};
  if (all_sent && !more && reader_.keeps_connection()) {
    state_ = State::spare;
    watch(EPOLLIN);
    reactor_.timers().arm(timer_, reactor_.now_ms() + kSpareMs);
  } else {
    close();
  }
  user_.on_outcome(*this, std::move(outcome), false);
}

void HttpConnection::fail(std::string fault) {
  const bool stale = reused_ && !reader_.has_begun();
  close();
  user_.on_outcome(*this, {0, {}, std::move(fault)}, stale);
}

void HttpConnection::watch(std::uint32_t events) {
  if (watched_ == events) return;
  reactor_.modify(*slot_, events);
  watched_ = events;
}

void HttpConnection::drop_socket() noexcept {
  channel_.reset();
  if (slot_) reactor_.remove(*slot_);
  slot_.reset();
  socket_.close();
}

void HttpConnection::close() noexcept {
  timer_.cancel();
  if (channel_ && state_ == State::spare) (void)net::end_of(channel_.get(), socket_.get());
  drop_socket();
  request_ = {};
  state_ = State::ended;
}

}  // namespace linnet::auth
