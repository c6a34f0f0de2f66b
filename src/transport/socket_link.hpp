// MQTT on a stream socket, TCP or Unix: straight, or through a channel (TLS, WebSocket). See
// net/link.hpp for what a link promises. An idle one takes 152 bytes and holds no buffer.
//
//   auto link = std::make_unique<SocketLink>(std::move(socket), peer, listener, reactor);
//   link->use(std::move(channel));  // or not
//   Link& kept = *link;
//   kept.set_user(&connection);
//   kept.join(std::move(link), reactor);
#pragma once

#include <memory>
#include <new>
#include <span>

#include "base/timer_wheel.hpp"
#include "net/channel.hpp"
#include "net/endpoint.hpp"
#include "net/file_descriptor.hpp"
#include "net/link.hpp"
#include "net/reactor.hpp"

namespace linnet::transport {

/// Bytes that were read and not consumed. One pointer, null if there are none.
class UnreadBytes {
 public:
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return block_ ? block_->size : 0; }
  [[nodiscard]] std::string_view view() const noexcept {
    return block_ ? std::string_view{data(), block_->size} : std::string_view();
  }

  /// Room behind the bytes, at least `size_min` (1 or more); whenever it is used up it doubles, or
  /// grows by that much alone if it is `tight`.
  [[nodiscard]] std::span<char> room(std::size_t size_min, bool tight = false);
  /// The first `count` bytes of the room hold bytes now.
  void grew(std::size_t count) noexcept { block_->size += static_cast<std::uint32_t>(count); }
  /// Becomes a copy of `bytes`, which may stand inside; gives the memory back if there are none.
  void keep(std::string_view bytes);

 private:
  /// Stands in front of the bytes.
  struct Block {
    std::uint32_t size;
    std::uint32_t capacity;
  };
  struct Free {
    void operator()(Block* block) const noexcept { ::operator delete(block); }
  };
  using BlockPtr = std::unique_ptr<Block, Free>;

  [[nodiscard]] static BlockPtr make(std::size_t capacity);
  [[nodiscard]] std::size_t capacity() const noexcept { return block_ ? block_->capacity : 0; }
  [[nodiscard]] char* data() const noexcept { return reinterpret_cast<char*>(block_.get() + 1); }

  BlockPtr block_;
};

class SocketLink final : public net::Link, public net::ReadyHandler, public net::FlushHandler {
 public:
  /// `socket` is connected and non-blocking. Nothing happens before join().
  SocketLink(net::FileDescriptor socket, const net::Endpoint& peer,
             const net::ListenerTraits& listener, net::Reactor& reactor) noexcept;
  ~SocketLink() override;

  /// What reads and writes from now on. Before the first join().
  void use(std::unique_ptr<net::Channel> channel) noexcept { channel_ = std::move(channel); }

  [[nodiscard]] std::string peer() const override { return endpoint().text(); }
  [[nodiscard]] net::Endpoint endpoint() const noexcept override;
  [[nodiscard]] net::PeerFacts facts() const override;

  [[nodiscard]] bool blocked() const noexcept override { return blocked_; }
  void pause() override;
  void resume() override;
  void close(net::CloseMode mode) override;
  [[nodiscard]] std::unique_ptr<net::Link> leave() override;
  void join(std::unique_ptr<net::Link> self, net::Reactor& reactor) override;

  void on_ready(std::uint32_t events) override;
  void on_flush() override;

 private:
  enum class State : std::uint8_t {
    apart,      // in no reactor: new, or on its way to another shard
    open,       // serves its user
    flushing,   // without a user; the outbox is still being sent
    lingering,  // the write side is shut; waits for the other side to close
    ended,      // the reactor deletes it at the end of the turn
  };

  static constexpr net::Reactor::Slot kNoSlot = ~net::Reactor::Slot{0};

  void on_touched() override;

  void on_readable(std::uint32_t events);
  void read();
  void follow_channel();
  [[nodiscard]] const net::Endpoint* told_endpoint() const noexcept;
  [[nodiscard]] bool is_welcome(bool told, bool shows);
  void read_more();
  void read_and_drop();
  void show(std::string_view bytes);

  void write();
  std::size_t write_parts();
  void on_write_error(int error);

  void begin_flushing();
  void shut_write_side();
  void set_deadline(std::uint64_t delay_ms);
  void fail(std::error_code reason);
  void refuse();
  void finish();
  void watch();
  void stop_watching() noexcept;

  net::Reactor* reactor_;
  UnreadBytes unread_;
  std::unique_ptr<Timer> deadline_;        // while flushing or lingering
  std::unique_ptr<net::Channel> channel_;  // null: bytes of the socket are bytes of MQTT
  net::FileDescriptor socket_;
  net::Reactor::Slot slot_ = kNoSlot;
  net::Endpoint peer_;
  std::uint8_t watched_ = 0;  // the events that the reactor looks for
  State state_ = State::apart;
  bool paused_ : 1 = false;
  bool blocked_ : 1 = false;     // the kernel takes no more now; on_ready() will say when
  bool broken_ : 1 = false;      // writing failed for good; reading will tell why
  bool showing_ : 1 = false;     // within the user's on_bytes()
  bool show_again_ : 1 = false;  // at the end of the turn, the user sees the unread bytes once more
  bool leaves_ : 1 = false;      // the other side's end need not be waited for
  bool peer_done_ : 1 = false;   // the other side has sent its last byte
};

static_assert(sizeof(void*) != 8 || sizeof(SocketLink) <= 152);

}  // namespace linnet::transport
