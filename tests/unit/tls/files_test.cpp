#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/certificate.hpp"
#include "unit/tls/peers.hpp"

namespace linnet::tls::test {
namespace {

class FilesTest : public TlsTest {
 protected:
  void use(const std::string& cert, const std::string& key) {
    config_.cert = {cert};
    config_.key = {key};
  }
  [[nodiscard]] std::string cert() const { return folder_.path("server.pem"); }
  [[nodiscard]] std::string key() const { return folder_.path("server.key"); }
};

TEST_F(FilesTest, WithoutACertificateThereIsNoListener) {
  EXPECT_EQ(refusal().rfind("tls.cert is missing", 0), 0U);
}

TEST_F(FilesTest, FilesThatCannotBeReadAreNamed) {
  show_works();
  const auto gone = folder_.path("gone.pem");
  use(gone, key());
  EXPECT_EQ(refusal(), "tls.cert: " + gone + ": cannot be read: No such file or directory");
  use(cert(), gone);
  EXPECT_EQ(refusal(), "tls.cert: " + gone + ": cannot be read: No such file or directory");
  use(folder_.path(""), key());
  EXPECT_NE(refusal().find("is not a plain file"), std::string::npos);
  ASSERT_EQ(::mkfifo(folder_.path("fifo").c_str(), 0600), 0);
  use(folder_.path("fifo"), key());
  EXPECT_NE(refusal().find("is not a plain file"), std::string::npos);
}

TEST_F(FilesTest, FilesThatHoldSomethingElseAreNamed) {
  show_works();
  const auto other = folder_.write("other", "hello\n");
  use(other, key());
  EXPECT_EQ(refusal(), "tls.cert: " + other + ": has no certificate in PEM");
  use(cert(), other);
  EXPECT_EQ(refusal(), "tls.cert: " + other + ": has no private key in PEM");
  auto broken = works_.server.pem();
  broken[100] = '!';
  use(folder_.write("broken.pem", broken), key());
  EXPECT_NE(refusal().find("broken.pem: certificate 1 is broken"), std::string::npos);
  use(folder_.write("broken.pem", works_.server.pem() + broken), key());
  EXPECT_NE(refusal().find("broken.pem: certificate 2 is broken"), std::string::npos);
  broken = works_.server.key_pem();
  broken[60] = '!';
  use(cert(), folder_.write("broken.key", broken));
  EXPECT_NE(refusal().find("broken.key: the private key is broken"), std::string::npos);
}

TEST_F(FilesTest, AKeyWithAPassPhraseIsAnErrorAndNotAQuestion) {
  show_works();
  use(cert(), folder_.write("locked.key", works_.server.key_pem("secret")));
  EXPECT_NE(refusal().find("locked.key: the key has a pass phrase"), std::string::npos);
}

TEST_F(FilesTest, KeyAndCertificateMustBelongTogether) {
  show_works();
  use(cert(), folder_.write("client.key", works_.client.key_pem()));
  EXPECT_EQ(refusal(), "tls.cert: " + cert() + " and " + folder_.path("client.key") +
                           ": the key does not belong to the certificate");
  use(folder_.write("order.pem", works_.authority.pem() + works_.server.pem()), key());
  EXPECT_NE(refusal().find("must come first, is 2 of 2"), std::string::npos) << refusal();
}

TEST_F(FilesTest, OneKeyForEachCertificateOrNone) {
  show_works();
  config_.cert.push_back(cert());
  EXPECT_EQ(refusal().rfind("tls.key: 1 keys for 2 certificates", 0), 0U);
  config_.cert = {folder_.write("both.pem", works_.server.pem() + works_.server.key_pem())};
  config_.key = {};
  const auto context = open();
  Link link(*context, {});
  EXPECT_TRUE(link.opens());
  config_.cert = {cert()};
  EXPECT_EQ(refusal(), "tls.cert: " + cert() + ": has no private key in PEM");
}

TEST_F(FilesTest, TheChainIsShown) {
  const Identity middle({.common_name = "Middle", .is_authority = true}, &works_.authority);
  const Identity server({.common_name = "server"}, &middle);
  use(folder_.write("chain.pem", server.pem() + middle.pem()),
      folder_.write("chain.key", server.key_pem()));
  const auto context = open();
  Link link(*context, {});
  ASSERT_TRUE(link.opens());
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(link.client().ssl())), 2);
}

TEST_F(FilesTest, AnExpiredCertificateIsNamedWithItsDate) {
  const Identity late({.names = "DNS:late.example", .begins_s = -9 * kDay_s, .ends_s = -kDay_s});
  show(late, "late");
  EXPECT_EQ(refusal(), "tls.cert: " + folder_.path("late.pem") +
                           ": the certificate of late.example has expired on " +
                           date_text(std::time(nullptr) - kDay_s) + "; renew it");
  config_.cert.clear();
  config_.key.clear();
  show(Identity({.common_name = "early", .begins_s = kDay_s}), "early");
  EXPECT_NE(refusal().find("early.pem: the certificate of CN=early is not valid before " +
                           date_text(std::time(nullptr) + kDay_s)),
            std::string::npos);
}

