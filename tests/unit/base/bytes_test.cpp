#include "base/bytes.hpp"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace linnet {
namespace {

using namespace std::string_view_literals;

struct VarintCase {
  std::uint32_t value;
  std::string_view bytes;
};

constexpr VarintCase kVarints[] = {
    {0, "\x00"sv},
    {127, "\x7F"sv},
    {128, "\x80\x01"sv},
    {16'383, "\xFF\x7F"sv},
    {16'384, "\x80\x80\x01"sv},
    {2'097'151, "\xFF\xFF\x7F"sv},
    {2'097'152, "\x80\x80\x80\x01"sv},
    {268'435'455, "\xFF\xFF\xFF\x7F"sv},
};

TEST(Varint, ReadsAndWritesTheEdges) {
  for (const auto& test : kVarints) {
    Reader in(test.bytes);
    EXPECT_EQ(in.varint(), test.value);
    EXPECT_TRUE(in.ok());
    EXPECT_TRUE(in.empty());
    EXPECT_EQ(varint_size(test.value), test.bytes.size()) << test.value;
    std::array<char, 4> target{};
    Writer out(target.data());
    out.varint(test.value);
    EXPECT_EQ(std::string_view(target.data(), test.bytes.size()), test.bytes);
    EXPECT_EQ(out.position(), target.data() + test.bytes.size());
  }
}

TEST(Varint, RefusesBadForms) {  // [MQTT-1.5.5-1]
  for (const auto bytes : {""sv, "\x80"sv, "\xFF\xFF\xFF"sv, "\x80\x00"sv, "\xFF\x80\x00"sv,
                           "\xFF\xFF\xFF\xFF"sv, "\x80\x80\x80\x80\x01"sv}) {
    Reader in(bytes);
    EXPECT_EQ(in.varint(), 0u);
    EXPECT_FALSE(in.ok());
  }
}

TEST(Reader, ReadsInOrderWithoutCopies) {
  const auto bytes = "\x01\x02\x03\x04\x05\x06\x07\x00\x02hitail"sv;
  Reader in(bytes);
  EXPECT_EQ(in.u8(), 0x01);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.u32(), 0x04050607u);
  const auto text = in.string();
  EXPECT_EQ(text, "hi");
  EXPECT_EQ(text.data(), bytes.data() + 9);
  EXPECT_EQ(in.size(), 4u);
  EXPECT_EQ(in.rest(), "tail");
  EXPECT_EQ(in.take(2), "ta");
  EXPECT_FALSE(in.empty());
  EXPECT_TRUE(in.ok());
}

TEST(Reader, StaysFailedBeyondTheEnd) {
  Reader in("\x00\x05hi"sv);
  EXPECT_EQ(in.string(), "");
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_EQ(in.u16(), 0);
  EXPECT_EQ(in.u32(), 0u);
  EXPECT_EQ(in.take(1), "");
  EXPECT_TRUE(in.empty());
  EXPECT_FALSE(in.ok());
}

TEST(Reader, EndsExactlyAtTheEnd) {
  Reader in("\x00\x00"sv);
  EXPECT_EQ(in.string(), "");
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.empty());
  Reader half("\x01"sv);
  EXPECT_EQ(half.u16(), 0);
  EXPECT_FALSE(half.ok());
}

TEST(Writer, WritesBigEndian) {
  std::array<char, 16> target{};
  Writer out(target.data());
  out.u8(0x01);
  out.u16(0x0203);
  out.u32(0x04050607);
  out.string("hi");
  out.bytes("");
  out.bytes("!");
  const auto size = static_cast<std::size_t>(out.position() - target.data());
  EXPECT_EQ(std::string_view(target.data(), size), "\x01\x02\x03\x04\x05\x06\x07\x00\x02hi!"sv);
}

}  // namespace
}  // namespace linnet
