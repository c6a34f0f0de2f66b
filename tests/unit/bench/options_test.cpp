#include "bench/options.hpp"

#include <gtest/gtest.h>

namespace linnet::bench {
namespace {

Options options_of(const char* scenario) {
  Options options;
  options.scenario = scenario;
  return options;
}

Settings settings_of(const Options& options) {
  std::string error;
  const auto settings = resolve(options, error);
  EXPECT_TRUE(settings) << error;
  return settings.value_or(Settings{});
}

/// What is wrong, in words that hold `word`.
void expect_wrong(const Options& options, std::string_view word) {
  std::string error;
  EXPECT_FALSE(resolve(options, error)) << word;
  EXPECT_NE(error.find(word), std::string::npos) << error;
}

TEST(Options, EachScenarioSaysSomethingByItself) {
  for (const char* name :
       {"p2p", "fanout", "fanin", "wildcard", "shared", "idle", "connect", "retained", "offline"}) {
    const Settings settings = settings_of(options_of(name));
    EXPECT_EQ(name_of(settings.scenario), name);
    EXPECT_EQ(settings.url.text(), "mqtt://127.0.0.1:1883");
    EXPECT_NE(scenario_names().find(name), std::string::npos);
  }
}

TEST(Options, Defaults) {
  const Settings p2p = settings_of(options_of("p2p"));
  EXPECT_EQ(p2p.publishers, 10U);
  EXPECT_EQ(p2p.qos, Qos::at_most_once);
  EXPECT_EQ(p2p.duration_ms, 10'000U);
  EXPECT_EQ(p2p.warmup_ms, 2'000U);
  EXPECT_EQ(p2p.messages, 0U);
  EXPECT_EQ(p2p.wait_ms, 3'000U);
  const Settings offline = settings_of(options_of("offline"));
  EXPECT_EQ(offline.qos, Qos::at_least_once);
  EXPECT_EQ(offline.messages, 10'000U);
  EXPECT_EQ(offline.wait_ms, 10'000U);
}

TEST(Options, TopicsFollowPublishersWhereEachHasItsOwn) {
  Options fanin = options_of("fanin");
  fanin.publishers = 7;
  EXPECT_EQ(settings_of(fanin).topics, 7U);
  fanin.topics = 3;
  EXPECT_EQ(settings_of(fanin).topics, 3U);
  Options retained = options_of("retained");
  retained.topics = 50;
  EXPECT_EQ(settings_of(retained).messages, 50U);
}

TEST(Options, ANumberOfMessagesHasNoWarmUp) {
  Options options = options_of("p2p");
  options.messages = 100;
  EXPECT_EQ(settings_of(options).warmup_ms, 0U);
  options.warmup_ms = 5;
  expect_wrong(options, "--warmup");
  options.warmup_ms.reset();
  options.duration_ms = 5;
  expect_wrong(options, "--duration");
}

TEST(Options, WhatPayloadsHaveRoomFor) {
  Options options = options_of("p2p");
  options.payload = 7;
  EXPECT_FALSE(settings_of(options).is_numbered());
  options.payload = 8;
  EXPECT_TRUE(settings_of(options).is_numbered());
  EXPECT_FALSE(settings_of(options).is_timed());
  options.payload = 16;
  EXPECT_TRUE(settings_of(options).is_timed());
}

TEST(Options, Wrong) {
  expect_wrong(options_of("p2q"), "p2p, fanout");
  Options options = options_of("p2p");
  options.qos = 3;
  expect_wrong(options, "--qos");
  options = options_of("p2p");
  options.protocol = 2;
  expect_wrong(options, "--protocol");
  options = options_of("p2p");
  options.publishers = 0;
  expect_wrong(options, "--pubs");
  options = options_of("p2p");
  options.clients = 5;
  expect_wrong(options, "--clients");
  options = options_of("idle");
  options.subscribers = 5;
  expect_wrong(options, "--clients");
  options = options_of("p2p");
  options.inflight = 65'536;
  expect_wrong(options, "--inflight");
  options = options_of("p2p");
  options.messages = 0;
  expect_wrong(options, "--messages");
  options = options_of("offline");
  options.qos = 0;
  expect_wrong(options, "--qos 1 or 2");
  options = options_of("offline");
  options.duration_ms = 100;
  expect_wrong(options, "--messages");
  options = options_of("retained");
  options.payload = 4;
  expect_wrong(options, "--payload");
  options = options_of("shared");
  options.topics = 20'000;
  expect_wrong(options, "--topics");
  options = options_of("wildcard");
  options.subscribers = 100'000;
  expect_wrong(options, "50,000,000");
}

TEST(Options, Urls) {
  Options options = options_of("p2p");
  for (const char* url :
       {"mqtts://broker:8883", "ws://[::1]:8083/mqtt", "wss://broker", "unix:/run/linnet.sock"}) {
    options.url = url;
    EXPECT_FALSE(settings_of(options).url.text().empty()) << url;
  }
  options.url = "mqtt://*:1999";
  EXPECT_EQ(settings_of(options).url.host, "127.0.0.1");
  for (const char* url : {"http://broker", "any://broker", "broker", "mqtt://bro ker"}) {
    options.url = url;
    expect_wrong(options, "--url");
  }
}

TEST(Options, Security) {
  Options options = options_of("p2p");
  options.ca = "ca.crt";
  expect_wrong(options, "TLS");
  options.url = "mqtts://broker";
  EXPECT_EQ(settings_of(options).ca, "ca.crt");
  options.insecure = true;
  expect_wrong(options, "--insecure");
  options.insecure = false;
  options.cert = "me.crt";
  expect_wrong(options, "--key");
  options.key = "me.key";
  EXPECT_EQ(settings_of(options).key, "me.key");
  options.password = "secret";
  expect_wrong(options, "--user");
}

}  // namespace
}  // namespace linnet::bench
