#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <thread>

#include "unit/tls/authority_fixture.hpp"

namespace linnet::tls {
namespace {

TEST_F(AuthorityTest, ServerIsBelievedUnderItsNamesOnly) {
  make_ca();
  const auto made = make_server(
      order, {"broker.example", "192.0.2.7", "2001:db8::7", "*.home.example"}, "server");
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->certificate, path("server.crt"));
  EXPECT_FALSE(made->cut_short);
  EXPECT_EQ(verify("server.crt", {.host = "broker.example"}), X509_V_OK);
  EXPECT_EQ(verify("server.crt", {.host = "lamp.home.example"}), X509_V_OK);
  EXPECT_EQ(verify("server.crt", {.address = "192.0.2.7"}), X509_V_OK);
  EXPECT_EQ(verify("server.crt", {.address = "2001:db8::7"}), X509_V_OK);
  EXPECT_EQ(verify("server.crt", {.host = "other.example"}), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify("server.crt", {.host = "192.0.2.7"}), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify("server.crt", {.address = "192.0.2.8"}), X509_V_ERR_IP_ADDRESS_MISMATCH);
  EXPECT_EQ(verify("server.crt", {.purpose = X509_PURPOSE_SSL_CLIENT}), X509_V_ERR_INVALID_PURPOSE);
}

TEST_F(AuthorityTest, ClientIsAClientAndNoServer) {
  make_ca();
  const auto made = make_client(order, "Ännä 7");
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(verify("Ännä 7.crt", {.purpose = X509_PURPOSE_SSL_CLIENT}), X509_V_OK);
  EXPECT_EQ(verify("Ännä 7.crt", {}), X509_V_ERR_INVALID_PURPOSE);
  const auto shown = summaries(made->certificate);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->front().subject, "CN=Ännä 7");
  EXPECT_EQ(shown->front().issuer, "CN=Test CA");
  EXPECT_EQ(shown->front().uses, std::vector<std::string>{"client"});
}

TEST_F(AuthorityTest, WhatAServerSignsIsNotBelieved) {
  make_ca();
  ASSERT_TRUE(make_server(order, {"a.example"}, "server"));
  // The server's pair as somebody's authority.
  Order forged = order;
  forged.directory = (folder / "forged").string();
  fs::create_directory(forged.directory);
  fs::copy(path("server.crt"), fs::path(forged.directory) / "ca.crt");
  fs::copy(path("server.key"), fs::path(forged.directory) / "ca.key");
  const auto made = make_client(forged, "anna");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text.find("not the certificate of an authority"), std::string::npos);
}

TEST_F(AuthorityTest, ValidFromAnHourAgoAndNotBeyondTheAuthority) {
  make_ca(10);
  const auto made = make_server(with_days(30), {"a.example"}, "server");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->cut_short);
  const auto ca = summaries(path("ca.crt").string());
  const auto server = summaries(made->certificate);
  EXPECT_EQ(ca->front().not_before, kNow - 3600);
  EXPECT_EQ(ca->front().not_after, kNow - 3600 + 10 * kDay_s - 1);
  EXPECT_EQ(server->front().not_before, kNow - 3600);
  EXPECT_EQ(server->front().not_after, ca->front().not_after);
  EXPECT_EQ(made->not_after, ca->front().not_after);
  EXPECT_EQ(verify("server.crt", {.at = kNow + 9 * kDay_s}), X509_V_OK);
  EXPECT_EQ(verify("server.crt", {.at = kNow + 11 * kDay_s}), X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(verify("server.crt", {.at = kNow - 7200}), X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST_F(AuthorityTest, AnExpiredAuthoritySignsNothing) {
  make_ca(10);
  order.now += 11 * kDay_s;
  const auto made = make_client(order, "anna");
  ASSERT_FALSE(made);
  EXPECT_FALSE(made.error().wrong_usage);
  EXPECT_NE(made.error().text.find("has expired on 2027-01-25"), std::string::npos)
      << made.error().text;
  EXPECT_FALSE(fs::exists(path("anna.key")));
}

TEST_F(AuthorityTest, AClockOf1970SignsNothing) {
  order.now = 86'400;
  const auto made = make_authority(order, "Test CA");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text.find("1970-01-02"), std::string::npos) << made.error().text;
}

TEST_F(AuthorityTest, AKeyAndItsCertificateBelongTogether) {
  make_ca();
  for (const KeyKind kind : {KeyKind::ecdsa_p256, KeyKind::rsa_3072}) {
    order.key_kind = kind;
    order.replace = true;
    ASSERT_TRUE(make_server(order, {"a.example"}, "server"));
    EXPECT_TRUE(is_pair("server"));
    const X509Owner certificate = read_x509(path("server.crt"));
    const bool rsa = kind == KeyKind::rsa_3072;
    EXPECT_EQ(summaries(path("server.crt").string())->front().key,
              rsa ? "RSA 3072" : "ECDSA P-256");
    EXPECT_EQ((X509_get_key_usage(certificate.get()) & KU_KEY_ENCIPHERMENT) != 0, rsa);
  }
}

TEST_F(AuthorityTest, SerialNumbersAre128RandomBits) {
  make_ca();
  order.replace = true;
  std::set<std::string> seen;
  std::size_t longest = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(make_client(order, "anna"));
    const std::string serial = summaries(path("anna.crt").string())->front().serial;
    EXPECT_TRUE(seen.insert(serial).second);
    longest = std::max(longest, serial.size());
  }
  EXPECT_EQ(longest, 32U);
}

