#include "auth/password_edit.hpp"

#include <gtest/gtest.h>
#include <string>

#include "auth/password_hash.hpp"
#include "base/cat.hpp"

namespace linnet::auth {
namespace {

constexpr std::string_view kFile = "# users\n\nanna:old\r\n bob : old\n#anna:x\nbroken line\n";

std::string hashed(std::string_view password) {
  return cat('<', password, '>');
}

TEST(PasswordEdit, ReplacesALineWhereItIs) {
  const PasswordEdit edit = with_user(kFile, "anna", "new");
  EXPECT_EQ(edit.text.view(), "# users\n\nanna:new\n bob : old\n#anna:x\nbroken line\n");
  EXPECT_EQ(edit.changed, 1);
  EXPECT_EQ(with_user(kFile, "bob", "new").text.view(),
            "# users\n\nanna:old\r\nbob:new\n#anna:x\nbroken line\n");
}

TEST(PasswordEdit, AddsAtTheEnd) {
  EXPECT_EQ(with_user("", "zoë", "h").text.view(), "zoë:h\n");
  EXPECT_EQ(with_user("a:1", "b", "h").text.view(), "a:1\nb:h\n");
  EXPECT_EQ(with_user("a:1\n", "b", "h").text.view(), "a:1\nb:h\n");
  EXPECT_EQ(with_user("a:1\n", "b", "h").changed, 0);
  EXPECT_EQ(with_user("ab:1\n", "a", "h").text.view(), "ab:1\na:h\n");
}

TEST(PasswordEdit, AUserIsThereOnce) {
  const PasswordEdit edit = with_user("a:1\nb:2\na:3\n", "a", "h");
  EXPECT_EQ(edit.text.view(), "a:h\nb:2\n");
  EXPECT_EQ(edit.changed, 2);
}

TEST(PasswordEdit, Deletes) {
  const PasswordEdit edit = without_user("# c\na:1\nb:2\r\na:3\nlast", "a");
  EXPECT_EQ(edit.text.view(), "# c\nb:2\r\nlast");
  EXPECT_EQ(edit.changed, 2);
  EXPECT_EQ(without_user(kFile, "nobody").changed, 0);
  EXPECT_EQ(without_user(kFile, "nobody").text.view(), kFile);
  EXPECT_EQ(without_user("a:1", "a").text.view(), "");
}

TEST(PasswordEdit, HashesPlainPasswords) {
  const std::string hash = make_password_hash("p", {HashKind::pbkdf2, 1000});
  const PasswordEdit edit =
      with_hashes(cat("# c\n\na:one\nb: t:wo \r\nc:", hash, "\r\nd:$ix"), hashed);
  EXPECT_EQ(edit.error, "");
  EXPECT_EQ(edit.text.view(), cat("# c\n\na:<one>\nb:< t:wo >\nc:", hash, "\r\nd:<$ix>\n"));
  EXPECT_EQ(edit.changed, 3);
  EXPECT_EQ(edit.kept, 1);
}

TEST(PasswordEdit, HashesNothingTwice) {
  EXPECT_TRUE(with_hashes("a:x\nb:$7$101$c2Fs", hashed).error.starts_with("2: the hash does not"));
  EXPECT_TRUE(with_hashes("b:$2b$12$xyz", hashed).error.starts_with("1: the password is hashed"));
}

TEST(PasswordEdit, NoUpgradeOfWhatIsWrong) {
  EXPECT_EQ(with_hashes("# c\nanna", hashed).error,
            "2: there is no colon; a line is user:password");
  EXPECT_EQ(with_hashes(":x", hashed).error, "1: the user name is empty");
  EXPECT_EQ(with_hashes("a:", hashed).error, "1: the password is empty");
}

}  // namespace
}  // namespace linnet::auth
