// Whatever a client sends to an HTTP port, in whatever pieces, and however little it takes: the
// channel stays within its contract, and what it says is HTTP or whole WebSocket frames. The first
// byte of the input chooses how much of the upgrade is given, so that the fuzzer gets behind it.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "unit/web/visitor.hpp"
#include "web/server.hpp"

namespace {

using linnet::net::ReadResult;
using linnet::net::WriteResult;
using linnet::web::MemoryWire;

constexpr std::size_t kRoom = std::size_t{16} << 10;
constexpr int kCallsMax = 2'000;

const linnet::web::Server& server(bool deflate) {
  static const auto make = [](bool with) {
    linnet::web::Rules rules = linnet::web::usual_rules();
    rules.deflate = with;
    rules.message_max = 100'000;
    return linnet::web::Server(rules);
  };
  static const linnet::web::Server plain = make(false);
  static const linnet::web::Server deflating = make(true);
  return deflate ? deflating : plain;
}

/// Takes one connection through its life, as a link would.
class Life {
 public:
  explicit Life(std::uint8_t kind) {
    auto wire = std::make_unique<MemoryWire>();
    wire_ = wire.get();
    deflates_ = (kind & 2) != 0;
    channel_ = server(deflates_).accept(std::move(wire), {}, {});
    if ((kind & 1) == 0) return;
    upgraded_ = true;
    wire_->incoming = linnet::web::request(
        deflates_ ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                  : "");
    read();
    wire_->outgoing.clear();
  }

  [[nodiscard]] bool ended() const noexcept { return ended_; }

  void step(std::uint8_t choice, std::string_view bytes) {
    wire_->capacity = (choice & 0x40) != 0 ? std::size_t{choice & 7U} : std::size_t{1} << 20;
    if ((choice & 0x80) != 0) write();
    wire_->incoming += bytes;
    read();
  }

  void finish() {
    wire_->capacity = 1 << 20;
    write();
    if (!ended_) read();
    const WriteResult result = channel_->end(-1);
    LINNET_ASSERT(!result.blocked && !result.failed && wire_->ended);
    check_said();
  }

 private:
  void read() {
    for (int calls = 0; calls < kCallsMax && !ended_; ++calls) {
      const ReadResult result = channel_->read(-1, room_);
      LINNET_ASSERT(result.count <= kRoom);
      LINNET_ASSERT((result.count > 0) == (result.state == ReadResult::State::bytes));
      if (auto next = channel_->take_successor(); next.changed) channel_ = std::move(next.next);
      ended_ =
          result.state == ReadResult::State::closed || result.state == ReadResult::State::failed;
      const bool more = !wire_->incoming.empty() && !channel_->wants_write();
      if (!channel_->has_more() && !more) return;
    }
    LINNET_ASSERT(ended_);  // else it goes round in circles
  }

  void write() {
    const iovec part{const_cast<char*>(text_), sizeof text_};
    const WriteResult result = channel_->write(-1, {&part, upgraded_ ? 1U : 0U});
    LINNET_ASSERT(result.count == 0 || result.count == sizeof text_);
    LINNET_ASSERT(!result.failed);
  }

  void check_said() const {
    std::string said = wire_->outgoing;
    if (!upgraded_) return LINNET_ASSERT(said.empty() || said.starts_with("HTTP/1.1 "));
    bool closed = false;
    for (const auto& frame : linnet::web::take_frames(said)) {
      LINNET_ASSERT(!closed);
      const int kind = frame.first & 0x0f;
      LINNET_ASSERT(kind == 0 || kind == 2 || kind == 8 || kind == 10);
      closed = kind == 8;
    }
    // A message that can't be inflated may come while another is half sent in several frames.
    LINNET_ASSERT(said.empty() && (closed || deflates_));
  }

  std::unique_ptr<linnet::net::Channel> channel_;
  MemoryWire* wire_ = nullptr;
  std::vector<char> room_ = std::vector<char>(kRoom);
  const char text_[300] = "text";
  bool deflates_ = false;
  bool upgraded_ = false;
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Life life(data[0]);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!rest.empty() && !life.ended()) {
    const auto choice = static_cast<std::uint8_t>(rest.front());
    const std::string_view piece = rest.substr(1, choice & 0x3fU);
    rest.remove_prefix(1 + piece.size());
    life.step(choice, piece);
  }
  life.finish();
  return 0;
}
