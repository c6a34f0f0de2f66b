#include <gtest/gtest.h>
#include <string>

#include "tls/peer_name.hpp"
#include "unit/tls/peers.hpp"

namespace linnet::tls::test {
namespace {

using Proof = net::PeerFacts::Proof;

class ClientCertificateTest : public TlsTest {
 protected:
  ClientCertificateTest() {
    show_works();
    demand_certificates();
  }

  // Why a client with this certificate is refused, in both versions; empty if it is not.
  std::string fault_of(const Identity* identity) {
    const auto context = open();
    std::string fault;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      Link link(*context, {.version_max = version, .identity = identity});
      if (chain_ != nullptr) SSL_add1_chain_cert(link.client().ssl(), chain_->certificate());
      const bool is_open = link.opens();
      EXPECT_EQ(is_open, link.channel().fault().empty());
      EXPECT_EQ(link.state() == State::failed, !is_open);
      EXPECT_EQ(is_open ? Proof::none : link.proof(), Proof::none);
      EXPECT_EQ(version == TLS1_3_VERSION ? fault : link.channel().fault(), link.channel().fault());
      fault = link.channel().fault();
    }
    return fault;
  }
  const Identity* chain_ = nullptr;  // sent by the client, too
  Identity client(linnet::test::CertificateSpec spec) const {
    return Identity(spec, &works_.authority);
  }
  std::string user_of(const Identity& identity) {
    const auto context = open();
    Link link(*context, {.identity = &identity});
    EXPECT_TRUE(link.opens()) << link.channel().fault();
    EXPECT_EQ(link.proof(), Proof::certificate);
    return link.user();
  }
};

TEST_F(ClientCertificateTest, AGoodOneGivesItsName) {
  EXPECT_EQ(fault_of(&works_.client), "");
  EXPECT_EQ(user_of(works_.client), "pump");
}

TEST_F(ClientCertificateTest, NoneIsRefusedUnlessItIsOptional) {
  EXPECT_EQ(fault_of(nullptr),
            "the client sent no certificate, and this listener demands one "
            "(tls.client_certificate)");
  config_.client_certificate = ClientCertificate::optional;
  EXPECT_EQ(fault_of(nullptr), "");
  EXPECT_EQ(user_of(works_.client), "pump");
  const Identity alien({.common_name = "pump"});
  EXPECT_NE(fault_of(&alien), "");
}

TEST_F(ClientCertificateTest, OneOfAnotherAuthorityIsRefused) {
  const Identity other({.common_name = "Other works", .is_authority = true});
  const Identity alien({.common_name = "pump"}, &other);
  EXPECT_EQ(fault_of(&alien),
            "the client's certificate (CN=pump) is signed by CN=Other works, which is no "
            "authority of tls.client_ca");
}

TEST_F(ClientCertificateTest, ExpiredAndEarlyOnesAreRefusedWithTheirDate) {
  const auto late = client({.common_name = "late", .begins_s = -9 * kDay_s, .ends_s = -kDay_s});
  EXPECT_EQ(fault_of(&late), "the client's certificate (CN=late) has expired on " +
                                 date_text(std::time(nullptr) - kDay_s));
  const auto early = client({.common_name = "early", .begins_s = 2 * kDay_s});
  EXPECT_NE(fault_of(&early).find("is not valid before"), std::string::npos);
}

TEST_F(ClientCertificateTest, AServersCertificateIsNoClients) {
  const auto server = client({.common_name = "server", .usage = "serverAuth"});
  EXPECT_NE(fault_of(&server).find("is not made for clients"), std::string::npos);
}

TEST_F(ClientCertificateTest, RevokedOnesAreRefused) {
  const auto stolen = client({.common_name = "stolen"});
  config_.crl = folder_.write("ca.crl", works_.authority.revocation_list({&stolen}));
  EXPECT_EQ(fault_of(&stolen), "the client's certificate (CN=stolen) has been revoked (tls.crl)");
  EXPECT_EQ(fault_of(&works_.client), "");
}

TEST_F(ClientCertificateTest, WithoutAGoodListNobodyPasses) {
  config_.crl = folder_.write("ca.crl", works_.authority.revocation_list({}, -kDay_s));
  EXPECT_NE(fault_of(&works_.client).find("has expired: get a newer one"), std::string::npos);
  const auto warnings = open()->warnings(std::time(nullptr));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("the revocation list of CN=Test works has expired on"),
            std::string::npos)
      << warnings[0];
  const Identity other({.common_name = "Other works", .is_authority = true});
  config_.crl = folder_.write("ca.crl", other.revocation_list({}));
  EXPECT_NE(fault_of(&works_.client).find("tls.crl has no list of CN=Test works"),
            std::string::npos);
}

