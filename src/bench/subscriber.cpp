#include "bench/subscriber.hpp"

#include "base/bytes.hpp"
#include "base/cat.hpp"

namespace linnet::bench {

namespace {

constexpr std::size_t kAckBytes = 4;

std::size_t write_ack(char* target, std::uint8_t first_byte, std::uint16_t packet_id) {
  Writer writer(target);
  writer.u8(first_byte);
  writer.u8(2);
  writer.u16(packet_id);
  return kAckBytes;
}

}  // namespace

void Subscriber::on_connack(const ConnackAnswer& answer) {
  if (purpose_ == Purpose::resume && !answer.session_present)
    return fail("has forgotten the session that it was to keep");
  if (purpose_ == Purpose::subscribe) return subscribe();
  note_ready();
}

void Subscriber::subscribe() {
  send(subscribe_packet(traffic_.plan().receivers[number()].filter, qos_, version()));
}

std::size_t Subscriber::on_bytes(std::string_view bytes) {
  // An acknowledgement is smaller than what it is for: this is room for all of them.
  std::vector<char>& acks = loop().write_room();
  if (acks.size() < bytes.size()) acks.resize(bytes.size());
  std::size_t acks_size = 0;
  std::size_t taken = 0;
  while (loop().fault().empty()) {
    const Found found = scan(bytes.substr(taken), loop().packet_max());
    if (found.state == Scan::incomplete) break;
    if (found.state == Scan::bad) {
      fail("has sent a packet that is broken, or larger than all that was sent");
      break;
    }
    acks_size += on_packet(found, acks.data() + acks_size);
    taken += found.size;
  }
  if (acks_size > 0) send({acks.data(), acks_size});
  return taken;
}

std::size_t Subscriber::on_packet(const Found& found, char* ack) {
  constexpr std::uint8_t kPublish = 0x30;
  constexpr std::uint8_t kPubrel = 0x62;
  constexpr std::uint8_t kPubcomp = 0x70;
  if ((found.first_byte & 0xF0) == kPublish) [[likely]]
    return on_publish(found, ack);
  // MQTT 3.1 may have the DUP flag there.
  if ((found.first_byte & 0xF7) == kPubrel) {
    const AckAnswer answer = read_ack(found.body, version());
    if (answer.packet_id != 0) return write_ack(ack, kPubcomp, answer.packet_id);
    fail("has sent a broken PUBREL");
  } else if (found.first_byte == 0x90) {
    on_suback(found.body);
  } else {
    on_other_packet(found.first_byte, found.body);
  }
  return 0;
}

std::size_t Subscriber::on_publish(const Found& found, char* ack) {
  constexpr std::uint8_t kPuback = 0x40;
  constexpr std::uint8_t kPubrec = 0x50;
  const ReceivedPublish publish = read_publish(found.first_byte, found.body, version());
  if (!publish.ok) {
    fail("has sent a broken PUBLISH");
    return 0;
  }
  traffic_.take(traffic_.receiver(number()), number(), publish.payload, loop().now());
  if (publish.qos == 0) return 0;
  return write_ack(ack, publish.qos == 1 ? kPuback : kPubrec, publish.packet_id);
}

void Subscriber::on_suback(std::string_view body) {
  const std::string fault = suback_fault(body, qos_, version());
  if (!fault.empty()) return fail(fault);
  note_ready();
}

}  // namespace linnet::bench
