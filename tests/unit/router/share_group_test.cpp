#include "router/share_group.hpp"

#include <gtest/gtest.h>
#include <map>
#include <set>

namespace linnet::router {
namespace {

MessageView message(std::string_view topic, std::string_view publisher = {},
                    std::string_view properties = {}) {
  MessageView view;
  view.topic = topic;
  view.publisher = publisher;
  view.properties = properties;
  return view;
}

std::string user_property(std::string_view name, std::string_view value) {
  std::string out = "\x26";
  for (const auto text : {name, value}) {
    out += '\0';
    out += static_cast<char>(text.size());
    out += text;
  }
  return out;
}

class Group {
 public:
  explicit Group(ShareStrategy strategy, std::string property = {})
      : group_(strategy, std::move(property), 11) {}

  Group& join(const std::string& id, bool connected = true, bool kept = false) {
    ShareMember member;
    member.client_id = id;
    member.connected = connected;
    member.kept = kept;
    group_.join(member);
    return *this;
  }
  std::string pick(const MessageView& view = message("t"), std::string_view except = {}) {
    const ShareMember* member = group_.pick(view, except);
    return member == nullptr ? "nobody" : member->client_id;
  }
  std::string picks(int count) {
    std::string out;
    for (; count > 0; --count)
      out += pick();
    return out;
  }
  ShareGroup* operator->() { return &group_; }

