// A session, and a server that is the test: bytes go both ways, and time is a number.
#include "client/session.hpp"

#include <gtest/gtest.h>

#include "base/cat.hpp"
#include "mqtt/decode.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/property_writer.hpp"

namespace linnet::client {
namespace {

using namespace std::string_literals;
using mqtt::PacketType;
using mqtt::Property;

constexpr std::uint64_t kSecond = 1'000'000'000;

/// What the session has told, in words.
struct Told final : SessionUser {
  void on_connected(const mqtt::Connack& connack) override {
    words.push_back(connack.session_present ? "resumed" : "connected");
  }
  void on_message(const mqtt::ReceivedPublish& publish) override {
    words.push_back(cat(publish.topic, '=', publish.payload));
    if (ends != nullptr) ends->end();
  }
  void on_subscribed(std::span<const Subscription> asked,
                     std::span<const Outcome> outcomes) override {
    for (std::size_t at = 0; at < asked.size(); ++at)
      words.push_back(cat("subscribed ", asked[at].filter, ' ', name_of(outcomes[at].reason)));
  }
  void on_unsubscribed(std::span<const std::string> asked, std::span<const Outcome>) override {
    words.push_back(cat("unsubscribed ", asked[0]));
  }
  void on_published(std::uint64_t number, const Outcome& outcome) override {
    words.push_back(cat("published ", number, ' ', name_of(outcome.reason)));
  }
  std::vector<std::string> words;
  Session* ends = nullptr;  // with the first message
};

std::string in_words(const mqtt::Frame& frame) {
  std::string text(name_of(frame.type()));
  if (frame.type() == PacketType::publish) {
    const auto publish = mqtt::decode_received_publish(frame, Version::v5);
    text += cat(' ', publish->topic, publish->topic_alias != 0 ? "@" : "", '=', publish->payload,
                publish->dup ? " dup" : "");
    if (publish->packet_id != 0) text += cat(" #", publish->packet_id);
  } else if (frame.type() >= PacketType::puback && frame.type() <= PacketType::pubcomp) {
    text += cat(" #", mqtt::decode_server_ack(frame, Version::v5)->packet_id);
  } else if (frame.type() == PacketType::connect) {
    text += mqtt::decode_connect(frame)->clean_start ? " clean" : " kept";
  } else if (frame.type() == PacketType::disconnect && !frame.body.empty()) {
    text += cat(' ', name_of(static_cast<ReasonCode>(static_cast<std::uint8_t>(frame.body[0]))));
  }
  return text;
}

class SessionTest : public testing::Test {
 protected:
  void make(SessionOptions options = {}) { session_.emplace(std::move(options), told_); }
  void make_with(const mqtt::PropertyWriter& properties) {
    SessionOptions options;
    options.connect_properties = properties.bytes();
    make(std::move(options));
  }
  using Words = std::vector<std::string>;

  Words told() { return std::exchange(told_.words, {}); }
  /// What the session has sent, packet by packet.
  Words sent() {
    const std::string bytes = std::exchange(session_->output(), {});
    Words words;
    for (std::string_view left = bytes; !left.empty();) {
      const auto framed = mqtt::next_frame(left, 1 << 20);
      EXPECT_EQ(framed.state, mqtt::Framed::State::whole);
      if (framed.state != mqtt::Framed::State::whole) break;
      words.push_back(in_words(framed.frame));
      left.remove_prefix(framed.frame.whole.size());
    }
    return words;
  }
  void hear(const std::string& bytes) {
    const std::size_t taken = session_->on_bytes(bytes, now_);
    EXPECT_TRUE(taken == bytes.size() || session_->has_ended());
  }
  void open(const mqtt::Connack& connack = {}) {
    session_->begin(now_);
    std::string bytes;
    mqtt::append(bytes, connack, session_->options().version);
    hear(bytes);
  }
  void open_quietly(const mqtt::Connack& connack = {}) {
    open(connack);
    (void)sent();
    (void)told();
  }
  static std::string ack(PacketType type, mqtt::PacketId id,
                         ReasonCode reason = ReasonCode::success) {
    std::string bytes;
    mqtt::append_ack(bytes, type, {id, reason}, Version::v5);
    return bytes;
  }
  struct Sent {
    std::string_view topic = "t";
    std::string_view payload = "p";
    Qos qos = Qos::at_most_once;
    mqtt::PacketId id = 0;
    std::uint16_t alias = 0;
  };
  static std::string message(const Sent& sent) {
    mqtt::OutgoingPublish publish{.topic = sent.topic, .payload = sent.payload};
    publish.qos = sent.qos;
    publish.packet_id = sent.id;
    publish.topic_alias = sent.alias;
    std::string bytes;
    mqtt::append(bytes, publish, Version::v5);
    return bytes;
  }
  void publish(const std::string& payload, Qos qos) {
    (void)session_->publish({"t", payload, qos});
  }
  std::string fault() { return session_->fault() ? session_->fault()->text : std::string(); }

