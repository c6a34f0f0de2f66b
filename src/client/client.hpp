// An MQTT client on a wire: connects, speaks for its Session, and connects again when a connection
// is lost, after a time that grows. It blocks only where Target::restart() does. One thread.
//
//   Client client(loop, *target, options, user);
//   client.session().subscribe({{.filter = "a/#"}});
//   client.begin();
//   while (!client.is_over()) loop.turn(client.tend());
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "client/loop.hpp"
#include "client/session.hpp"
#include "client/target.hpp"
#include "net/channel.hpp"
#include "net/file_descriptor.hpp"

namespace linnet::client {

struct ClientOptions {
  SessionOptions session;
  /// Whether a connection that was there is made again when it is lost. The first one is not tried
  /// twice: what is wrong then is mostly wrong with the command.
  bool reconnects = true;
  std::uint64_t wait_min_ns = kSecondNs;  // before the first try; each one after it waits longer
  std::uint64_t wait_max_ns = 30 * kSecondNs;
  /// From connecting to CONNACK.
  std::uint64_t opening_max_ns = 20 * kSecondNs;
};

/// Who is told what happens. From within these calls nobody destroys the client.
class ClientUser : public SessionUser {
 public:
  /// The connection is lost, and made again in `wait_ns`. `why` is a sentence that begins with the
  /// broker's URL.
  virtual void on_lost(const std::string& why, std::uint64_t wait_ns) = 0;
  /// All that has come was told, and its acknowledgements are about to go.
  virtual void on_turn() {}

 protected:
  ~ClientUser() = default;
};

class Client final : private Ready {
 public:
  /// All of it outlives the client.
  Client(Loop& loop, Target& target, const ClientOptions& options, ClientUser& user);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(); }

  [[nodiscard]] Session& session() noexcept { return session_; }
  void begin();
  /// Before each turn of the loop: sends what there is to send, and minds the time. Returns when it
  /// wants to be called again, at the latest.
  [[nodiscard]] std::uint64_t tend();

  /// Whether what the broker sends is read; if not, it waits.
  void set_reading(bool reads) noexcept { is_reading_ = reads; }

  /// Says DISCONNECT, and waits for the broker to close, but not for long.
  void end(ReasonCode reason = ReasonCode::success);
  /// Nothing more will happen: it has been ended, or fault() says why it has given up.
  [[nodiscard]] bool is_over() const noexcept { return stage_ == Stage::over; }
  /// A sentence that begins with the broker's URL; empty: none.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  [[nodiscard]] ReasonCode fault_reason() const noexcept { return fault_reason_; }
  /// Whether there ever was a CONNACK that let us in.
  [[nodiscard]] bool was_open() const noexcept { return was_open_; }

 private:
  enum class Stage : std::uint8_t { idle, connecting, opening, open, ending, waiting, over };

  void on_ready(std::uint32_t events) override;
  void connect();
  void on_deadline();
  void on_connected();
  void on_connect_fault(const std::string& error);
  void read();
  [[nodiscard]] bool read_once();
  void take(std::string_view bytes);
  void on_wire_lost(const net::ReadResult& result);
  void after_bytes();
  void flush();
  void watch();
  /// Closes, and connects again or gives up. `what` goes on from the URL.
  void lose(std::string_view what, bool is_final, ReasonCode reason);
  void give_up(std::string fault);
  void close() noexcept;

  Loop& loop_;
  Target& target_;
  const ClientOptions options_;
  ClientUser& user_;
  Session session_;
  Random random_;

  Stage stage_ = Stage::idle;
  bool was_open_ = false;
  bool is_reading_ = true;
  bool has_shut_ = false;  // our side of the connection
  std::string fault_;
  ReasonCode fault_reason_ = ReasonCode::unspecified_error;
  std::uint64_t deadline_ns_ = 0;  // of the stages that do not last
  std::uint64_t open_since_ns_ = 0;
  std::uint64_t wait_ns_ = 0;

  net::FileDescriptor socket_;
  std::unique_ptr<net::Channel> channel_;  // null: plain TCP
  std::uint32_t watched_ = 0;
  std::size_t address_ = 0;  // of the target's
  std::string partial_;      // of a packet
  std::string sending_;      // of the session's output
  std::size_t sending_at_ = 0;
};

}  // namespace linnet::client
