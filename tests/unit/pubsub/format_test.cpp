#include "pubsub/format.hpp"

#include <cstdlib>
#include <ctime>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "mqtt/property_writer.hpp"
#include "pubsub/json_text.hpp"

namespace linnet::pubsub {
namespace {

using namespace std::string_literals;
using mqtt::Property;

class FormatTest : public testing::Test {
 protected:
  FormatTest() {
    ::setenv("TZ", "UTC-1", 1);
    ::tzset();
    properties_.string(Property::content_type, "text/plain");
    properties_.string(Property::correlation_data, "\x01\xff");
    properties_.u32(Property::message_expiry_interval, 60);
    properties_.varint(Property::subscription_identifier, 7);
    properties_.varint(Property::subscription_identifier, 8);
    properties_.pair("a", "1");
    properties_.pair("b", "2");
    publish_.topic = "home/lamp";
    publish_.payload = "on";
    publish_.qos = Qos::at_least_once;
    publish_.packet_id = 42;
    publish_.retain = true;
    publish_.properties = properties_.bytes();
  }
  /// With this format; its error if it is none.
  std::string as(std::string_view text, bool safe = false) {
    std::string error;
    const auto format = Format::parse(text, error);
    if (!format) return error;
    std::string out;
    return format->append(out, arrival(), safe) ? out : "no JSON";
  }
  Arrival arrival() const { return {publish_, {1'470'818'943, 1'368'637}}; }

  mqtt::PropertyWriter properties_;
  mqtt::ReceivedPublish publish_;
};

TEST_F(FormatTest, Values) {
  EXPECT_EQ(as("%t %p %q %r %l %m %%"), "home/lamp on 1 1 2 42 %");
  EXPECT_EQ(as("%x %X"), "6f6e 6F6E");
  EXPECT_EQ(as("%C|%D|%E|%F|%A|%R|%S|%P"), "text/plain|\x01\xff|60||||7 8|a:1 b:2");
  EXPECT_EQ(as("\\\\ \\n\\t\\e@@"), "\\ \n\t\x1b@");
  EXPECT_EQ(as("\\0"), "\0"s);
}

TEST_F(FormatTest, Widths) {
  EXPECT_EQ(as("%12t|%-12t|%4.4t|%.4t"), "   home/lamp|home/lamp   |home|home");
  EXPECT_EQ(as("%05l|%-05l|%5l|%05t"), "00002|2    |    2|home/lamp");
  EXPECT_EQ(as("%4p|%-4p|%06x"), "  on|on  |006f6e");
}

TEST_F(FormatTest, Time) {
  EXPECT_EQ(as("%I"), "2016-08-10T09:49:03+0100");
  EXPECT_EQ(as("%U"), "1470818943.001368637");
  EXPECT_EQ(as("@Y-@m-@d @H:@M:@S.@N"), "2016-08-10 09:49:03.001368637");
}

TEST_F(FormatTest, WrongOnes) {
  for (const char* text : {"%", "%z", "@", "\\", "\\x", "%5q", "%-5%"})
    EXPECT_TRUE(as(text).starts_with("-F")) << as(text);
}

TEST_F(FormatTest, IsSafeOnATerminal) {
  publish_.topic = "a\x1b[2J";
  publish_.payload = "b\x1b[3J\nc";
  EXPECT_EQ(as("%t %p", true), "a\\x1b[2J b\\x1b[3J\nc");
  EXPECT_EQ(as("%t %p"), "a\x1b[2J b\x1b[3J\nc");
}

TEST_F(FormatTest, Json) {
  const auto json = boost::json::parse(as("%j")).as_object();
  EXPECT_EQ(json.at("tst"), "2016-08-10T09:49:03.001368+0100");
  EXPECT_EQ(json.at("topic"), "home/lamp");
  EXPECT_EQ(json.at("payload"), "on");
  EXPECT_EQ(json.at("mid"), 42);
  const auto& properties = json.at("properties").as_object();
  EXPECT_EQ(properties.at("content-type"), "text/plain");
  EXPECT_EQ(properties.at("message-expiry-interval"), 60);
  EXPECT_EQ(properties.at("subscription-identifier"), boost::json::value({7, 8}));
  EXPECT_EQ(properties.at("user-property").as_array().size(), 2U);
  EXPECT_EQ(as("%J"), "no JSON");
  publish_.payload = "{ \"a\":\n 1.0 }";
  EXPECT_NE(as("%J").find(",\"payload\":{\"a\":1.0}}"), std::string::npos) << as("%J");
}

TEST_F(FormatTest, JsonOfAnyBytes) {
  const std::string bytes = "\xff\x00\x1b"s;
  publish_.payload = bytes;
  publish_.topic = "a\"b";
  const auto json = boost::json::parse(as("%j")).as_object();
  EXPECT_EQ(json.at("payload_base64"), "/wAb");
  EXPECT_FALSE(json.contains("payload"));
  EXPECT_EQ(json.at("topic"), "a\"b");
}

}  // namespace
}  // namespace linnet::pubsub