TEST_F(AuthorityTest, RevokedIsRevokedAndTheOthersAreNot) {
  make_ca();
  const auto anna = make_client(order, "anna");
  const auto bert = make_client(order, "bert");
  ASSERT_TRUE(anna && bert);
  const Check check{.purpose = X509_PURPOSE_SSL_CLIENT, .revocation = true};
  const auto empty = revoke(order, {});
  ASSERT_TRUE(empty) << empty.error().text;
  EXPECT_EQ(empty->count, 0U);
  EXPECT_EQ(verify("anna.crt", check), X509_V_OK);

  const auto first = revoke(order, std::vector<std::string>{anna->certificate});
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_EQ(first->count, 1U);
  EXPECT_EQ(first->number, "02");
  EXPECT_EQ(verify("anna.crt", check), X509_V_ERR_CERT_REVOKED);
  EXPECT_EQ(verify("bert.crt", check), X509_V_OK);

  const auto both = revoke(order, std::vector<std::string>{anna->certificate, bert->certificate});
  ASSERT_TRUE(both) << both.error().text;
  EXPECT_EQ(both->already, std::vector<std::string>{anna->certificate});
  EXPECT_EQ(both->count, 2U);
  EXPECT_EQ(both->number, "03");
  EXPECT_EQ(verify("anna.crt", check), X509_V_ERR_CERT_REVOKED);
  EXPECT_EQ(verify("bert.crt", check), X509_V_ERR_CERT_REVOKED);
}

TEST_F(AuthorityTest, AListHasItsTime) {
  make_ca(100);
  ASSERT_TRUE(make_client(with_days(90), "anna"));
  ASSERT_TRUE(revoke(with_days(10), {}));
  Check check{.purpose = X509_PURPOSE_SSL_CLIENT, .revocation = true};
  check.at = kNow + 11 * kDay_s;
  EXPECT_EQ(verify("anna.crt", check), X509_V_ERR_CRL_HAS_EXPIRED);
  // As long as the authority, if nothing else is asked for; and never longer.
  for (const int days : {0, 5000}) {
    const auto list = revoke(with_days(days), {});
    ASSERT_TRUE(list);
    EXPECT_EQ(list->next_update, kNow - 3600 + 100 * kDay_s - 1);
    EXPECT_EQ(verify("anna.crt", check), X509_V_OK);
  }
}

TEST_F(AuthorityTest, OnlyItsOwnCertificatesAreRevoked) {
  make_ca();
  Order other = order;
  other.directory = (folder / "other").string();
  ASSERT_TRUE(make_authority(other, "Test CA"));  // the same name, another key
  const auto stranger = make_client(other, "anna");
  ASSERT_TRUE(stranger);
  const auto refused = revoke(order, std::vector<std::string>{stranger->certificate});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("not signed by this authority"), std::string::npos);
  const auto itself = revoke(order, std::vector<std::string>{path("ca.crt").string()});
  ASSERT_FALSE(itself);
  EXPECT_NE(itself.error().text.find("is the authority itself"), std::string::npos);
  EXPECT_FALSE(fs::exists(path("ca.crl")));

  ASSERT_TRUE(revoke(other, {}));
  fs::copy(fs::path(other.directory) / "ca.crl", path("ca.crl"));
  const auto foreign = revoke(order, {});
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().text.find("another authority"), std::string::npos);
}

