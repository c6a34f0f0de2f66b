// A wire without a socket: what a client has written, and what the broker has written.
#pragma once

#include <string>

#include "net/link.hpp"
#include "net/reactor.hpp"

namespace linnet::test {

class FakeLink;

/// Both ends of one wire. The client's end outlives the link.
struct Cable {
  std::string to_broker;
  std::string from_broker;
  /// How much of what the broker sent may wait for the client to read it, in bytes.
  std::size_t window = SIZE_MAX;
  bool client_gone = false;    // the wire is cut
  net::Endpoint address;       // the client's; none, unless the test says so
  bool broker_closed = false;  // the broker has closed, and all that it sent before is here
  FakeLink* link = nullptr;    // null once it is deleted
};

class FakeLink final : public net::Link, private net::FlushHandler {
 public:
  FakeLink(Cable& cable, const net::ListenerTraits& listener, net::Reactor& reactor);
  ~FakeLink() override;

  [[nodiscard]] std::string peer() const override { return "fake"; }
  [[nodiscard]] bool blocked() const noexcept override { return blocked_; }
  [[nodiscard]] net::Endpoint endpoint() const noexcept override { return cable_->address; }
  void pause() override { paused_ = true; }
  void resume() override;
  void close(net::CloseMode mode) override;
  [[nodiscard]] std::unique_ptr<net::Link> leave() override;
  void join(std::unique_ptr<net::Link> self, net::Reactor& reactor) override;

  /// What a reactor would do: shows up to `bytes_max` new bytes to the user, writes what can be
  /// written now, notices that the client has gone. False if there was nothing to do.
  bool serve(std::size_t bytes_max);
  [[nodiscard]] bool is_in(const net::Reactor& reactor) const noexcept {
    return state_ != State::apart && reactor_ == &reactor;
  }
  [[nodiscard]] bool paused() const noexcept { return paused_; }

 private:
  enum class State : std::uint8_t { apart, open, flushing, ended };

  void on_touched() override { reactor_->flush_later(*this); }
  void on_flush() override;
  void write();
  bool show(std::size_t bytes_max);
  void finish();
  [[nodiscard]] bool can_write() const noexcept {
    return cable_->client_gone || cable_->from_broker.size() < cable_->window;
  }

  Cable* cable_;
  net::Reactor* reactor_;
  State state_ = State::apart;
  std::string unread_;
  bool paused_ = false;
  bool showing_ = false;
  bool show_again_ = false;
  bool blocked_ = false;
};

}  // namespace linnet::test