// The client may send the intermediate authority, or we may have it.
TEST_F(ClientCertificateTest, ARevokedIntermediateAuthorityIsNotBelieved) {
  const Identity middle({.common_name = "Middle", .is_authority = true}, &works_.authority);
  const Identity pump({.common_name = "pump2"}, &middle);
  const auto root = config_.client_ca;
  for (const bool is_ours : {false, true}) {
    config_.client_ca =
        is_ours ? folder_.write("both.pem", middle.pem() + works_.authority.pem()) : root;
    chain_ = is_ours ? nullptr : &middle;
    config_.crl = folder_.write("ca.crl", middle.revocation_list({}));
    EXPECT_EQ(fault_of(&pump), "") << "nobody keeps a list about it";
    const auto both = [&](const std::vector<const Identity*>& revoked) {
      return middle.revocation_list({}) + works_.authority.revocation_list(revoked);
    };
    config_.crl = folder_.write("ca.crl", both({}));
    EXPECT_EQ(fault_of(&pump), "");
    config_.crl = folder_.write("ca.crl", both({&middle}));
    EXPECT_EQ(fault_of(&pump), "the authority (CN=Middle) has been revoked (tls.crl)");
    EXPECT_EQ(fault_of(&works_.client), "");
    // But the client's own authority needs one.
    config_.crl = folder_.write("ca.crl", works_.authority.revocation_list({}));
    EXPECT_EQ(fault_of(&pump),
              "tls.crl has no list of CN=Middle, which has signed the client's certificate "
              "(CN=pump2)");
  }
}

TEST_F(ClientCertificateTest, AuthoritiesMayBeAFolderOrAnIntermediateOne) {
  const Identity middle({.common_name = "Middle", .is_authority = true}, &works_.authority);
  const Identity pump({.common_name = "pump2"}, &middle);
  std::filesystem::create_directory(folder_.path("ca"));
  config_.client_ca = folder_.path("ca");
  EXPECT_NE(refusal().find("has no *.pem, *.crt or *.cer file"), std::string::npos);
  folder_.write("ca/README", "not a certificate");
  folder_.write("ca/middle.crt", middle.pem());
  EXPECT_EQ(fault_of(&pump), "");
  EXPECT_NE(fault_of(&works_.client), "");
  folder_.write("ca/root.pem", works_.authority.pem());
  EXPECT_EQ(fault_of(&works_.client), "");
}

TEST_F(ClientCertificateTest, TheNameComesFromWhereItIsConfigured) {
  const auto rich = client({.common_name = "pump",
                            .organisation = "Works",
                            .names = "DNS:pump.example,email:pump@works.example,IP:10.0.0.1"});
  EXPECT_EQ(user_of(rich), "pump");
  config_.identity = CertificateName::subject;
  EXPECT_EQ(user_of(rich), "O=Works,CN=pump");
  config_.identity = CertificateName::san;
  EXPECT_EQ(user_of(rich), "pump@works.example");
  EXPECT_EQ(user_of(client({.names = "IP:10.0.0.1,URI:urn:a,DNS:a.example"})), "a.example");
  EXPECT_EQ(user_of(client({.names = "IP:10.0.0.1,URI:urn:a"})), "urn:a");
  EXPECT_EQ(user_of(client({.names = "IP:10.0.0.1"})), "10.0.0.1");
  EXPECT_EQ(user_of(client({.names = "IP:2001:db8::1"})), "2001:db8::1");
  config_.identity = CertificateName::none;
  EXPECT_EQ(user_of(rich), "");
}

TEST_F(ClientCertificateTest, OneWithoutTheNameIsRefused) {
  const auto nameless = client({.organisation = "Works"});
  EXPECT_EQ(fault_of(&nameless),
            "the client's certificate has no common name that can be a user name (tls.identity)");
  config_.identity = CertificateName::san;
  EXPECT_NE(fault_of(&works_.client).find("no subject alternative name"), std::string::npos);
  config_.identity = CertificateName::none;
  EXPECT_EQ(fault_of(&nameless), "");
}

TEST_F(ClientCertificateTest, NamesThatCannotBeUserNamesAreRefused) {
  using std::string_literals::operator""s;
  for (const auto& name : {"pump\0admin"s, "pump\nadmin"s, "pump\x7f"s}) {
    const auto bad = client({.common_name = name});
    EXPECT_EQ(peer_name(*bad.certificate(), CertificateName::cn), std::nullopt);
    EXPECT_NE(fault_of(&bad), "") << name;
  }
  const auto foreign = client({.common_name = "Pümpe"});
  EXPECT_EQ(user_of(foreign), "Pümpe");
}

}  // namespace
}  // namespace linnet::tls::test
