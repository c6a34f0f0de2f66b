#include "broker/reload_diff.hpp"

#include <gtest/gtest.h>

#include "config/keys.hpp"
#include "config/load.hpp"

namespace linnet {
namespace {

using Lines = std::vector<std::string>;

ListenerConfig at(const std::string& url) {
  ListenerConfig listener;
  listener.url = url;
  return listener;
}

TEST(ReloadDiff, says_nothing_of_what_is_the_same) {
  const Config running;
  Config next;
  const ReloadDiff diff = compare(running, next);
  EXPECT_EQ(diff.changed, Lines{});
  EXPECT_EQ(diff.needs_restart, Lines{});
}

TEST(ReloadDiff, shows_values_as_they_are_written) {
  const Config running;
  Config next;
  next.limits.packet_size_max = 2 << 20;
  next.log_level = LogLevel::debug;
  next.auth.order = {"password"};
  next.auth.acl_file = "acl.txt";
  next.check_payload_format = true;
  const ReloadDiff diff = compare(running, next);
  EXPECT_EQ(diff.changed,
            (Lines{"check_payload_format: false -> true", "log.level: \"info\" -> \"debug\"",
                   "auth.order: [\"certificate\", \"psk\", \"unix\", \"password\", \"jwt\", "
                   "\"http\"] -> [\"password\"]",
                   "auth.acl_file: \"\" -> \"acl.txt\"",
                   "limits.packet_size_max: \"1MiB\" -> \"2MiB\""}));
  EXPECT_EQ(next.limits.packet_size_max, 2U << 20);
}

TEST(ReloadDiff, puts_back_what_needs_a_restart) {
  Config running;
  running.threads = 2;
  running.data_dir = "/one";
  Config next;
  next.threads = 4;
  next.data_dir = "/other";
  next.limits.store_size_max = 1 << 20;
  for (int time = 0; time < 2; ++time) {
    Config again = next;
    const ReloadDiff diff = compare(running, again);
    EXPECT_EQ(diff.changed, Lines{});
    ASSERT_EQ(diff.needs_restart.size(), 3U) << "it is told as long as it is so";
    EXPECT_EQ(diff.needs_restart[0], "data_dir: \"/one\" -> \"/other\"");
    EXPECT_EQ(diff.needs_restart[1], "threads: 2 -> 4");
    EXPECT_EQ(again.threads, 2U);
    EXPECT_EQ(again.data_dir, "/one");
    EXPECT_EQ(again.limits.store_size_max, running.limits.store_size_max);
    running = again;
  }
}

TEST(ReloadDiff, compares_lists_as_a_whole) {
  Config running;
  running.auth.rules.emplace_back().place = "auth.rule:3";
  Config next = running;
  next.auth.rules.front().place = "auth.rule:7";
  EXPECT_EQ(compare(running, next).changed, Lines{});
  next.auth.rules.front().effect = RuleEffect::deny;
  EXPECT_EQ(compare(running, next).changed, Lines{"[[auth.rule]]: is changed"});
  next.auth.rules.emplace_back();
  next.share_groups.emplace_back();
  EXPECT_EQ(compare(running, next).changed, (Lines{"[[share]]: 0 -> 1", "[[auth.rule]]: 1 -> 2"}));
}

TEST(ReloadDiff, does_not_show_the_address_of_a_service) {
  const Config running;
  Config next;
  next.auth.http.url = "https://example.org/check?token=abc";
  EXPECT_EQ(compare(running, next).changed, Lines{"auth.http.url: is another one"});
}

TEST(ReloadDiff, leaves_out_what_listeners_begin_with) {
  const Config running;
  Config next;
  next.allow_anonymous = true;
  next.tls.cert = {"c.pem"};
  EXPECT_EQ(compare(running, next).changed, Lines{});
}

TEST(ReloadDiff, compares_listeners_key_by_key) {
  const ListenerConfig running = at("unix:/run/l");
  ListenerConfig next = running;
  next.deny = {"192.0.2.0/24"};
  next.tls.cert = {"c.pem"};
  next.mode = "0600";
  const ReloadDiff diff = compare(running, next);
  EXPECT_EQ(diff.changed, (Lines{"listener unix:/run/l: deny: [] -> [\"192.0.2.0/24\"]",
                                 "listener unix:/run/l: tls.cert: [] -> [\"c.pem\"]"}));
  EXPECT_EQ(diff.needs_restart, (Lines{"listener unix:/run/l: mode: \"\" -> \"0600\""}));
  EXPECT_EQ(next.mode, "");
  EXPECT_EQ(next.deny, Lines{"192.0.2.0/24"});
}

/// Each key that is neither a list's nor of listeners makes a difference of one line.
TEST(ReloadDiff, knows_every_key) {
  for (const config::Key& key : config::all_keys()) {
    if (config::list_of(key) != nullptr || config::listener_key_of(key) != nullptr) continue;
    const Config running;
    Config next;
    if (key.type == config::KeyType::text) {
      key.field.set_text(next, "x");
    } else if (key.type == config::KeyType::texts) {
      key.field.set_texts(next, {"x"});
    } else {
      const bool flag = key.type == config::KeyType::boolean;
      const std::uint64_t number = key.field.number(running);
      const bool choice = key.type == config::KeyType::choice;
      key.field.set_number(next, flag || choice ? (number == 0 ? 1 : 0) : number + 1);
    }
    const ReloadDiff diff = compare(running, next);
    EXPECT_EQ(diff.changed.size(), key.restart ? 0U : 1U) << key.name;
    EXPECT_EQ(diff.needs_restart.size(), key.restart ? 1U : 0U) << key.name;
  }
}

}  // namespace
}  // namespace linnet
