#include "support/fake_link.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"

namespace linnet::test {

FakeLink::FakeLink(Cable& cable, const net::ListenerTraits& listener, net::Reactor& reactor)
    : Link(listener, reactor.pool()), cable_(&cable), reactor_(&reactor) {
  cable.link = this;
}

FakeLink::~FakeLink() {
  if (touched()) reactor_->forget_flush(*this);
  cable_->link = nullptr;
  cable_->broker_closed = true;
}

void FakeLink::join(std::unique_ptr<net::Link> self, net::Reactor& reactor) {
  LINNET_ASSERT(state_ == State::apart && self.get() == this);
  reactor_ = &reactor;
  outbox().use(reactor.pool());
  reactor.keep(std::move(self));
  state_ = State::open;
  paused_ = false;
  show_again_ = !unread_.empty();
  if (show_again_) touch();
}

std::unique_ptr<net::Link> FakeLink::leave() {
  LINNET_ASSERT(state_ == State::open && !showing_ && outbox().empty());
  if (touched()) {
    reactor_->forget_flush(*this);
    untouch();
  }
  state_ = State::apart;
  set_user(nullptr);
  return reactor_->release(*this);
}

void FakeLink::resume() {
  if (state_ != State::open || !paused_) return;
  paused_ = false;
  show_again_ = true;
  touch();  // so that the turn is not the last one
}

void FakeLink::close(net::CloseMode mode) {
  LINNET_ASSERT(state_ != State::apart);
  set_user(nullptr);
  if (mode == net::CloseMode::now) return finish();
  if (state_ != State::open) return;
  state_ = State::flushing;
  touch();
}

bool FakeLink::serve(std::size_t bytes_max) {
  if (state_ == State::apart || state_ == State::ended) return false;
  bool done = false;
  if (blocked_ && can_write()) {
    write();
    done = true;
  }
  if (state_ != State::open) return done;
  if (!paused_ && show(bytes_max)) return true;
  if (!cable_->client_gone || state_ != State::open) return done;
  net::LinkUser* left = user();
  set_user(nullptr);
  finish();
  if (left != nullptr) left->on_closed({});
  return true;
}

bool FakeLink::show(std::size_t bytes_max) {
  if (cable_->to_broker.empty() && !show_again_) return false;
  show_again_ = false;
  const std::size_t fresh = std::min(bytes_max, cable_->to_broker.size());
  unread_.append(cable_->to_broker, 0, fresh);
  cable_->to_broker.erase(0, fresh);
  if (unread_.empty()) return false;
  LINNET_ASSERT(user() != nullptr && !showing_);
  showing_ = true;
  const std::string bytes = std::move(unread_);
  unread_.clear();
  const std::size_t used = user()->on_bytes(bytes);
  showing_ = false;
  LINNET_ASSERT(used <= bytes.size());
  if (state_ == State::open) unread_ = bytes.substr(used);
  return true;
}

void FakeLink::on_flush() {
  untouch();
  if (state_ != State::ended && !blocked_) write();
}

void FakeLink::write() {
  const bool was_blocked = std::exchange(blocked_, false);
  while (!outbox().empty() && can_write()) {
    std::array<iovec, 4> parts{};
    const std::size_t count = outbox().gather(parts);
    LINNET_ASSERT(count > 0);
    const std::size_t room =
        cable_->client_gone ? SIZE_MAX : cable_->window - cable_->from_broker.size();
    const std::size_t size = std::min(parts[0].iov_len, room);
    if (!cable_->client_gone) {
      cable_->from_broker.append(static_cast<const char*>(parts[0].iov_base), size);
    }
    outbox().consume(size);
  }
  blocked_ = !outbox().empty();
  if (blocked_) return;
  if (state_ == State::flushing) return finish();
  const bool wanted = take_wants_drained() || was_blocked;
  if (wanted && user() != nullptr) user()->on_drained();
}

void FakeLink::finish() {
  if (state_ == State::ended) return;
  state_ = State::ended;
  outbox().clear();
  cable_->broker_closed = true;
  reactor_->end(*this);
}

}  // namespace linnet::test
