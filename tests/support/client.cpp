#include "support/client.hpp"

#include <gtest/gtest.h>
#include <sstream>

#include "support/cluster.hpp"

namespace linnet::test {

Client::Client(Cluster& cluster, std::string_view client_id)
    : cluster_(cluster), client_id_(client_id) {}

Client& Client::version(unsigned level) {
  version_ = static_cast<Version>(level);
  return *this;
}
Client& Client::at(std::uint32_t shard) {
  shard_ = shard;
  return *this;
}
Client& Client::from(std::string_view address) {
  address_ = net::Endpoint::parse(address, 50'000).value();
  return *this;
}
Client& Client::logs_in_as(std::string_view user, std::string_view password) {
  user_name_ = user;
  password_ = password;
  return *this;
}
Client& Client::manual(bool manual) {
  manual_ = manual;
  return *this;
}

void Client::settle(Where where) {
  cluster_.settle(where);
}

void Client::fails(Where where, std::string_view text) const {
  ADD_FAILURE_AT(where.file, where.line) << "client " << client_id_ << ": " << text << '\n'
                                         << dump();
}

std::string Client::dump() const {
  std::ostringstream out;
  out << (closed() ? "  the link is closed" : "  the link is open") << "; waiting in the inbox:\n";
  for (const Packet& packet : inbox_)
    out << "    " << packet.dump() << '\n';
  out << "  last came on this link:\n";
  constexpr std::size_t kShown = 12;
  const std::size_t skipped = seen_.size() > kShown ? seen_.size() - kShown : 0;
  for (std::size_t at = skipped; at < seen_.size(); ++at)
    out << "    " << seen_[at] << '\n';
  return out.str();
}

// Coming and going

void Client::open() {
  cuts();
  partial_.clear();
  raw_.clear();
  inbox_.clear();
  seen_.clear();
  aliases_.clear();
  unacknowledged_.clear();
  reading_ = true;
  cable_ = &cluster_.open_link(shard_ ? *shard_ : cluster_.next_shard());
  cable_->address = address_;
}

std::string Client::connect_bytes(ConnectOptions options) {
  receive_maximum_ = options.receive_maximum.value_or(65'535);
  if (!options.user_name) options.user_name = user_name_;
  if (!options.password) options.password = password_;
  return connect_packet(version_, client_id_, options);
}

Client& Client::opens(Where where) {
  open();
  settle(where);
  return *this;
}

Client& Client::dials(const ConnectOptions& options) {
  open();
  return writes(connect_bytes(options));
}

Client& Client::sends_connect(const ConnectOptions& options, Where where) {
  opens(where);
  return sends(connect_bytes(options), where);
}

Client& Client::connects(const ConnectOptions& options, Where where) {
  return sends_connect(options, where).gets_in(where);
}

Client& Client::gets_in(Where where) {
  settle(where);
  const auto connack = take(PacketType::connack);
  if (!connack || connack->reason != ReasonCode::success) {
    fails(where, "a CONNACK with success was expected");
    return *this;
  }
  connack_ = *connack;
  return *this;
}

Client& Client::is_refused(ReasonCode reason, Where where) {
  const auto connack = take(PacketType::connack);
  if (!connack || connack->reason != reason || !closed()) {
    fails(where, "a CONNACK with reason " + to_hex(std::string(1, static_cast<char>(reason))) +
                     " and the end were expected");
  }
  if (connack) connack_ = *connack;
  return *this;
}

void Client::cuts() {
  if (cable_ != nullptr) cable_->client_gone = true;
}

Client& Client::drops(Where where) {
  cuts();
  settle(where);
  return *this;
}

Client& Client::disconnects(ReasonCode reason, std::optional<std::uint32_t> expiry_s, Where where) {
  sends(disconnect_packet(version_, reason, expiry_s), where);
  return is_closed(where);
}

Client& Client::is_closed(Where where) {
  if (!closed()) fails(where, "the broker was to close the link");
  return *this;
}

Client& Client::is_open(Where where) {
  if (closed()) fails(where, "the link was to stay open");
  return *this;
}

Client& Client::gets_disconnect(ReasonCode reason, Where where) {
  const auto packet = take(PacketType::disconnect);
  if (!packet || packet->reason != reason || !closed()) {
    fails(where, "DISCONNECT with reason " + to_hex(std::string(1, static_cast<char>(reason))) +
                     " and the end were expected");
  }
  return *this;
}

// Enhanced authentication

Client& Client::authenticates(std::string_view method, std::string_view data,
                              const ConnectOptions& options, Where where) {
  ConnectOptions chosen = options;
  chosen.properties.text(Property::authentication_method, method);
  if (!data.empty()) chosen.properties.text(Property::authentication_data, data);
  return sends_connect(chosen, where);
}

Client& Client::sends_auth(ReasonCode reason, std::string_view method, std::string_view data,
                           Where where) {
  return sends(auth_packet(reason, method, data), where);
}

std::string Client::gets_auth(ReasonCode reason, std::string_view method, Where where) {
  settle(where);
  const auto packet = take(PacketType::auth);
  if (!packet || packet->reason != reason ||
      packet->text(Property::authentication_method) != method) {
    fails(where, "another AUTH was expected");
  }
  return packet ? packet->text(Property::authentication_data) : std::string();
}

// Subscribing

std::uint16_t Client::sends_subscribe(const std::vector<std::string>& filters,
                                      const SubscribeOptions& options, Where where) {
  const std::uint16_t id = next_id();
  sends(subscribe_packet(version_, id, filters, options), where);
  return id;
}

std::uint16_t Client::sends_unsubscribe(const std::vector<std::string>& filters, Where where) {
  const std::uint16_t id = next_id();
  sends(unsubscribe_packet(version_, id, filters), where);
  return id;
}

Client& Client::subscribes(const std::string& filter, const SubscribeOptions& options,
                           Where where) {
  const auto id = sends_subscribe({filter}, options, where);
  const auto suback = take(PacketType::suback, id);
  if (!suback || suback->reasons.size() != 1 || failed(suback->reasons[0])) {
    fails(where, "SUBACK for " + filter + " was expected");
  }
  return *this;
}

Client& Client::unsubscribes(const std::string& filter, Where where) {
  const auto id = sends_unsubscribe({filter}, where);
  const auto unsuback = take(PacketType::unsuback, id);
  const bool granted =
      unsuback && (version_ != Version::v5 ||
                   (unsuback->reasons.size() == 1 && unsuback->reasons[0] == ReasonCode::success));
  if (!granted) fails(where, "UNSUBACK for " + filter + " was expected");
  return *this;
}

Client& Client::gets_suback(const std::vector<ReasonCode>& reasons, Where where) {
  const auto suback = take(PacketType::suback);
  if (!suback || suback->reasons != reasons) fails(where, "another SUBACK was expected");
  return *this;
}

// Publishing

std::uint16_t Client::sends_publish(std::string_view topic, std::string_view payload,
                                    const PublishOptions& options, Where where) {
  PublishOptions chosen = options;
  if (chosen.qos > 0 && chosen.packet_id == 0) chosen.packet_id = next_id();
  sends(publish_packet(version_, topic, payload, chosen), where);
  return chosen.packet_id;
}

Client& Client::publishes(std::string_view topic, std::string_view payload,
                          const PublishOptions& options, Where where) {
  const std::uint16_t id = sends_publish(topic, payload, options, where);
  if (options.qos == 0) return *this;
  const auto ack = take(options.qos == 1 ? PacketType::puback : PacketType::pubrec, id);
  if (!ack || failed(ack->reason)) {
    fails(where, "the PUBLISH was to be acknowledged");
    return *this;
  }
  if (options.qos == 2 && !take(PacketType::pubcomp, id)) {
    fails(where, "PUBCOMP was expected");
  }
  return *this;
}

// Any packets

Client& Client::writes(std::string_view bytes) {
  if (cable_ != nullptr) cable_->to_broker += bytes;
  return *this;
}

Client& Client::sends(std::string_view bytes, Where where) {
  if (cable_ == nullptr) fails(where, "it is not connected");
  writes(bytes);
  settle(where);
  return *this;
}

Client& Client::sends_hex(std::string_view hex, Where where) {
  return sends(from_hex(hex), where);
}

Client& Client::sends_ack(PacketType type, unsigned packet_id, ReasonCode reason, Where where) {
  writes_ack(type, packet_id);
  if (reason != ReasonCode::success) {
    const std::size_t short_size = 4;
    cable_->to_broker.resize(cable_->to_broker.size() - short_size);
    cable_->to_broker += ack_packet(version_, type, packet_id, reason);
    if (failed(reason)) unacknowledged_.erase(packet_id);
  }
  settle(where);
  return *this;
}

Client& Client::acks(const Packet& message, Where where) {
  return sends_ack(message.qos == 2 ? PacketType::pubrec : PacketType::puback, message.packet_id,
                   ReasonCode::success, where);
}

Client& Client::pings(Where where) {
  sends(from_hex("c0 00"), where);
  gets(PacketType::pingresp, where);
  return *this;
}

// Receiving

Packet Client::receives(std::string_view topic, std::string_view payload, Where where) {
  settle(where);
  auto packet = take(PacketType::publish);
  if (!packet || packet->topic != topic || packet->payload != payload) {
    fails(where, "expected PUBLISH " + std::string(topic) + " \"" + std::string(payload) +
                     "\", and got " + (packet ? packet->dump() : std::string("nothing")));
  }
  return packet.value_or(Packet{});
}

Client& Client::receives_nothing(Where where) {
  settle(where);
  for (const Packet& packet : inbox_) {
    if (packet.type != PacketType::publish) continue;
    fails(where, "no PUBLISH was expected");
    break;
  }
  return *this;
}

Client& Client::gets_nothing(Where where) {
  settle(where);
  if (!inbox_.empty()) fails(where, "nothing was expected");
  return *this;
}

Packet Client::gets(PacketType type, Where where) {
  settle(where);
  auto packet = take(type);
  if (!packet) fails(where, std::string(mqtt::name_of(type)) + " was expected");
  return packet.value_or(Packet{});
}

Client& Client::gets_ack(PacketType type, unsigned packet_id, ReasonCode reason, Where where) {
  settle(where);
  const auto packet = take(type);
  if (!packet || packet->packet_id != packet_id || packet->reason != reason) {
    Packet wanted;
    wanted.type = type;
    wanted.packet_id = static_cast<std::uint16_t>(packet_id);
    wanted.reason = reason;
    fails(where, "expected " + wanted.dump() + ", and got " +
                     (packet ? packet->dump() : std::string("nothing")));
  }
  return *this;
}

Packet Client::next(Where where) {
  settle(where);
  if (inbox_.empty()) {
    fails(where, "a packet was expected");
    return {};
  }
  Packet packet = std::move(inbox_.front());
  inbox_.pop_front();
  return packet;
}

Client& Client::gets_hex(std::string_view hex, Where where) {
  settle(where);
  const std::string got = std::exchange(raw_, {});
  if (got != from_hex(hex)) {
    fails(where, "expected the bytes " + to_hex(from_hex(hex)) + "\n    and got " + to_hex(got));
  }
  inbox_.clear();
  return *this;
}

std::vector<Packet> Client::takes_messages() {
  std::vector<Packet> messages;
  while (auto packet = take(PacketType::publish))
    messages.push_back(std::move(*packet));
  return messages;
}

Client& Client::stops_reading(std::size_t window_bytes) {
  reading_ = false;
  if (cable_ != nullptr) cable_->window = window_bytes;
  return *this;
}

Client& Client::reads_again(Where where) {
  reading_ = true;
  if (cable_ != nullptr) cable_->window = SIZE_MAX;
  settle(where);
  return *this;
}

bool Client::is_read() const noexcept {
  return cable_ != nullptr && cable_->link != nullptr && !cable_->link->paused();
}

bool Client::read() {
  if (cable_ == nullptr || !reading_ || cable_->client_gone || cable_->from_broker.empty()) {
    return false;
  }
  partial_ += cable_->from_broker;
  raw_ += cable_->from_broker;
  cable_->from_broker.clear();
  while (auto packet = take_packet(partial_, version_))
    on_packet(std::move(*packet));
  return true;
}

void Client::on_packet(Packet packet) {
  if (packet.type == PacketType::publish) on_publish(packet);
  seen_.push_back(packet.dump());
  if (!packet.error.empty()) fails(Where::current(), "unreadable: " + packet.dump());
  const PacketType type = packet.type;
  const unsigned id = packet.packet_id;
  const unsigned qos = packet.qos;
  const bool accepted = !failed(packet.reason);
  const bool shown = type != PacketType::pubrel || manual_;
  if (shown) inbox_.push_back(std::move(packet));
  if (manual_) return;
  if (type == PacketType::publish && qos == 1) writes_ack(PacketType::puback, id);
  if (type == PacketType::publish && qos == 2) writes_ack(PacketType::pubrec, id);
  if (type == PacketType::pubrel) writes_ack(PacketType::pubcomp, id);
  if (type == PacketType::pubrec && accepted) writes_ack(PacketType::pubrel, id);
}

void Client::on_publish(Packet& packet) {
  if (const auto alias = packet.number(Property::topic_alias)) {
    if (packet.topic.empty()) {
      packet.topic = aliases_[*alias];
    } else {
      aliases_[*alias] = packet.topic;
    }
  }
  if (packet.topic.empty()) fails(Where::current(), "a PUBLISH without a topic: " + packet.dump());
  if (packet.qos == 0) return;
  unacknowledged_.insert(packet.packet_id);
  if (unacknowledged_.size() > receive_maximum_) {
    fails(Where::current(), "more messages in flight than its Receive Maximum");
  }
}

Client& Client::writes_ack(PacketType type, unsigned packet_id) {
  if (type == PacketType::puback || type == PacketType::pubcomp) {
    unacknowledged_.erase(packet_id);
  }
  return writes(ack_packet(version_, type, packet_id));
}

std::optional<Packet> Client::take(PacketType type) {
  for (auto at = inbox_.begin(); at != inbox_.end(); ++at) {
    if (at->type != type) continue;
    Packet packet = std::move(*at);
    inbox_.erase(at);
    return packet;
  }
  return std::nullopt;
}

std::optional<Packet> Client::take(PacketType type, unsigned packet_id) {
  for (auto at = inbox_.begin(); at != inbox_.end(); ++at) {
    if (at->type != type || at->packet_id != packet_id) continue;
    Packet packet = std::move(*at);
    inbox_.erase(at);
    return packet;
  }
  return std::nullopt;
}

std::uint16_t Client::next_id() {
  if (++last_id_ == 0) last_id_ = 1;
  return last_id_;
}

}  // namespace linnet::test
