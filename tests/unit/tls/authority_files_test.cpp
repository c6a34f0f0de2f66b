// What is written where, with which rights, and what is left alone.
#include "tls/authority_files.hpp"

#include <array>
#include <gtest/gtest.h>

#include "unit/tls/authority_fixture.hpp"

namespace linnet::tls {
namespace {

TEST_F(AuthorityTest, KeysAreForTheirOwnerAloneWhateverTheUmask) {
  const mode_t before = ::umask(0);
  make_ca();
  ASSERT_TRUE(make_server(order, {"a.example"}, "server"));
  ASSERT_TRUE(add_psk(path("psk.txt").string(), "sensor", false));
  ::umask(before);
  for (const char* name : {"ca.key", "server.key", "psk.txt"})
    EXPECT_EQ(mode_of(path(name)), 0600U) << name;
  for (const char* name : {"ca.crt", "server.crt"})
    EXPECT_EQ(mode_of(path(name)), 0644U) << name;
}

TEST_F(AuthorityTest, ARenewedKeyKeepsItsGroupsRightsAndNoOthers) {
  make_ca();
  ASSERT_TRUE(make_server(order, {"a.example"}, "server"));
  ASSERT_EQ(::chmod(path("server.key").c_str(), 0644), 0);
  ASSERT_EQ(::chmod(path("server.crt").c_str(), 0640), 0);
  order.replace = true;
  ASSERT_TRUE(make_server(order, {"a.example"}, "server"));
  EXPECT_EQ(mode_of(path("server.key")), 0640U);
  EXPECT_EQ(mode_of(path("server.crt")), 0640U);
}

TEST_F(AuthorityTest, NothingIsReplacedUnasked) {
  make_ca();
  ASSERT_TRUE(make_server(order, {"a.example"}, "server"));
  const std::string key = read_text(path("server.key"));
  const std::string certificate = read_text(path("server.crt"));
  const std::string ca = read_text(path("ca.key"));
  const auto again = make_server(order, {"b.example"}, "server");
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().text.find("server.key exists"), std::string::npos);
  EXPECT_FALSE(make_authority(order, "Another"));
  EXPECT_EQ(read_text(path("server.key")), key);
  EXPECT_EQ(read_text(path("ca.key")), ca);

  fs::remove(path("server.key"));  // half a pair
  EXPECT_FALSE(make_server(order, {"b.example"}, "server"));
  EXPECT_FALSE(fs::exists(path("server.key")));
  EXPECT_EQ(read_text(path("server.crt")), certificate);