TEST(Validity, IsWarnedOf30DaysAhead) {
  const Validity validity{"it", 1'700'000'000, 1'800'000'000};
  EXPECT_EQ(validity_warning(validity, 1'800'000'000 - kWarnAhead_s), "");
  EXPECT_EQ(validity_warning(validity, 1'800'000'000 - kWarnAhead_s + 1),
            "it ends on 2027-01-15, in 29 days; renew it and reload");
  EXPECT_EQ(validity_warning(validity, 1'800'000'000), "it has expired on 2027-01-15; renew it");
  EXPECT_NE(validity_error(validity, 1'800'000'000), "");
  EXPECT_EQ(validity_error(validity, 1'800'000'000 - 1), "");
}

TEST(Validity, IsNoErrorForAClockThatWasNeverSet) {
  const Validity validity{"it", 1'700'000'000, 1'800'000'000};
  EXPECT_EQ(validity_error(validity, 60), "");
  EXPECT_EQ(validity_warning(validity, 60),
            "it is not valid before 2023-11-14, but the clock stands at 1970-01-01 and seems not "
            "to be set");
  EXPECT_EQ(validity_error(validity, 1'690'000'000),
            "it is not valid before 2023-11-14; today is 2023-07-22");
}

TEST_F(FilesTest, FactsAndWarningsAreOfWhatIsShown) {
  show(
      Identity({.names = "DNS:soon.example", .begins_s = -90 * kDay_s, .ends_s = 10 * kDay_s + 60}),
      "soon");
  const auto context = open();
  const auto facts = context->certificates();
  ASSERT_EQ(facts.size(), 1U);
  EXPECT_EQ(facts[0].file, folder_.path("soon.pem"));
  EXPECT_EQ(facts[0].name, "soon.example");
  EXPECT_NEAR(static_cast<double>(facts[0].not_after - std::time(nullptr)), 10 * kDay_s + 60, 60);
  auto warnings = context->warnings(std::time(nullptr));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("in 10 days"), std::string::npos) << warnings[0];
  ASSERT_EQ(::chmod(folder_.path("soon.key").c_str(), 0644), 0);
  std::string error;
  ASSERT_TRUE(context->reload(error));
  warnings = context->warnings(std::time(nullptr) - 30 * kDay_s);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("can be read by everybody"), std::string::npos);
}

TEST_F(FilesTest, WeakKeysAreRefused) {
  show(Identity({.common_name = "weak", .key = linnet::test::KeyKind::rsa_1024}), "weak");
  EXPECT_EQ(refusal(), "tls.cert: " + folder_.path("weak.pem") +
                           ": OpenSSL does not take it: ee key too small; make a stronger one");
}

TEST_F(FilesTest, CiphersThatDoNotExistAreNamed) {
  show_works();
  config_.ciphers = "NONSENSE";
  EXPECT_EQ(refusal().rfind("tls.ciphers: \"NONSENSE\"", 0), 0U) << refusal();
  config_.ciphers = "aNULL";
  EXPECT_EQ(refusal().rfind("tls.ciphers: \"aNULL\"", 0), 0U) << refusal();
  config_.ciphers.clear();
  config_.ciphersuites = "NONSENSE";
  EXPECT_EQ(refusal().rfind("tls.ciphersuites: \"NONSENSE\"", 0), 0U) << refusal();
}

TEST_F(FilesTest, ListsAndAuthoritiesThatAreWrongAreNamed) {
  show_works();
  demand_certificates();
  config_.crl = folder_.write("empty.crl", "");
  EXPECT_NE(refusal().find("empty.crl: has no revocation list"), std::string::npos);
  config_.crl.clear();
  config_.client_ca = folder_.write("empty.pem", "");
  EXPECT_EQ(refusal(),
            "tls.client_ca: " + folder_.path("empty.pem") + ": has no certificate in PEM");
}

TEST_F(FilesTest, AListMayBeInheritedByAListenerThatAsksForNoCertificate) {
  show_works();
  config_.crl = folder_.write("ca.crl", works_.authority.revocation_list({}));
  const auto context = open();
  ASSERT_NE(context, nullptr);
  Link link(*context, {});
  EXPECT_TRUE(link.opens()) << link.channel().fault();
}

TEST_F(FilesTest, AReloadTakesNewFilesAndABadOneChangesNothing) {
  show_works();
  const auto context = open();
  const auto shown = [&] {
    Link link(*context, {});
    EXPECT_TRUE(link.opens()) << link.channel().fault();
    const X509Ptr certificate(SSL_get1_peer_certificate(link.client().ssl()));
    return subject_text(X509_get_subject_name(certificate.get()));
  };
  EXPECT_EQ(shown(), "CN=server");
  const Identity newer({.common_name = "newer"}, &works_.authority);
  folder_.write("server.pem", newer.pem());
  std::string error;
  EXPECT_FALSE(context->reload(error));
  EXPECT_NE(error.find("the key does not belong to the certificate"), std::string::npos);
  EXPECT_EQ(shown(), "CN=server");
  folder_.write("server.key", newer.key_pem());
  EXPECT_TRUE(context->reload(error)) << error;
  EXPECT_EQ(shown(), "CN=newer");
}

}  // namespace
}  // namespace linnet::tls::test
