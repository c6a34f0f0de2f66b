#include "auth/http_callout.hpp"

#include <algorithm>

#include "http_fixture.hpp"

namespace linnet::auth::test {
namespace {

using Result = HttpAnswer::Result;

constexpr std::string_view kAllow = R"({"result":"allow"})";
constexpr std::string_view kDeny = R"({"result":"deny"})";

using HttpCalloutTest = HttpFixture;

TEST_F(HttpCalloutTest, sends_what_is_known_of_the_client) {
  const linnet::test::Folder folder;
  config.http.authorization_file = folder.write("secret", "Bearer 123\nnot this\n");
  (void)ask();
  const auto peer = accept();
  const std::string sent = request(*peer);
  EXPECT_TRUE(sent.starts_with("POST /auth?site=1 HTTP/1.1\r\n")) << sent;
  EXPECT_NE(sent.find(cat("\r\nHost: 127.0.0.1:", port, "\r\n")), sent.npos);
  EXPECT_NE(sent.find("\r\nAuthorization: Bearer 123\r\n"), sent.npos);
  EXPECT_EQ(sent.substr(sent.find("\r\n\r\n") + 4),
            R"({"clientid":"c1","username":"anna","password":"pw","address":"192.0.2.7",)"
            R"("listener":"mqtt://*:1883","certificate_cn":"","protocol":5})");
}

TEST_F(HttpCalloutTest, allows_denies_and_ignores) {
  (void)ask();
  const auto peer = accept();
  ASSERT_TRUE(
      serve(*peer, R"({"result":"allow","user":"berta","groups":["ops"],"expires_in":60})"));
  EXPECT_EQ(answers[0].result, Result::allow);
  EXPECT_EQ(answers[0].identity.user_name, "berta");
  EXPECT_EQ(answers[0].identity.method, Method::http);
  ASSERT_TRUE(answers[0].identity.grants);
  EXPECT_EQ(answers[0].identity.grants->groups, std::vector<std::string>{"ops"});
  EXPECT_EQ(answers[0].identity.grants->expires_at_s, 1'700'000'060U);
  const struct {
    std::string_view status, json;
    Result result;
  } kCases[] = {
      {"200 OK", R"({"result":"deny"})", Result::deny},
      {"200 OK", R"({"result":"ignore"})", Result::ignore},
      {"403 No", "<html>no</html>", Result::deny},
  };
  for (const auto& each : kCases) {
    answers.clear();
    (void)ask(question("other"));
    ASSERT_TRUE(serve(*peer, each.json, each.status));  // on the same connection
    EXPECT_EQ(answers[0].result, each.result) << each.json;
    EXPECT_TRUE(answers[0].fault.empty());
  }
}

TEST_F(HttpCalloutTest, takes_204_for_a_yes_to_the_name_that_was_given) {
  const auto answer = exchange("HTTP/1.1 204 Yes\r\n\r\n");
  EXPECT_EQ(answer.result, Result::allow);
  EXPECT_EQ(answer.identity.user_name, "anna");
  EXPECT_FALSE(answer.identity.grants);
}

TEST_F(HttpCalloutTest, gives_the_client_rules_of_its_own) {
  const std::string json =
      R"({"result":"allow","acl":[{"permission":"allow","action":"publish","topic":"a/#"}]})";
  const auto answer =
      exchange(cat("HTTP/1.1 200 OK\r\nContent-Length: ", json.size(), "\r\n\r\n", json));
  EXPECT_EQ(answer.result, Result::allow) << answer.fault;
  ASSERT_TRUE(answer.identity.grants);
  EXPECT_EQ(answer.identity.grants->rules.size(), 1U);
}

TEST_F(HttpCalloutTest, is_unavailable_whatever_else_the_service_says) {
  const std::string_view kResponses[] = {
      "",
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\":\"allow\"}",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 201 OK\r\nContent-Length: 18\r\n\r\n{\"result\":\"allow\"}",
      "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n{\"result\":\"allow\"}",
      "SSH-2.0-OpenSSH\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
  };
  for (const auto response : kResponses) {
    const auto answer = exchange(response);
    EXPECT_EQ(answer.result, Result::unavailable) << response;
    EXPECT_NE(answer.fault.find(cat("127.0.0.1:", port, "/auth")), answer.fault.npos)
        << answer.fault;
    EXPECT_EQ(answer.fault.find("site=1"), answer.fault.npos) << answer.fault;
  }
}

TEST_F(HttpCalloutTest, reads_a_response_that_comes_slowly) {
  (void)ask();
  const auto peer = accept();
  (void)request(*peer);
  for (const char byte : cat("HTTP/1.1 200 OK\r\nContent-Length: ", kAllow.size(), "\r\n\r\n")) {
    peer->say({&byte, 1});
    turn();
  }
  EXPECT_TRUE(answers.empty());
  peer->say(kAllow);
  ASSERT_TRUE(until_answers(1));
  EXPECT_EQ(answers[0].result, Result::allow);
}

TEST_F(HttpCalloutTest, gives_up_when_the_time_is_over) {
  (void)ask();
  const auto peer = accept();
  (void)request(*peer);
  timers.advance(reactor.now_ms() + 60'001);
  turn(0);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].result, Result::unavailable);
  EXPECT_NE(answers[0].fault.find("has not answered within 60000 ms (auth.http.timeout)"),
            std::string::npos)
      << answers[0].fault;
  EXPECT_TRUE(until_closed(*peer));
}

TEST_F(HttpCalloutTest, never_answers_within_ask) {
  config.login_queue_max = 0;
  (void)ask();
  EXPECT_TRUE(answers.empty());
  ASSERT_TRUE(until_answers(1));
  EXPECT_EQ(answers[0].result, Result::unavailable);
  EXPECT_NE(answers[0].fault.find("auth.login_queue_max"), std::string::npos);
}

TEST_F(HttpCalloutTest, says_where_it_cannot_connect_to_and_looks_the_name_up_again) {
  listener_.close();
  config.http.url = cat("http://localhost:", port, "/auth");
  for (int at = 0; at < 3; ++at)
    (void)ask(question(cat("user", at)));
  ASSERT_TRUE(until_answers(3));
  EXPECT_EQ(answers[0].result, Result::unavailable);
  EXPECT_NE(answers[0].fault.find("cannot be connected to: "), std::string::npos)
      << answers[0].fault;
  ASSERT_EQ(jobs.size(), 1U);  // not for each
  jobs[0]();
  EXPECT_FALSE(service->resolver().addresses().empty());
}

TEST_F(HttpCalloutTest, never_looks_up_an_address) {
  listener_.close();
  (void)ask();
  ASSERT_TRUE(until_answers(1));
  EXPECT_EQ(answers[0].result, Result::unavailable);
  EXPECT_TRUE(jobs.empty());
}

TEST_F(HttpCalloutTest, asks_again_where_a_spare_connection_was_closed_meanwhile) {
  (void)ask();
  auto peer = accept();
  ASSERT_TRUE(serve(*peer, kDeny));
  // The question is on its way before the service closes.
  (void)ask();
  reactor.flush();
  peer.reset();
  peer = accept();
  ASSERT_TRUE(serve(*peer, kAllow));
  EXPECT_EQ(answers[1].result, Result::allow) << answers[1].fault;
}

TEST_F(HttpCalloutTest, asks_again_only_once_and_never_on_a_fresh_connection) {
  (void)ask();
  auto peer = accept();
  ASSERT_TRUE(serve(*peer, kDeny));
  (void)ask();
  reactor.flush();
  peer.reset();
  peer = accept();
  (void)request(*peer);
  peer.reset();
  ASSERT_TRUE(until_answers(2));
  EXPECT_EQ(answers[1].result, Result::unavailable);
  EXPECT_EQ(try_accept(), nullptr);
}

TEST_F(HttpCalloutTest, does_not_take_what_was_said_unasked_for_the_next_answer) {
  (void)ask();
  const auto peer = accept();
  ASSERT_TRUE(serve(*peer, kDeny));
  peer->answer(kAllow);
  (void)ask();
  reactor.flush();  // before the reactor has seen it
  const auto next = accept();
  ASSERT_TRUE(serve(*next, kDeny));
  EXPECT_EQ(answers[1].result, Result::deny);
}

TEST_F(HttpCalloutTest, remembers_a_yes_to_the_same_question_alone) {
  (void)ask();
  const auto peer = accept();
  ASSERT_TRUE(serve(*peer, kAllow));
  (void)ask();
  EXPECT_EQ(answers.size(), 1U);
  turn(0);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1].result, Result::allow);
  EXPECT_EQ(answers[1].identity.user_name, "anna");
  auto other = question();
  other.address = "192.0.2.8";
  for (const auto* asked : {&other}) {
    (void)ask(*asked);
    ASSERT_TRUE(serve(*peer, kDeny));
  }
  (void)ask(question("anna", "pw2"));
  EXPECT_NE(body(*peer).find("\"pw2\""), std::string::npos);
  peer->answer(kDeny);
  ASSERT_TRUE(until_answers(4));
  EXPECT_EQ(answers[3].result, Result::deny);
}

TEST_F(HttpCalloutTest, does_not_remember_a_no_nor_what_shall_not_be_nor_what_is_over) {
  (void)ask();
  const auto peer = accept();
  const std::string_view kAnswers[] = {R"({"result":"deny"})", R"({"result":"allow","cache":0})",
                                       R"({"result":"allow","expires_in":60,"cache":3600})"};
  std::size_t count = 0;
  for (const auto answer : kAnswers) {
    if (count > 0) (void)ask();
    ASSERT_TRUE(serve(*peer, answer));
    ++count;
  }
  clock.wall_s += 59;
  (void)ask();
  ASSERT_TRUE(until_answers(++count));
  clock.wall_s += 1;
  (void)ask();
  ASSERT_TRUE(serve(*peer, kDeny));
  EXPECT_EQ(answers.back().result, Result::deny);
}

TEST_F(HttpCalloutTest, forgets_what_was_remembered_under_another_policy) {
  (void)ask();
  auto peer = accept();
  ASSERT_TRUE(serve(*peer, kAllow));
  callout.clear();
  (void)ask();
  (void)request(*peer);
  callout.clear();  // and does not remember what was asked before
  peer->answer(kAllow);
  ASSERT_TRUE(until_answers(2));
  (void)ask();
  ASSERT_TRUE(serve(*peer, kAllow));
  load();  // another service
  (void)ask();
  EXPECT_TRUE(until_closed(*peer));
  peer = accept();
  ASSERT_TRUE(serve(*peer, kDeny));
  EXPECT_EQ(answers[3].result, Result::deny);
}

TEST_F(HttpCalloutTest, ends_under_the_old_service_what_began_under_it) {
  (void)ask();
  const auto old = accept();
  (void)request(*old);
  load();
  (void)ask();
  const auto fresh = accept();
  ASSERT_TRUE(serve(*fresh, kDeny));
  old->answer(kAllow);
  ASSERT_TRUE(until_answers(2));
  EXPECT_EQ(answers[0].result, Result::deny);
  EXPECT_EQ(answers[1].result, Result::allow);
  EXPECT_TRUE(until_closed(*old));
}

TEST_F(HttpCalloutTest, asks_equal_questions_once) {
  for (int at = 0; at < 5; ++at)
    (void)ask();
  const auto peer = accept();
  ASSERT_TRUE(serve(*peer, R"({"result":"allow","groups":["g"]})"));
  ASSERT_TRUE(until_answers(5));
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.result, Result::allow);
    EXPECT_TRUE(answer.identity.grants);
  }
  EXPECT_EQ(try_accept(), nullptr);
  EXPECT_FALSE(peer->take_request());
}

