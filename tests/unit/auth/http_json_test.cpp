#include "auth/http_json.hpp"

#include <gtest/gtest.h>

#include "auth/http_cache.hpp"
#include "auth/http_service.hpp"
#include "auth/question_digest.hpp"
#include "base/cat.hpp"
#include "support/certificates.hpp"

namespace linnet::auth {
namespace {

using Result = HttpAnswer::Result;

constexpr std::uint64_t kNow = 1'700'000'000;

HttpVerdict read(std::string_view json) {
  return read_response(200, json, {"anna", kNow, 60'000});
}

std::string json_of(HttpQuestion question) {
  return std::string(question_json(question).view());
}

TEST(HttpJsonTest, writes_any_text_as_json) {
  HttpQuestion question;
  question.client_id = "a\"b\\c\n\x01\x7F";
  question.user_name = "\xC3\xA9";
  question.password = Secret(std::string_view("p\0q", 3));
  question.certificate_cn = "\xFF";
  EXPECT_EQ(json_of(std::move(question)),
            R"({"clientid":"a\"b\\c\u000a\u0001)"
            "\x7F"
            R"(","username":"é","password":"p\u0000q","address":"","listener":"",)"
            R"("certificate_cn":"","protocol":4})");
}

TEST(HttpJsonTest, tells_a_password_of_bytes_from_every_text) {
  HttpQuestion question;
  question.password = Secret(std::string_view("\xFF\x00\x01\x02", 4));
  EXPECT_NE(json_of(std::move(question)).find(R"(,"password_base64":"/wABAg==",)"),
            std::string::npos);
}

TEST(HttpJsonTest, reads_a_whole_answer) {
  const auto verdict = read(
      R"({"result":"allow","user":"berta","groups":["a","b"],"expires":1700000100.9,"cache":30,)"
      R"("acl":[{"permission":"allow","action":"all","topic":"x"}]})");
  ASSERT_EQ(verdict.answer.result, Result::allow) << verdict.answer.fault;
  const Identity& identity = verdict.answer.identity;
  EXPECT_EQ(identity.user_name, "berta");
  EXPECT_EQ(identity.grants->groups, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(identity.grants->rules.size(), 1U);
  EXPECT_EQ(identity.grants->expires_at_s, kNow + 100);
  EXPECT_EQ(verdict.remember_ms, 30'000U);
}

TEST(HttpJsonTest, remembers_as_long_as_is_said_and_never_beyond_the_end) {
  EXPECT_EQ(read(R"({"result":"allow"})").remember_ms, 60'000U);
  EXPECT_EQ(read(R"({"result":"allow","cache":0})").remember_ms, 0U);
  EXPECT_EQ(read(R"({"result":"allow","cache":9007199254740992})").remember_ms, 86'400'000U);
  EXPECT_EQ(read(R"({"result":"allow","expires_in":5})").remember_ms, 5'000U);
  EXPECT_EQ(read(R"({"result":"allow","expires":1700000005,"cache":99})").remember_ms, 5'000U);
  EXPECT_EQ(read(R"({"result":"allow","expires_in":9007199254740992})").remember_ms, 60'000U);
  EXPECT_EQ(read(R"({"result":"deny","cache":99})").remember_ms, 0U);
}

TEST(HttpJsonTest, understands_an_answer_as_a_whole_or_not_at_all) {
  const std::string many = cat(
      "[\"x\"",
      [] {
        std::string more;
        for (std::size_t at = 0; at < kHttpGroupsMax; ++at)
          more += ",\"x\"";
        return more;
      }(),
      "]");
  const std::string cases[] = {
      "",
      "[]",
      "null",
      "{}",
      "{\"result\":\"allow\"",
      "{\"result\":\"allow\"}x",
      R"({"result":"yes"})",
      R"({"result":"Allow"})",
      R"({"result":true})",
      R"({"result":"deny","result":"allow"})",
      R"({"result":"allow","group":["x"]})",
      R"({"result":"allow","user":""})",
      R"({"result":"allow","user":7})",
      R"({"result":"allow","user":null})",
      R"({"result":"allow","user":"a\u0000b"})",
      "{\"result\":\"allow\",\"user\":\"\xFF\"}",
      cat(R"({"result":"allow","user":")", std::string(kHttpNameMax + 1, 'x'), "\"}"),
      R"({"result":"allow","groups":"x"})",
      R"({"result":"allow","groups":[1]})",
      R"({"result":"allow","groups":[""]})",
      cat(R"({"result":"allow","groups":)", many, "}"),
      R"({"result":"allow","acl":{}})",
      R"({"result":"allow","acl":[{"permission":"maybe","action":"all","topic":"x"}]})",
      R"({"result":"allow","expires":"tomorrow"})",
      R"({"result":"allow","expires":-1})",
      R"({"result":"allow","expires":1e300})",
      R"({"result":"allow","expires":1700000000})",
      R"({"result":"allow","expires":0})",
      R"({"result":"allow","expires_in":0})",
      R"({"result":"allow","expires":1800000000,"expires_in":5})",
      R"({"result":"allow","cache":-1})",
      R"({"result":"allow","cache":"1"})",
      R"({"result":"allow","user":{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{}}}}}}}}}})",
  };
  for (const std::string& each : cases) {
    const auto verdict = read(each);
    EXPECT_EQ(verdict.answer.result, Result::unavailable) << each;
    EXPECT_FALSE(verdict.answer.fault.empty()) << each;
    EXPECT_TRUE(verdict.answer.identity.user_name.empty()) << each;
    EXPECT_EQ(verdict.remember_ms, 0U) << each;
  }
}

TEST(HttpCacheTest, forgets_what_was_used_least_lately_and_what_is_heavy) {
  HttpCache cache(2, 100);
  const auto put = [&](unsigned char name, std::size_t weight) {
    cache.put({.key = {name}, .identity = {}, .ends_ms = 10, .weight = weight});
  };
  const auto has = [&](unsigned char name) { return cache.find({name}, 1, 1) != nullptr; };
  put(1, 10);
  put(2, 10);
  EXPECT_TRUE(has(1));
  put(3, 10);
  EXPECT_TRUE(has(1) && has(3));
  EXPECT_FALSE(has(2));
  put(4, 95);
  EXPECT_TRUE(has(4));
  EXPECT_EQ(cache.size(), 1U);
  put(5, 101);
  EXPECT_FALSE(has(5));
  EXPECT_EQ(cache.find({4}, 10, 1), nullptr);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(HttpCacheTest, keeps_less_while_memory_is_short) {
  HttpCache cache(160, 1'600);
  const auto put = [&](unsigned char name) {
    cache.put({.key = {name}, .identity = {}, .ends_ms = 10, .weight = 10});
  };
  const auto has = [&](unsigned char name) { return cache.find({name}, 1, 1) != nullptr; };
  for (unsigned char name = 0; name < 100; ++name)
    put(name);
  EXPECT_EQ(cache.size(), 100U);
  cache.squeeze(true);
  EXPECT_EQ(cache.size(), 10U);
  EXPECT_TRUE(has(99) && has(90));
  EXPECT_FALSE(has(89));
  put(100);
  EXPECT_EQ(cache.size(), 10U);
  EXPECT_TRUE(has(100));
  cache.squeeze(false);
  put(101);
  EXPECT_EQ(cache.size(), 11U);
}

TEST(HttpCacheTest, tells_questions_apart) {
  QuestionDigest digest;
  QuestionDigest other;
  EXPECT_EQ(digest.of(1, "question"), digest.of(1, "question"));
  EXPECT_NE(digest.of(1, "question"), digest.of(2, "question"));
  EXPECT_NE(digest.of(1, "question"), digest.of(1, "questiom"));
  EXPECT_NE(digest.of(1, "question"), other.of(1, "question"));
}

class HttpServiceTest : public testing::Test {
 protected:
  std::string fault(const std::string& url) {
    config.http.url = url;
    std::vector<std::string> errors;
    service = HttpService::load(config, errors);
    EXPECT_EQ(errors.empty(), service != nullptr);
    return errors.empty() ? "" : errors.front();
  }
  AuthConfig config;
  HttpServicePtr service;
};

TEST_F(HttpServiceTest, takes_urls_of_services) {
  EXPECT_EQ(fault("http://127.0.0.1"), "");
  EXPECT_EQ(service->host(), "127.0.0.1");
  EXPECT_EQ(service->target(), "/");
  EXPECT_TRUE(service->warnings().empty());
  EXPECT_EQ(fault("https://[::1]:8443/a?token=x&y"), "");
  EXPECT_EQ(service->host(), "[::1]:8443");
  EXPECT_EQ(service->target(), "/a?token=x&y");
  EXPECT_EQ(service->url(), "https://[::1]:8443/a");
  EXPECT_EQ(fault("http://192.0.2.1:81/"), "");
  EXPECT_EQ(service->warnings().size(), 1U);
}

TEST_F(HttpServiceTest, refuses_what_is_none_and_says_why) {
  for (const auto* url : {"auth", "mqtt://a", "http://", "http://*:80", "http://a:0/",
                          "http://user:pw@a/", "http://a/#x", "http://a/a b", "http://a/\r\nX: y",
                          "http://a/?\n", "http://a:99999/", "unix:/run/a"}) {
    const auto text = fault(url);
    EXPECT_TRUE(text.starts_with("auth.http.url: ")) << url << ": " << text;
  }
  config.http.ca = "/nowhere.pem";
  EXPECT_TRUE(fault("https://127.0.0.1/").starts_with("auth.http.ca: /nowhere.pem"));
  EXPECT_TRUE(fault("http://127.0.0.1/").starts_with("auth.http.ca is given"));
}

TEST_F(HttpServiceTest, refuses_an_authorization_that_would_break_the_request) {
  const test::Folder folder;
  for (const auto* text : {"", "\nsecond", "a\x01", "caf\xC3\xA9"}) {
    config.http.authorization_file = folder.write("file", text);
    EXPECT_TRUE(fault("http://127.0.0.1/").starts_with("auth.http.authorization_file: ")) << text;
  }
  config.http.authorization_file = folder.write("file", "Basic abc==\r\n");
  EXPECT_EQ(fault("http://127.0.0.1/"), "");
  EXPECT_EQ(service->authorization(), "Basic abc==");
}

}  // namespace
}  // namespace linnet::auth
