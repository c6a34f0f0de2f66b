#include "config/load.hpp"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>

namespace linnet::config {
namespace {

using namespace std::chrono_literals;

/// The errors of a file, one per line, as the user sees them.
std::string errors_of(std::string_view text) {
  std::string lines;
  for (const ConfigError& error : parse(text, "linnet.toml").errors) {
    lines += to_string(error) + '\n';
  }
  return lines;
}

TEST(Load, AnEmptyFileIsTheDefaults) {
  const LoadResult result = parse("", "linnet.toml");
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.config.listeners.empty());
  EXPECT_EQ(result.config.limits.packet_size_max, 1U << 20);
  EXPECT_EQ(result.config.durability, Durability::commit);
}

TEST(Load, FillsEverySection) {
  const LoadResult result = parse(R"(
    data_dir = "/srv/linnet"
    threads = 3
    persistence = false
    durability = "interval"
    durability_interval = "250ms"
    check_payload_format = true
    sys_interval = "never"
    [log]
    level = "warn"
    format = "json"
    [[listener]]
    url = "mqtt://0.0.0.0:1883"
    allow_anonymous = true
    [[listener]]
    url = "mqtt://[::1]:1884"
    [[share]]
    group = "workers"
    strategy = "hash_property"
    property = "device"
    [limits]
    packet_size_max = "64KiB"
    keep_alive_max = "5m"
    qos_max = 1
    session_expiry_max = "never"
    backlog_policy = "reject"
    retain_available = false
    outbox_bytes_max = 8192
  )",
                                  "linnet.toml");
  ASSERT_TRUE(result.ok()) << to_string(result.errors.front());
  const Config& config = result.config;
  EXPECT_EQ(config.data_dir, "/srv/linnet");
  EXPECT_EQ(config.threads, 3U);
  EXPECT_FALSE(config.persistence);
  EXPECT_EQ(config.durability, Durability::interval);
  EXPECT_EQ(config.durability_interval, 250ms);
  EXPECT_TRUE(config.check_payload_format);
  EXPECT_EQ(config.sys_interval, 0ms);
  EXPECT_EQ(config.log_level, LogLevel::warn);
  EXPECT_EQ(config.log_format, LogFormat::json);
  ASSERT_EQ(config.listeners.size(), 2U);
  EXPECT_EQ(config.listeners[0].url, "mqtt://0.0.0.0:1883");
  EXPECT_TRUE(config.listeners[0].allow_anonymous);
  EXPECT_FALSE(config.listeners[1].allow_anonymous);
  EXPECT_EQ(result.listener_lines, (std::vector<int>{12, 15}));
  ASSERT_EQ(config.share_groups.size(), 1U);
  EXPECT_EQ(config.share_groups[0].strategy, ShareStrategy::hash_property);
  EXPECT_EQ(config.share_groups[0].property, "device");
  EXPECT_EQ(config.limits.packet_size_max, 65536U);
  EXPECT_EQ(config.limits.keep_alive_max_s, 300);
  EXPECT_EQ(config.limits.qos_max, Qos::at_least_once);
  EXPECT_EQ(config.limits.session_expiry_max_s, 0xFFFF'FFFFU);
  EXPECT_EQ(config.limits.backlog_policy, BacklogPolicy::reject);
  EXPECT_FALSE(config.limits.retain_available);
  EXPECT_EQ(config.limits.outbox_bytes_max, 8192U);
}

TEST(Load, AllowAnonymousAtTheTopIsWhereListenersBegin) {
  const LoadResult result = parse(R"(
    allow_anonymous = true
    [[listener]]
    url = "mqtt://0.0.0.0:1883"
    [[listener]]
    url = "mqtt://0.0.0.0:1884"
    allow_anonymous = false
  )",
                                  "linnet.toml");
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.config.listeners[0].allow_anonymous);
  EXPECT_FALSE(result.config.listeners[1].allow_anonymous);
}

using List = std::vector<std::string>;

