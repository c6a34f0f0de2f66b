// A broker's bytes as the load generator reads them: packets, answers, and WebSocket frames. What
// is found lies within the bytes, and reading comes to an end.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/cat.hpp"
#include "bench/packets.hpp"
#include "bench/wire.hpp"
#include "client/websocket.hpp"
#include "scripted_channel.hpp"

namespace {

using namespace linnet;
using namespace linnet::bench;

constexpr std::size_t kPacketMax = 64 << 10;

void read_body(const Found& found, Version version) {
  const ReceivedPublish publish = read_publish(found.first_byte, found.body, version);
  const auto* const end = found.body.data() + found.body.size();
  if (publish.ok && publish.payload.data() + publish.payload.size() != end) std::abort();
  if (publish.ok && publish.payload.size() >= 8) (void)read_stamp(publish.payload);
  (void)read_connack(found.body, version);
  (void)suback_fault(found.body, Qos::at_least_once, version);
  (void)read_ack(found.body, version);
  (void)disconnect_text(found.body);
}

void read_packets(std::string_view bytes, Version version) {
  for (Found found = scan(bytes, kPacketMax); found.state == Scan::whole;
       found = scan(bytes, kPacketMax)) {
    if (found.size < 2 || found.size > bytes.size() || found.size > kPacketMax) std::abort();
    read_body(found, version);
    bytes.remove_prefix(found.size);
  }
}

/// `step` bytes in each piece.
void read_frames(std::string_view bytes, std::size_t step) {
  test::Script script;
  script.closes = true;
  client::WebsocketChannel channel(std::make_unique<test::ScriptedChannel>(script), "host",
                                   "/mqtt");
  (void)channel.write(0, {});
  constexpr std::string_view kName = "Sec-WebSocket-Key: ";
  const auto at = script.heard.find(kName) + kName.size();
  const std::string nonce = script.heard.substr(at, script.heard.find('\r', at) - at);
  // The first byte says whether what follows is frames, or the answer itself.
  const bool upgraded = !bytes.empty() && (bytes[0] & 1) != 0;
  if (upgraded) {
    script.says.push_back(
        cat("HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: ", client::accept_text(nonce),
            "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"));
  }
  for (std::size_t piece = 0; piece < bytes.size(); piece += step)
    script.says.emplace_back(bytes.substr(piece, step));
  std::vector<char> room(32 << 10);
  std::size_t got = 0;
  for (;;) {
    const net::ReadResult result = channel.read(0, room);
    using State = net::ReadResult::State;
    if (result.state == State::closed || result.state == State::failed) break;
    got += result.count;
    if (result.state == State::again && script.says.empty() && !script.closes) break;
  }
  if (got > bytes.size()) std::abort();
  (void)channel.fault();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const Version version : {Version::v3_1, Version::v3_1_1, Version::v5})
    read_packets(bytes, version);
  read_frames(bytes, std::size_t{data[0]} + 1);
  return 0;
}
