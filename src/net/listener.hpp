// Accepts connections on one bound socket, in one shard; its thread only.
#pragma once

#include "base/rate_limit.hpp"
#include "base/timer_wheel.hpp"
#include "net/endpoint.hpp"
#include "net/file_descriptor.hpp"
#include "net/reactor.hpp"

namespace linnet::net {

/// Who gets the connections of a listener.
class AcceptHandler {
 public:
  /// `socket` is non-blocking and closed on exec. Must not destroy the listener from within.
  virtual void on_accept(FileDescriptor socket, const Endpoint& peer) = 0;

 protected:
  ~AcceptHandler() = default;
};

/// Without file descriptors it closes one connection per 100 ms at once, so that clients see a
/// clear end and the others wait in the kernel's queue; it goes on by itself.
class Listener final : public ReadyHandler {
 public:
  /// At most this many connections are taken per turn.
  static constexpr int kAcceptsPerTurn = 64;
  static constexpr std::uint64_t kBackOffMs = 100;

  /// `socket` is bound and listens (see bind.hpp). Reactor and handler must outlive the listener.
  /// Throws std::system_error if the kernel refuses to watch it (start-up and reload only).
  Listener(FileDescriptor socket, Reactor& reactor, AcceptHandler& handler);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// Stops and starts accepting; the kernel keeps some connections meanwhile.
  void pause();
  void resume();

  void on_ready(std::uint32_t events) override;

 private:
  enum class Step : std::uint8_t { go_on, turn_done };

  [[nodiscard]] Step accept_one();
  [[nodiscard]] Step on_error(int error);
  void shed_one() noexcept;
  void back_off();
  void end_back_off();
  void watch();

  FileDescriptor socket_;
  FileDescriptor spare_;  // given up to accept, and close, when there are no descriptors left
  Reactor* reactor_;
  AcceptHandler* handler_;
  Reactor::Slot slot_;
  bool paused_ = false;
  bool watched_ = true;
  Timer back_off_;
  LogLimiter log_limiter_;
};

}  // namespace linnet::net