TEST_F(HttpCalloutTest, forgets_who_does_not_wait_any_more) {
  const auto first = ask();
  (void)ask();
  const auto peer = accept();
  (void)request(*peer);
  callout.forget(first);
  callout.forget(first);
  callout.forget(0);
  peer->answer(kAllow);
  ASSERT_TRUE(until_answers(1));
  const auto known = ask();  // would be told at the end of the turn
  callout.forget(known);
  turn(0);
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(HttpCalloutTest, does_not_ask_for_nobody) {
  callout.forget(ask());
  (void)ask(question("berta"));
  const auto peer = accept();
  EXPECT_NE(body(*peer).find("berta"), std::string::npos);
  turn();
  EXPECT_EQ(try_accept(), nullptr);
}

TEST_F(HttpCalloutTest, lets_who_is_answered_ask_and_forget) {
  load();
  HttpCallout::Ticket second = 0;
  std::size_t told = 0;
  (void)callout.ask(service, question(), [&](HttpAnswer) {
    ++told;
    callout.forget(second);
    (void)callout.ask(service, question(), [&](HttpAnswer) { ++told; });
  });
  second = callout.ask(service, question(), [&](HttpAnswer) { ADD_FAILURE(); });
  const auto peer = accept();
  (void)request(*peer);
  peer->answer(kAllow);
  EXPECT_TRUE(until([&] { return told == 2; }));
}

TEST_F(HttpCalloutTest, closes_a_connection_that_nobody_needs) {
  (void)ask();
  const auto peer = accept();
  ASSERT_TRUE(serve(*peer, kDeny));
  timers.advance(reactor.now_ms() + 29'000);
  peer->pump();
  EXPECT_FALSE(peer->closed);
  timers.advance(reactor.now_ms() + 30'000);
  EXPECT_TRUE(until_closed(*peer));
  (void)ask();
  (void)request(*accept());
}

TEST_F(HttpCalloutTest, bounds_its_connections_and_keeps_the_others_waiting) {
  constexpr std::size_t kMax = 16;
  for (std::size_t at = 0; at < kMax + 4; ++at)
    (void)ask(question(cat("user", at)));
  std::vector<std::unique_ptr<Peer>> peers;
  for (std::size_t at = 0; at < kMax; ++at) {
    peers.push_back(accept());
    (void)request(*peers.back());
  }
  turn();
  EXPECT_EQ(try_accept(), nullptr);
  for (std::size_t round = 0; answers.size() < kMax + 4 && round < 100; ++round) {
    for (const auto& peer : peers) {
      if (round == 0 || peer->take_request()) peer->answer(kAllow);
    }
    turn();
  }
  EXPECT_TRUE(until_answers(kMax + 4));
  EXPECT_TRUE(std::all_of(answers.begin(), answers.end(),
                          [](const HttpAnswer& each) { return each.result == Result::allow; }));
}

TEST_F(HttpCalloutTest, can_go_while_all_kinds_of_things_are_under_way) {
  load();
  auto own = std::make_unique<HttpCallout>(reactor, clock, net::Executor());
  const auto ask_own = [&](std::string_view user) {
    (void)own->ask(service, question(user), [&](HttpAnswer) { answers.emplace_back(); });
  };
  ask_own("a");
  const auto peer = accept();
  ASSERT_TRUE(serve(*peer, kAllow));
  ask_own("a");  // known
  ask_own("b");  // on the spare connection
  reactor.flush();
  ask_own("a");
  ask_own("c");
  own.reset();
  EXPECT_TRUE(until_closed(*peer));
  EXPECT_EQ(answers.size(), 2U);  // and what the flush has told
}

}  // namespace
}  // namespace linnet::auth::test
