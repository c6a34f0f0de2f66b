#include "auth/decoy_secret.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/log.hpp"
#include "support/certificates.hpp"

namespace linnet::auth {
namespace {

class DecoySecret : public testing::Test {
 protected:
  DecoySecret() { log::set_level(log::Level::off); }
  ~DecoySecret() override { log::set_level(log::Level::info); }

  std::string load() { return std::string(load_decoy_secret(folder.path(".")).view()); }
  [[nodiscard]] std::string file() const { return folder.path(kDecoyFile); }

  linnet::test::Folder folder;
};

TEST_F(DecoySecret, IsMadeOnceForItsOwnerAlone) {
  const std::string secret = load();
  EXPECT_EQ(secret.size(), 32U);
  EXPECT_EQ(load(), secret);
  struct stat found {};
  ASSERT_EQ(::stat(file().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  EXPECT_FALSE(std::filesystem::exists(file() + ".new"));
  EXPECT_NE(load_decoy_secret(linnet::test::Folder().path(".")).view(), secret);
}

TEST_F(DecoySecret, IsMadeAnewWhereItIsOfNoUse) {
  for (const char* text : {"", "too short", "0123456789012345678901234567890123456789"}) {
    folder.write(kDecoyFile, text);
    const std::string secret = load();
    EXPECT_EQ(secret.size(), 32U) << text;
    EXPECT_EQ(load(), secret) << text;
  }
  const std::string known = load();
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
  const std::string secret = load();
  EXPECT_NE(secret, known) << "others could read it";
  EXPECT_EQ(load(), secret);
}

TEST_F(DecoySecret, ALeftoverOfAStartThatWasKilledIsNotInTheWay) {
  folder.write(std::string(kDecoyFile) + ".new", "half");
  const std::string secret = load();
  EXPECT_EQ(load(), secret);
}

TEST_F(DecoySecret, NoLinkIsFollowed) {
  const std::string other = folder.write("other", "01234567890123456789012345678901");
  std::filesystem::create_symlink(other, file());
  EXPECT_NE(load(), "01234567890123456789012345678901");
  EXPECT_TRUE(std::filesystem::is_symlink(file())) << "it is the administrator's to look at";
}

TEST_F(DecoySecret, WithoutAPlaceItLastsForTheProcess) {
  const Secret secret = load_decoy_secret(folder.path("missing"));
  EXPECT_EQ(secret.view().size(), 32U);
  EXPECT_NE(make_decoy_secret().view(), secret.view());
}

}  // namespace
}  // namespace linnet::auth