TEST(Load, FillsAListener) {
  const LoadResult result = parse(R"(
    [[listener]]
    url = "any://*:1883"
    free_bind = true
    proxy_protocol = true
    trusted_proxies = ["10.0.0.0/8", "loopback"]
    origins = "https://app.example.com"
    deflate = true
    tls.cert = ["a.pem", "b.pem"]
    tls.key = ["a.key", "b.key"]
    tls.client_ca = "ca.pem"
    tls.client_certificate = "optional"
    tls.identity = "subject"
    tls.crl = "crl.pem"
    [[listener]]
    url = "unix:/run/linnet.sock"
    mode = "0666"
    owner = "mqtt"
    group = "100"
    [[listener]]
    url = "mqtts://*"
    [listener.tls]
    psk_file = "keys"
    version_min = "1.3"
    ciphers = "x"
    ciphersuites = "y"
    session_tickets = false
    ktls = false
    ocsp_staple = "staple.der"
    [limits]
    websocket_message_max = "1GiB"
  )",
                                  "linnet.toml");
  ASSERT_TRUE(result.ok()) << to_string(result.errors.front());
  ASSERT_EQ(result.config.listeners.size(), 3U);
  const ListenerConfig& any = result.config.listeners[0];
  EXPECT_TRUE(any.free_bind && any.proxy_protocol && any.deflate);
  EXPECT_EQ(any.trusted_proxies, (List{"10.0.0.0/8", "loopback"}));
  EXPECT_EQ(any.origins, List{"https://app.example.com"});
  EXPECT_EQ(any.tls.cert, (List{"a.pem", "b.pem"}));
  EXPECT_EQ(any.tls.key, (List{"a.key", "b.key"}));
  EXPECT_EQ(any.tls.client_ca, "ca.pem");
  EXPECT_EQ(any.tls.client_certificate, ClientCertificate::optional);
  EXPECT_EQ(any.tls.identity, CertificateName::subject);
  EXPECT_EQ(any.tls.crl, "crl.pem");
  const ListenerConfig& local = result.config.listeners[1];
  EXPECT_EQ(local.mode + ' ' + local.owner + ' ' + local.group, "0666 mqtt 100");
  const TlsConfig& tls = result.config.listeners[2].tls;
  EXPECT_EQ(tls.psk_file + tls.ciphers + tls.ciphersuites + tls.ocsp_staple, "keysxystaple.der");
  EXPECT_EQ(tls.version_min, TlsVersion::v1_3);
  EXPECT_FALSE(tls.session_tickets || tls.ktls);
  EXPECT_EQ(result.config.limits.websocket_message_max, 1U << 30);
  EXPECT_EQ(result.config.tls, TlsConfig{});
}

TEST(Load, TlsAtTheTopIsWhereListenersBeginWhereverItStands) {
  const LoadResult result = parse(R"(
    [[listener]]
    url = "mqtts://*"
    [[listener]]
    url = "wss://*"
    tls.cert = []
    [listener.tls]
    key = "own.key"
    [tls]
    cert = "c.pem"
    key = "k.pem"
    version_min = "1.3"
  )",
                                  "linnet.toml");
  EXPECT_FALSE(result.ok()) << "tls of one listener is written in two places";
  const LoadResult good = parse(R"(
    [[listener]]
    url = "mqtts://*"
    [[listener]]
    url = "wss://*"
    [listener.tls]
    cert = []
    key = "own.key"
    [tls]
    cert = "c.pem"
    key = "k.pem"
    version_min = "1.3"
  )",
                                "linnet.toml");
  ASSERT_TRUE(good.ok()) << to_string(good.errors.front());
  const auto& listeners = good.config.listeners;
  EXPECT_EQ(listeners[0].tls, good.config.tls);
  EXPECT_EQ(listeners[0].tls.cert, List{"c.pem"});
  EXPECT_EQ(listeners[1].tls.cert, List{});
  EXPECT_EQ(listeners[1].tls.key, List{"own.key"});
  EXPECT_EQ(listeners[1].tls.version_min, TlsVersion::v1_3);
}

