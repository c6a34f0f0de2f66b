#include <gtest/gtest.h>
#include <string>

#include "tls/psk_file.hpp"
#include "unit/tls/peers.hpp"

namespace linnet::tls::test {
namespace {

const std::string kKey = "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef";
const std::string kKeyHex = "0123456789abcdef0123456789ABCDEF";

std::string fault_of(const std::string& text) {
  std::string error;
  EXPECT_FALSE(PskFile::parse(text, "psk", error).has_value()) << text;
  return error;
}

TEST(PskFile, LinesAreIdentityAndKey) {
  std::string error;
  const auto file = PskFile::parse("# pumps\n\npump:" + kKeyHex + "\r\nvalve 2:00ff", "psk", error);
  ASSERT_TRUE(file.has_value()) << error;
  EXPECT_EQ(file->size(), 2U);
  EXPECT_EQ(file->short_keys(), 1U);
  const auto key = file->find("pump");
  EXPECT_EQ(std::string(key.begin(), key.end()), kKey);
  EXPECT_EQ(file->find("valve 2").size(), 2U);
  EXPECT_TRUE(file->find("pum").empty());
  EXPECT_TRUE(file->find("").empty());
  EXPECT_TRUE(PskFile::parse("", "psk", error)->empty());
}

TEST(PskFile, FaultsNameFileAndLineAndNoKey) {
  EXPECT_EQ(fault_of("a:00\nnonsense\n"),
            "psk, line 2: no colon; a line is identity:hexadecimal key");
  EXPECT_EQ(fault_of(":00"), "psk, line 1: the identity is empty");
  EXPECT_EQ(fault_of("a:"), "psk, line 1: the key is empty");
  EXPECT_EQ(fault_of("a:0x00"), "psk, line 1: the key is not hexadecimal");
  EXPECT_EQ(fault_of("a:000"), "psk, line 1: the key has an odd number of hexadecimal digits");
  EXPECT_EQ(fault_of("a:" + std::string(130, 'a')), "psk, line 1: the key is longer than 64 bytes");
  EXPECT_EQ(fault_of(std::string(129, 'a') + ":00"),
            "psk, line 1: the identity is longer than 128 bytes");
  EXPECT_EQ(fault_of("a:00\na:11"), "psk, line 2: the identity has been given before");
  EXPECT_EQ(fault_of("a\tb:00"), "psk, line 1: the identity is not plain UTF-8");
  EXPECT_EQ(fault_of("\xff:00"), "psk, line 1: the identity is not plain UTF-8");
}

class PskTest : public TlsTest {
 protected:
  PskTest() {
    config_.psk_file =
        folder_.write("psk", "pump:" + kKeyHex + "\nvalve:" + std::string(64, 'a') + "\n");
  }
};

TEST_F(PskTest, AKeyOpensWithoutACertificate) {
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Link link(*context, {.version_max = version, .psk_identity = "pump", .psk_key = kKey});
    EXPECT_TRUE(link.opens()) << link.channel().fault() << link.client().failure();
    EXPECT_EQ(SSL_version(link.client().ssl()), version);
    EXPECT_EQ(link.proof(), net::PeerFacts::Proof::pre_shared_key);
    EXPECT_EQ(link.user(), "pump");
  }
}

TEST_F(PskTest, EveryCipherOfOursWorks) {
  const auto context = open();
  for (const char* cipher :
       {"ECDHE-PSK-CHACHA20-POLY1305", "DHE-PSK-AES128-GCM-SHA256", "DHE-PSK-AES256-GCM-SHA384",
        "PSK-AES128-GCM-SHA256", "PSK-AES256-GCM-SHA384", "PSK-CHACHA20-POLY1305"}) {
    Link link(*context, {.version_max = TLS1_2_VERSION,
                         .psk_identity = "pump",
                         .psk_key = kKey,
                         .ciphers = cipher});
    EXPECT_TRUE(link.opens()) << cipher << ": " << link.channel().fault();
    EXPECT_STREQ(SSL_get_cipher_name(link.client().ssl()), cipher);
  }
}

TEST_F(PskTest, UnknownIdentitiesAndWrongKeysAreRefused) {
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Link stranger(*context, {.version_max = version, .psk_identity = "nobody", .psk_key = kKey});
    EXPECT_FALSE(stranger.opens());
    EXPECT_NE(stranger.channel().fault(), "");
    EXPECT_EQ(stranger.proof(), net::PeerFacts::Proof::none);
    Link liar(*context, {.version_max = version, .psk_identity = "valve", .psk_key = kKey});
    EXPECT_FALSE(liar.opens());
    EXPECT_NE(liar.channel().fault().find("is not the one in tls.psk_file"), std::string::npos)
        << liar.channel().fault();
    EXPECT_EQ(liar.proof(), net::PeerFacts::Proof::none);
    Link certificate(*context, {.version_max = version});
    EXPECT_FALSE(certificate.opens());
  }
}