  order.replace = true;
  ASSERT_TRUE(make_server(order, {"b.example"}, "server"));
  EXPECT_EQ(verify("server.crt", {.host = "b.example"}), X509_V_OK);
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(AuthorityTest, ALinkThatLeadsNowhereIsNotFollowed) {
  make_ca();
  fs::create_symlink(folder / "elsewhere", path("server.key"));
  EXPECT_FALSE(make_server(order, {"a.example"}, "server"));
  EXPECT_FALSE(fs::exists(folder / "elsewhere"));
}

TEST_F(AuthorityTest, APairIsWrittenWholeOrNotAtAll) {
  make_ca();
  order.replace = true;
  fs::create_directory(path("server.crt"));
  const auto made = make_server(order, {"a.example"}, "server");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text.find("server.crt can't be"), std::string::npos);
  EXPECT_FALSE(fs::exists(path("server.key")));
  const std::array<NewFile, 2> pair = {NewFile{path("server.key"), "key", true},
                                       NewFile{path("server.crt"), "certificate"}};
  EXPECT_NE(write_files(pair, true).find("server.crt can't be written"), std::string::npos);
  EXPECT_FALSE(fs::exists(path("server.key")));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(AuthorityTest, WhatIsNoRegularFileIsNotReplaced) {
  make_ca();
  order.replace = true;
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  fs::rename(path("fifo"), path("server.key"));
  const auto server = make_server(order, {"a.example"}, "server");
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().text.find("server.key can't be written: it is no regular file"),
            std::string::npos)
      << server.error().text;
  EXPECT_TRUE(fs::is_fifo(path("server.key")));
  fs::create_symlink(path("server.key"), path("anna.key"));
  EXPECT_FALSE(make_client(order, "anna"));
  EXPECT_TRUE(fs::is_fifo(path("server.key")));
  fs::create_symlink("/dev/null", path("psk.txt"));
  const auto psk = add_psk(path("psk.txt").string(), "sensor", true);
  ASSERT_FALSE(psk);
  EXPECT_NE(psk.error().text.find("it is no regular file"), std::string::npos) << psk.error().text;
  EXPECT_TRUE(fs::is_symlink(path("psk.txt")));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(leftovers(), std::vector<std::string>{});
}

TEST_F(AuthorityTest, OnlyRegularFilesAreReadAndNobodyIsWaitedFor) {
  fs::create_directory(order.directory);
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  Secret text;
  for (const fs::path& file : {fs::path("/dev/null"), path("fifo")}) {
    EXPECT_EQ(read_file(file, text), file.string() + " can't be read: it is no regular file");
  }
}

TEST_F(AuthorityTest, ALinkStaysOneAndItsTargetIsReplaced) {
  make_ca();
  ASSERT_TRUE(make_server(order, {"a.example"}, "server"));
  fs::create_directory(folder / "elsewhere");
  for (const char* name : {"server.key", "server.crt"}) {
    fs::rename(path(name), folder / "elsewhere" / name);
    fs::create_symlink(folder / "elsewhere" / name, path(name));
  }
  const std::string key = read_text(path("server.key"));
  order.replace = true;
  const auto made = make_server(order, {"b.example"}, "server");
  ASSERT_TRUE(made) << made.error().text;
  for (const char* name : {"server.key", "server.crt"})
    EXPECT_EQ(fs::read_symlink(path(name)), folder / "elsewhere" / name);
  EXPECT_NE(read_text(folder / "elsewhere" / "server.key"), key);
  EXPECT_EQ(verify("server.crt", {.host = "b.example"}), X509_V_OK);
  fs::remove(folder / "elsewhere" / "server.key");
  EXPECT_FALSE(make_server(order, {"b.example"}, "server"));
  EXPECT_TRUE(fs::is_symlink(path("server.key")));
}

TEST_F(AuthorityTest, PskFileIsExtendedAndNothingIsLost) {
  fs::create_directory(order.directory);
  const std::string file = path("psk.txt").string();
  std::ofstream(file) << "# ours\nold:00ff\nsensor-70:1234";  // no end of line
  const auto made = add_psk(file, "sensor-7", false);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->key.view().size(), 2 * kPskBytes);
  EXPECT_EQ(made->key.view().find_first_not_of("0123456789abcdef"), std::string_view::npos);
  const std::string before = "# ours\nold:00ff\nsensor-70:1234\n";
  EXPECT_EQ(read_text(file), before + "sensor-7:" + std::string(made->key.view()) + "\n");

  const auto again = add_psk(file, "sensor-7", false);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().text.find("--force"), std::string::npos);
  const auto replaced = add_psk(file, "sensor-7", true);
  ASSERT_TRUE(replaced);
  EXPECT_TRUE(replaced->replaced);
  EXPECT_NE(replaced->key.view(), made->key.view());
  EXPECT_EQ(read_text(file), before + "sensor-7:" + std::string(replaced->key.view()) + "\n");
}

TEST_F(AuthorityTest, PskIdentitiesAreChecked) {
  for (const std::string& identity :
       {std::string(), std::string("a:b"), std::string("#a"), std::string("a\nb:00"),
        std::string(129, 'a'), std::string(" a"), std::string("\xff")}) {
    const auto made = add_psk(path("psk.txt").string(), identity, false);
    ASSERT_FALSE(made) << identity;
    EXPECT_TRUE(made.error().wrong_usage) << identity;
  }
  EXPECT_FALSE(fs::exists(path("psk.txt")));
  EXPECT_TRUE(add_psk(path("psk.txt").string(), std::string(128, 'a'), false));
}

TEST(SecretTest, KeepsItsBytesAsItGrowsAndMoves) {
  Secret secret;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    secret.append("0123456789");
    expected += "0123456789";
  }
  EXPECT_EQ(secret.view(), expected);
  Secret moved = std::move(secret);
  EXPECT_EQ(moved.view(), expected);
  moved = Secret();
  EXPECT_TRUE(moved.empty());
}

}  // namespace
}  // namespace linnet::tls