TEST(Load, AListOfTextsHoldsNothingElse) {
  const std::string expected = "is not a text in quotes, or a list of them; allowed: texts\n";
  EXPECT_EQ(errors_of("[tls]\ncert = 3\n"), "linnet.toml:2: tls.cert: 3 " + expected);
  EXPECT_EQ(errors_of("[tls]\ncert = [\"a\", 3]\n"),
            "linnet.toml:2: tls.cert: an array " + expected);
  EXPECT_EQ(errors_of("[tls]\ncert = [\"a\", \"\"]\n"),
            "linnet.toml:2: tls.cert: one of the texts is empty\n");
  EXPECT_EQ(errors_of("[tls]\ncert = [\"a\\u0000\"]\n"),
            "linnet.toml:2: tls.cert: a text must not contain a NUL\n");
  EXPECT_EQ(
      errors_of("[tls]\nciphers = [\"a\", \"b\"]\n"),
      "linnet.toml:2: tls.ciphers: [\"a\", \"b\"] is not a text in quotes; allowed: a text\n");
  EXPECT_EQ(parse("[tls]\ncert = \"\"\n", "f").config.tls.cert, List{});
}

TEST(Load, TlsOfAListenerIsASectionOfIt) {
  EXPECT_EQ(errors_of("[[listener]]\nurl = \"mqtt://h:1\"\ntls = 1\n"),
            "linnet.toml:3: listener.tls: is a section; write [listener.tls]\n");
  EXPECT_EQ(errors_of("[[listener]]\nurl = \"mqtts://h:1\"\ncert = \"c\"\n"),
            "linnet.toml:3: listener.cert: unknown key; did you mean tls.cert?\n");
  EXPECT_EQ(errors_of("[[listener]]\nurl = \"mqtts://h:1\"\ntls.crt = \"c\"\n"),
            "linnet.toml:3: listener.tls.crt: unknown key; did you mean cert?\n");
}

TEST(Load, AnUnknownKeyNamesTheNearestKnownOne) {
  EXPECT_EQ(errors_of("[limits]\npacket_size_maxx = 1\n"),
            "linnet.toml:2: limits.packet_size_maxx: unknown key; did you mean packet_size_max?\n");
  EXPECT_EQ(errors_of("thraeds = 1\n"),
            "linnet.toml:1: thraeds: unknown key; did you mean threads?\n");
  EXPECT_EQ(errors_of("inflight_max = 1\n"),
            "linnet.toml:1: inflight_max: unknown key; did you mean limits.inflight_max?\n");
  EXPECT_EQ(errors_of("[[listener]]\nurl = \"mqtt://h:1\"\nulr = 1\n"),
            "linnet.toml:3: listener.ulr: unknown key; did you mean url?\n");
}

TEST(Load, AKeyThatNothingIsNearToHasNoSuggestion) {
  EXPECT_EQ(errors_of("[wardrobe]\nfile = \"f\"\n"), "linnet.toml:1: wardrobe: unknown key\n");
  EXPECT_EQ(errors_of("x = 1\n"), "linnet.toml:1: x: unknown key\n");
}

TEST(Load, AWrongTypeSaysWhatIsAllowed) {
  EXPECT_EQ(errors_of("threads = \"two\"\n"),
            "linnet.toml:1: threads: \"two\" is not a whole number; allowed: 0 to 64\n");
  EXPECT_EQ(errors_of("persistence = 1\n"),
            "linnet.toml:1: persistence: 1 is not true or false; allowed: true, false\n");
  EXPECT_EQ(errors_of("data_dir = 7\n"),
            "linnet.toml:1: data_dir: 7 is not a text in quotes; allowed: a text\n");
  EXPECT_EQ(errors_of("[limits]\nmailbox_bytes_max = true\n"),
            "linnet.toml:2: limits.mailbox_bytes_max: true is not a size like \"64KiB\" or a "
            "number of bytes; allowed: \"64KiB\" to \"4GiB\"\n");
  EXPECT_EQ(errors_of("threads = 1.5\n"),
            "linnet.toml:1: threads: a number with a point is not a whole number; "
            "allowed: 0 to 64\n");
}