TEST_F(PskTest, ACertificateMayStandBesideTheKeys) {
  show_works();
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Link key(*context,
             {.version_max = version, .psk_identity = "pump", .psk_key = kKey, .ciphers = "PSK"});
    EXPECT_TRUE(key.opens()) << key.channel().fault();
    EXPECT_EQ(key.user(), "pump");
    Link certificate(*context, {.version_max = version});
    EXPECT_TRUE(certificate.opens()) << certificate.channel().fault();
    EXPECT_EQ(certificate.proof(), net::PeerFacts::Proof::none);
  }
}

// The identity is named but, with a cipher of another hash, not proved.
TEST_F(PskTest, AnIdentityThatIsNotProvedIsNotBelieved) {
  show_works();
  const auto context = open();
  Link link(*context, {.version_min = TLS1_3_VERSION,
                       .psk_identity = "pump",
                       .psk_key = "wrong",
                       .ciphersuites = "TLS_AES_256_GCM_SHA384"});
  link.settle();
  EXPECT_EQ(link.proof(), net::PeerFacts::Proof::none);
  EXPECT_EQ(link.user(), "");
}

TEST_F(PskTest, AResumedSessionKeepsItsIdentity) {
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Link first(*context, {.version_max = version, .psk_identity = "pump", .psk_key = kKey});
    ASSERT_TRUE(first.opens()) << first.channel().fault();
    ASSERT_NE(first.client().session(), nullptr);
    Link again(*context, {.version_max = version,
                          .psk_identity = version == TLS1_2_VERSION ? "pump" : "",
                          .psk_key = kKey,
                          .session = first.client().session()});
    EXPECT_TRUE(again.opens()) << again.channel().fault() << again.client().failure();
    EXPECT_EQ(SSL_session_reused(again.client().ssl()), 1);
    EXPECT_EQ(again.user(), "pump");
  }
}

TEST_F(PskTest, CiphersuitesThatNoKeyGoesWithAreAnError) {
  config_.ciphersuites = "TLS_AES_256_GCM_SHA384";
  EXPECT_NE(open(), nullptr) << "TLS 1.2 is left";
  config_.version_min = TlsVersion::v1_3;
  EXPECT_EQ(refusal().rfind("tls.ciphersuites: \"TLS_AES_256_GCM_SHA384\": no key", 0), 0U);
  config_.ciphersuites += ":TLS_CHACHA20_POLY1305_SHA256";
  const auto context = open();
  Link link(*context, {.psk_identity = "pump", .psk_key = kKey});
  EXPECT_TRUE(link.opens()) << link.channel().fault() << link.client().failure();
}

TEST_F(PskTest, ShortKeysAreWarnedOfAndAnEmptyFileIsAnError) {
  folder_.write("psk", "a:00\nb:11\n");
  const auto warnings = open()->warnings(std::time(nullptr));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0],
            config_.psk_file + ": 2 keys are shorter than 16 bytes and may be guessed");
  folder_.write("psk", "# none\n");
  EXPECT_EQ(refusal(), "tls.psk_file: " + config_.psk_file + ": has no keys");
}

}  // namespace
}  // namespace linnet::tls::test
