#include <gtest/gtest.h>
#include <string>

#include "unit/tls/peers.hpp"

namespace linnet::tls::test {
namespace {

struct ResponseSpec {
  const X509* about = nullptr;
  const EVP_MD* digest = EVP_sha1();
  int verdict = V_OCSP_CERTSTATUS_GOOD;
  long begins_s = -7200;  // from now
  long ends_s = 7200;
};

class StapleTest : public TlsTest {
 protected:
  /// The listener's file holds the issuer, too.
  void show_chain() {
    show_works();
    folder_.write("server.pem", works_.server.pem() + works_.authority.pem());
  }
  void staple(const std::string& bytes) { config_.ocsp_staple = folder_.write("staple", bytes); }
  std::string response(const ResponseSpec& spec) const {
    const X509* about = spec.about != nullptr ? spec.about : works_.server.certificate();
    const OcspBasicPtr basic(OCSP_BASICRESP_new());
    const OcspIdPtr id(OCSP_cert_to_id(spec.digest, about, works_.authority.certificate()));
    ASN1_TIME* from = X509_gmtime_adj(nullptr, spec.begins_s);
    ASN1_TIME* until = X509_gmtime_adj(nullptr, spec.ends_s);
    OCSP_basic_add1_status(basic.get(), id.get(), spec.verdict, 0, nullptr, from, until);
    OCSP_basic_sign(basic.get(), works_.authority.certificate(), works_.authority.key(),
                    EVP_sha256(), nullptr, 0);
    const OcspResponsePtr made(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_RESPONSE(made.get(), &der);
    std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return text;
  }
  std::string shown_by(const ServerContext& context, int version = TLS1_3_VERSION) {
    Link link(context, {.version_max = version});
    SSL_set_tlsext_status_type(link.client().ssl(), TLSEXT_STATUSTYPE_ocsp);
    EXPECT_TRUE(link.opens()) << link.channel().fault();
    const unsigned char* der = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(link.client().ssl(), &der);
    if (size < 0) return {};
    return {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
  }
  /// Of a response that is not shown.
  std::string warning() {
    const auto context = open();
    EXPECT_EQ(shown_by(*context), "");
    const auto warnings = context->warnings(std::time(nullptr));
    EXPECT_EQ(warnings.size(), 1U);
    return warnings.empty() ? "" : warnings.front();
  }
};

TEST_F(StapleTest, IsShownWithItsCertificate) {
  show_works();
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha256()}) {
    const auto good = response({.digest = digest});
    staple(good);
    const auto context = open();
    EXPECT_EQ(shown_by(*context, TLS1_2_VERSION), good);
    EXPECT_EQ(shown_by(*context, TLS1_3_VERSION), good);
    EXPECT_TRUE(context->warnings(std::time(nullptr)).empty());
    folder_.write("server.pem", works_.server.pem() + works_.authority.pem());
  }
}

TEST_F(StapleTest, WhatIsNoGoodResponseIsAnError) {
  show_chain();
  staple("nonsense");
  EXPECT_EQ(refusal(), "tls.ocsp_staple: " + config_.ocsp_staple + ": is no OCSP response in DER");
  // The responder says "try later".
  staple(std::string("\x30\x03\x0a\x01\x03", 5));
  EXPECT_NE(refusal().find("did not answer: trylater"), std::string::npos) << refusal();
  staple(response({.verdict = V_OCSP_CERTSTATUS_UNKNOWN}));
  EXPECT_NE(refusal().find("the certificate's status is unknown"), std::string::npos) << refusal();
}

TEST_F(StapleTest, OneThatIsNotOfTodayIsAWarning) {
  show_chain();
  staple(response({.ends_s = -3600}));
  EXPECT_NE(warning().find("has expired on"), std::string::npos);
  staple(response({.begins_s = 3600}));
  EXPECT_NE(warning().find("is not valid before"), std::string::npos);
}

TEST_F(StapleTest, OneAboutAnotherCertificateIsAWarning) {
  show_chain();
  staple(response({.about = works_.client.certificate()}));
  EXPECT_EQ(warning(), config_.ocsp_staple + ": the OCSP response is not about " +
                           folder_.path("server.pem") +
                           " and is not shown; get a newer one and reload");
}

}  // namespace
}  // namespace linnet::tls::test
