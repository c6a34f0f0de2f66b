#include "auth/decoy_secret.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/log.hpp"
#include "support/certificates.hpp"

namespace linnet::auth {
namespace {

class DecoySecret : public testing::Test {
 protected:
  DecoySecret() { log::set_level(log::Level::off); }
  ~DecoySecret() override { log::set_level(log::Level::info); }

  std::string load() { return std::string(load_decoy_secret(folder.path(".")).view()); }
  struct Loaded {
    std::string secret;
    std::string log;
  };
  Loaded load_and_listen() {
    log::set_level(log::Level::warn);
    testing::internal::CaptureStderr();
    std::string secret(load_decoy_secret(folder.path(".")).view());
    std::string log = testing::internal::GetCapturedStderr();
    log::set_level(log::Level::off);
    return {std::move(secret), std::move(log)};
  }
  [[nodiscard]] struct stat status() const {
    struct stat found {};
    EXPECT_EQ(::stat(file().c_str(), &found), 0);
    return found;
  }
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

TEST_F(DecoySecret, IsMadeAnewWhereItIsDamaged) {
  for (const char* text : {"", "too short", "0123456789012345678901234567890123456789"}) {
    folder.write(kDecoyFile, text);
    const Loaded loaded = load_and_listen();
    EXPECT_EQ(loaded.secret.size(), 32U) << text;
    EXPECT_NE(loaded.log.find("decoy.secret: is damaged"), std::string::npos) << loaded.log;
    EXPECT_EQ(load(), loaded.secret) << text;
  }
}

TEST_F(DecoySecret, IsKeptAndClosedToOthers) {
  const std::string known = load();
  for (const mode_t mode : {0644U, 0640U, 0610U, 0602U}) {
    ASSERT_EQ(::chmod(file().c_str(), mode), 0);
    const Loaded loaded = load_and_listen();
    EXPECT_EQ(loaded.secret, known) << mode;
    EXPECT_NE(loaded.log.find("they no longer have"), std::string::npos) << loaded.log;
    EXPECT_EQ(status().st_mode & 0777, 0600U);
  }
  EXPECT_EQ(load_and_listen().log, "") << "there is nothing to say any more";
}

TEST_F(DecoySecret, IsUsedEvenIfItCanNotBeClosedToOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs a file of somebody else's";
  constexpr uid_t kNobody = 65534;
  const std::string known = load();
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
  ASSERT_EQ(::chmod(folder.path(".").c_str(), 0755), 0);
  ASSERT_EQ(::seteuid(kNobody), 0);
  const Loaded loaded = load_and_listen();
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(loaded.secret, known);
  EXPECT_NE(loaded.log.find("that can't be changed (Operation not permitted)"), std::string::npos)
      << loaded.log;
}

TEST_F(DecoySecret, MadeByRootBelongsToTheOwnerOfTheFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  constexpr uid_t kUser = 65533;
  constexpr gid_t kGroup = 65532;
  ASSERT_EQ(::chown(folder.path(".").c_str(), kUser, kGroup), 0);
  const std::string secret = load();
  EXPECT_EQ(status().st_uid, kUser);
  EXPECT_EQ(status().st_gid, kGroup);
  EXPECT_EQ(status().st_mode & 0777, 0600U);
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
