#include "auth/password_file.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/password_base64.hpp"
#include "base/cat.hpp"

namespace linnet::auth {
namespace {

using Errors = std::vector<std::string>;

std::string entry(std::uint32_t iterations = 1) {
  return cat("$7$", iterations, "$c2FsdHNhbHQ=$",
             base64_encoded(std::string(64, 'h'), Padding::full));
}

std::string line(std::string_view user, std::uint32_t iterations = 1) {
  return cat(user, ':', entry(iterations), '\n');
}

/// The only error.
std::string error_of(std::string_view text) {
  Errors errors;
  EXPECT_FALSE(PasswordFile::parse(text, "f", errors));
  EXPECT_EQ(errors.size(), 1);
  return errors.empty() ? "" : errors.front();
}

std::optional<PasswordFile> parsed(std::string_view text) {
  Errors errors;
  auto file = PasswordFile::parse(text, "f", errors);
  EXPECT_TRUE(file) << (errors.empty() ? "" : errors.front());
  EXPECT_TRUE(errors.empty());
  return file;
}

TEST(PasswordFile, FindsUsers) {
  const auto file =
      parsed(cat("# a comment\n\n", line("anna", 7), "  \t\n#bob:x\n", line("bob", 8)));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 2);
  ASSERT_NE(file->find("anna"), nullptr);
  EXPECT_EQ(std::get<Pbkdf2Hash>(*file->find("anna")).iterations, 7);
  EXPECT_EQ(std::get<Pbkdf2Hash>(*file->find("bob")).iterations, 8);
  for (const char* other : {"", "ann", "annas", "Anna", "#bob", "# a comment", " anna"})
    EXPECT_EQ(file->find(other), nullptr) << other;
}

TEST(PasswordFile, HashesStayWhereTheyAre) {
  auto file = parsed(line("anna"));
  ASSERT_TRUE(file);
  const PasswordHash* hash = file->find("anna");
  const PasswordFile moved = std::move(*file);
  EXPECT_EQ(moved.find("anna"), hash);
}

TEST(PasswordFile, LineEndsAndBlanks) {
  const auto file =
      parsed(cat("anna:", entry(), "\r\n\r\n bob :", entry(), " \t\r\nlast:", entry()));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 3);
  EXPECT_NE(file->find("bob"), nullptr);
  EXPECT_NE(file->find("last"), nullptr);
}

TEST(PasswordFile, AnEmptyFileHasNobody) {
  const auto file = parsed("");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 0);
  EXPECT_EQ(file->find(""), nullptr);
  file->verify_nobody("password");
}

TEST(PasswordFile, NamesOfAllKinds) {
  for (const std::string& name : {std::string("zoë"), std::string("名前"), std::string("a b"),
                                  std::string("$7$"), std::string(1024, 'n'),
                                  std::string("\xc2\xa0"
                                              "x"),
                                  std::string("a#b")}) {
    const auto file = parsed(line(name));
    ASSERT_TRUE(file);
    EXPECT_NE(file->find(name), nullptr) << name;
  }
}

TEST(PasswordFile, WrongNames) {
  const std::pair<std::string, const char*> names[] = {{"", "is empty"},
                                                       {"  ", "is empty"},
                                                       {std::string(1025, 'n'), "longer than 1024"},
                                                       {"a\xff", "not UTF-8"},
                                                       {"a\xc2", "not UTF-8"},
                                                       {"a\xed\xa0\x80", "not UTF-8"},
                                                       {std::string("a\0b", 3), "not UTF-8"},
                                                       {"a\x01", "control"},
                                                       {"a\tb", "control"},
                                                       {"a\x7f", "control"},
                                                       {"a\xc2\x85", "control"},
                                                       {"a\rb", "control"},
                                                       {"\xef\xbb\xbf"
                                                        "anna",
                                                        "byte order mark"}};
  for (const auto& [name, fault] : names) {
    const std::string error = error_of(line(name));
    EXPECT_TRUE(error.starts_with("f:1: the user name ")) << error;
    EXPECT_NE(error.find(fault), std::string::npos) << error;
  }
  EXPECT_EQ(file_user_fault("a:b"), "has a colon, which ends names");
  EXPECT_EQ(file_user_fault("#a"), "begins with #, as comments do");
  EXPECT_EQ(file_user_fault(" a"), "has blanks around it");
  EXPECT_EQ(file_user_fault("a"), "");
}

