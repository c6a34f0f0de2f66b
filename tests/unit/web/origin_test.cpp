#include "web/origin.hpp"

#include <gtest/gtest.h>

#include "web/rules.hpp"

namespace linnet::web {
namespace {

net::Endpoint address(std::string_view text, std::uint16_t port = 8083) {
  return net::Endpoint::parse(text, port).value();
}

bool allows(std::string_view origin, std::string own_host = {},
            std::vector<std::string> origins = {}, const net::Endpoint& local = {}) {
  Rules rules;
  rules.own_host = std::move(own_host);
  rules.origins = std::move(origins);
  return is_allowed_origin(origin, ReadyRules(std::move(rules)), local);
}

TEST(Origin, is_parsed) {
  const auto origin = parse_origin("HTTPS://App.Example.COM:8443");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->scheme, "https");
  EXPECT_EQ(origin->host, "app.example.com");
  EXPECT_EQ(origin->port, 8443);
  EXPECT_EQ(parse_origin("https://a")->port, 443);
  EXPECT_EQ(parse_origin("http://a")->port, 80);
  EXPECT_EQ(parse_origin("capacitor://a")->port, 0);
  EXPECT_EQ(parse_origin("http://[::1]:81")->host, "::1");
  EXPECT_EQ(parse_origin("http://[::1]:81")->port, 81);
  EXPECT_EQ(parse_origin("http://a.")->host, "a");
}

TEST(Origin, nonsense_is_none) {
  for (const std::string_view text : {"",
                                      "null",
                                      "a",
                                      "a:80",
                                      "://a",
                                      "http:/a",
                                      "http://",
                                      "http://:80",
                                      "http://a:",
                                      "http://a:0",
                                      "http://a:65536",
                                      "http://a:8x",
                                      "http://a/",
                                      "http://a/b",
                                      "http://a b",
                                      "http://u@a",
                                      "http://[::1",
                                      "http://[]",
                                      "http://::1",
                                      "http://[::1]80",
                                      "1http://a",
                                      "ht_tp://a",
                                      "http://a, http://b",
                                      "http://a?b",
                                      "http://a#b",
                                      "http://[a]]"}) {
    EXPECT_FALSE(parse_origin(text)) << text;
  }
}

TEST(Origin, of_loopback_is_allowed) {
  for (const std::string_view text :
       {"http://localhost", "https://LOCALHOST:5173", "http://app.localhost:3000",
        "http://localhost.", "http://127.0.0.1", "http://127.9.8.7:81", "http://[::1]:8080",
        "http://[::ffff:127.0.0.1]", "capacitor://localhost"}) {
    EXPECT_TRUE(allows(text)) << text;
  }
}

TEST(Origin, of_others_is_refused) {
  for (const std::string_view text :
       {"", "null", "http://example.com", "http://localhost.example.com", "http://notlocalhost",
        "http://.localhost", "http://128.0.0.1", "http://127.0.0.1.example.com", "http://[::2]",
        "http://0.0.0.0", "http://10.0.0.1", "file://", "http://localhost/x",
        "http://localhost http://example.com"}) {
    EXPECT_FALSE(allows(text)) << text;
  }
}

TEST(Origin, of_the_listeners_own_host_is_allowed) {
  EXPECT_TRUE(allows("https://broker.example", "Broker.Example"));
  EXPECT_TRUE(allows("http://broker.example:8000", "broker.example"));
  EXPECT_FALSE(allows("http://other.example", "broker.example"));
  EXPECT_TRUE(allows("http://192.0.2.7", "192.0.2.7"));
  EXPECT_TRUE(allows("http://[2001:db8:0::1]", "2001:db8::1"));
  EXPECT_FALSE(allows("http://192.0.2.8", "192.0.2.7"));
}

TEST(Origin, of_the_machines_own_name_is_allowed_on_all_addresses) {
  for (const auto& [own_host, allowed] :
       {std::pair("", true), std::pair("broker.example", false)}) {
    Rules rules;
    rules.own_host = own_host;
    rules.machine_names = {"gateway", "gateway.local"};
    const ReadyRules ready(std::move(rules));
    EXPECT_EQ(is_allowed_origin("https://Gateway:8084", ready, {}), allowed);
    EXPECT_EQ(is_allowed_origin("http://gateway.local", ready, {}), allowed);
    EXPECT_FALSE(is_allowed_origin("http://gateway.example", ready, {}));
  }
}

TEST(Origin, of_the_address_that_was_reached_is_allowed_on_all_addresses) {
  EXPECT_TRUE(allows("http://192.0.2.7:3000", "", {}, address("192.0.2.7")));
  EXPECT_TRUE(allows("http://192.0.2.7", "0.0.0.0", {}, address("192.0.2.7")));
  EXPECT_TRUE(allows("http://[2001:db8::7]", "::", {}, address("2001:db8::7")));
  EXPECT_FALSE(allows("http://192.0.2.8", "", {}, address("192.0.2.7")));
  EXPECT_FALSE(allows("http://rebound.example", "", {}, address("192.0.2.7")));
  EXPECT_FALSE(allows("http://192.0.2.7", "broker.example", {}, address("192.0.2.7")));
}

TEST(Origin, of_the_list_is_allowed) {
  const std::vector<std::string> list = {"https://app.example", "http://dev.example:8080/", "bad"};
  EXPECT_TRUE(allows("https://app.example", "", list));
  EXPECT_TRUE(allows("https://APP.example:443", "", list));
  EXPECT_TRUE(allows("http://dev.example:8080", "", list));
  EXPECT_FALSE(allows("http://app.example", "", list)) << "another scheme";
  EXPECT_FALSE(allows("https://app.example:444", "", list)) << "another port";
  EXPECT_FALSE(allows("https://www.app.example", "", list)) << "another host";
  EXPECT_FALSE(allows("bad", "", list));
  EXPECT_TRUE(allows("https://any.example", "", {"*"}));
}

}  // namespace
}  // namespace linnet::web
