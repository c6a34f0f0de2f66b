#include "store/keys.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace linnet::store {
namespace {

using namespace std::string_literals;

constexpr HashSeeds kSeeds{11, 22};

TEST(Keys, numbers_are_big_endian_so_that_bytes_sort_as_numbers_do) {
  EXPECT_EQ(number_key(0x0102030405060708).bytes(), "\1\2\3\4\5\6\7\10"s);
  EXPECT_EQ(received_key(1, 0x0203).bytes(), "\0\0\0\0\0\0\0\1\3\2\3"s);
  EXPECT_LT(outgoing_key(1, 255).bytes(), outgoing_key(1, 256).bytes());
  EXPECT_LT(outgoing_key(1, UINT64_MAX).bytes(), session_key(2, Kind::session).bytes());
  EXPECT_LT(inflight_key(7, UINT64_MAX).bytes(), session_key(7, Kind::owed).bytes());
  EXPECT_EQ(read_u64(number_key(UINT64_MAX).bytes()), UINT64_MAX);
  EXPECT_EQ(read_u64(number_key(0x0102030405060708).bytes()), 0x0102030405060708U);
}

TEST(Keys, a_session_key_says_what_it_is) {
  SessionKey parsed;
  const Key outgoing = outgoing_key(9, 77);
  ASSERT_TRUE(parse_session_key(outgoing.bytes(), parsed));
  EXPECT_EQ(parsed.session, 9U);
  EXPECT_EQ(parsed.kind, Kind::outgoing);
  EXPECT_EQ(read_u64(parsed.rest), 77U);
  const Key subscription = subscription_key(3, "a/+", kSeeds);
  ASSERT_TRUE(parse_session_key(subscription.bytes(), parsed));
  EXPECT_EQ(parsed.rest, "a/+");
}

TEST(Keys, what_is_no_session_key_is_refused) {
  SessionKey parsed;
  EXPECT_FALSE(parse_session_key("", parsed));
  EXPECT_FALSE(parse_session_key("12345678", parsed));
  EXPECT_FALSE(parse_session_key("12345678\7", parsed));
  EXPECT_FALSE(parse_session_key("12345678\xFF", parsed));
}

TEST(Keys, a_topic_and_all_below_it_stand_together) {
  const auto key = [](std::string_view topic) {
    return std::string(retained_key(topic, kSeeds).bytes());
  };
  EXPECT_EQ(key("a/b"), "a\0b"s);
  const std::set<std::string> keys{key("a"),    key("a b"), key("a-b"), key("a!/x"), key("a/b"),
                                   key("a//c"), key("a/"),  key("b"),   key("a\1")};
  auto at = keys.begin();
  for (const char* topic : {"a", "a/", "a//c", "a/b", "a\1", "a b", "a!/x", "a-b", "b"}) {
    std::string found;
    topic_of_key(*at++, found);
    EXPECT_EQ(found, topic);
  }
}

TEST(Keys, a_long_name_is_cut_and_hashed) {
  const std::string longest(kNameMax, 'x');
  EXPECT_FALSE(is_hashed(longest));
  EXPECT_EQ(retained_key(longest, kSeeds).bytes(), longest);
  std::set<std::string> keys;
  for (const char* end : {"x", "y", "/", "xx"}) {
    const std::string name = longest + end;
    EXPECT_TRUE(is_hashed(name));
    const Key key = retained_key(name, kSeeds);
    EXPECT_EQ(key.bytes().size(), kNameMax + kHashSize);
    EXPECT_TRUE(key.bytes().starts_with(longest));
    keys.insert(std::string(key.bytes()));
    keys.insert(std::string(retained_key(name, {11, 23}).bytes()));
    keys.insert(std::string(retained_key(name, {12, 22}).bytes()));
  }
  EXPECT_EQ(keys.size(), 12U);
}

TEST(Keys, the_longest_names_fit) {
  const std::string longest(65'535, '/');
  EXPECT_EQ(subscription_key(1, longest, kSeeds).bytes().size(), 9 + kNameMax + kHashSize);
  const Key key = retained_key(longest, kSeeds);
  EXPECT_EQ(key.bytes().substr(0, kNameMax), std::string(kNameMax, '\0'));
  EXPECT_EQ(Key().u64(1).raw(key.bytes()).bytes().size(), 8 + kNameMax + kHashSize);
}

// Stored keys follow from these values.
TEST(Keys, a_hash_has_its_value_for_ever) {
  const Key key = retained_key(std::string(500, 'a') + "/b", kSeeds);
  const auto hash = key.bytes().substr(kNameMax);
  EXPECT_EQ(read_u64(hash), 7167111005997912444U);
  EXPECT_EQ(read_u64(hash.substr(8)), 11650552543488868109U);
}

}  // namespace
}  // namespace linnet::store
