#include "net/url.hpp"

#include <array>
#include <gtest/gtest.h>

namespace linnet::net {
namespace {

struct Good {
  const char* text;
  Scheme scheme;
  const char* host;
  std::uint16_t port;
  const char* path;
  const char* again;  // as Url::text() writes it
};

TEST(Url, reads_what_is_right) {
  const std::array cases = {
      Good{"mqtt://127.0.0.1:1884", Scheme::mqtt, "127.0.0.1", 1884, "", "mqtt://127.0.0.1:1884"},
      Good{"mqtt://host", Scheme::mqtt, "host", 1883, "", "mqtt://host:1883"},
      Good{"mqtt://host/", Scheme::mqtt, "host", 1883, "", "mqtt://host:1883"},
      Good{"mqtt://:1883", Scheme::mqtt, "", 1883, "", "mqtt://*:1883"},
      Good{"mqtt://*", Scheme::mqtt, "", 1883, "", "mqtt://*:1883"},
      Good{"mqtt://h:0", Scheme::mqtt, "h", 0, "", "mqtt://h:0"},
      Good{"mqtts://h", Scheme::mqtts, "h", 8883, "", "mqtts://h:8883"},
      Good{"ws://h", Scheme::ws, "h", 8083, "/mqtt", "ws://h:8083/mqtt"},
      Good{"ws://h:1/a/b", Scheme::ws, "h", 1, "/a/b", "ws://h:1/a/b"},
      Good{"wss://h/", Scheme::wss, "h", 8084, "/mqtt", "wss://h:8084/mqtt"},
      Good{"http://h", Scheme::http, "h", 80, "/", "http://h:80/"},
      Good{"https://h", Scheme::https, "h", 443, "/", "https://h:443/"},
      Good{"any://h", Scheme::any, "h", 1883, "", "any://h:1883"},
      Good{"mqtt://[::1]:65535", Scheme::mqtt, "::1", 65535, "", "mqtt://[::1]:65535"},
      Good{"mqtt://[2001:db8::1]", Scheme::mqtt, "2001:db8::1", 1883, "",
           "mqtt://[2001:db8::1]:1883"},
      Good{"unix:/run/l.sock", Scheme::unix_socket, "", 0, "/run/l.sock", "unix:/run/l.sock"},
      Good{"unix:///run/l.sock", Scheme::unix_socket, "", 0, "/run/l.sock", "unix:/run/l.sock"},
  };
  for (const Good& expected : cases) {
    const auto url = parse_url(expected.text);
    ASSERT_TRUE(url) << expected.text << ": " << url.error().text;
    EXPECT_EQ(url->scheme, expected.scheme) << expected.text;
    EXPECT_EQ(url->host, expected.host) << expected.text;
    EXPECT_EQ(url->port, expected.port) << expected.text;
    EXPECT_EQ(url->path, expected.path) << expected.text;
    EXPECT_EQ(url->text(), expected.again);
  }
}

struct Bad {
  const char* text;
  const char* part;  // of what the error says
};

TEST(Url, says_what_is_wrong) {
  const std::array cases = {
      Bad{"", "which protocol"},
      Bad{"127.0.0.1:1883", "which protocol"},
      Bad{"mqt://h:1883", "unknown protocol"},
      Bad{"mqtt://h:", "port"},
      Bad{"mqtt://h:65536", "0 to 65535"},
      Bad{"mqtt://h:-1", "0 to 65535"},
      Bad{"mqtt://h:18x", "0 to 65535"},
      Bad{"mqtt://::1:1883", "brackets"},
      Bad{"mqtt://[::1", "no ']'"},
      Bad{"mqtt://[host]:1", "no IPv6 address"},
      Bad{"mqtt://[::1]1883", "between ']'"},
      Bad{"mqtt://a b:1", "characters"},
      Bad{"mqtt://user@h:1", "user"},
      Bad{"ws://h/mqtt?x=1", "query"},
      Bad{"mqtt://h/path", "has a path"},
      Bad{"any://h/mqtt", "has a path"},
      Bad{"unix:relative.sock", "absolute path"},
      Bad{"unix:/", "absolute path"},
  };
  for (const Bad& expected : cases) {
    const auto url = parse_url(expected.text);
    ASSERT_FALSE(url) << expected.text;
    EXPECT_NE(url.error().text.find(expected.part), std::string::npos) << url.error().text;
    EXPECT_EQ(url.error().text.find(std::string("'") + expected.text + "'"), 0U);
  }
  EXPECT_FALSE(parse_url("unix:/" + std::string(107, 'x')));
  EXPECT_TRUE(parse_url("unix:/" + std::string(106, 'x')));
}

TEST(Url, knows_what_a_connection_may_speak) {
  for (const Scheme scheme : {Scheme::mqtts, Scheme::wss, Scheme::https})
    EXPECT_TRUE(is_tls(scheme)) << name_of(scheme);
  for (const Scheme scheme :
       {Scheme::mqtt, Scheme::ws, Scheme::http, Scheme::any, Scheme::unix_socket})
    EXPECT_FALSE(is_tls(scheme)) << name_of(scheme);
  for (const Scheme scheme : {Scheme::ws, Scheme::wss, Scheme::http, Scheme::https, Scheme::any})
    EXPECT_TRUE(may_speak_http(scheme)) << name_of(scheme);
  for (const Scheme scheme : {Scheme::mqtt, Scheme::mqtts, Scheme::unix_socket})
    EXPECT_FALSE(may_speak_http(scheme)) << name_of(scheme);
}

TEST(Url, knows_loopback) {
  for (const char* text : {"mqtt://127.0.0.1", "mqtt://127.9.9.9", "mqtt://localhost",
                           "mqtt://[::1]", "unix:/run/l.sock"}) {
    EXPECT_TRUE(is_loopback(*parse_url(text))) << text;
  }
  for (const char* text : {"mqtt://*", "mqtt://0.0.0.0", "mqtt://[::]", "mqtt://128.0.0.1",
                           "mqtt://localhost.example"}) {
    EXPECT_FALSE(is_loopback(*parse_url(text))) << text;
  }
}

}  // namespace
}  // namespace linnet::net