TEST_F(AuthorityTest, TwoThatRevokeAtOnceBothSucceed) {
  make_ca();
  std::vector<std::string> files;
  for (int i = 0; i < 8; ++i) {
    const auto made = make_client(order, "client" + std::to_string(i));
    ASSERT_TRUE(made);
    files.push_back(made->certificate);
  }
  std::vector<std::thread> threads;
  for (const std::string& file : files) {
    threads.emplace_back([this, &file] { EXPECT_TRUE(revoke(order, {&file, 1})); });
  }
  for (std::thread& thread : threads)
    thread.join();
  const auto list = revoke(order, {});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->count, files.size());
  EXPECT_EQ(list->number, "09");
}

TEST_F(AuthorityTest, WhatWasReplacedCanBeRevoked) {
  make_ca();
  const auto first = make_client(order, "anna");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kept, "");
  const std::string serial = summaries(first->certificate)->front().serial;
  const std::string text = read_text(first->certificate);
  order.replace = true;
  const auto second = make_client(order, "anna");
  ASSERT_TRUE(second) << second.error().text;
  EXPECT_EQ(second->kept, path("anna-" + serial + ".crt"));
  EXPECT_EQ(read_text(second->kept), text);
  EXPECT_EQ(mode_of(second->kept), 0644U);
  ASSERT_TRUE(revoke(order, std::vector<std::string>{second->kept}));
  const Check check{.purpose = X509_PURPOSE_SSL_CLIENT, .revocation = true};
  EXPECT_EQ(verify("anna-" + serial + ".crt", check), X509_V_ERR_CERT_REVOKED);
  EXPECT_EQ(verify("anna.crt", check), X509_V_OK);
}

TEST_F(AuthorityTest, WhatCannotBeRevokedIsNotKept) {
  make_ca();
  order.replace = true;
  std::ofstream(path("anna.crt")) << "nonsense";
  const auto anna = make_client(order, "anna");
  ASSERT_TRUE(anna) << anna.error().text;
  EXPECT_EQ(anna->kept, "");
  // Whoever trusts the folder would believe a former authority for ever.
  const auto authority = make_authority(order, "Test CA");
  ASSERT_TRUE(authority);
  EXPECT_EQ(authority->kept, "");
}

TEST_F(AuthorityTest, ThoseThatRenewAtOnceDoItInTurn) {
  make_ca();
  order.replace = true;
  constexpr int kTimes = 8;
  std::vector<std::thread> threads;
  for (int i = 0; i < kTimes; ++i)
    threads.emplace_back([this] { EXPECT_TRUE(make_client(order, "anna")); });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_TRUE(is_pair("anna"));
  int kept = 0;
  for (const auto& entry : fs::directory_iterator(order.directory))
    kept += entry.path().filename().string().starts_with("anna-") ? 1 : 0;
  EXPECT_EQ(kept, kTimes - 1);
}

TEST_F(AuthorityTest, ADamagedAuthorityIsNamed) {
  const auto fails_with = [&](const std::string& text) {
    const auto made = make_client(order, "anna");
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().text.find(text), std::string::npos) << made.error().text;
  };
  fails_with("there is no authority in");
  make_ca();
  const std::string key = read_text(path("ca.key"));
  std::ofstream(path("ca.key")) << key.substr(0, key.size() / 2);
  fails_with("ca.key holds no key");
  Order other = order;
  other.directory = (folder / "other").string();
  ASSERT_TRUE(make_authority(other, "Other CA"));
  fs::copy(fs::path(other.directory) / "ca.key", path("ca.key"),
           fs::copy_options::overwrite_existing);
  fails_with("do not belong together");
  fs::remove(path("ca.key"));
  fails_with("ca.key can't be read: No such file");
  std::ofstream(path("ca.crt")) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  fails_with("ca.crt holds no certificate");
}

