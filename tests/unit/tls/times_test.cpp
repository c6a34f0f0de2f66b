#include <array>
#include <gtest/gtest.h>

#include "tls/openssl_types.hpp"

namespace linnet::tls {
namespace {

using TimePtr = std::unique_ptr<ASN1_TIME, OpensslDelete<ASN1_TIME_free>>;

struct Moment {
  std::int64_t seconds;
  std::string_view text;
};

// RFC 5280 writes two digits of the year until 2049, and four from then on.
constexpr std::array kMoments{
    Moment{0, "700101000000Z"},
    Moment{1'735'689'600, "250101000000Z"},
    Moment{2'147'483'647, "380119031407Z"},
    Moment{2'147'483'648, "380119031408Z"},
    Moment{2'524'607'999, "491231235959Z"},
    Moment{2'524'608'000, "20500101000000Z"},
    Moment{4'294'967'296, "21060207062816Z"},
    Moment{253'402'300'799, "99991231235959Z"},
};

TEST(Times, GoThroughCertificatesAfter2038Too) {
  static_assert(sizeof(std::time_t) == 8, "see cross/arm32.cmake");
  for (const auto& [seconds, text] : kMoments) {
    const TimePtr time(ASN1_TIME_new());
    ASSERT_TRUE(set_time(time.get(), std::time_t{seconds})) << text;
    EXPECT_EQ(bytes_of(time.get()), text);
    EXPECT_EQ(to_time(time.get()), seconds);
  }
}

TEST(Times, WithoutAFormAreRefused) {
  const TimePtr time(ASN1_TIME_new());
  EXPECT_FALSE(set_time(time.get(), 253'402'300'800));  // the year 10000
  EXPECT_FALSE(set_time(nullptr, 0));
}

}  // namespace
}  // namespace linnet::tls