 private:
  ShareGroup group_;
};

TEST(ShareGroup, KnowsItsMembers) {
  Group group(ShareStrategy::round_robin);
  EXPECT_TRUE(group->empty());
  EXPECT_EQ(group.pick(), "nobody");
  group.join("b").join("a").join("c");
  EXPECT_EQ(group->size(), 3U);
  ASSERT_NE(group->find("a"), nullptr);
  EXPECT_EQ(group->find("a")->client_id, "a");
  EXPECT_EQ(group->find("d"), nullptr);
  EXPECT_TRUE(group->leave("a"));
  EXPECT_FALSE(group->leave("a"));
  EXPECT_EQ(group->find("a"), nullptr);
  EXPECT_EQ(group->size(), 2U);
}

TEST(ShareGroup, JoiningAgainReplacesAllButInflight) {
  Group group(ShareStrategy::round_robin);
  group.join("a");
  group->find("a")->inflight = 5;
  ShareMember again;
  again.client_id = "a";
  again.shard = 3;
  again.terms.qos = Qos::exactly_once;
  group->join(again);
  EXPECT_EQ(group->size(), 1U);
  EXPECT_EQ(group->find("a")->shard, 3U);
  EXPECT_EQ(group->find("a")->terms.qos, Qos::exactly_once);
  EXPECT_EQ(group->find("a")->inflight, 5U);
}

TEST(ShareGroup, RoundRobinTakesTurns) {
  Group group(ShareStrategy::round_robin);
  group.join("a").join("b").join("c");
  EXPECT_EQ(group.picks(7), "abcabca");
}

TEST(ShareGroup, RoundRobinKeepsTheTurnWhenMembersComeAndGo) {
  Group group(ShareStrategy::round_robin);
  group.join("b").join("d").join("f");
  EXPECT_EQ(group.picks(2), "bd");
  group.join("a");
  EXPECT_EQ(group.picks(1), "f");
  EXPECT_EQ(group.picks(2), "ab");
  group->leave("b");
  EXPECT_EQ(group.picks(3), "dfa");
  group->find("d")->connected = false;
  EXPECT_EQ(group.picks(3), "faf");
}

TEST(ShareGroup, ConnectedMembersComeBeforeKeptSessions) {
  for (const auto strategy :
       {ShareStrategy::round_robin, ShareStrategy::random, ShareStrategy::sticky,
        ShareStrategy::least_inflight, ShareStrategy::hash_clientid, ShareStrategy::hash_topic,
        ShareStrategy::hash_property}) {
    Group group(strategy, "p");
    group.join("away", false, false).join("kept", false, true).join("here", true, false);
    EXPECT_EQ(group.picks(3), "hereherehere");
    group->leave("here");
    EXPECT_EQ(group.picks(3), "keptkeptkept");
    group->leave("kept");
    EXPECT_EQ(group.pick(), "nobody");
  }
}

TEST(ShareGroup, WhoHandedItBackIsTheLastToGetIt) {
  Group group(ShareStrategy::least_inflight);
  group.join("a").join("b").join("c", false, true);
  group->find("b")->inflight = 9;
  EXPECT_EQ(group.pick(message("t"), "a"), "b");
  EXPECT_EQ(group.pick(message("t"), "unknown"), "a");
  group->leave("b");
  EXPECT_EQ(group.pick(message("t"), "a"), "c");
  group->leave("c");
  EXPECT_EQ(group.pick(message("t"), "a"), "a");
  group->find("a")->connected = false;
  EXPECT_EQ(group.pick(message("t"), "a"), "nobody");
}

TEST(ShareGroup, RandomReachesEveryMember) {
  Group group(ShareStrategy::random);
  group.join("a").join("b").join("c").join("d", false);
  std::map<std::string, int> counts;
  for (int each = 0; each < 3000; ++each)
    ++counts[group.pick()];
  EXPECT_EQ(counts.size(), 3U);
  for (const auto& [id, count] : counts)
    EXPECT_NEAR(count, 1000, 150) << id;
}

TEST(ShareGroup, StickyStaysUntilItsMemberGoes) {
  Group group(ShareStrategy::sticky);
  group.join("b").join("c");
  EXPECT_EQ(group.picks(3), "bbb");
  group.join("a");
  EXPECT_EQ(group.picks(2), "bb");
  group->find("b")->connected = false;
  EXPECT_EQ(group.picks(2), "cc");
  group->find("b")->connected = true;
  EXPECT_EQ(group.picks(2), "cc");
  group->leave("c");
  EXPECT_EQ(group.picks(2), "aa");
}

TEST(ShareGroup, LeastInflightGoesToTheIdlest) {
  Group group(ShareStrategy::least_inflight);
  group.join("a").join("b").join("c");
  group->find("a")->inflight = 2;
  group->find("b")->inflight = 1;
  group->find("c")->inflight = 3;
  EXPECT_EQ(group.picks(2), "bb");
  for (const char* id : {"a", "b", "c"})
    group->find(id)->inflight = 0;
  EXPECT_EQ(group.picks(6), "cabcab");
}

TEST(ShareGroup, HashesFollowTheirKeyAlone) {
  Group by_client(ShareStrategy::hash_clientid);
  Group by_topic(ShareStrategy::hash_topic);
  for (const char* id : {"a", "b", "c", "d"}) {
    by_client.join(id);
    by_topic.join(id);
  }
  std::set<std::string> clients;
  std::set<std::string> topics;
  for (int each = 0; each < 100; ++each) {
    const std::string key = "key" + std::to_string(each);
    clients.insert(by_client.pick(message("t", key)));
    topics.insert(by_topic.pick(message(key, "p")));
    EXPECT_EQ(by_client.pick(message("t", key)), by_client.pick(message(key, key)));
    EXPECT_EQ(by_topic.pick(message(key, "p")), by_topic.pick(message(key, key)));
  }
  EXPECT_EQ(clients.size(), 4U);
  EXPECT_EQ(topics.size(), 4U);
}

TEST(ShareGroup, OnlyTheKeysOfAMemberThatGoesMove) {
  Group group(ShareStrategy::hash_topic);
  for (const char* id : {"a", "b", "c", "d"})
    group.join(id);
  std::map<std::string, std::string> before;
  for (int each = 0; each < 200; ++each) {
    const std::string topic = "t/" + std::to_string(each);
    before[topic] = group.pick(message(topic));
  }
  group->find("b")->connected = false;
  for (const auto& [topic, member] : before) {
    const std::string now = group.pick(message(topic));
    EXPECT_NE(now, "b");
    if (member != "b") {
      EXPECT_EQ(now, member);
    }
  }
  group->find("b")->connected = true;
  for (const auto& [topic, member] : before)
    EXPECT_EQ(group.pick(message(topic)), member);
}

TEST(ShareGroup, HashPropertyUsesTheNamedUserProperty) {
  Group group(ShareStrategy::hash_property, "device");
  for (const char* id : {"a", "b", "c", "d"})
    group.join(id);
  std::set<std::string> seen;
  for (int each = 0; each < 100; ++each) {
    const std::string value = std::to_string(each);
    const std::string before = "\x01\x01" + user_property("other", "x" + value);
    const std::string plain = user_property("device", value);
    const auto chosen = group.pick(message("t", "p", plain));
    seen.insert(chosen);
    EXPECT_EQ(group.pick(message("u", "q", before + plain)), chosen);
    EXPECT_EQ(group.pick(message("u", "q", plain + user_property("device", "later"))), chosen);
    // Without the property, and with one that is cut off, the publisher counts.
    const auto by_publisher = group.pick(message("t", value));
    EXPECT_EQ(group.pick(message("u", value, user_property("other", "x"))), by_publisher);
    EXPECT_EQ(group.pick(message("u", value, plain.substr(0, plain.size() - 1))), by_publisher);
  }
  EXPECT_EQ(seen.size(), 4U);
}

}  // namespace
}  // namespace linnet::router
