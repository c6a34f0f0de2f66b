// What stands between a link's socket and the bytes of MQTT: TLS, WebSocket, or the first bytes
// that tell which of them it is. A link over plain TCP has no channel at all. Channels stack: a
// WebSocket may stand on TLS. A channel belongs to one link and moves with it between shards, so it
// knows no shard, and nothing of it runs but within these calls. It never blocks and never closes
// the socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/uio.h>

#include "net/endpoint.hpp"
#include "net/peer_facts.hpp"

namespace linnet::net {

/// What reading has given.
struct ReadResult {
  enum class State : std::uint8_t {
    bytes,   // `count` bytes of MQTT are in the room
    again,   // nothing more before the kernel says that the socket is ready
    closed,  // the other side has ended the stream in order
    failed,  // the wire is broken, or the other side broke the rules: fault() says how. What the
             // protocol wants to say about it (an alert, a status, a close code) has been written
             // or waits for write()
  };
  State state = State::again;
  std::size_t count = 0;
};

struct WriteResult {
  std::size_t count = 0;  // bytes of the parts that are done with
  bool blocked = false;   // call again when the socket can be written
  bool failed = false;    // the wire is broken; reading may still give what came before
};

class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  /// Reads from `socket` what becomes bytes of MQTT at the start of `room`, which is at least
  /// 18 KiB; the rest of it may be used as scratch. One call does a bounded amount of work.
  [[nodiscard]] virtual ReadResult read(int socket, std::span<char> room) = 0;
  /// The last read() may have left bytes inside: read again, at the end of the turn, without
  /// waiting for the socket.
  [[nodiscard]] virtual bool has_more() const noexcept { return false; }

  /// Writes what the channel itself still has to say, and then `parts` (which may be none), whose
  /// bytes stay where they are until they have been counted as done. A call after one that was
  /// blocked shows the same bytes first, and perhaps more behind them. After a read() that failed
  /// it finishes what it has begun, says what there is to say about that, and counts new parts as
  /// done without writing them.
  [[nodiscard]] virtual WriteResult write(int socket, std::span<const iovec> parts) = 0;
  /// The channel itself waits for the socket to take more: call write(), then read().
  [[nodiscard]] virtual bool wants_write() const noexcept { return false; }

  /// Says goodbye as the protocol wants it, after all parts are written: close_notify, a Close
  /// frame. Called again after `blocked`; does nothing once it is said, or if the wire has failed.
  [[nodiscard]] virtual WriteResult end(int socket) = 0;

  /// The next read() may be expensive, here or below: a handshake's cryptography. A shard does few
  /// of those in a turn.
  [[nodiscard]] virtual bool is_opening() const noexcept { return false; }

  /// What takes this channel's place from now on; asked after each read() that returned bytes or
  /// `again`. `changed` is false for a channel that stays. A channel that was all that there is
  /// may be followed by none (`next` is null): plain MQTT.
  struct Successor {
    bool changed = false;
    std::unique_ptr<Channel> next;
  };
  [[nodiscard]] virtual Successor take_successor() { return {}; }

  /// What went wrong, for the log and for people, after a read() that failed: "the certificate has
  /// expired". Empty: the other side has just gone.
  [[nodiscard]] virtual std::string fault() const { return {}; }

  /// Who the other side is, as far as the channel knows. Asked at CONNECT.
  [[nodiscard]] virtual PeerFacts facts() const { return {}; }
  /// The client's own address, where a trusted proxy has told it; else null.
  [[nodiscard]] virtual const Endpoint* told_endpoint() const noexcept { return nullptr; }
};

/// read(), write() and end() of a `below` that may be null: then the socket itself. EINTR is tried
/// again; a write never raises SIGPIPE.
[[nodiscard]] ReadResult read_from(Channel* below, int socket, std::span<char> room);
[[nodiscard]] WriteResult write_to(Channel* below, int socket, std::span<const iovec> parts);
[[nodiscard]] WriteResult end_of(Channel* below, int socket);

}  // namespace linnet::net
