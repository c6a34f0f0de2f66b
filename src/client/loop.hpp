// The generator's event loop: sockets, SIGINT, and the first thing that goes wrong, which ends the
// run. One thread; nothing here blocks but turn().
//
//   Loop loop;
//   if (!loop.open(error)) return error;
//   while (loop.may_go_on() && !done()) loop.turn(deadline_ns);
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <sys/epoll.h>
#include <vector>

#include "net/file_descriptor.hpp"

namespace linnet::client {

/// Of the monotonic clock.
[[nodiscard]] std::uint64_t now_ns() noexcept;
inline constexpr std::uint64_t kSecondNs = 1'000'000'000;
inline constexpr std::uint64_t kMillisecondNs = 1'000'000;

/// Who owns a socket of the loop.
class Ready {
 public:
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~Ready() = default;
};

class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// Lets SIGINT and SIGTERM end the process again.
  ~Loop();

  /// `packet_max` is the size of the largest packet that is to be read or written. False with an
  /// `error` if the system has no descriptors left.
  [[nodiscard]] bool open(std::size_t packet_max, std::string& error);

  /// An owner must not be destroyed within turn().
  void add(int socket, std::uint32_t events, Ready& owner);
  void modify(int socket, std::uint32_t events, Ready& owner);
  void remove(int socket);

  /// Waits until a socket is ready, but not beyond `deadline_ns`, and tells the owners.
  void turn(std::uint64_t deadline_ns);
  /// When this turn's events came: read once in a turn, and by refresh().
  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }
  void refresh() noexcept { now_ = now_ns(); }

  /// The first fault stands.
  void fail(std::string fault);
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  /// Somebody wants the run to end (1), and at once (2).
  [[nodiscard]] int interrupts() const noexcept { return interrupts_; }
  [[nodiscard]] bool may_go_on() const noexcept { return fault_.empty() && interrupts_ == 0; }

  /// Room to read into, and to write packets from; what is in it lasts until the next owner is
  /// told.
  [[nodiscard]] std::span<char> read_room() noexcept { return read_room_; }
  [[nodiscard]] std::vector<char>& write_room() noexcept { return write_room_; }
  [[nodiscard]] std::size_t packet_max() const noexcept { return packet_max_; }

 private:
  void take_signals();

  net::FileDescriptor epoll_;
  net::FileDescriptor signals_;
  std::size_t packet_max_ = 0;
  std::vector<char> read_room_;
  std::vector<char> write_room_;
  std::array<epoll_event, 512> events_{};
  std::uint64_t now_ = 0;
  int interrupts_ = 0;
  std::string fault_;
};

}  // namespace linnet::client
