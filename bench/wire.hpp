// What the load generators speak: MQTT 3.1.1 packets, sockets, epoll. Whatever goes wrong ends the
// process with exit code 2.
#pragma once

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace linnet::bench {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::chrono::seconds kAnswerTimeout{10};

/// Any thread may end the process here; exit code 1 is kept for lost messages.
[[noreturn]] inline void fail(std::string_view what) {
  std::cerr << ::program_invocation_short_name << ": " << what << '\n';
  std::_Exit(2);
}

[[noreturn]] inline void fail_errno(std::string_view what) {
  fail(std::string(what) + ": " + std::strerror(errno));
}

// MQTT 3.1.1 on the wire
// ---------------------------------------------------------------------------

constexpr std::string_view kConnack = "\x20\x02\x00\x00"sv;
constexpr std::string_view kSuback = "\x90\x03\x00\x01\x00"sv;
constexpr std::string_view kSubackQos1 = "\x90\x03\x00\x01\x01"sv;
constexpr std::string_view kUnsuback = "\xB0\x02\x00\x02"sv;
constexpr std::string_view kPingreq = "\xC0\x00"sv;
constexpr std::string_view kDisconnect = "\xE0\x00"sv;

inline std::string two_bytes(std::size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
}

inline std::string with_length(std::string_view text) {
  return two_bytes(text.size()).append(text);
}

inline std::string packet(char first_byte, std::string_view body) {
  std::string bytes(1, first_byte);
  std::size_t left = body.size();
  do {
    const std::size_t more = left > 127 ? 128 : 0;
    bytes += static_cast<char>((left & 127) | more);
    left >>= 7;
  } while (left > 0);
  return bytes.append(body);
}

enum class SessionKind : std::uint8_t { clean, kept };

inline std::string connect_packet(std::string_view client_id,
                                  SessionKind kind = SessionKind::clean) {
  const auto flags = kind == SessionKind::clean ? "\x02"s : "\x00"s;
  return packet('\x10',
                with_length("MQTT") + "\x04" + flags + "\x00\x00"s + with_length(client_id));
}

/// Of a session that ends with its connection.
inline std::string login_packet(std::string_view client_id, std::string_view user,
                                std::string_view password) {
  return packet('\x10', with_length("MQTT") + "\x04\xC2\x00\x00"s + with_length(client_id) +
                            with_length(user) + with_length(password));
}

inline std::string subscribe_packet(std::string_view filter, char qos = 0) {
  return packet('\x82', two_bytes(1) + with_length(filter) + qos);
}

inline std::string unsubscribe_packet(std::string_view filter) {
  return packet('\xA2', two_bytes(2) + with_length(filter));
}

// Sockets
// ------------------------------------------------------------------------------------------

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {
    if (fd < 0) fail_errno("no descriptor");
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// Connected, and sends at once. `host` is an IPv4 address.
inline Descriptor connect_to(std::uint32_t port, const std::string& host = "127.0.0.1") {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) fail(host + " is no address");
  sockaddr generic{};
  static_assert(sizeof generic == sizeof address);
  std::memcpy(&generic, &address, sizeof address);
  if (::connect(socket.get(), &generic, sizeof generic) != 0) fail_errno("connect");
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval timeout{.tv_sec = kAnswerTimeout.count(), .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  return socket;
}

/// For small packets on a socket whose buffer has room.
inline void send_whole(const Descriptor& socket, std::string_view bytes) {
  const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) fail_errno("send");
}

inline void expect(const Descriptor& socket, std::string_view answer) {
  std::string bytes(answer.size(), '\0');
  const auto size = ::recv(socket.get(), bytes.data(), bytes.size(), MSG_WAITALL);
  if (size < 0) fail_errno("no answer from the broker");
  if (bytes != answer) fail("the broker refused a client");
}

class Poll {
 public:
  /// `what` is said in the words of epoll.
  void add(const Descriptor& socket, std::size_t index, std::uint32_t what = EPOLLIN) {
    epoll_event event{};
    event.events = what;
    event.data.u64 = index;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) fail_errno("epoll");
  }

  /// Calls on_readable(index) for each socket that has something, or what add() asked for.
  template <class OnReadable>
  void wait(std::chrono::milliseconds timeout, const OnReadable& on_readable) {
    const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                   static_cast<int>(timeout.count()));
    if (count < 0 && errno != EINTR) fail_errno("epoll_wait");
    for (int at = 0; at < count; ++at)
      on_readable(events_[static_cast<std::size_t>(at)].data.u64);
  }

 private:
  Descriptor epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::array<epoll_event, 256> events_{};
};

}  // namespace linnet::bench