TEST_F(AuthorityTest, NamesThatMakeNoSenseAreRefused) {
  make_ca();
  const std::string long_label(64, 'a');
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a..b"), std::string("-a"),
        std::string("mqtts://a"), std::string("a:8883"), std::string("[::1]"),
        std::string("300.1.2.3"), std::string("*"), std::string("*.example"),
        std::string("a.*.example"), std::string("a.example."), std::string("a\nb"),
        std::string("bücher.example"), std::string("fe80::1%eth0"), long_label,
        std::string("a\0b", 3)}) {
    const auto made = make_server(order, {"good.example", name}, "server");
    ASSERT_FALSE(made) << name;
    EXPECT_TRUE(made.error().wrong_usage) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string(".."), std::string(".hidden"),
        std::string("ca"), std::string("a\x1b[31m"), std::string("a\x7f"), std::string("\xc2\x85"),
        std::string("\xff"), std::string(65, 'a'), std::string(" a"), std::string("a\0b", 3)}) {
    const auto made = make_client(order, name);
    ASSERT_FALSE(made) << name;
    EXPECT_TRUE(made.error().wrong_usage) << name;
  }
  EXPECT_TRUE(make_client(order, std::string(64, 'a')));
  EXPECT_FALSE(make_server(order, {}, "server"));
  EXPECT_FALSE(make_server(order, {"a.example"}, "ca"));
  EXPECT_FALSE(make_server(order, {"a.example"}, "../server"));
  EXPECT_TRUE(make_server(with_days(kServerDays), {"a.example"}, "server"));
  order.replace = true;
  for (const int days : {-1, 0, kServerDays + 1})
    EXPECT_TRUE(make_server(with_days(days), {"a.example"}, "server").error().wrong_usage) << days;
}

TEST_F(AuthorityTest, LongNamesStillFit) {
  make_ca();
  const std::string name = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
  ASSERT_TRUE(make_server(order, {name}, "server"));
  EXPECT_EQ(verify("server.crt", {.host = name}), X509_V_OK);
  EXPECT_EQ(summaries(path("server.crt").string())->front().subject, "CN=server");
}

TEST_F(AuthorityTest, SummariesOfChainsAndOfNonsense) {
  make_ca();
  ASSERT_TRUE(make_server(order, {"a.example", "::1"}, "server"));
  const std::string both = read_text(path("server.crt")) + read_text(path("ca.crt"));
  std::ofstream(path("chain.pem")) << both;
  const auto chain = summaries(path("chain.pem").string());
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->size(), 2U);
  const std::vector<std::string> names = {"DNS:a.example", "IP:::1"};
  EXPECT_EQ(chain->at(0).names, names);
  EXPECT_EQ(chain->at(0).fingerprint.size(), 32U * 3 - 1);
  EXPECT_EQ(chain->at(1).uses, std::vector<std::string>{"authority"});

  const X509Owner certificate = read_x509(path("ca.crt"));
  const BioOwner der(BIO_new_file(path("ca.der").c_str(), "w"), &BIO_free);
  ASSERT_EQ(i2d_X509_bio(der.get(), certificate.get()), 1);
  BIO_flush(der.get());
  ASSERT_TRUE(summaries(path("ca.der").string()));

  const auto key = summaries(path("ca.key").string());
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().text.find("is a private key"), std::string::npos);
  // The second one of a chain is damaged: that is not to be passed over.
  std::ofstream(path("chain.pem")) << both.substr(0, both.size() - 60);
  EXPECT_FALSE(summaries(path("chain.pem").string()));
  std::ofstream(path("empty.pem")) << "";
  EXPECT_FALSE(summaries(path("empty.pem").string()));
  EXPECT_FALSE(summaries(path("nowhere.pem").string()));
  EXPECT_FALSE(summaries(order.directory));
}

TEST(NamesOfThisMachine, HaveLoopbackAndMakeACertificate) {
  const std::vector<std::string> names = names_of_this_machine();
  for (const char* name : {"localhost", "127.0.0.1", "::1"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
  EXPECT_LE(names.size(), kServerNamesMax);
  EXPECT_LE(default_authority_name().size(), kCommonNameMax);
}

}  // namespace
}  // namespace linnet::tls
