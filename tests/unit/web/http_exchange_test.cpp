#include "web/http_exchange.hpp"

#include <gtest/gtest.h>
#include <string>

#include "base/cat.hpp"

namespace linnet::web {
namespace {

using State = ResponseReader::State;

/// What a whole response is taken for, all at once.
State read(ResponseReader& reader, std::string_view bytes) {
  reader.start();
  return reader.feed(bytes);
}
State read(std::string_view bytes) {
  ResponseReader reader;
  return read(reader, bytes);
}

TEST(HttpExchangeTest, writes_a_post) {
  std::string bytes;
  append_post(bytes, {.host = "auth.example:8080",
                      .target = "/login?site=1",
                      .authorization = "Bearer secret",
                      .body = "{}"});
  EXPECT_EQ(bytes,
            "POST /login?site=1 HTTP/1.1\r\n"
            "Host: auth.example:8080\r\n"
            "User-Agent: Linnet\r\n"
            "Accept: application/json\r\n"
            "Connection: keep-alive\r\n"
            "Authorization: Bearer secret\r\n"
            "Content-Type: application/json\r\n"
            "Content-Length: 2\r\n\r\n{}");
}

TEST(HttpExchangeTest, leaves_authorization_out_where_there_is_none) {
  std::string bytes;
  append_post(bytes, {.host = "a", .target = "/", .authorization = {}, .body = "{}"});
  EXPECT_EQ(bytes.find("Authorization"), bytes.npos);
}

TEST(HttpExchangeTest, knows_what_a_header_can_hold) {
  EXPECT_TRUE(is_header_text("Bearer abc=="));
  EXPECT_FALSE(is_header_text("Bearer abc\r\nX: y"));
  EXPECT_FALSE(is_header_text(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_header_text("\xC3\xA9"));
}

TEST(HttpExchangeTest, reads_a_response_at_once) {
  ResponseReader reader;
  ASSERT_EQ(read(reader, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), State::whole);
  EXPECT_EQ(reader.status(), 200U);
  EXPECT_EQ(reader.body(), "hello");
  EXPECT_TRUE(reader.keeps_connection());
}

TEST(HttpExchangeTest, reads_all_forms_byte_by_byte) {
  const std::string_view forms[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  };
  ResponseReader reader;
  for (const auto form : forms) {
    reader.start();
    EXPECT_FALSE(reader.has_begun());
    for (std::size_t at = 0; at + 1 < form.size(); ++at)
      ASSERT_EQ(reader.feed(form.substr(at, 1)), State::incomplete) << form.substr(0, at + 1);
    ASSERT_EQ(reader.feed(form.substr(form.size() - 1)), State::whole) << form;
    EXPECT_EQ(reader.body(), "hello");
    EXPECT_TRUE(reader.keeps_connection());
  }
}

TEST(HttpExchangeTest, reads_a_response_without_a_body) {
  ResponseReader reader;
  ASSERT_EQ(read(reader, "HTTP/1.1 204 No Content\r\n\r\n"), State::whole);
  EXPECT_EQ(reader.status(), 204U);
  EXPECT_EQ(reader.body(), "");
  EXPECT_TRUE(reader.keeps_connection());
  ASSERT_EQ(read(reader, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), State::whole);
  EXPECT_EQ(reader.status(), 403U);
}

TEST(HttpExchangeTest, takes_the_end_of_the_stream_for_the_end_of_a_body_without_a_length) {
  ResponseReader reader;
  ASSERT_EQ(read(reader, "HTTP/1.0 200 OK\r\n\r\nhel"), State::incomplete);
  ASSERT_EQ(reader.feed("lo"), State::incomplete);
  ASSERT_EQ(reader.finish(), State::whole);
  EXPECT_EQ(reader.body(), "hello");
  EXPECT_FALSE(reader.keeps_connection());
}

TEST(HttpExchangeTest, takes_the_end_of_the_stream_within_a_response_for_a_fault) {
  for (const auto cut : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    ResponseReader reader;
    EXPECT_EQ(reader.feed(cut), State::incomplete) << cut;
    EXPECT_EQ(reader.finish(), State::bad) << cut;
  }
}

TEST(HttpExchangeTest, does_not_keep_what_the_service_ends) {
  ResponseReader reader;
  ASSERT_EQ(read(reader, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
            State::whole);
  EXPECT_FALSE(reader.keeps_connection());
  ASSERT_EQ(read(reader, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), State::whole);
  EXPECT_FALSE(reader.keeps_connection());
  ASSERT_EQ(read(reader, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), State::whole);
  EXPECT_FALSE(reader.keeps_connection());
}

TEST(HttpExchangeTest, does_not_keep_a_connection_with_more_than_was_asked_for) {
  ResponseReader reader;
  ASSERT_EQ(read(reader, "HTTP/1.1 204 No\r\n\r\nHTTP/1.1 204 No\r\n\r\n"), State::whole);
  EXPECT_FALSE(reader.keeps_connection());
}

TEST(HttpExchangeTest, bounds_the_head) {
  const std::string long_value(ResponseReader::kHeadMax, 'x');
  EXPECT_EQ(read(cat("HTTP/1.1 200 OK\r\nX: ", long_value)), State::head_too_long);
  EXPECT_EQ(read(cat("HTTP/1.1 200 ", long_value)), State::head_too_long);
  ResponseReader reader;
  State state = reader.feed("HTTP/1.1 200 OK\r\n");
  std::size_t lines = 0;
  for (; state == State::incomplete && lines < 10'000; ++lines)
    state = reader.feed("Y: zzzzzzzzzzzz\r\n");
  EXPECT_EQ(state, State::head_too_long);
  EXPECT_LE(lines, ResponseReader::kHeadMax / 16);
}

TEST(HttpExchangeTest, bounds_the_body_before_it_comes) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n"), State::body_too_long);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"),
            State::body_too_long);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n"),
            State::body_too_long);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n"), State::incomplete);
}

TEST(HttpExchangeTest, bounds_a_body_that_comes_in_pieces) {
  ResponseReader chunked;
  State state = chunked.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int at = 0; at < 100'000 && state == State::incomplete; ++at)
    state = chunked.feed("1\r\nx\r\n");
  EXPECT_EQ(state, State::body_too_long);
  ResponseReader endless;
  state = endless.feed("HTTP/1.1 200 OK\r\n\r\n");
  for (int at = 0; at < 100 && state == State::incomplete; ++at)
    state = endless.feed(std::string(4096, 'x'));
  EXPECT_EQ(state, State::body_too_long);
}

TEST(HttpExchangeTest, bounds_what_is_no_body) {
  for (const auto piece : {";a=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "\r\nX: yyyyyyyyyyyyyyyyyyyyyy"}) {
    ResponseReader reader;
    State state = reader.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0");
    for (int at = 0; at < 100'000 && state == State::incomplete; ++at)
      state = reader.feed(piece);
    EXPECT_EQ(state, State::body_too_long) << piece;
  }
  ResponseReader reader;
  State state = State::incomplete;
  for (int at = 0; at < 100'000 && state == State::incomplete; ++at)
    state = reader.feed("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(state, State::body_too_long);
}

TEST(HttpExchangeTest, refuses_what_two_readers_would_understand_differently) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
            State::bad);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"),
            State::bad);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n"), State::bad);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n"), State::bad);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent Length: 2\r\n\r\nab"), State::bad);
}

TEST(HttpExchangeTest, refuses_what_is_not_http) {
  EXPECT_EQ(read("SSH-2.0-OpenSSH_9.2\r\n\r\n"), State::bad);
  EXPECT_EQ(read("\x15\x03\x01\x02\x02\x0A\r\n\r\n"), State::bad);
  EXPECT_EQ(read("HTTP/2 200\r\n\r\n"), State::bad);
  EXPECT_EQ(read("HTTP/1.1 99999 OK\r\n\r\n"), State::bad);
}

}  // namespace
}  // namespace linnet::web
