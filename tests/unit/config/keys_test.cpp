#include "config/keys.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>

#include "config/assign.hpp"
#include "config/document.hpp"
#include "config/load.hpp"

namespace linnet::config {
namespace {

/// A configuration in which every list has one element, so that every key has a field.
Config full_config() {
  Config config;
  for (const Section& section : all_sections()) {
    if (section.list) section.append(config);
  }
  return config;
}

TEST(Keys, HaveOneNameEachAndASectionThatExists) {
  std::set<std::string_view> names;
  for (const Key& key : all_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_NE(find_section(key.section()), nullptr) << key.name;
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    EXPECT_EQ(find_key(key.name), &key);
  }
}

bool is_number(const Key& key) {
  return key.type != KeyType::text && key.type != KeyType::texts;
}

bool same_in(const Key& key, const Config& one, const Config& other) {
  if (key.type == KeyType::text) return key.field.text(one) == key.field.text(other);
  if (key.type == KeyType::texts) return key.field.texts(one) == key.field.texts(other);
  return key.field.number(one) == key.field.number(other);
}

TEST(Keys, DefaultsAreAllowed) {
  const Config config = full_config();
  for (const Key& key : all_keys()) {
    if (!is_number(key)) continue;
    const std::uint64_t number = key.field.number(config);
    if (key.type == KeyType::choice) {
      EXPECT_LT(number, key.choices.size()) << key.name;
    } else if (key.type != KeyType::boolean && number != key.never) {
      EXPECT_GE(number, key.min) << key.name;
      EXPECT_LE(number, key.max) << key.name;
    }
  }
}

TEST(Keys, FieldsHoldBothEndsOfTheirRange) {
  for (const Key& key : all_keys()) {
    if (!is_number(key)) continue;
    Config config = full_config();
    std::uint64_t max = key.max;
    if (key.type == KeyType::boolean) max = 1;
    if (key.type == KeyType::choice) max = key.choices.size() - 1;
    for (const std::uint64_t number : {key.min, max}) {
      key.field.set_number(config, number);
      EXPECT_EQ(key.field.number(config), number) << key.name;
    }
  }
}

TEST(Keys, EachReachesAFieldOfItsOwn) {
  for (const Key& key : all_keys()) {
    Config config = full_config();
    if (key.type == KeyType::text) {
      key.field.set_text(config, "changed");
    } else if (key.type == KeyType::texts) {
      key.field.set_texts(config, {"changed"});
    } else {
      key.field.set_number(config, key.field.number(config) == 1 ? 0 : 1);
    }
    const Config untouched = full_config();
    for (const Key& other : all_keys()) {
      EXPECT_EQ(same_in(other, config, untouched), &other != &key)
          << key.name << " and " << other.name;
    }
  }
}

TEST(Keys, DefaultsCanBeWrittenBack) {
  for (const Key& key : all_keys()) {
    if (list_of(key) != nullptr || !is_number(key)) continue;
    std::string text = default_text(key);
    std::erase(text, '"');
    Config config;
    key.field.set_number(config, key.min);
    EXPECT_EQ(apply_setting(config, std::string(key.name) + '=' + text), std::nullopt) << key.name;
    EXPECT_EQ(key.field.number(config), key.field.number(Config{})) << key.name;
  }
}

TEST(Keys, EachListenerBeginsWithTheSameTls) {
  std::size_t count = 0;
  for (const Key& key : all_keys()) {
    if (key.section() != "tls") continue;
    ++count;
    const Key* inner = listener_key_of(key);
    ASSERT_NE(inner, nullptr) << key.name;
    EXPECT_EQ(inner->type, key.type) << key.name;
    EXPECT_EQ(inner->section(), "listener.tls");
    ASSERT_NE(list_of(*inner), nullptr);
    EXPECT_EQ(list_of(*inner)->name, "listener");
    EXPECT_EQ(list_of(key), nullptr);
  }
  EXPECT_EQ(count, 13U);
  EXPECT_EQ(listener_key_of(*find_key("threads")), nullptr);
}

TEST(Keys, ChoicesStandInTheOrderOfTheirEnumerators) {
  Config config = full_config();
  const auto choose = [&config](const char* name, const char* word) {
    return !assign(config, *find_key(name), std::string(word)).has_value();
  };
  EXPECT_TRUE(choose("durability", "none"));
  EXPECT_EQ(config.durability, Durability::none);
  EXPECT_TRUE(choose("log.level", "off"));
  EXPECT_EQ(config.log_level, LogLevel::off);
  EXPECT_TRUE(choose("log.format", "json"));
  EXPECT_EQ(config.log_format, LogFormat::json);
  EXPECT_TRUE(choose("limits.backlog_policy", "drop_newest"));
  EXPECT_EQ(config.limits.backlog_policy, BacklogPolicy::drop_newest);
  EXPECT_TRUE(choose("tls.version_min", "1.3"));
  EXPECT_EQ(config.tls.version_min, TlsVersion::v1_3);
  EXPECT_TRUE(choose("listener.tls.version_min", "1.0"));
  EXPECT_EQ(config.listeners[0].tls.version_min, TlsVersion::v1_0);
  EXPECT_TRUE(choose("tls.client_certificate", "optional"));
  EXPECT_EQ(config.tls.client_certificate, ClientCertificate::optional);
  EXPECT_TRUE(choose("tls.identity", "san"));
  EXPECT_EQ(config.tls.identity, CertificateName::san);
  EXPECT_TRUE(choose("share.strategy", "hash_property"));
  EXPECT_EQ(config.share_groups[0].strategy, ShareStrategy::hash_property);
  EXPECT_TRUE(choose("share.strategy", "least_inflight"));
  EXPECT_EQ(config.share_groups[0].strategy, ShareStrategy::least_inflight);
}

TEST(Keys, EditDistanceCountsASwapAsOne) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("threads", "thraeds"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

std::string document(const std::string& name) {
  std::ifstream file(std::string(LINNET_SOURCE_DIR) + "/docs/" + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Keys, TheDocumentationIsTheTable) {
  EXPECT_NE(document("configuration.md").find(keys_markdown()), std::string::npos)
      << "docs/configuration.md is out of date: run ./dev docs";
}

TEST(Keys, EachLimitHasItsRowWithItsDefault) {
  const std::string text = document("limits.md");
  for (const Key& key : all_keys()) {
    if (key.section() != "limits") continue;
    const std::string row = "| `" + std::string(key.short_name()) + "` | `" + default_text(key);
    EXPECT_NE(text.find(row), std::string::npos) << "docs/limits.md has no " << row;
  }
}

}  // namespace
}  // namespace linnet::config
