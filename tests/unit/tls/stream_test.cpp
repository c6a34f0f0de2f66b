#include <gtest/gtest.h>
#include <random>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "unit/tls/peers.hpp"

namespace linnet::tls::test {
namespace {

class StreamTest : public TlsTest, public testing::WithParamInterface<int> {
 protected:
  StreamTest() {
    show_works();
    context_ = open();
  }
  [[nodiscard]] ClientSpec spec() const {
    return {.version_min = GetParam(), .version_max = GetParam()};
  }
  std::unique_ptr<ServerContext> context_;
};

INSTANTIATE_TEST_SUITE_P(Versions, StreamTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

std::string noise(std::size_t size, unsigned int seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& byte : text)
    byte = static_cast<char>(random());
  return text;
}

std::vector<iovec> parts_of(const std::string& text, const std::vector<std::size_t>& sizes) {
  std::vector<iovec> parts;
  std::size_t at = 0;
  for (const auto size : sizes) {
    parts.push_back({const_cast<char*>(text.data()) + at, size});
    at += size;
  }
  return parts;
}

// What is left of the parts after `count` bytes.
std::vector<iovec> rest_of(std::vector<iovec> parts, std::size_t count) {
  std::vector<iovec> rest;
  for (iovec part : parts) {
    const auto step = std::min(count, part.iov_len);
    count -= step;
    part.iov_base = static_cast<char*>(part.iov_base) + step;
    part.iov_len -= step;
    if (part.iov_len > 0) rest.push_back(part);
  }
  return rest;
}

TEST_P(StreamTest, AMegabyteComesInWhole) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  const auto text = noise(1 << 20, 1);
  for (std::size_t sent = 0; sent < text.size();) {
    sent += link.client().send(std::string_view(text).substr(sent));
    link.serve();
    ASSERT_EQ(link.state(), State::again) << link.channel().fault();
  }
  EXPECT_EQ(link.received(), text);
  EXPECT_FALSE(link.channel().has_more());
}

TEST_P(StreamTest, ALittleRoomLeavesMoreThatIsSaid) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  const auto text = noise(60'000, 2);
  for (std::size_t at = 0; at < text.size(); at += 1000)
    ASSERT_EQ(link.client().send(std::string_view(text).substr(at, 1000)), 1000U);
  std::array<char, 16384> room;
  std::string received;
  bool has_had_more = false;
  while (received.size() < text.size()) {
    const auto result = link.channel().read(link.socket(), room);
    // While there is nothing in the socket, has_more() is what calls.
    ASSERT_EQ(result.state, State::bytes);
    received.append(room.data(), result.count);
    char byte = 0;
    const bool is_readable = ::recv(link.socket(), &byte, 1, MSG_PEEK) == 1;
    has_had_more = has_had_more || link.channel().has_more();
    ASSERT_TRUE(received.size() == text.size() || is_readable || link.channel().has_more());
  }
  EXPECT_TRUE(has_had_more);
  EXPECT_EQ(received, text);
  EXPECT_EQ(link.channel().read(link.socket(), room).state, State::again);
  EXPECT_FALSE(link.channel().has_more());
}

TEST_P(StreamTest, PartsOfAllSizesGoOutThroughAFullSocket) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  const int small = 4608;
  ASSERT_EQ(::setsockopt(link.socket(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  std::vector<std::size_t> sizes{1, 0, 20'000, 3, 5, 16'384, 7, 300'000, 2};
  for (std::size_t i = 0; i < 2000; ++i)
    sizes.push_back(i % 97);
  std::size_t total = 0;
  for (const auto size : sizes)
    total += size;
  const auto text = noise(total, 3);
  auto parts = parts_of(text, sizes);
  std::size_t shown = 3;  // more is shown from time to time, as an outbox grows
  int blocked = 0;
  for (std::size_t done = 0; done < total;) {
    shown = std::min(shown + 40, parts.size());
    const auto now = rest_of({parts.begin(), parts.begin() + static_cast<long>(shown)}, done);
    // The parts that were in one place may lie in another one now.
    std::string moved;
    for (const iovec& part : now)
      moved.append(static_cast<const char*>(part.iov_base), part.iov_len);
    const auto result =
        blocked % 2 == 0 ? link.channel().write(link.socket(), now) : link.write(moved);
    ASSERT_FALSE(result.failed) << link.channel().fault();
    ASSERT_LE(result.count, moved.size());
    ASSERT_TRUE(result.blocked || result.count == moved.size());
    done += result.count;
    blocked += result.blocked ? 1 : 0;
    link.client().pump();
  }
  EXPECT_GT(blocked, 3);
  EXPECT_EQ(link.client().received(), text);
}

TEST_P(StreamTest, ManySmallPartsMakeFewRecords) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  const auto text = noise(1024 * 15, 4);
  const auto parts = parts_of(text, std::vector<std::size_t>(1024, 15));
  EXPECT_EQ(link.channel().write(link.socket(), parts).count, text.size());
  std::string wire(64 << 10, '\0');
  const auto size = ::recv(link.sockets().client.get(), wire.data(), wire.size(), MSG_PEEK);
  ASSERT_GT(size, 0);
  EXPECT_LT(static_cast<std::size_t>(size), text.size() + 64);
  link.client().pump();
  EXPECT_EQ(link.client().received(), text);
}

TEST_P(StreamTest, BothDirectionsAtOnceWhileBlocked) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  const auto text = noise(2 << 20, 5);
  const auto first = link.write(text);
  EXPECT_TRUE(first.blocked);
  EXPECT_EQ(link.client().send("hello"), 5U);
  link.serve();
  EXPECT_EQ(link.received(), "hello");
  std::size_t done = first.count;
  while (done < text.size()) {
    link.client().pump();
    const auto result = link.write(std::string_view(text).substr(done));
    ASSERT_FALSE(result.failed);
    done += result.count;
  }
  link.client().pump();
  EXPECT_EQ(link.client().received(), text);
}

TEST_P(StreamTest, CloseNotifyGoesBothWays) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  EXPECT_EQ(link.write("bye").count, 3U);
  EXPECT_FALSE(link.channel().end(link.socket()).blocked);
  EXPECT_FALSE(link.channel().end(link.socket()).failed);
  link.client().pump();
  EXPECT_EQ(link.client().received(), "bye");
  EXPECT_TRUE(link.client().is_closed());
  // Said once only.
  char byte = 0;
  EXPECT_EQ(::recv(link.sockets().client.get(), &byte, 1, MSG_PEEK), -1);
}

TEST_P(StreamTest, BytesBeforeTheClientsCloseNotifyAreRead) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  ASSERT_EQ(link.client().send("last words"), 10U);
  EXPECT_GE(SSL_shutdown(link.client().ssl()), 0);
  std::array<char, 16384> room;
  const auto result = link.channel().read(link.socket(), room);
  ASSERT_EQ(result.state, State::bytes);
  EXPECT_EQ(std::string(room.data(), result.count), "last words");
  EXPECT_TRUE(link.channel().has_more());  // the socket itself stays silent
  EXPECT_EQ(link.channel().read(link.socket(), room).state, State::closed);
  EXPECT_EQ(link.channel().fault(), "");
}

