// What an idle WebSocket costs, and that its messages allocate nothing.
#include <cstdlib>
#include <gtest/gtest.h>
#include <malloc.h>
#include <new>

#include "unit/web/visitor.hpp"

namespace {

thread_local std::size_t allocations = 0;

bool is_measurable() {
  const char* factor = std::getenv("LINNET_MEMORY_FACTOR");
  return factor == nullptr || std::string_view(factor) == "1";
}

std::size_t heap_bytes() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace linnet::web {
namespace {

/// A wire that is always there, so that it isn't counted.
class Borrowed final : public net::Channel {
 public:
  explicit Borrowed(MemoryWire& wire) noexcept : wire_(wire) {}
  net::ReadResult read(int socket, std::span<char> room) override {
    return wire_.read(socket, room);
  }
  net::WriteResult write(int socket, std::span<const iovec> parts) override {
    return wire_.write(socket, parts);
  }
  net::WriteResult end(int socket) override { return wire_.end(socket); }

 private:
  MemoryWire& wire_;
};

/// The client has sent `hello`, and we have answered with `answer_bytes`.
std::size_t bytes_per_channel(const Rules& rules, std::string_view asked, std::string_view hello,
                              std::size_t answer_bytes) {
  constexpr std::size_t kChannels = 5000;
  const Server server(rules);
  MemoryWire wire;
  wire.outgoing.reserve(1 << 20);
  std::vector<char> room(std::size_t{64} << 10);
  std::vector<std::unique_ptr<net::Channel>> channels;
  channels.reserve(kChannels);
  std::size_t before = 0;
  for (std::size_t at = 0; at <= kChannels; ++at) {
    if (at == 1) before = heap_bytes();  // the first one fills caches
    auto channel = server.accept(std::make_unique<Borrowed>(wire), {}, {});
    wire.incoming = asked;
    EXPECT_EQ(channel->read(-1, room).state, net::ReadResult::State::again);
    channel = channel->take_successor().next;
    EXPECT_EQ(channel->read(-1, room).state, net::ReadResult::State::again);
    wire.incoming = hello;
    EXPECT_EQ(channel->read(-1, room).state, net::ReadResult::State::bytes);
    const iovec part{room.data(), answer_bytes};
    EXPECT_EQ(channel->write(-1, {&part, 1}).count, answer_bytes);
    wire.outgoing.clear();
    if (at > 0) channels.push_back(std::move(channel));
  }
  return (heap_bytes() - before) / kChannels;
}

TEST(WebMemory, idle_websocket_is_small) {
  if (!is_measurable()) GTEST_SKIP() << "a sanitizer keeps books of its own";
  const std::size_t bytes = bytes_per_channel(usual_rules(), request(), message("hello"), 4);
  RecordProperty("bytes", std::to_string(bytes));
  EXPECT_LE(bytes, 3584U);
}

TEST(WebMemory, deflating_websocket_is_bounded) {
  if (!is_measurable()) GTEST_SKIP() << "a sanitizer keeps books of its own";
  Rules rules = usual_rules();
  rules.deflate = true;
  // "Hello", as RFC 7692 shows it (section 7.2.3.1).
  const std::string hello = frame(kFin | kRsv1 | kBinary, {"\xf2\x48\xcd\xc9\xc9\x07\x00", 7});
  const std::string asked =
      request("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
  const std::size_t bytes = bytes_per_channel(rules, asked, hello, 1000);
  RecordProperty("bytes", std::to_string(bytes));
  EXPECT_LE(bytes, std::size_t{96} << 10);
}

TEST(WebMemory, messages_allocate_nothing) {
  const Server server(usual_rules());
  Visitor visitor(server);
  visitor.upgrade();
  std::vector<char> room(std::size_t{64} << 10);
  std::string many;
  for (int at = 0; at < 50; ++at)
    many += message(numbered(100)) + frame(kFin | kPing, "p");
  many += message(numbered(20'000));
  visitor.wire().outgoing.reserve(1 << 20);
  visitor.wire().incoming = many;
  const std::size_t before = allocations;
  EXPECT_EQ(visitor.channel().read(-1, room).count, 25'000U);
  for (int at = 0; at < 50; ++at) {
    const iovec parts[] = {{room.data(), 10}, {room.data() + 5000, 1000}};
    EXPECT_EQ(visitor.channel().write(-1, parts).count, 1010U);
  }
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace linnet::web
