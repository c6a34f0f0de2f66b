// Every request gets its answer.
#include <gtest/gtest.h>

#include "unit/web/visitor.hpp"

namespace linnet::web {
namespace {

using State = net::ReadResult::State;

struct Answered {
  std::string head;
  std::string body;
  std::string fault;
  State state = State::again;
  std::string told;  // the client's address

  [[nodiscard]] std::string status() const { return head.substr(9, 3); }
  [[nodiscard]] bool has(std::string_view line) const {
    return head.find("\r\n" + std::string(line) + "\r\n") != head.npos;
  }
};

Answered ask(const Rules& rules, std::string_view bytes, const net::Endpoint& peer = {}) {
  const Server server(rules);
  Visitor visitor(server, peer);
  visitor.receive(bytes);
  const std::string& sent = visitor.wire().outgoing;
  const auto end = sent.find("\r\n\r\n");
  Answered answered;
  if (end != sent.npos) {
    answered.head = sent.substr(0, end + 2);
    answered.body = sent.substr(end + 4);
  }
  answered.fault = visitor.channel().fault();
  answered.state = visitor.state();
  const net::Endpoint* told = visitor.channel().told_endpoint();
  answered.told = told == nullptr ? "" : told->text();
  return answered;
}

Answered ask(std::string_view bytes) {
  return ask(usual_rules(), bytes);
}

std::string replaced(std::string text, std::string_view old, std::string_view fresh) {
  const auto at = text.find(old);
  EXPECT_NE(at, text.npos) << old;
  return text.replace(at, old.size(), fresh);
}

void expect_refused(std::string_view bytes, std::string_view status) {
  const Answered answered = ask(bytes);
  EXPECT_EQ(answered.status(), status) << bytes;
  EXPECT_EQ(answered.state, State::failed) << bytes;
  EXPECT_FALSE(answered.fault.empty()) << bytes;
  EXPECT_TRUE(answered.has("Connection: close")) << bytes;
  EXPECT_EQ(answered.body.empty(), bytes.starts_with("HEAD "));
  if (answered.body.empty()) return;
  EXPECT_TRUE(answered.has("Content-Length: " + std::to_string(answered.body.size()))) << bytes;
}

TEST(Http, page_says_what_this_port_is) {
  const Answered answered = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answered.status(), "200");
  EXPECT_EQ(answered.state, State::failed) << "the link is to end";
  EXPECT_EQ(answered.fault, "") << "nobody has done anything wrong";
  EXPECT_TRUE(answered.has("Content-Type: text/html; charset=utf-8"));
  EXPECT_TRUE(answered.has("Content-Length: " + std::to_string(answered.body.size())));
  EXPECT_TRUE(answered.has("Connection: close"));
  EXPECT_TRUE(answered.has("Cache-Control: no-store"));
  EXPECT_TRUE(answered.has("X-Content-Type-Options: nosniff"));
  EXPECT_NE(answered.head.find("Content-Security-Policy: default-src 'none'"), std::string::npos);
  EXPECT_NE(answered.body.find("This is Linnet, an MQTT broker"), std::string::npos);
  EXPECT_NE(answered.body.find("/mqtt"), std::string::npos);
}

TEST(Http, head_gets_the_page_without_its_body) {
  const Answered whole = ask("GET /?a=b HTTP/1.0\r\n\r\n");
  const Answered answered = ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answered.head, whole.head);
  EXPECT_EQ(answered.body, "");
}

TEST(Http, page_and_websocket_may_share_a_path) {
  Rules rules = usual_rules();
  rules.paths.emplace_back("/");
  EXPECT_EQ(ask(rules, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status(), "200");
  EXPECT_EQ(ask(rules, request("", "/")).status(), "101");
  EXPECT_EQ(ask(rules, request("", "/mqtt")).status(), "101");
}

TEST(Http, paths_are_compared_without_their_query) {
  for (const std::string_view path : {"/mqtt", "/mqtt?a=b", "/mqtt?"})
    EXPECT_EQ(ask(request("", path)).status(), "101") << path;
  for (const std::string_view path : {"/", "/mqt", "/mqtt/", "/MQTT", "/a/mqtt", "//mqtt", "*",
                                      "http://a/mqtt", "/%6dqtt", "/mqtt%00"}) {
    EXPECT_EQ(ask(request("", path)).status(), "404") << path;
  }
}

TEST(Http, other_requests_are_refused_clearly) {
  expect_refused("GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n", "404");
  expect_refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "405");
  expect_refused("OPTIONS /mqtt HTTP/1.1\r\nHost: a\r\n\r\n", "405");
  expect_refused("GET /mqtt HTTP/1.1\r\nHost: a\r\n\r\n", "426");
  EXPECT_TRUE(ask("PUT / HTTP/1.1\r\nHost: a\r\n\r\n").has("Allow: GET, HEAD"));
  EXPECT_TRUE(ask("GET /mqtt HTTP/1.1\r\nHost: a\r\n\r\n").has("Upgrade: websocket"));
}