  Told told_;
  std::optional<Session> session_;
  std::uint64_t now_ = 100 * kSecond;
};

TEST_F(SessionTest, ConnectsAndSubscribes) {
  make();
  session_->subscribe({{.filter = "a"}, {.filter = "b"}});
  open();
  EXPECT_EQ(sent(), (Words{"CONNECT clean", "SUBSCRIBE"}));
  hear("\x90\x05\x00\x01\x00\x01\x87"s);
  EXPECT_EQ(told(),
            (Words{"connected", "subscribed a Granted QoS 1", "subscribed b Not authorized"}));
  session_->unsubscribe({"a"});
  EXPECT_EQ(sent(), (Words{"UNSUBSCRIBE"}));
  hear("\xB0\x04\x00\x02\x00\x00"s);
  EXPECT_EQ(told(), (Words{"unsubscribed a"}));
}

TEST_F(SessionTest, SendsAtEachQos) {
  make();
  open_quietly();
  publish("0", Qos::at_most_once);
  publish("1", Qos::at_least_once);
  publish("2", Qos::exactly_once);
  EXPECT_EQ(sent(), (Words{"PUBLISH t=0", "PUBLISH t=1 #1", "PUBLISH t=2 #2"}));
  EXPECT_EQ(session_->unanswered(), 2U);
  hear(ack(PacketType::pubrec, 2));
  EXPECT_EQ(sent(), (Words{"PUBREL #2"}));
  hear(ack(PacketType::pubcomp, 2) + ack(PacketType::puback, 1));
  EXPECT_EQ(told(), (Words{"published 1 Success", "published 3 Success", "published 2 Success"}));
  EXPECT_EQ(session_->unanswered(), 0U);
}

TEST_F(SessionTest, TellsWhatIsRefused) {
  make();
  open_quietly();
  publish("1", Qos::at_least_once);
  publish("2", Qos::exactly_once);
  hear(ack(PacketType::puback, 1, ReasonCode::not_authorized) +
       ack(PacketType::pubrec, 2, ReasonCode::quota_exceeded));
  EXPECT_EQ(told(), (Words{"published 1 Not authorized", "published 2 Quota exceeded"}));
  EXPECT_EQ(session_->unanswered(), 0U);
}

TEST_F(SessionTest, KeepsToTheServersWindow) {
  make();
  open_quietly({.receive_maximum = 2});
  for (const char* text : {"a", "b", "c", "d"})
    publish(text, Qos::at_least_once);
  EXPECT_EQ(sent(), (Words{"PUBLISH t=a #1", "PUBLISH t=b #2"}));
  hear(ack(PacketType::puback, 2));
  EXPECT_EQ(sent(), (Words{"PUBLISH t=c #3"}));
}

TEST_F(SessionTest, KeepsToWhatTheServerTakes) {
  make();
  open_quietly({.qos_max = Qos::at_most_once, .retain_available = false, .packet_size_max = 100});
  publish("1", Qos::at_least_once);
  (void)session_->publish({"t", "r", Qos::at_most_once, true});
  publish(std::string(100, 'x'), Qos::at_most_once);
  (void)session_->publish({"t", "a", Qos::at_most_once, false, {}, 1});
  EXPECT_EQ(sent(), Words{});
  EXPECT_EQ(told(), (Words{"published 1 QoS not supported", "published 2 Retain not supported",
                           "published 3 Packet too large", "published 4 Topic Alias invalid"}));
}

TEST_F(SessionTest, SaysATopicOnce) {
  make();
  open_quietly({.topic_alias_max = 5});
  for (int times = 0; times < 2; ++times)
    (void)session_->publish({"t", "a", Qos::at_most_once, false, {}, 5});
  (void)session_->publish({"u", "a", Qos::at_most_once, false, {}, 5});
  EXPECT_EQ(sent(), (Words{"PUBLISH t@=a", "PUBLISH @=a", "PUBLISH u@=a"}));
}

TEST_F(SessionTest, AnswersAtEachQos) {
  make();
  open_quietly();
  hear(message({.payload = "0"}));
  hear(message({.payload = "1", .qos = Qos::at_least_once, .id = 5}));
  hear(message({.payload = "2", .qos = Qos::exactly_once, .id = 6}));
  hear(message({.payload = "2", .qos = Qos::exactly_once, .id = 6}));
  EXPECT_EQ(told(), (Words{"t=0", "t=1", "t=2"}));
  EXPECT_EQ(sent(), (Words{"PUBACK #5", "PUBREC #6", "PUBREC #6"}));
  hear(ack(PacketType::pubrel, 6));
  EXPECT_EQ(sent(), (Words{"PUBCOMP #6"}));
  hear(message({.payload = "3", .qos = Qos::exactly_once, .id = 6}));
  EXPECT_EQ(told(), (Words{"t=3"}));
}

TEST_F(SessionTest, ResendsWhatIsUnderWay) {
  make();
  open_quietly();
  publish("1", Qos::at_least_once);
  publish("2", Qos::exactly_once);
  publish("3", Qos::exactly_once);
  hear(ack(PacketType::pubrec, 2));
  (void)sent();
  session_->on_lost();
  publish("4", Qos::at_least_once);
  EXPECT_EQ(sent(), Words{});
  open({.session_present = true});
  EXPECT_EQ(sent(), (Words{"CONNECT clean", "PUBLISH t=1 dup #1", "PUBREL #2", "PUBLISH t=3 dup #3",
                           "PUBLISH t=4 #4"}));
}

TEST_F(SessionTest, SendsAgainWhatAServerHasForgotten) {
  make();
  session_->subscribe({{.filter = "a"}});
  open_quietly();
  publish("1", Qos::at_least_once);
  publish("2", Qos::exactly_once);
  hear(ack(PacketType::pubrec, 3));  // SUBSCRIBE has taken 1
  (void)sent();
  session_->on_lost();
  open();
  // Message 2 had arrived.
  EXPECT_EQ(sent(), (Words{"CONNECT clean", "SUBSCRIBE", "PUBLISH t=1 #5"}));
  EXPECT_EQ(told(), (Words{"connected", "published 2 Success"}));
}

TEST_F(SessionTest, ComesBackToASessionWithALifeOfItsOwn) {
  mqtt::PropertyWriter properties;
  properties.u32(Property::session_expiry_interval, 60);
  make_with(properties);
  session_->subscribe({{.filter = "a"}});
  open();
  EXPECT_EQ(sent(), (Words{"CONNECT clean", "SUBSCRIBE"}));
  session_->on_lost();
  open({.session_present = true});
  EXPECT_EQ(sent(), (Words{"CONNECT kept"}));
}

TEST_F(SessionTest, KeepsAlive) {
  make();
  open_quietly({.server_keep_alive_s = 10});
  EXPECT_EQ(session_->on_time(now_), now_ + 10 * kSecond);
  now_ += 10 * kSecond;
  EXPECT_EQ(session_->on_time(now_), now_ + 10 * kSecond);
  EXPECT_EQ(sent(), (Words{"PINGREQ"}));
  hear("\xD0\x00"s);
  now_ += 10 * kSecond;
  (void)session_->on_time(now_);
  EXPECT_EQ(sent(), (Words{"PINGREQ"}));
  now_ += 10 * kSecond;
  (void)session_->on_time(now_);
  EXPECT_EQ(fault(), "has said nothing for 10 s, not even PINGRESP");
  EXPECT_FALSE(session_->fault()->is_final);
}

TEST_F(SessionTest, KeepsAliveWhileNothingIsRead) {
  make();
  open_quietly({.server_keep_alive_s = 10});
  for (int times = 0; times < 5; ++times) {
    now_ += 10 * kSecond;
    session_->note_alive(now_);
    (void)session_->on_time(now_);
    EXPECT_EQ(sent(), (Words{"PINGREQ"}));
  }
  EXPECT_EQ(fault(), "");
}

TEST_F(SessionTest, AcknowledgesTheMessageThatEndsIt) {
  make();
  open_quietly();
  told_.ends = &*session_;
  hear(message({.payload = "1", .qos = Qos::at_least_once, .id = 5}) + message({.payload = "2"}));
  EXPECT_EQ(told(), (Words{"t=1"}));
  EXPECT_EQ(sent(), (Words{"PUBACK #5", "DISCONNECT"}));
  EXPECT_TRUE(session_->has_ended());
  EXPECT_FALSE(session_->fault());
}

TEST_F(SessionTest, ResolvesTheServersAliases) {
  mqtt::PropertyWriter properties;
  properties.u16(Property::topic_alias_maximum, 2);
  make_with(properties);
  open_quietly();
  hear(message({.topic = "a/b", .payload = "1", .alias = 2}));
  hear(message({.topic = "", .payload = "2", .alias = 2}));
  EXPECT_EQ(told(), (Words{"a/b=1", "a/b=2"}));
  hear(message({.topic = "", .payload = "3", .alias = 1}));
  EXPECT_EQ(fault(), "uses topic alias 1 without having said its topic");
  EXPECT_EQ(sent(), (Words{"DISCONNECT Topic Alias invalid"}));
  session_->on_lost();
  open_quietly();
  hear(message({.topic = "a", .payload = "1", .alias = 3}));
  EXPECT_EQ(fault(), "uses topic alias 3, where our CONNECT allows 2");
}

TEST_F(SessionTest, EnforcesItsLimits) {
  mqtt::PropertyWriter properties;
  properties.u16(Property::receive_maximum, 1);
  properties.u32(Property::maximum_packet_size, 50);
  make_with(properties);
  open_quietly();
  hear(message({.qos = Qos::exactly_once, .id = 1}));
  hear(message({.qos = Qos::exactly_once, .id = 2}));
  EXPECT_EQ(fault(), "has more than 1 messages under way, the Receive Maximum of our CONNECT");
  EXPECT_TRUE(session_->fault()->is_final);
  session_->on_lost();
  open_quietly();
  hear("\x30\x7F"s);
  EXPECT_EQ(fault(),
            "sends a packet of more than 50 bytes, the Maximum Packet Size of our CONNECT");
}

TEST_F(SessionTest, RefusesWhatAServerMayNotSend) {
  for (const std::string& bytes :
       {"\x10\x00"s, "\x82\x05\x00\x01\x00\x00\x00"s, "\xC0\x00"s, "\x20\x03\x00\x00\x00"s,
        "\xF0\x00"s, "\x00\x00"s, "\x90\x04\x00\x09\x00\x00"s, "\x40\x02\x00\x00"s,
        "\x36\x05\x00\x01t\x00\x01"s}) {
    make();
    open_quietly();
    hear(bytes);
    EXPECT_NE(fault(), "") << testing::PrintToString(bytes);
    EXPECT_EQ(sent().size(), 1U);
  }
}

TEST_F(SessionTest, RefusesAnswersThatDoNotFit) {
  const auto fault_after = [this](Qos qos, const std::string& answer) {
    make();
    open_quietly();
    publish("1", qos);
    hear(answer);
    return fault();
  };
  EXPECT_NE(fault_after(Qos::at_least_once, ack(PacketType::pubrec, 1)), "");
  EXPECT_NE(fault_after(Qos::exactly_once, ack(PacketType::puback, 1)), "");
  EXPECT_NE(fault_after(Qos::exactly_once, ack(PacketType::pubcomp, 1)), "");
  EXPECT_EQ(fault_after(Qos::exactly_once, ack(PacketType::puback, 7)), "");
}

TEST_F(SessionTest, TellsWhyItIsRefused) {
  make();
  session_->begin(now_);
  std::string bytes;
  mqtt::append(bytes, mqtt::Connack{.reason = ReasonCode::banned, .reason_string = "go away"},
               Version::v5);
  hear(bytes);
  EXPECT_EQ(fault(), "refuses the connection: Banned (0x8A): go away");
  EXPECT_TRUE(session_->fault()->is_final);
  session_->begin(now_);
  hear("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_NE(fault().find("is it an MQTT broker?"), std::string::npos);
}

TEST_F(SessionTest, TellsWhyItIsEnded) {
  make();
  open_quietly();
  hear("\xE0\x02\x8B\x00"s);
  EXPECT_EQ(fault(), "has ended the connection: Server shutting down (0x8B)");
  EXPECT_FALSE(session_->fault()->is_final);
  session_->on_lost();
  open_quietly();
  hear("\xE0\x02\x8E\x00"s);
  EXPECT_TRUE(session_->fault()->is_final);
}

}  // namespace
}  // namespace linnet::client
