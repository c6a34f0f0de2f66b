// A server's bytes as a client reads them: in pieces, with what is under way in both directions,
// over several connections; and what comes of them as it is printed. Nothing beyond the packets is
// read, the output is made of whole packets, and a terminal sees no control character.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "client/session.hpp"
#include "mqtt/property_writer.hpp"
#include "pubsub/format.hpp"
#include "pubsub/json_text.hpp"
#include "pubsub/terminal.hpp"

namespace {

using namespace linnet;
using namespace linnet::client;

constexpr std::size_t kPacketMax = 64 << 10;

void check(bool is_right) {
  if (!is_right) std::abort();
}

class Printer final : public SessionUser {
 public:
  void on_message(const mqtt::ReceivedPublish& publish) override {
    check(!publish.topic.empty() && publish.payload.size() <= kPacketMax);
    std::string error;
    static const auto format = pubsub::Format::parse("%t %p %P %C %D %R %S %j %l", error);
    const pubsub::Arrival arrival{publish, {}};
    std::string text;
    check(format->append(text, arrival, true));
    for (const char c : text)
      check((c >= ' ' || c == '\n' || c == '\t' || c < 0) && c != '\x7f');
    check(pubsub::is_json(pubsub::message_json(arrival, pubsub::JsonPayload::text)));
    if (pubsub::is_json(publish.payload)) {
      std::string pretty;
      pubsub::append_pretty(pretty, publish.payload, pubsub::Palette(false));
      check(pubsub::is_plain_text(pretty));
    }
  }
  void on_published(std::uint64_t number, const Outcome&) override { check(number > 0); }
};

/// Takes what the session has sent.
void check_output(Session& session) {
  std::string_view bytes = session.output();
  while (!bytes.empty()) {
    const auto framed = mqtt::next_frame(bytes, 1 << 20);
    check(framed.state == mqtt::Framed::State::whole);
    bytes.remove_prefix(framed.frame.whole.size());
  }
  session.output().clear();
}

SessionOptions options_of(Version version) {
  mqtt::PropertyWriter properties;
  properties.u32(mqtt::Property::maximum_packet_size, kPacketMax);
  properties.u16(mqtt::Property::topic_alias_maximum, 10);
  properties.u16(mqtt::Property::receive_maximum, 5);
  SessionOptions options;
  options.version = version;
  options.connect_properties = properties.bytes();
  return options;
}

/// `step` bytes in each piece; a fault is followed by another connection.
void serve(std::string_view bytes, Version version, std::size_t step) {
  Printer printer;
  Session session(options_of(version), printer);
  session.subscribe({{.filter = "a/#"}, {.filter = "b"}});
  std::uint64_t now = 1;
  session.begin(now);
  for (int number = 0; number < 4; ++number)
    (void)session.publish({"t", "p", static_cast<Qos>(number % 3), false, {}, 1});
  std::string partial;
  while (!bytes.empty()) {
    partial += bytes.substr(0, step);
    bytes.remove_prefix(std::min(step, bytes.size()));
    const std::size_t taken = session.on_bytes(partial, ++now);
    check(taken <= partial.size());
    partial.erase(0, taken);
    check(session.fault().has_value() || !session.has_ended());
    (void)session.on_time(now += 1'000'000'000);
    check_output(session);
    check(session.unanswered() <= 4);
    if (!session.has_ended()) continue;
    session.on_lost();
    session.begin(now);
    partial.clear();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const Version version : {Version::v3_1_1, Version::v5})
    serve(bytes, version, std::size_t{data[0]} + 1);
  return 0;
}