TEST(Load, AUnitThatIsMissingOrWrongIsAnError) {
  EXPECT_EQ(errors_of("sys_interval = 10\n"),
            "linnet.toml:1: sys_interval: 10 is not a duration like \"500ms\", \"10s\", \"5m\", "
            "\"1h\" or \"30d\"; allowed: \"1s\" to \"1d\", or \"never\"\n");
  EXPECT_NE(errors_of("[limits]\npacket_size_max = \"1MB\"\n").find("\"1MB\" is not a size"),
            std::string::npos);
  EXPECT_NE(errors_of("[limits]\nkeep_alive_max = \"1500ms\"\n").find("is not a duration"),
            std::string::npos);
}

TEST(Load, AnUnknownWordNamesTheKnownOnes) {
  EXPECT_EQ(errors_of("durability = \"sometimes\"\n"),
            "linnet.toml:1: durability: \"sometimes\" is not one of its words; "
            "allowed: \"commit\", \"interval\", \"none\"\n");
}

TEST(Load, ARangeIncludesItsEnds) {
  EXPECT_EQ(errors_of("threads = 64\n"), "");
  EXPECT_EQ(errors_of("threads = 65\n"),
            "linnet.toml:1: threads: 65 is out of range; allowed: 0 to 64\n");
  EXPECT_EQ(errors_of("threads = -1\n"),
            "linnet.toml:1: threads: -1 is out of range; allowed: 0 to 64\n");
  EXPECT_EQ(errors_of("[limits]\npacket_size_max = \"1KiB\"\n"), "");
  EXPECT_EQ(errors_of("[limits]\npacket_size_max = 1023\n"),
            "linnet.toml:2: limits.packet_size_max: 1023 is out of range; "
            "allowed: \"1KiB\" to \"255MiB\"\n");
}

TEST(Load, ZeroNeedsNoUnitAndMayMeanNever) {
  EXPECT_EQ(errors_of("[limits]\nkeep_alive_max = 0\nrefuse_timeout = 0\n"), "");
  EXPECT_EQ(parse("[limits]\nkeep_alive_max = \"never\"", "f").config.limits.keep_alive_max_s, 0);
  EXPECT_NE(errors_of("[limits]\nconnect_timeout = 0\n"), "");
  EXPECT_NE(errors_of("[limits]\nconnect_timeout = \"never\"\n"), "");
}

TEST(Load, WhatIsNotTomlHasItsLine) {
  EXPECT_EQ(errors_of("threads = 1\nlevel = = 2\n").find("linnet.toml:2: not TOML: "), 0U);
  EXPECT_EQ(errors_of("threads = 1\nthreads = 2\n").find("linnet.toml:2: not TOML: "), 0U);
}

TEST(Load, TextBeyondAsciiStandsInQuotesOrComments) {
  EXPECT_EQ(errors_of("# \u00e9\ndata_dir = \"\u00e9\"  # \u00e9\n"), "");
  EXPECT_EQ(errors_of("data_dir = '\\'  # '\u00e9\n"), "");
  EXPECT_EQ(errors_of("data_dir = \"\"\"\n\u00e9 \\\"\"\" \u00e9\"\"\"\"\" # \u00e9\n"), "");
  EXPECT_EQ(errors_of("data_dir = '''\u00e9'' \u00e9'''\nthreads = 1"), "");
  EXPECT_EQ(errors_of("\xEF\xBB\xBFthreads = 1\n"), "");
  EXPECT_EQ(errors_of("data_dir = \"\"\n\u00e9 = 1\n"),
            "linnet.toml:2: not TOML: a character that is not ASCII stands outside of quotes\n");
  EXPECT_EQ(errors_of("data_dir = \"\"\"\n\n\"\"\" \u00e9\n"),
            "linnet.toml:3: not TOML: a character that is not ASCII stands outside of quotes\n");
}

TEST(Load, ASectionMustBeWrittenAsWhatItIs) {
  EXPECT_EQ(errors_of("limits = 3\n"), "linnet.toml:1: limits: is a section; write [limits]\n");
  EXPECT_EQ(errors_of("[listener]\nurl = \"mqtt://h:1\"\n"),
            "linnet.toml:1: listener: is a list of sections; write [[listener]]\n");
  EXPECT_EQ(errors_of("[threads]\n").find("linnet.toml:1: threads: a section is not"), 0U);
}

