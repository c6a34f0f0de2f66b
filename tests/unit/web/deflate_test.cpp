// permessage-deflate (RFC 7692).
#include <gtest/gtest.h>

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/beast/zlib/inflate_stream.hpp>

#include "unit/web/visitor.hpp"

namespace linnet::web {
namespace {

namespace zlib = boost::beast::zlib;
using State = net::ReadResult::State;

std::string deflated(zlib::deflate_stream& stream, std::string_view text) {
  std::string result(text.size() + 1000, ' ');
  zlib::z_params params;
  params.next_in = text.data();
  params.avail_in = text.size();
  params.next_out = result.data();
  params.avail_out = result.size();
  boost::system::error_code error;
  stream.write(params, zlib::Flush::sync, error);
  EXPECT_EQ(params.avail_in, 0U);
  result.resize(params.total_out - 4);  // RFC 7692, section 7.2.1
  return result;
}

std::string inflated(zlib::inflate_stream& stream, std::string text) {
  text += std::string("\0\0\xff\xff", 4);
  std::string result(4 << 20, ' ');
  zlib::z_params params;
  params.next_in = text.data();
  params.avail_in = text.size();
  params.next_out = result.data();
  params.avail_out = result.size();
  boost::system::error_code error;
  stream.write(params, zlib::Flush::sync, error);
  EXPECT_TRUE(!error || error == zlib::error::need_buffers) << error.message();
  result.resize(params.total_out);
  return result;
}

constexpr std::string_view kOffer =
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

class Deflate : public ::testing::Test {
 protected:
  static Rules rules() {
    Rules result = usual_rules();
    result.deflate = true;
    result.message_max = 2'000'000;
    return result;
  }

  Deflate() {
    visitor_.upgrade(kOffer);
    to_server_.reset(8, 12, 4, zlib::Strategy::normal);
    from_server_.reset(15);
  }

  /// The texts as compressed messages, in their order.
  std::string compressed(const std::vector<std::string>& texts) {
    std::string bytes;
    for (const std::string& text : texts)
      bytes += frame(kFin | kRsv1 | kBinary, deflated(to_server_, text));
    return bytes;
  }

  static std::string words(std::size_t count) {
    std::string text;
    for (std::size_t at = 0; at < count; ++at)
      text += "temperature " + std::to_string(at * 7919 % 1000) + ", ";
    return text;
  }

  Server server_{rules()};
  Visitor visitor_{server_};
  zlib::deflate_stream to_server_;
  zlib::inflate_stream from_server_;
};

TEST_F(Deflate, is_negotiated_with_small_windows) {
  EXPECT_NE(visitor_.answer().find("Sec-WebSocket-Extensions: permessage-deflate; "
                                   "server_max_window_bits=12; client_max_window_bits=12\r\n"),
            std::string::npos)
      << visitor_.answer();
}

TEST_F(Deflate, is_negotiated_with_clients_that_cannot_be_told_a_window) {
  Visitor visitor(server_);
  visitor.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  EXPECT_NE(visitor.answer().find("permessage-deflate; server_max_window_bits=12\r\n"),
            std::string::npos)
      << visitor.answer();
}

TEST_F(Deflate, is_off_where_it_is_not_wanted) {
  const Server plain(usual_rules());
  Visitor visitor(plain);
  visitor.upgrade(kOffer);
  EXPECT_EQ(visitor.answer().find("Extensions"), std::string::npos);
  visitor.receive(compressed({"x"}));
  EXPECT_EQ(visitor.wire().outgoing, close_of(1002));
}

TEST_F(Deflate, messages_are_inflated) {
  const std::string text = words(50);
  const std::string empty = frame(kFin | kRsv1 | kBinary, {"\0", 1});
  visitor_.receive(compressed({text}) + message("plain") + empty);
  visitor_.receive(compressed({text, "end"}));
  EXPECT_EQ(visitor_.take_bytes(), text + "plain" + text + "end");
}

TEST_F(Deflate, bytes_may_come_one_by_one) {
  const std::string text = words(500);
  for (const char byte : compressed({text, "end"}))
    visitor_.receive({&byte, 1});
  EXPECT_TRUE(visitor_.take_bytes() == text + "end");
}

TEST_F(Deflate, much_is_inflated_into_small_rooms) {
  const std::string text = words(80'000);
  visitor_.use_room(std::size_t{16} << 10);
  visitor_.receive(compressed({text}) + frame(kFin | kPing, "p"));
  visitor_.receive(compressed({"end"}));
  EXPECT_TRUE(visitor_.take_bytes() == text + "end");
  EXPECT_EQ(visitor_.take_sent().size(), 1U);
}

TEST_F(Deflate, bomb_is_refused) {
  visitor_.receive(compressed({std::string(2'000'001, 'b')}));
  EXPECT_EQ(visitor_.state(), State::failed);
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1009));
  EXPECT_LE(visitor_.take_bytes().size(), 2'000'000U);
}

TEST_F(Deflate, nonsense_is_refused) {
  visitor_.receive(frame(kFin | kRsv1 | kBinary, "\xff\xff\xff\xff\xff\xff"));
  EXPECT_EQ(visitor_.state(), State::failed);
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1007));
  EXPECT_FALSE(visitor_.channel().fault().empty());
}

TEST_F(Deflate, large_messages_are_deflated) {
  const std::string text = words(3000);
  EXPECT_EQ(visitor_.write(text).count, text.size());
  EXPECT_LT(visitor_.wire().outgoing.size(), text.size() / 2);
  std::string body;
  const auto sent = visitor_.take_sent();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.front().first & kRsv1, kRsv1);
  for (const ServerFrame& part : sent)
    body += part.payload;
  EXPECT_TRUE(inflated(from_server_, body) == text);
}

TEST_F(Deflate, small_messages_are_not) {
  EXPECT_EQ(visitor_.write("small").count, 5U);
  const std::vector<ServerFrame> expected = {{kFin | kBinary, "small"}};
  EXPECT_EQ(visitor_.take_sent(), expected);
}

TEST_F(Deflate, blocked_message_is_deflated_to_its_end) {
  const std::string text = words(20'000);
  visitor_.wire().capacity = 100;
  EXPECT_TRUE(visitor_.write(text).blocked);
  std::size_t count = 0;
  while (count == 0) {
    visitor_.wire().capacity = 1000;
    count = visitor_.write(text).count;
  }
  EXPECT_EQ(count, text.size());
  std::string body;
  for (const ServerFrame& part : visitor_.take_sent())
    body += part.payload;
  EXPECT_TRUE(inflated(from_server_, body) == text);
}

TEST_F(Deflate, pong_comes_between_the_frames_of_a_blocked_message) {
  const std::string text = words(20'000);
  visitor_.wire().capacity = 100;
  EXPECT_TRUE(visitor_.write(text).blocked);
  visitor_.receive(frame(kFin | kPing, "p") + compressed({"behind the ping"}));
  visitor_.wire().capacity = 1 << 20;
  EXPECT_EQ(visitor_.write(text).count, text.size());
  visitor_.read();
  EXPECT_EQ(visitor_.take_bytes(), "behind the ping");
  std::string body;
  std::size_t pongs = 0;
  for (const ServerFrame& part : visitor_.take_sent()) {
    if (part.first == (kFin | kPong)) {
      ++pongs;
    } else {
      body += part.payload;
    }
  }
  EXPECT_EQ(pongs, 1U);
  EXPECT_TRUE(inflated(from_server_, body) == text);
}

}  // namespace
}  // namespace linnet::web
