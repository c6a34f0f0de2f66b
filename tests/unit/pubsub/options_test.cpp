#include "pubsub/options.hpp"

#include <gtest/gtest.h>

#include "mqtt/property.hpp"
#include "pubsub/properties.hpp"

namespace linnet::pubsub {
namespace {

using mqtt::PacketType;
using mqtt::Property;

Options pub_options() {
  Options options;
  options.topics = {"a"};
  options.message = "m";
  return options;
}

Options sub_options() {
  Options options;
  options.topics = {"a/#"};
  return options;
}

Settings resolved(Command command, const Options& options) {
  std::string error;
  auto settings = resolve(command, options, error);
  EXPECT_TRUE(settings) << error;
  return settings.value_or(Settings{});
}

std::string fault(Command command, const Options& options) {
  std::string error;
  EXPECT_FALSE(resolve(command, options, error));
  return error;
}

std::string url_of(const Options& options) {
  return resolved(Command::pub, options).target.url.text();
}

TEST(Options, Brokers) {
  Options options = pub_options();
  EXPECT_EQ(url_of(options), "mqtt://localhost:1883");
  options.host = "::1";
  options.port = 18'830;
  EXPECT_EQ(url_of(options), "mqtt://[::1]:18830");
  options.cafile = "ca.crt";
  EXPECT_EQ(url_of(options), "mqtts://[::1]:18830");
  options = pub_options();
  options.port = 8883;
  EXPECT_EQ(url_of(options), "mqtts://localhost:8883");
  options.port.reset();
  options.websocket = true;
  EXPECT_EQ(url_of(options), "ws://localhost:8083/mqtt");
  options = pub_options();
  options.unix_path = "/run/mqtt.sock";
  EXPECT_EQ(url_of(options), "unix:/run/mqtt.sock");
  options.url = "mqtt://other";
  EXPECT_NE(fault(Command::pub, options), "");
  options.unix_path.clear();
  EXPECT_EQ(url_of(options), "mqtt://other:1883");
  options.url = "http://other";
  EXPECT_NE(fault(Command::pub, options).find("write mqtt://"), std::string::npos);
}

TEST(Options, AUrlSaysItAll) {
  Options options;
  options.message = "m";
  options.url = "mqtts://a%40b:p%3Aw@broker:1234/home/lamp";
  const Settings settings = resolved(Command::pub, options);
  EXPECT_EQ(settings.target.url.text(), "mqtts://broker:1234");
  EXPECT_EQ(settings.target.tls.host, "broker");
  EXPECT_EQ(settings.client.session.user_name, "a@b");
  EXPECT_EQ(settings.client.session.password, "p:w");
  EXPECT_EQ(settings.message.topic, "home/lamp");
  options.url = "wss://ada@broker/path";
  EXPECT_EQ(fault(Command::pub, options).substr(0, 9), "one topic");
  options.topics = {"t"};
  EXPECT_EQ(url_of(options), "wss://broker:8084/path");
  options.url = "mqtt://%4@broker";
  EXPECT_NE(fault(Command::pub, options), "");
}

TEST(Options, Versions) {
  Options options = sub_options();
  EXPECT_TRUE(resolved(Command::sub, options).may_fall_back);
  options.version = "mqttv311";
  Settings settings = resolved(Command::sub, options);
  EXPECT_EQ(settings.client.session.version, Version::v3_1_1);
  EXPECT_FALSE(settings.may_fall_back);
  options.no_local = true;
  EXPECT_NE(fault(Command::sub, options).find("MQTT 5"), std::string::npos);
  options.version.clear();
  EXPECT_FALSE(resolved(Command::sub, options).may_fall_back);
  options.version = "6";
  EXPECT_NE(fault(Command::sub, options).find("mqttv5"), std::string::npos);
}

std::uint32_t expiry_of(const Options& options) {
  const Settings settings = resolved(Command::sub, options);
  mqtt::PropertyReader properties(settings.client.session.connect_properties,
                                  place_of(PacketType::connect));
  while (properties.next()) {
    if (properties.value().id == Property::session_expiry_interval)
      return properties.value().number;
  }
  return 0;
}

TEST(Options, Sessions) {
  Options options = sub_options();
  EXPECT_EQ(expiry_of(options), 0U);
  EXPECT_EQ(resolved(Command::sub, options).client.session.client_id.size(), 23U);
  options.keeps_session = true;
  EXPECT_NE(fault(Command::sub, options).find("-i"), std::string::npos);
  options.id = "me";
  EXPECT_EQ(expiry_of(options), 0xFFFF'FFFF);
  EXPECT_FALSE(resolved(Command::sub, options).client.session.clean_start);
  options.session_expiry = "60";
  EXPECT_EQ(expiry_of(options), 60U);
  options.session_expiry = "soon";
  EXPECT_NE(fault(Command::sub, options), "");
  options.session_expiry = "1";
  options.properties = {"connect", "session-expiry-interval", "5"};
  EXPECT_NE(fault(Command::sub, options), "");
  options.session_expiry.clear();
  EXPECT_EQ(expiry_of(options), 5U);
}

TEST(Options, WrongOnes) {
  const auto pub = [](auto&& change) {
    Options options = pub_options();
    change(options);
    return fault(Command::pub, options);
  };
  const auto sub = [](auto&& change) {
    Options options = sub_options();
    change(options);
    return fault(Command::sub, options);
  };
  const std::string faults[] = {
      pub([](Options& options) { options.qos = 3; }),
      pub([](Options& options) { options.message.reset(); }),
      pub([](Options& options) { options.null_message = true; }),
      pub([](Options& options) { options.topics = {"a/#"}; }),
      pub([](Options& options) { options.topics = {}; }),
      pub([](Options& options) { options.topics = {"\xff"}; }),
      pub([](Options& options) { options.psk = "00"; }),
      pub([](Options& options) { options.will_payload = "w"; }),
      pub([](Options& options) { options.repeat = 0; }),
      pub([](Options& options) { options.inflight_max = 0; }),
      pub([](Options& options) { options.keep_alive_s = 70'000; }),
      sub([](Options& options) { options.topics = {"a#"}; }),
      sub([](Options& options) { options.topics = {"$share/"}; }),
      sub([](Options& options) { options.topics = {}; }),
      sub([](Options& options) { options.format = "%"; }),
      sub([](Options& options) { options.color = "red"; }),
      sub([](Options& options) { options.timeout_s = -1; }),
      sub([](Options& options) { options.no_retained = options.retained_only = true; }),
      sub([](Options& options) { options.password = "p", options.version = "mqttv311"; }),
  };
  for (const std::string& text : faults)
    EXPECT_GT(text.size(), 10U) << text;
}

TEST(Options, ATerminalShowsTopicsWhereThereAreMany) {
  Options options = sub_options();
  EXPECT_FALSE(resolved(Command::sub, options).shows_topic);
  options.output_is_terminal = true;
  EXPECT_TRUE(resolved(Command::sub, options).shows_topic);
  options.topics = {"a"};
  EXPECT_FALSE(resolved(Command::sub, options).shows_topic);
}

TEST(Properties, AreParsed) {
  const std::vector<std::string> texts{
      "publish", "content-type", "text/plain", "CONNECT", "user-property",           "a", "b",
      "publish", "topic-alias",  "5",          "publish", "message-expiry-interval", "60"};
  std::string error;
  const auto properties = parse_properties(texts, error);
  ASSERT_TRUE(properties) << error;
  EXPECT_EQ(properties->topic_alias, 5);
  EXPECT_TRUE(properties->has(PropertyPacket::publish, Property::content_type));
  EXPECT_TRUE(properties->has(PropertyPacket::publish, Property::message_expiry_interval));
  EXPECT_TRUE(properties->has(PropertyPacket::connect, Property::user_property));
  EXPECT_FALSE(properties->has(PropertyPacket::publish, Property::topic_alias));
}

TEST(Properties, WrongOnesSayWhatThereIs) {
  const auto wrong = [](std::vector<std::string> texts) {
    std::string error;
    EXPECT_FALSE(parse_properties(texts, error));
    return error;
  };
  EXPECT_NE(wrong({"pingreq", "a", "b"}).find("there are connect"), std::string::npos);
  EXPECT_NE(wrong({"publish", "maximum-qos", "1"}).find("content-type"), std::string::npos);
  EXPECT_NE(wrong({"publish", "content-type"}), "");
  EXPECT_NE(wrong({"publish", "user-property", "a"}), "");
  EXPECT_NE(wrong({"connect", "receive-maximum", "65536"}).find("65535"), std::string::npos);
  EXPECT_NE(wrong({"connect", "receive-maximum", "0"}), "");
  EXPECT_NE(wrong({"connect", "receive-maximum", "x"}), "");
  EXPECT_NE(wrong({"publish", "content-type", "a", "publish", "content-type", "b"}), "");
}

}  // namespace
}  // namespace linnet::pubsub
