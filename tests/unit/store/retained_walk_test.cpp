#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/random.hpp"
#include "base/topic.hpp"
#include "store/filter_seek.hpp"
#include "unit/store/reading_fixture.hpp"

namespace linnet::store {
namespace {

using namespace std::string_literals;

class RetainedWalkTest : public ReadingTest {
 protected:
  void put_topics(const std::vector<std::string>& topics) {
    write([&](Transaction& transaction) {
      for (const std::string& topic : topics) {
        put_retained(transaction, topic, "of " + topic.substr(0, 20));
        topics_.insert(topic);
      }
    });
  }
  void erase_topic(const std::string& topic) {
    write([&](Transaction& transaction) { erase_retained(transaction, topic); });
    topics_.erase(topic);
  }
  RetainedWalk walk(const RetainedQuery& query, std::vector<std::string>& found) {
    return read([&](const Reading& reading) {
      return walk_retained(reading, query, [&](const MessageView& message) {
        found.emplace_back(message.topic);
        return true;
      });
    });
  }
  /// All in parts of `looks_max` looks.
  std::vector<std::string> matches(std::string_view filter, std::size_t looks_max = SIZE_MAX) {
    std::vector<std::string> found;
    looks_ = 0;
    for (std::string after;;) {
      const RetainedWalk part = walk({filter, after, looks_max}, found);
      looks_ += part.looks;
      if (part.done) return found;
      EXPECT_EQ(part.looks, looks_max);
      if (part.last == after) {
        ADD_FAILURE() << "no progress behind " << after;
        return found;
      }
      after = part.last;
    }
  }
  std::vector<std::string> naive(std::string_view filter) const {
    std::map<std::string, std::string> found;  // by key
    for (const std::string& topic : topics_) {
      if (!topic_matches(filter, topic)) continue;
      found.emplace(retained_key(topic, seeds_).bytes(), topic);
    }
    std::vector<std::string> topics;
    for (auto& [key, topic] : found)
      topics.push_back(topic);
    return topics;
  }