TEST(Load, AllErrorsComeInTheOrderOfTheirLines) {
  EXPECT_EQ(errors_of("threads = 99\n[limits]\nqos_max = 3\n[log]\nlevel = \"loud\"\nx = 1\n"),
            "linnet.toml:1: threads: 99 is out of range; allowed: 0 to 64\n"
            "linnet.toml:3: limits.qos_max: 3 is out of range; allowed: 0 to 2\n"
            "linnet.toml:5: log.level: \"loud\" is not one of its words; allowed: \"trace\", "
            "\"debug\", \"info\", \"warn\", \"error\", \"off\"\n"
            "linnet.toml:6: log.x: unknown key\n");
}

TEST(Load, ListenersNeedAUrl) {
  EXPECT_EQ(errors_of("[[listener]]\n[[listener]]\nurl = \"mqtt://h:1\"\n"),
            "linnet.toml:1: listener.url: is missing; write url = \"mqtt://127.0.0.1:1883\"\n");
}

TEST(Load, ShareRulesAgreeWithThemselves) {
  EXPECT_EQ(errors_of("[[share]]\n"),
            "linnet.toml:1: share.group: is missing; name a group, or \"*\" for all\n");
  EXPECT_EQ(errors_of("[[share]]\ngroup = \"a\"\n[[share]]\ngroup = \"a\"\n"),
            "linnet.toml:3: share.group: \"a\" has two rules; remove one\n");
  EXPECT_EQ(errors_of("[[share]]\ngroup = \"a\"\nstrategy = \"hash_property\"\n"),
            "linnet.toml:1: share.property: is missing; strategy \"hash_property\" needs the User "
            "Property's name\n");
  EXPECT_EQ(errors_of("[[share]]\ngroup = \"a\"\nproperty = \"p\"\n"),
            "linnet.toml:1: share.property: has no effect without strategy = \"hash_property\"; "
            "remove it\n");
  EXPECT_NE(errors_of("[[share]]\ngroup = \"a/b\"\n"), "");
  EXPECT_EQ(errors_of("[[share]]\ngroup = \"*\"\nstrategy = \"sticky\"\n"), "");
}

TEST(Load, AFileThatCannotBeReadSaysWhy) {
  const LoadResult missing = load("/nonexistent/linnet.toml");
  ASSERT_EQ(missing.errors.size(), 1U);
  EXPECT_EQ(to_string(missing.errors[0]),
            "/nonexistent/linnet.toml: cannot be read: No such file or directory");
  const LoadResult folder = load("/");
  ASSERT_EQ(folder.errors.size(), 1U);
  EXPECT_EQ(to_string(folder.errors[0]), "/: cannot be read: Is a directory");
}

TEST(Load, AFileIsReadFromItsPath) {
  const std::string path = testing::TempDir() + "linnet_load_test.toml";
  std::ofstream(path) << "threads = 5\nthreds = 1\n";
  const LoadResult result = load(path);
  std::remove(path.c_str());
  EXPECT_EQ(result.config.threads, 5U);
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_EQ(to_string(result.errors[0]), path + ":2: threds: unknown key; did you mean threads?");
}

/// The text of what --set says about a setting, or "" if it was taken.
std::string set(Config& config, std::string_view setting) {
  const auto error = apply_setting(config, setting);
  return error ? to_string(*error) : "";
}

