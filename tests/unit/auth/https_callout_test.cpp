#include "auth/http_callout.hpp"
#include "http_fixture.hpp"

namespace linnet::auth::test {
namespace {

using Result = HttpAnswer::Result;

constexpr std::string_view kAllow = R"({"result":"allow"})";

class HttpsCalloutTest : public HttpFixture {
 protected:
  void serve(const linnet::test::Identity& shown, const std::string& host) {
    TlsConfig server;
    server.cert = {folder.write("server.pem", shown.pem() + shown.key_pem())};
    std::string error;
    tls = tls::ServerContext::open(server, tls::Offer::http, error);
    ASSERT_TRUE(tls) << error;
    config.http.url = cat("https://", host, ":", port, "/auth");
    config.http.ca = folder.write("ca.pem", works.authority.pem());
  }
  HttpAnswer refused() {
    (void)ask();
    std::vector<std::unique_ptr<Peer>> peers;
    EXPECT_TRUE(until([&] {
      if (auto peer = try_accept()) peers.push_back(std::move(peer));
      for (const auto& peer : peers) {
        if (!peer->closed) {
          EXPECT_FALSE(peer->take_request());
        }
      }
      return !answers.empty();
    }));
    return std::move(answers.at(0));
  }

  linnet::test::Folder folder;
  linnet::test::Works works;
};

TEST_F(HttpsCalloutTest, speaks_tls_and_keeps_the_connection) {
  serve(works.server, "localhost");
  (void)ask();
  const auto peer = accept();
  for (std::size_t count = 1; count <= 3; ++count) {
    if (count > 1) (void)ask();
    EXPECT_NE(body(*peer).find("\"anna\""), std::string::npos);
    peer->answer(R"({"result":"deny"})");
    ASSERT_TRUE(until_answers(count));
    EXPECT_EQ(answers.back().result, Result::deny) << answers.back().fault;
  }
  EXPECT_EQ(try_accept(), nullptr);
}

TEST_F(HttpsCalloutTest, knows_a_server_by_its_address) {
  serve(works.server, "127.0.0.1");
  (void)ask();
  const auto peer = accept();
  (void)request(*peer);
  peer->answer(kAllow);
  ASSERT_TRUE(until_answers(1));
  EXPECT_EQ(answers[0].result, Result::allow) << answers[0].fault;
}

TEST_F(HttpsCalloutTest, carries_a_large_question) {
  serve(works.server, "localhost");
  (void)ask(question("anna", std::string(65'535, 'p')));
  const auto peer = accept();
  EXPECT_GT(body(*peer).size(), 65'535U);
  peer->answer(kAllow);
  ASSERT_TRUE(until_answers(1));
  EXPECT_EQ(answers[0].result, Result::allow) << answers[0].fault;
}

TEST_F(HttpsCalloutTest, tells_no_secret_to_a_server_for_another_name) {
  const linnet::test::Identity other({.common_name = "localhost", .names = "DNS:other.example"},
                                     &works.authority);
  serve(other, "localhost");
  const auto answer = refused();
  EXPECT_EQ(answer.result, Result::unavailable);
  EXPECT_NE(answer.fault.find("it is for another name"), std::string::npos) << answer.fault;
}

TEST_F(HttpsCalloutTest, tells_no_secret_to_a_server_of_a_stranger) {
  const linnet::test::Identity stranger({.common_name = "x", .names = "DNS:localhost"});
  serve(stranger, "localhost");
  const auto answer = refused();
  EXPECT_EQ(answer.result, Result::unavailable);
  EXPECT_NE(answer.fault.find("certificate is not accepted"), std::string::npos) << answer.fault;
}

TEST_F(HttpsCalloutTest, tells_no_secret_to_a_server_whose_certificate_is_over_or_a_clients) {
  const linnet::test::Identity clients(
      {.common_name = "x", .names = "DNS:localhost", .usage = "clientAuth"}, &works.authority);
  serve(clients, "localhost");
  EXPECT_EQ(refused().result, Result::unavailable);
}

TEST_F(HttpsCalloutTest, says_that_a_port_does_not_speak_tls) {
  serve(works.server, "localhost");
  tls.reset();
  (void)ask();
  const auto peer = accept();
  ASSERT_TRUE(until([&] {
    peer->pump();
    return !peer->received.empty();
  }));
  peer->say("HTTP/1.1 400 Bad Request\r\n\r\n");
  ASSERT_TRUE(until_answers(1));
  EXPECT_NE(answers[0].fault.find("does not speak TLS"), std::string::npos) << answers[0].fault;
}

TEST_F(HttpsCalloutTest, uses_the_systems_authorities_without_a_file) {
  serve(works.server, "localhost");
  config.http.ca.clear();
  EXPECT_EQ(refused().result, Result::unavailable);
}

}  // namespace
}  // namespace linnet::auth::test