TEST(PasswordFile, ErrorsNameTheirLineAndShowNoHash) {
  EXPECT_EQ(error_of("# x\n\nanna\n"), "f:3: there is no colon; a line is user:hash");
  const std::string plain = error_of(line("x") + "anna:hunter2\n");
  EXPECT_TRUE(plain.starts_with("f:2: the password is not hashed; known are ")) << plain;
  EXPECT_EQ(plain.find("hunter2"), std::string::npos);
  EXPECT_NE(error_of(std::string(5000, 'x')).find("longer than 4096"), std::string::npos);
}

TEST(PasswordFile, AUserTwiceIsAnErrorWithBothLines) {
  EXPECT_EQ(error_of(cat("\n", line("anna"), line("bob"), " ", line("anna"))),
            "f:4: the user anna is in line 2 already; keep one of the two lines");
}

TEST(PasswordFile, AllErrorsUpToABound) {
  Errors errors;
  EXPECT_FALSE(PasswordFile::parse("a\nb\n" + line("c") + "d\n", "f", errors));
  EXPECT_EQ(errors.size(), 3);
  errors.clear();
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "wrong\n";
  EXPECT_FALSE(PasswordFile::parse(text, "f", errors));
  ASSERT_EQ(errors.size(), 21);
  EXPECT_EQ(errors.back(), "f: 980 more lines are wrong");
}

TEST(PasswordFile, CountsWeakHashes) {
  const auto file = parsed(line("a", 101) + line("b", 100'000) + line("c", 999));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->weak(), 2);
}

class PasswordFileOnDisk : public testing::Test {
 protected:
  PasswordFileOnDisk() {
    std::string folder = (std::filesystem::temp_directory_path() / "linnet-auth-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder + "/users";
  }
  ~PasswordFileOnDisk() override { std::filesystem::remove_all(folder_); }

  void write(std::string_view text, mode_t mode = 0600) const {
    std::ofstream(path_, std::ios::binary) << text;
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
  }
  [[nodiscard]] std::string load_error() const {
    Errors errors;
    EXPECT_FALSE(PasswordFile::load(path_, errors));
    EXPECT_EQ(errors.size(), 1);
    return errors.empty() ? "" : errors.front();
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(PasswordFileOnDisk, Loads) {
  std::string text;
  for (int i = 0; i < 2000; ++i)  // more than one read
    text += line(cat("user-", i));
  write(text);
  Errors errors;
  const auto file = PasswordFile::load(path_, errors);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 2000);
  EXPECT_NE(file->find("user-1999"), nullptr);
}

TEST_F(PasswordFileOnDisk, ErrorsNameTheFile) {
  EXPECT_TRUE(load_error().starts_with(path_ + ": cannot be read: "));
  write("anna\n");
  EXPECT_TRUE(load_error().starts_with(path_ + ":1: "));
}

TEST_F(PasswordFileOnDisk, OnlyAFile) {
  path_ = folder_.string();
  EXPECT_EQ(load_error(), path_ + ": is no regular file");
  path_ += "/fifo";
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(load_error(), path_ + ": is no regular file");
}

TEST_F(PasswordFileOnDisk, NobodyElseMayWriteToIt) {
  write(line("anna"), 0602);
  EXPECT_NE(load_error().find("chmod o-w"), std::string::npos);
  for (const mode_t mode : {0600U, 0640U, 0660U, 0644U, 0400U}) {
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    Errors errors;
    EXPECT_TRUE(PasswordFile::load(path_, errors)) << mode;
    std::string error;
    const auto text = read_password_text(path_, error);
    ASSERT_TRUE(text);
    EXPECT_EQ(text->others_may_read(), mode == 0644U);
  }
}

TEST_F(PasswordFileOnDisk, NotTooLarge) {
  write("");
  std::filesystem::resize_file(path_, kPasswordFileBytesMax + 1);
  EXPECT_EQ(load_error(), path_ + ": is larger than 64 MiB, which is allowed");
}

TEST(PasswordFile, NotTooLargeAsAText) {
  const std::string text(kPasswordFileBytesMax + 1, '\n');
  EXPECT_EQ(error_of(text), "f: is larger than 64 MiB, which is allowed");
}

}  // namespace
}  // namespace linnet::auth