  std::set<std::string> topics_;
  std::size_t looks_ = 0;
};

TEST_F(RetainedWalkTest, an_exact_filter_is_one_look) {
  put_topics({"a", "a/b", "a/b/c", std::string(65'535, 'x')});
  EXPECT_EQ(matches("a/b"), std::vector{"a/b"s});
  EXPECT_EQ(looks_, 1U);
  EXPECT_TRUE(matches("a/x").empty());
  EXPECT_EQ(matches(std::string(65'535, 'x')).size(), 1U);
  EXPECT_TRUE(matches(std::string(65'534, 'x')).empty());
  std::vector<std::string> found;
  EXPECT_TRUE(walk({"a/b", "a/b", 10}, found).done);
  EXPECT_TRUE(found.empty());
}

TEST_F(RetainedWalkTest, an_empty_store_has_nothing) {
  for (const char* filter : {"#", "+", "a/#", "a/+/b", "a"})
    EXPECT_TRUE(matches(filter).empty());
}

TEST_F(RetainedWalkTest, shows_the_whole_message) {
  const MessageView sent{"a/b", "payload",          "properties", "publisher",
                         5'000, Qos::at_least_once, true};
  write([&](Transaction& transaction) {
    const Key key = retained_key(sent.topic, seeds_);
    write_retained_record(record_, key.bytes(), sent, clock_);
    put(transaction, Table::retained, key, record_);
  });
  const RetainedWalk done = read([&](const Reading& reading) {
    return walk_retained(reading, {"a/#", {}, 9}, [&](const MessageView& message) {
      EXPECT_EQ(message.topic, sent.topic);
      EXPECT_EQ(message.payload, sent.payload);
      EXPECT_EQ(message.properties, sent.properties);
      EXPECT_EQ(message.publisher, sent.publisher);
      EXPECT_EQ(message.expires_at_ms, sent.expires_at_ms);
      EXPECT_EQ(message.qos, sent.qos);
      return true;
    });
  });
  EXPECT_TRUE(done.done);
}

TEST_F(RetainedWalkTest, leading_wildcards_pass_over_dollar_topics) {
  put_topics({"!", "$a", "$a/b", "$", "$/x", "%", "a", "a/$b", "/$a", "/"});
  for (const char* filter : {"#", "+", "+/b", "+/#", "$a/#", "$a", "$a/+", "a/+", "$/+", "$/#"}) {
    EXPECT_EQ(matches(filter), naive(filter)) << filter;
  }
}

TEST_F(RetainedWalkTest, empty_levels_are_levels) {
  put_topics({"/", "//", "///", "a/", "a//", "a//b", "/a", "//a", "a", "/a/"});
  for (const char* filter : {"+", "+/+", "+/+/+", "+/+/+/+", "/+", "//+", "a/+", "a//+", "a/#",
                             "/#", "//#", "+//+", "+//#", "+/", "#", "/+/", "a/+/b", "+/a/+"}) {
    EXPECT_EQ(matches(filter), naive(filter)) << filter;
    EXPECT_EQ(matches(filter, 1), naive(filter)) << filter;
  }
}

// Below '/' in the order of characters, but not in that of the keys.
TEST_F(RetainedWalkTest, low_characters_do_not_split_a_subtree) {
  put_topics({"a", "a b", "a-b", "a!", "a/b", "a/b/c", "a-b/c", "a b/c", "a\1/c", "a/c", "a.",
              "b/c", "a!/c", "a/ /c", "a/-/c", "a/!/c/d"});
  for (const char* filter : {"a/#", "a/+", "+/c", "+/b/c", "a/+/c", "a-b/#", "+", "+/+", "#"}) {
    EXPECT_EQ(matches(filter), naive(filter)) << filter;
    EXPECT_EQ(matches(filter, 2), naive(filter)) << filter;
  }
}

std::string random_level(Random& random) {
  static const std::vector<std::string> kLevels{"",   "a",  "b",  "c",   "a b",      "a-b", "ab",
                                                "$a", "a.", "\1", "abc", "\xC3\xA9", "~"};
  return kLevels[random.below(kLevels.size())];
}

std::string random_topic(Random& random, std::size_t stretch) {
  for (;;) {
    std::string topic = random_level(random);
    for (std::uint64_t more = random.below(5); more > 0; --more) {
      topic += '/' + random_level(random);
      if (stretch > 0 && random.below(3) == 0) {
        topic += std::string(stretch - 4 + random.below(8), 'z');
      }
    }
    if (!topic.empty() && topic.size() <= 65'535) return topic;
  }
}

std::string random_filter(Random& random, const std::set<std::string>& topics) {
  auto at = topics.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random.below(topics.size())));
  std::string filter;
  bool first = true;
  for (TopicLevels levels(*at); levels.next(); first = false) {
    if (!first) filter += '/';
    const std::uint64_t choice = random.below(10);
    if (choice == 0) return filter + "#";
    if (choice < 4) {
      filter += '+';
    } else if (choice == 4) {
      filter += random_level(random);
    } else {
      filter += levels.level();
    }
  }
  const std::uint64_t end = random.below(4);
  if (end == 0) return filter + "/#";
  if (end == 1) return filter + "/+";
  return filter.empty() ? "+" : filter;
}

TEST_F(RetainedWalkTest, finds_what_a_scan_finds) {
  Random random(20'260);
  std::vector<std::string> topics;
  for (int i = 0; i < 600; ++i)
    topics.push_back(random_topic(random, 0));
  put_topics(topics);
  for (int i = 0; i < 1'500; ++i) {
    const std::string filter = random_filter(random, topics_);
    ASSERT_EQ(matches(filter), naive(filter)) << filter;
    ASSERT_EQ(matches(filter, 1 + random.below(4)), naive(filter)) << filter;
  }
}

TEST_F(RetainedWalkTest, finds_long_topics_as_a_scan_does) {
  Random random(17);
  std::vector<std::string> topics;
  for (const std::size_t stretch : {std::size_t{4}, std::size_t{150}, kNameMax - 2, kNameMax}) {
    for (int i = 0; i < 60; ++i)
      topics.push_back(random_topic(random, stretch));
  }
  // As long as a key's prefix, give or take little, and alike in it
  for (std::size_t size = kNameMax - 2; size < kNameMax + 3; ++size) {
    const std::string head = "x/" + std::string(size - 2, 'y');
    for (const char* tail : {"", "/", "/c", "/d", "/c/d", "z", "/z/c"})
      topics.push_back(head + tail);
  }
  topics.push_back("x/" + std::string(65'533, 'y'));
  topics.push_back(std::string(65'535, '/'));
  put_topics(topics);
  for (int i = 0; i < 1'000; ++i) {
    const std::string filter = random_filter(random, topics_);
    ASSERT_EQ(matches(filter), naive(filter)) << filter;
    ASSERT_EQ(matches(filter, 1 + random.below(4)), naive(filter)) << filter;
  }
}

TEST_F(RetainedWalkTest, seeks_and_does_not_scan) {
  std::vector<std::string> topics;
  for (int device = 0; device < 50; ++device) {
    for (int field = 0; field < 100; ++field) {
      topics.push_back("a/d" + std::to_string(device) + "/f" + std::to_string(field));
      topics.push_back("b/d" + std::to_string(device) + "/f" + std::to_string(field));
    }
  }
  put_topics(topics);
  EXPECT_EQ(matches("a/+/f50").size(), 50U);
  EXPECT_LE(looks_, 50U * 2 + 1);
  EXPECT_EQ(matches("+/d7/f50").size(), 2U);
  EXPECT_LE(looks_, 6U);
  EXPECT_EQ(matches("b/d7/#").size(), 100U);
  EXPECT_LE(looks_, 101U);
  EXPECT_EQ(matches("a/+").size(), 0U);
  EXPECT_LE(looks_, 51U);
  EXPECT_TRUE(matches("+").empty());
  EXPECT_LE(looks_, 3U);
  EXPECT_TRUE(matches("a/+/g").empty());
  EXPECT_LE(looks_, 50U * 2 + 1);
  // In parts it skips as much.
  EXPECT_EQ(matches("a/+/f50", 1).size(), 50U);
  EXPECT_LE(looks_, 50U * 2 + 1);
}

TEST_F(RetainedWalkTest, a_refused_message_comes_again) {
  put_topics({"a", "b", "c"});
  std::vector<std::string> found;
  const auto two = [&](std::string_view after) {
    return read([&](const Reading& reading) {
      return walk_retained(reading, {"#", after, 100}, [&](const MessageView& message) {
        if (found.size() == 2) return false;
        found.emplace_back(message.topic);
        return true;
      });
    });
  };
  const RetainedWalk part = two("");
  EXPECT_FALSE(part.done);
  EXPECT_EQ(part.last, "b");
  found.clear();
  EXPECT_TRUE(two(part.last).done);
  EXPECT_EQ(found, std::vector{"c"s});
  // Refused at once: nothing has been passed.
  found = {"", ""};
  EXPECT_EQ(two("").last, "");
  EXPECT_EQ(two("a").last, "a");
}

TEST_F(RetainedWalkTest, goes_on_where_it_was_whatever_changes) {
  Random random(5);
  std::vector<std::string> topics;
  const std::string tail(kNameMax, 't');
  for (int i = 0; i < 100; ++i) {
    topics.push_back("k/" + std::to_string(i) + "/c");
    topics.push_back("k/" + tail + std::to_string(i) + "/c");
  }
  put_topics(topics);
  const std::set<std::string> lasting = topics_;
  std::vector<std::string> found;
  std::string after;
  for (int round = 0;; ++round) {
    const RetainedWalk part = walk({"k/+/c", after, 3}, found);
    if (part.done) break;
    after = part.last;
    const std::string fleeting =
        "k/" + (round % 2 == 0 ? tail : "") + "x" + std::to_string(random.below(1'000)) + "/c";
    put_topics({fleeting});
    // What the walk stands on may go, too.
    if (!lasting.contains(after) && topics_.contains(after)) erase_topic(after);
  }
  const std::set<std::string> once(found.begin(), found.end());
  EXPECT_EQ(once.size(), found.size());
  EXPECT_TRUE(std::includes(once.begin(), once.end(), lasting.begin(), lasting.end()));
}

TEST_F(RetainedWalkTest, goes_on_behind_a_topic_that_is_gone) {
  const std::string tail(kNameMax, 't');
  put_topics({"a", "b", "c", tail + "1", tail + "2", tail + "3"});
  const auto all = matches("#");
  for (std::size_t gone = 0; gone < all.size(); ++gone) {
    erase_topic(all[gone]);
    std::vector<std::string> found;
    EXPECT_TRUE(walk({"#", all[gone], 100}, found).done);
    EXPECT_EQ(found, std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(gone) + 1,
                                              all.end()));
    put_topics({all[gone]});
  }
}

TEST_F(RetainedWalkTest, passes_over_damage_and_counts_it) {
  const std::string tail(kNameMax, 't');
  put_topics({"a", "b", "c", tail + "1", tail + "2", tail + "3"});
  const auto all = matches("#");
  damage(Table::retained, retained_key("b", seeds_));
  damage(Table::retained, retained_key(all[3], seeds_));
  damage(Table::retained, retained_key(all[4], seeds_));
  EXPECT_EQ(matches("#"), (std::vector{"a"s, "c"s, all[5]}));
  EXPECT_EQ(damaged_, 3U);
  EXPECT_TRUE(matches("b").empty());
  EXPECT_EQ(damaged_, 4U);
  // In the smallest parts it still comes to the end.
  std::vector<std::string> found;
  std::string after;
  for (int part = 0; part < 10; ++part) {
    const RetainedWalk walked = walk({"#", after, 1}, found);
    if (walked.done) break;
    after = walked.last;
  }
  EXPECT_EQ(found, (std::vector{"a"s, "c"s, all[5]}));
}

TEST_F(RetainedWalkTest, a_filter_of_many_levels_is_no_burden) {
  put_topics({"a", "a/b", std::string(65'535, '/')});
  std::string filter(65'534, '+');
  for (std::size_t i = 1; i < filter.size(); i += 2)
    filter[i] = '/';
  filter.resize(65'533);
  EXPECT_EQ(matches(filter), naive(filter));
}

}  // namespace
}  // namespace linnet::store