TEST(Http, what_is_not_http_is_refused) {
  using namespace std::string_literals;
  expect_refused("GARBAGE\r\n\r\n", "400");
  expect_refused("GET\r\n\r\n", "400");
  expect_refused("GET / HTTP/2.0\r\n\r\n", "400");
  expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400");
  expect_refused("GET / HTTP/1.1\r\nno colon\r\n\r\n", "400");
  expect_refused("GET / HTTP/1.1\r\n: none\r\n\r\n", "400");
  expect_refused("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400");
  expect_refused("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"s, "400");
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "400");
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
                 "400");
  expect_refused("GET / HTTP/1.1\r\n\r\n", "400");
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400");
  expect_refused("\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0"s, "400");
}

TEST(Http, head_is_bounded) {
  const std::string start = "GET /mqtt HTTP/1.1\r\nHost: a\r\nCookie: ";
  EXPECT_EQ(ask(start + std::string(8000, 'c') + "\r\n\r\n").status(), "426");
  expect_refused(start + std::string(8192, 'c') + "\r\n\r\n", "431");
  expect_refused(start + std::string(100'000, 'c'), "431");
  expect_refused("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n", "431");
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int at = 0; at < 2000; ++at)
    many += "A: b\r\n";
  expect_refused(many + "\r\n", "431");
  expect_refused(std::string(9000, 'A'), "431");
}

TEST(Http, request_may_come_byte_by_byte) {
  const Server server(usual_rules());
  Visitor visitor(server);
  const std::string bytes = request();
  for (const char byte : bytes) {
    EXPECT_EQ(visitor.wire().outgoing, "");
    visitor.receive({&byte, 1});
  }
  EXPECT_TRUE(visitor.wire().outgoing.starts_with("HTTP/1.1 101 "));
}

TEST(Http, upgrade_wants_the_whole_handshake) {
  const std::string good = request();
  EXPECT_EQ(ask(good).status(), "101");
  expect_refused(replaced(good, "GET", "HEAD"), "400");
  expect_refused(replaced(good, "GET", "POST"), "400");
  expect_refused(replaced(good, "HTTP/1.1", "HTTP/1.0"), "400");
  expect_refused(replaced(good, "Host: broker.example\r\n", ""), "400");
  expect_refused(replaced(good, "Upgrade: websocket", "Upgrade: h2c"), "400");
  expect_refused(replaced(good, "Connection: Upgrade", "Connection: close"), "400");
  expect_refused(replaced(good, "Connection: Upgrade\r\n", ""), "400");
  expect_refused(replaced(good, "Version: 13", "Version: 8"), "426");
  expect_refused(replaced(good, "Sec-WebSocket-Version: 13\r\n", ""), "426");
  expect_refused(replaced(good, kKey, ""), "400");
  expect_refused(replaced(good, kKey, "Sec-WebSocket-Key: short\r\n"), "400");
  const Answered version = ask(replaced(good, "Version: 13", "Version: 8"));
  EXPECT_TRUE(version.has("Sec-WebSocket-Version: 13"));
  EXPECT_TRUE(version.has("Upgrade: websocket"));
}

TEST(Http, handshake_may_be_written_in_other_ways) {
  const std::string good = request();
  EXPECT_EQ(ask(replaced(good, "Upgrade: websocket", "upgrade: WebSocket")).status(), "101");
  EXPECT_EQ(ask(replaced(good, "Connection: Upgrade", "Connection: keep-alive, upgrade")).status(),
            "101");
  EXPECT_EQ(ask(request("Connection: keep-alive\r\n")).status(), "101");
  EXPECT_EQ(ask(request("Content-Length: 0\r\n")).status(), "101");
}

TEST(Http, request_that_can_be_read_in_two_ways_is_refused) {
  expect_refused(request("Host: other.example\r\n"), "400");
  expect_refused(request("Upgrade: h2c\r\n"), "400");
  expect_refused(request(kKey), "400");
  expect_refused(request("Sec-WebSocket-Version: 8\r\n"), "400");
  expect_refused(request("Origin: http://a\r\nOrigin: http://localhost\r\n"), "400");
  expect_refused(request("Content-Length: 5\r\n") + "abcde", "400");
  expect_refused(request("Transfer-Encoding: chunked\r\n"), "400");
}

TEST(Http, subprotocol_is_chosen) {
  const auto chosen = [](std::string_view wanted) {
    const auto line = "Sec-WebSocket-Protocol: " + std::string(wanted);
    const Answered answered = ask(replaced(request(), "Sec-WebSocket-Protocol: mqtt", line));
    if (answered.status() != "101") return answered.status();
    return std::string(answered.has("Sec-WebSocket-Protocol: mqtt") ? "mqtt" : "") +
           (answered.has("Sec-WebSocket-Protocol: mqttv3.1") ? "mqttv3.1" : "");
  };
  EXPECT_EQ(chosen("mqtt"), "mqtt");
  EXPECT_EQ(chosen("mqttv3.1"), "mqttv3.1");
  EXPECT_EQ(chosen("mqttv3.1, mqtt"), "mqtt");
  EXPECT_EQ(chosen("chat ,mqttv3.1"), "mqttv3.1");
  EXPECT_EQ(chosen("chat\r\nSec-WebSocket-Protocol: mqtt"), "mqtt");
  EXPECT_EQ(chosen("MQTT"), "400");
  EXPECT_EQ(chosen("chat"), "400");
  expect_refused(replaced(request(), "Sec-WebSocket-Protocol: mqtt\r\n", ""), "400");
  const Answered none = ask(replaced(request(), "Sec-WebSocket-Protocol: mqtt\r\n", ""));
  EXPECT_NE(none.body.find("Sec-WebSocket-Protocol: mqtt"), std::string::npos);
}

TEST(Http, foreign_pages_are_refused) {
  EXPECT_EQ(ask(request("Origin: http://localhost:3000\r\n")).status(), "101");
  expect_refused(request("Origin: null\r\n"), "403");
  expect_refused(request("Origin: http://broker.example\r\n"), "403");  // what Host says
  const Answered answered = ask(request("Origin: http://evil.example\r\n"));
  EXPECT_EQ(answered.status(), "403");
  EXPECT_EQ(answered.body.find("evil"), std::string::npos) << "nothing of a request comes back";
  EXPECT_NE(answered.fault.find("http://evil.example"), std::string::npos) << answered.fault;
  EXPECT_NE(answered.body.find("listener.origins"), std::string::npos);
  Rules rules = usual_rules();
  rules.origins = {"http://evil.example"};
  EXPECT_EQ(ask(rules, request("Origin: http://evil.example\r\n")).status(), "101");
}

TEST(Http, nothing_unescaped_comes_back) {
  const Answered answered = ask(request("Origin: <b>\t\x80" + std::string(1000, 'x') + "\r\n"));
  EXPECT_EQ(answered.status(), "403");
  EXPECT_TRUE(answered.has("Content-Type: text/plain; charset=utf-8"));
  EXPECT_EQ(answered.body.find('\t'), std::string::npos);
  EXPECT_EQ(answered.body.find('\x80'), std::string::npos);
  EXPECT_LT(answered.body.size(), 500U);
  const Answered path = ask("GET /<script> HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(path.body.find("script"), std::string::npos);
}

TEST(Http, forwarded_address_is_believed_from_trusted_proxies_only) {
  Rules rules = usual_rules();
  std::string error;
  const std::vector<std::string> networks = {"10.0.0.0/8"};
  rules.trusted_proxies = net::Networks::parse(networks, error).value();
  const auto line = request("X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 192.0.2.1\r\n");
  const auto proxy = net::Endpoint::parse("10.1.2.3", 4000).value();
  const auto other = net::Endpoint::parse("192.0.2.200", 4000).value();
  EXPECT_EQ(ask(rules, line, proxy).told, "192.0.2.1:0");
  EXPECT_EQ(ask(rules, line, other).told, "");
  EXPECT_EQ(ask(rules, request(), proxy).told, "");
}

TEST(Http, answer_waits_for_the_wire) {
  const Server server(usual_rules());
  Visitor visitor(server);
  visitor.wire().capacity = 10;
  visitor.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(visitor.state(), State::failed);
  EXPECT_TRUE(visitor.channel().wants_write());
  EXPECT_TRUE(visitor.channel().end(-1).blocked);
  EXPECT_FALSE(visitor.wire().ended);
  visitor.wire().capacity = 100'000;
  EXPECT_FALSE(visitor.channel().end(-1).blocked);
  EXPECT_TRUE(visitor.wire().ended);
  EXPECT_TRUE(visitor.wire().outgoing.ends_with("</html>\n"));
}

TEST(Http, connection_that_says_nothing_just_ends) {
  const Server server(usual_rules());
  Visitor visitor(server);
  visitor.wire().closed = true;
  visitor.read();
  EXPECT_EQ(visitor.state(), State::closed);
  EXPECT_EQ(visitor.wire().outgoing, "");
}

}  // namespace
}  // namespace linnet::web
