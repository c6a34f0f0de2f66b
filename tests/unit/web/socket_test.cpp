// A WebSocket over a real socket that takes little at once.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>

#include "net/file_descriptor.hpp"
#include "unit/web/visitor.hpp"

namespace linnet::web {
namespace {

using State = net::ReadResult::State;

/// A client that sends and reads with blocking calls.
class Client {
 public:
  Client(int socket, const std::string& payload) : socket_(socket), payload_(payload) {}

  void run() {
    send(request());
    std::string answer;
    char byte = 0;
    while (!answer.ends_with("\r\n\r\n") && ::recv(socket_, &byte, 1, 0) == 1)
      answer += byte;
    std::thread sender([this] { send(message(payload_)); });
    receive();
    sender.join();
  }

  [[nodiscard]] const std::string& received() const noexcept { return received_; }

 private:
  void send(const std::string& bytes) const {
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t count = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (count <= 0) return;
      at += static_cast<std::size_t>(count);
    }
  }

  void receive() {
    std::string bytes;
    std::vector<char> room(4096);
    while (received_.size() < payload_.size()) {
      const ssize_t count = ::recv(socket_, room.data(), room.size(), 0);
      if (count <= 0) return;
      bytes.append(room.data(), static_cast<std::size_t>(count));
      for (const ServerFrame& sent : take_frames(bytes))
        received_ += sent.payload;
    }
  }

  int socket_;
  const std::string& payload_;
  std::string received_;
};

/// What a link does, as far as it matters here.
class Served {
 public:
  Served(const Server& server, int socket)
      : channel_(server.accept(nullptr, {}, {})), socket_(socket) {}

  /// Sends `payload` and reads as many bytes.
  void run(const std::string& payload) {
    while (!ended_ && (bytes_.size() < payload.size() || sent_ < payload.size())) {
      const bool writes = upgraded_ && sent_ < payload.size();
      const auto events = static_cast<short>(POLLIN | (writes ? POLLOUT : 0));
      pollfd waited{socket_, events, 0};
      if (!channel_->has_more() && ::poll(&waited, 1, -1) < 1) return;
      if ((waited.revents & POLLOUT) != 0) write(std::string_view(payload).substr(sent_));
      if (channel_->has_more() || (waited.revents & POLLIN) != 0) read();
    }
  }

  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  void write(std::string_view text) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    sent_ += channel_->write(socket_, {&part, 1}).count;
  }

  void read() {
    const auto result = channel_->read(socket_, room_);
    if (auto next = channel_->take_successor(); next.changed) {
      channel_ = std::move(next.next);
      upgraded_ = true;
    }
    if (result.state == State::bytes) bytes_.append(room_.data(), result.count);
    ended_ = result.state == State::failed || result.state == State::closed;
  }

  std::unique_ptr<net::Channel> channel_;
  int socket_;
  std::vector<char> room_ = std::vector<char>(std::size_t{64} << 10);
  std::string bytes_;
  std::size_t sent_ = 0;
  bool upgraded_ = false;
  bool ended_ = false;
};

TEST(WebSocketSockets, much_goes_both_ways_through_a_small_socket) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const net::FileDescriptor ours(ends[0]);
  const net::FileDescriptor theirs(ends[1]);
  const int size = 4096;
  ASSERT_EQ(::setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
  ASSERT_EQ(::fcntl(ours.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string payload = numbered(1'000'000);
  Client client(theirs.get(), payload);
  std::thread thread([&client] { client.run(); });
  const Server server(usual_rules());
  Served served(server, ours.get());
  served.run(payload);
  thread.join();
  EXPECT_TRUE(served.bytes() == payload);
  EXPECT_TRUE(client.received() == payload);
}

}  // namespace
}  // namespace linnet::web
