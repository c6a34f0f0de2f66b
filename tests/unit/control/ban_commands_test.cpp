// Bans through the control socket.
#include "control/ban_commands.hpp"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/clock.hpp"
#include "control/client.hpp"

namespace linnet::control {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class BanCommandsTest : public testing::Test {
 protected:
  BanCommandsTest() {
    std::string pattern = (fs::temp_directory_path() / "linnet-control-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    directory = pattern;
    control = Control::open(directory, error);
    if (!control) std::abort();
    add_ban_commands(*control, bans);
    control->start();
  }
  ~BanCommandsTest() override {
    control.reset();
    fs::remove_all(directory);
  }
  bool ask_for(const json::object& request) {
    reply.clear();
    error.clear();
    return ask(directory, request, reply, error);
  }
  bool is_banned(std::string_view address) const {
    return bans.is_banned(*net::Endpoint::parse(address, 0), SystemClock().now_ms());
  }

  std::string directory;
  auth::Bans bans;
  std::unique_ptr<Control> control;
  json::object reply;
  std::string error;
};

TEST_F(BanCommandsTest, add_list_and_lift) {
  EXPECT_TRUE(ask_for({{"command", "ban.list"}}));
  EXPECT_EQ(reply, (json::object{{"bans", json::array()}}));

  EXPECT_TRUE(ask_for({{"command", "ban.add"}, {"address", "192.0.2.7"}, {"time_ms", 60'000}}));
  EXPECT_EQ(reply, (json::object{{"address", "192.0.2.7"}}));
  EXPECT_TRUE(ask_for({{"command", "ban.add"}, {"address", "2001:db8::7"}}));
  EXPECT_EQ(reply, (json::object{{"address", "2001:db8::/64"}}));
  EXPECT_TRUE(is_banned("192.0.2.7"));
  EXPECT_TRUE(is_banned("2001:db8::8"));

  ASSERT_TRUE(ask_for({{"command", "ban.list"}}));
  const json::array& list = reply.at("bans").as_array();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].at("address"), "192.0.2.7");
  const auto left_ms = list[0].at("left_ms").to_number<std::uint64_t>();
  EXPECT_GT(left_ms, 0U);
  EXPECT_LE(left_ms, 60'000U);
  EXPECT_EQ(list[1], (json::value{{"address", "2001:db8::/64"}, {"times", 0}, {"by_hand", true}}));

  EXPECT_TRUE(ask_for({{"command", "ban.lift"}, {"address", "2001:db8::/64"}})) << error;
  EXPECT_FALSE(is_banned("2001:db8::8"));
  EXPECT_FALSE(ask_for({{"command", "ban.lift"}, {"address", "2001:db8::7"}}));
  EXPECT_EQ(error, "2001:db8::7 is not banned");
  EXPECT_TRUE(ask_for({{"command", "ban.lift"}, {"all", true}}));
  EXPECT_EQ(reply, (json::object{{"lifted", 1}}));
  EXPECT_FALSE(is_banned("192.0.2.7"));
}

TEST_F(BanCommandsTest, what_is_no_address_is_refused) {
  for (const json::value& address :
       {json::value("192.0.2.0/24"), json::value("2001:db8::/48"), json::value("192.0.2.7/64"),
        json::value("example.com"), json::value(""), json::value("/64"), json::value(7),
        json::value("127.0.0.2"), json::value("::1"), json::value("192.0.2.7:1883")}) {
    for (const char* command : {"ban.add", "ban.lift"}) {
      EXPECT_FALSE(ask_for({{"command", command}, {"address", address}})) << address;
      EXPECT_FALSE(error.empty());
    }
  }
  EXPECT_FALSE(ask_for({{"command", "ban.add"}}));
  EXPECT_FALSE(ask_for({{"command", "ban.lift"}, {"all", false}}));
  EXPECT_FALSE(ask_for({{"command", "ban.lift"}, {"all", 1}}));
  EXPECT_TRUE(bans.list(1).empty());
}

TEST_F(BanCommandsTest, a_time_is_a_number) {
  for (const json::value& time : {json::value(0), json::value(-1), json::value("1h"),
                                  json::value(1.5), json::value(nullptr)}) {
    EXPECT_FALSE(ask_for({{"command", "ban.add"}, {"address", "192.0.2.7"}, {"time_ms", time}}))
        << time;
  }
  EXPECT_FALSE(is_banned("192.0.2.7"));
  EXPECT_TRUE(ask_for({{"command", "ban.add"},
                       {"address", "192.0.2.7"},
                       {"time_ms", std::numeric_limits<std::uint64_t>::max()}}));
  EXPECT_TRUE(is_banned("192.0.2.7"));
}

}  // namespace
}  // namespace linnet::control