TEST_P(StreamTest, AStreamThatIsCutIsClosed) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  ASSERT_EQ(link.client().send("cut"), 3U);
  link.sockets().client.close();
  link.serve();
  EXPECT_EQ(link.received(), "cut");
  EXPECT_EQ(link.state(), State::closed);
  EXPECT_TRUE(link.write("nobody listens").failed);
  EXPECT_FALSE(link.channel().end(link.socket()).blocked);
}

TEST_P(StreamTest, AfterAFailedWriteWhatCameBeforeCanBeRead) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  ASSERT_EQ(link.client().send("before"), 6U);
  link.sockets().client.close();
  EXPECT_TRUE(link.write("nobody listens").failed);
  link.serve();
  EXPECT_EQ(link.received(), "before");
}

TEST_P(StreamTest, AChangedRecordFails) {
  Link link(*context_, spec());
  ASSERT_TRUE(link.opens());
  const std::string forged = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  ASSERT_EQ(::send(link.sockets().client.get(), forged.data(), forged.size(), 0), 37);
  link.serve();
  EXPECT_EQ(link.state(), State::failed);
  EXPECT_NE(link.channel().fault(), "");
  link.client().pump();
  EXPECT_NE(link.client().failure().find("alert bad record mac"), std::string::npos)
      << link.client().failure();
}

}  // namespace
}  // namespace linnet::tls::test