TEST(Set, TakesEveryTypeWithoutQuotes) {
  Config config;
  EXPECT_EQ(set(config, "threads=2"), "");
  EXPECT_EQ(set(config, "limits.packet_size_max=2MiB"), "");
  EXPECT_EQ(set(config, "limits.outbox_bytes_max=4096"), "");
  EXPECT_EQ(set(config, "limits.connect_timeout=500ms"), "");
  EXPECT_EQ(set(config, "limits.keep_alive_max=never"), "");
  EXPECT_EQ(set(config, "persistence=false"), "");
  EXPECT_EQ(set(config, "log.level=debug"), "");
  EXPECT_EQ(set(config, "data_dir=/a=b"), "");
  EXPECT_EQ(config.threads, 2U);
  EXPECT_EQ(config.limits.packet_size_max, 2U << 20);
  EXPECT_EQ(config.limits.outbox_bytes_max, 4096U);
  EXPECT_EQ(config.limits.connect_timeout, 500ms);
  EXPECT_FALSE(config.persistence);
  EXPECT_EQ(config.log_level, LogLevel::debug);
  EXPECT_EQ(config.data_dir, "/a=b");
}

TEST(Set, ATextMayLookLikeANumber) {
  Config config;
  EXPECT_EQ(set(config, "data_dir=17"), "");
  EXPECT_EQ(config.data_dir, "17");
}

TEST(Set, SaysWhatIsWrong) {
  Config config;
  EXPECT_EQ(set(config, "threads"), "--set: threads: has no value; write --set KEY=VALUE");
  EXPECT_EQ(set(config, "thread=2"), "--set: thread: unknown key; did you mean threads?");
  EXPECT_EQ(set(config, "threads=many"),
            "--set: threads: \"many\" is not a whole number; allowed: 0 to 64");
  EXPECT_EQ(set(config, "listener.url=mqtt://h:1"),
            "--set: listener.url: is a key of a list; set it in the file or use --listen");
  EXPECT_EQ(set(config, "share.group=a"),
            "--set: share.group: is a key of a list; set it in the file");
  EXPECT_EQ(config.threads, 0U);
}

TEST(Set, WhatListenersBeginWithReachesEveryListener) {
  Config config;
  add_listener(config, "mqtt://0.0.0.0:1883");
  add_listener(config, "mqtts://0.0.0.0:8883");
  config.listeners[1].tls.version_min = TlsVersion::v1_3;
  EXPECT_EQ(set(config, "allow_anonymous=true"), "");
  EXPECT_EQ(set(config, "tls.cert=a.pem,b.pem"), "");
  EXPECT_EQ(set(config, "tls.ciphers=a,b"), "");
  EXPECT_EQ(set(config, "tls.session_tickets=false"), "");
  ASSERT_EQ(config.listeners.size(), 2U);
  for (const ListenerConfig& listener : config.listeners) {
    EXPECT_TRUE(listener.allow_anonymous);
    EXPECT_EQ(listener.tls.cert, (List{"a.pem", "b.pem"}));
    EXPECT_EQ(listener.tls.ciphers, "a,b");
    EXPECT_FALSE(listener.tls.session_tickets);
  }
  EXPECT_EQ(config.tls.cert, (List{"a.pem", "b.pem"}));
  EXPECT_EQ(config.listeners[0].url, "mqtt://0.0.0.0:1883");
  EXPECT_EQ(config.listeners[1].tls.version_min, TlsVersion::v1_3);
  add_listener(config, "wss://*");
  EXPECT_TRUE(config.listeners[2].allow_anonymous);
  EXPECT_EQ(config.listeners[2].tls, config.tls);
}

TEST(Set, CommasSeparateTheTextsOfAList) {
  Config config;
  EXPECT_EQ(set(config, "tls.cert=a"), "");
  EXPECT_EQ(config.tls.cert, List{"a"});
  EXPECT_EQ(set(config, "tls.cert="), "");
  EXPECT_EQ(config.tls.cert, List{});
  for (const char* wrong : {"tls.cert=a,", "tls.cert=,a", "tls.cert=a,,b", "tls.cert=,"}) {
    EXPECT_EQ(set(config, wrong), "--set: tls.cert: one of the texts is empty") << wrong;
  }
  EXPECT_EQ(config.tls.cert, List{});
}

TEST(Set, AListenersKeyNamesTheOneForAll) {
  Config config;
  EXPECT_EQ(set(config, "listener.tls.cert=a"),
            "--set: listener.tls.cert: is a key of a list; set it in the file, or tls.cert for all "
            "listeners");
}

}  // namespace
}  // namespace linnet::config
