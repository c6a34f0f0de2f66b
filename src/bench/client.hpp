// One connection to the broker: connects, says CONNECT, and then sends and receives what its kind
// (Publisher, Subscriber ...) wants. What the broker does wrong fails the loop, in words. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/network.hpp"
#include "bench/packets.hpp"
#include "net/channel.hpp"
#include "net/file_descriptor.hpp"

namespace linnet::bench {

/// How far a crowd of clients has come.
struct Crowd {
  std::uint32_t opening = 0;  // have begun, and are not ready yet
  std::uint32_t ready = 0;
  std::uint32_t ended = 0;
  std::uint64_t pings = 0;         // sent
  std::uint64_t pongs = 0;         // and answered
  std::uint16_t keep_alive_s = 0;  // the shortest that the broker wants; 0: none
};

/// What all clients of a run share; all of it outlives them.
struct Place {
  Loop& loop;
  Target& target;
  Version version;
};

class Client : public Ready {
 public:
  /// `kind` is a literal; kind and number are the client's name in faults: "publisher 3".
  Client(const Place& place, Crowd& crowd, const char* kind, std::uint32_t number)
      : place_(place), crowd_(crowd), kind_(kind), number_(number) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() { close(); }

  /// Connects, and sends this first. Also for one that has ended.
  void begin(std::string connect_packet);
  [[nodiscard]] bool is_open() const noexcept { return stage_ == Stage::open; }
  /// Sends DISCONNECT, and waits for the broker to close; then it is counted as ended.
  void end();
  /// Closes without a word.
  void close() noexcept;
  /// Counted in Crowd::pings, and the answer in Crowd::pongs.
  void ping() {
    ++crowd_.pings;
    send(ping_packet());
  }

  void on_ready(std::uint32_t events) final;

 protected:
  /// The broker has accepted the connection.
  virtual void on_connack(const ConnackAnswer& answer) = 0;
  /// Takes whole packets off the head of `bytes`, and says how many bytes those were.
  [[nodiscard]] virtual std::size_t on_bytes(std::string_view bytes) = 0;
  /// The broker has taken all that was sent.
  virtual void on_flushed() {}

  /// What cannot be sent now is copied, and sent later.
  void send(std::string_view bytes);
  [[nodiscard]] bool has_socket() const noexcept { return static_cast<bool>(socket_); }
  /// Something waits to be sent.
  [[nodiscard]] bool is_blocked() const noexcept { return unsent_at_ < unsent_.size(); }
  void fail(std::string_view what);
  /// This client has reached what its crowd waits for.
  void note_ready() noexcept;
  /// A packet that every kind may get: PINGRESP, DISCONNECT. All others are wrong.
  void on_other_packet(std::uint8_t first_byte, std::string_view body);

  [[nodiscard]] Loop& loop() const noexcept { return place_.loop; }
  [[nodiscard]] Version version() const noexcept { return place_.version; }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

 private:
  enum class Stage : std::uint8_t { idle, connecting, opening, open, ending, ended };

  void connect();
  void on_connected();
  void read();
  void read_once();
  [[nodiscard]] std::size_t take_connack(std::string_view bytes);
  void on_closed(const net::ReadResult& result);
  void flush();
  void watch();

  const Place& place_;
  Crowd& crowd_;
  const char* kind_;
  std::uint32_t number_;

  Stage stage_ = Stage::idle;
  std::size_t address_ = 0;  // of the target's
  bool watches_write_ = false;
  bool is_opening_ = false;  // counted as that in the crowd
  net::FileDescriptor socket_;
  std::unique_ptr<net::Channel> channel_;  // null: plain TCP
  std::string partial_;                    // of a packet
  std::string unsent_;
  std::size_t unsent_at_ = 0;
};

}  // namespace linnet::bench
