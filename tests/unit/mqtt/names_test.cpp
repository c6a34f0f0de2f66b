#include <gtest/gtest.h>

#include <linnet/types.hpp>

namespace linnet {
namespace {

TEST(Names, ReasonCodesHaveTheStandardsNames) {
  EXPECT_EQ(name_of(ReasonCode::success), "Success");
  EXPECT_EQ(name_of(ReasonCode::reauthenticate), "Re-authenticate");
  EXPECT_EQ(name_of(ReasonCode::unspecified_error), "Unspecified error");
  EXPECT_EQ(name_of(ReasonCode::topic_filter_invalid), "Topic Filter invalid");
  EXPECT_EQ(name_of(ReasonCode::topic_name_invalid), "Topic Name invalid");
  EXPECT_EQ(name_of(ReasonCode::packet_too_large), "Packet too large");
  EXPECT_EQ(name_of(ReasonCode::wildcard_subscriptions_not_supported),
            "Wildcard Subscriptions not supported");
}

TEST(Names, EveryFailureOfTheStandardHasOne) {
  for (unsigned code = 0x80; code <= 0xA2; ++code) {
    EXPECT_NE(name_of(static_cast<ReasonCode>(code)), "Unknown reason code") << code;
  }
  for (unsigned code = 0xA3; code < 0x100; ++code) {
    EXPECT_EQ(name_of(static_cast<ReasonCode>(code)), "Unknown reason code") << code;
  }
}

TEST(Names, VersionsHaveOne) {
  EXPECT_EQ(name_of(Version::v3_1), "MQTT 3.1");
  EXPECT_EQ(name_of(Version::v3_1_1), "MQTT 3.1.1");
  EXPECT_EQ(name_of(Version::v5), "MQTT 5.0");
}

}  // namespace
}  // namespace linnet
