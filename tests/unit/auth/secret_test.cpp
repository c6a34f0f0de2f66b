#include "auth/secret.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <type_traits>

namespace linnet::auth {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);

TEST(Secret, ComparesWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time({}, ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "xbc"));
  EXPECT_FALSE(equal_in_constant_time("ab", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time("", "a"));
  EXPECT_FALSE(equal_in_constant_time("a", ""));
  EXPECT_FALSE(equal_in_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

TEST(Secret, WipesAllOfItsMemory) {
  for (const std::size_t size : {std::size_t{8}, std::size_t{15}, std::size_t{1000}}) {
    std::string text(size, 's');
    const char* bytes = text.data();
    const std::size_t capacity = text.capacity();
    text.resize(3);  // what was behind the end is wiped, too
    wipe(text);
    EXPECT_TRUE(text.empty());
    ASSERT_EQ(text.data(), bytes);
    text.resize(capacity);
    EXPECT_EQ(text, std::string(capacity, '\0'));
  }
}

TEST(Secret, LeavesNothingInWhatItWasMadeOf) {
  std::string text = "short";  // within the string object
  const Secret secret(std::move(text));
  EXPECT_EQ(secret.view(), "short");
  char bytes[5];
  std::memcpy(bytes, text.data(), sizeof bytes);
  EXPECT_EQ(std::string_view(bytes, 5), std::string_view("\0\0\0\0\0", 5));
}

TEST(Secret, Moves) {
  Secret first("a password");
  Secret second(std::move(first));
  EXPECT_EQ(second.view(), "a password");
  EXPECT_TRUE(first.empty());
  Secret third(std::string(100, 'x'));
  third = std::move(second);
  EXPECT_EQ(third.view(), "a password");
  EXPECT_TRUE(second.empty());
}

TEST(Secret, Grows) {
  Secret secret;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    secret.append("0123456");
    expected += "0123456";
  }
  EXPECT_EQ(secret.view(), expected);
}

}  // namespace
}  // namespace linnet::auth
