#include "memory_traffic.hpp"

#include "mqtt/framer.hpp"

namespace linnet::bench {

namespace {

using mqtt::PacketType;

constexpr std::size_t kPacketMax = std::size_t{1} << 20;

std::string no_properties(bool v5) {
  return v5 ? std::string(1, '\0') : std::string();
}

std::string connect_bytes(const std::string& client_id, bool v5) {
  if (!v5) return connect_packet(client_id);
  return packet('\x10', with_length("MQTT") + "\x05\x02\x00\x00"s + no_properties(v5) +
                            with_length(client_id));
}

std::string publish_bytes(const Scenario& scenario, const std::string& topic, std::size_t id) {
  std::string body = with_length(topic);
  if (scenario.qos > 0) body += two_bytes(id);
  body += no_properties(scenario.v5) + std::string(scenario.payload, 'x');
  return packet(static_cast<char>(0x30 | (scenario.qos << 1)), body);
}

std::string_view id_behind_topic(const mqtt::Frame& publish) {
  const auto high = static_cast<unsigned char>(publish.body[0]);
  const auto low = static_cast<unsigned char>(publish.body[1]);
  return publish.body.substr(2 + std::size_t{256} * high + low, 2);
}

void add_answer(std::string& answers, char first_byte, std::string_view id) {
  answers += first_byte;
  answers += '\x02';
  answers += id;
}

}  // namespace

MemoryTraffic::MemoryTraffic(const Scenario& scenario)
    : scenario_(scenario), broker_(config_of(scenario)) {
  std::uint32_t number = 0;
  for (const std::string& filter : filters_of(scenario)) {
    subscribe(connect("subscriber-" + std::to_string(++number), scenario.v5), filter);
  }
  for (const auto& topics : topics_of(scenario)) {
    MemoryClient& publisher = connect("publisher-" + std::to_string(++number), scenario.v5);
    std::size_t id = 0;
    for (const std::string& topic : topics)
      publisher.batch += publish_bytes(scenario, topic, ++id);
    round_messages_ += topics.size();
  }
}

MemoryClient& MemoryTraffic::connect(const std::string& client_id, bool v5) {
  MemoryClient& client = *clients_.emplace_back(std::make_unique<MemoryClient>());
  broker_.accept(client.peer);
  send(client, connect_bytes(client_id, v5));
  const bool fits = client.peer.from_broker.size() >= kConnack.size();
  if (!fits || client.peer.from_broker[0] != '\x20' || client.peer.from_broker[3] != '\0')
    fail("the broker refuses a client");
  client.peer.from_broker.clear();
  return client;
}

void MemoryTraffic::subscribe(MemoryClient& client, const std::string& filter) {
  const auto qos = static_cast<char>(scenario_.qos);
  send(client,
       packet('\x82', two_bytes(1) + no_properties(scenario_.v5) + with_length(filter) + qos));
  const std::string& answer = client.peer.from_broker;
  if (answer.empty() || answer[0] != '\x90' || answer.back() != qos)
    fail("the broker refuses a subscription");
  client.peer.from_broker.clear();
}

void MemoryTraffic::send(MemoryClient& client, std::string_view bytes) {
  client.peer.to_broker = bytes;
  MemoryPeer* const peer = &client.peer;
  broker_.serve({&peer, 1});
}

void MemoryTraffic::round() {
  ready_.clear();
  for (const auto& client : clients_) {
    if (client->batch.empty()) continue;
    client->peer.to_broker = client->batch;
    ready_.push_back(&client->peer);
  }
  while (!ready_.empty()) {
    broker_.serve(ready_);
    ready_.clear();
    for (const auto& client : clients_) {
      answer(*client);
      if (!client->peer.to_broker.empty()) ready_.push_back(&client->peer);
    }
  }
}

void MemoryTraffic::answer(MemoryClient& client) {
  client.answers.clear();
  std::string_view left = client.peer.from_broker;
  while (!left.empty()) {
    const mqtt::Framed framed = mqtt::next_frame(left, kPacketMax);
    if (framed.state != mqtt::Framed::State::whole) fail("the broker sends half a packet");
    const mqtt::Frame& frame = framed.frame;
    left.remove_prefix(frame.whole.size());
    switch (frame.type()) {
      case PacketType::publish:
        ++delivered_;
        if ((frame.flags() & 2) != 0) add_answer(client.answers, '\x40', id_behind_topic(frame));
        if ((frame.flags() & 4) != 0) add_answer(client.answers, '\x50', id_behind_topic(frame));
        break;
      case PacketType::pubrec: add_answer(client.answers, '\x62', frame.body.substr(0, 2)); break;
      case PacketType::pubrel: add_answer(client.answers, '\x70', frame.body.substr(0, 2)); break;
      case PacketType::puback:
      case PacketType::pubcomp: break;
      default: fail("the broker sends what nobody has asked for");
    }
  }
  client.peer.from_broker.clear();
  client.peer.to_broker = client.answers;
}

}  // namespace linnet::bench
