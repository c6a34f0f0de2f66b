#include <gtest/gtest.h>
#include <string>
#include <thread>

#include "tls/hello.hpp"
#include "unit/tls/peers.hpp"

namespace linnet::tls::test {
namespace {

class ResumptionTest : public TlsTest {
 protected:
  ResumptionTest() { show_works(); }

  struct Outcome {
    bool is_open = false;
    bool is_reused = false;
    std::string user = {};
    std::string fault = {};
  };
  // A first connection, `between`, and a second one with the first one's session.
  template <class Between>
  Outcome resume(ServerContext& context, ClientSpec spec, Between between) {
    Link first(context, spec);
    EXPECT_TRUE(first.opens()) << first.channel().fault();
    spec.session = first.client().session();
    EXPECT_NE(spec.session, nullptr);
    between();
    Link second(context, spec);
    Outcome outcome{.is_open = second.opens()};
    outcome.is_reused = SSL_session_reused(second.client().ssl()) == 1;
    outcome.user = second.user();
    outcome.fault = second.channel().fault();
    return outcome;
  }
};

TEST_F(ResumptionTest, TicketsResume) {
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto outcome = resume(*context, {.version_max = version}, [] {});
    EXPECT_TRUE(outcome.is_open) << outcome.fault;
    EXPECT_TRUE(outcome.is_reused);
  }
}

TEST_F(ResumptionTest, WithSeveralCertificatesAndANameToo) {
  show(Identity({.common_name = "two", .names = "DNS:two.example"}), "two");
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto outcome = resume(*context, {.version_max = version, .host = "two.example"}, [] {});
    EXPECT_TRUE(outcome.is_open) << outcome.fault;
    EXPECT_TRUE(outcome.is_reused);
  }
}

TEST_F(ResumptionTest, NoTicketsIfNotWanted) {
  config_.session_tickets = false;
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Link link(*context, {.version_max = version});
    ASSERT_TRUE(link.opens());
    const auto* session = link.client().session();
    EXPECT_TRUE(session == nullptr || SSL_SESSION_has_ticket(session) == 0);
  }
}

TEST_F(ResumptionTest, TheCertificateStaysKnown) {
  demand_certificates();
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto outcome =
        resume(*context, {.version_max = version, .identity = &works_.client}, [] {});
    EXPECT_TRUE(outcome.is_open) << outcome.fault;
    EXPECT_TRUE(outcome.is_reused);
    EXPECT_EQ(outcome.user, "pump");
  }
}

TEST_F(ResumptionTest, AfterAReloadEverybodyIsVerifiedAnew) {
  demand_certificates();
  const auto context = open();
  std::string error;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto outcome = resume(*context, {.version_max = version, .identity = &works_.client},
                                [&] { EXPECT_TRUE(context->reload(error)) << error; });
    EXPECT_TRUE(outcome.is_open) << outcome.fault;
    EXPECT_FALSE(outcome.is_reused);
    EXPECT_EQ(outcome.user, "pump");
  }
}

TEST_F(ResumptionTest, ARevokedClientsTicketIsWorthNothingAfterAReload) {
  demand_certificates();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    config_.crl = folder_.write("ca.crl", works_.authority.revocation_list({}));
    const auto context = open();
    std::string error;
    const auto outcome =
        resume(*context, {.version_max = version, .identity = &works_.client}, [&] {
          folder_.write("ca.crl", works_.authority.revocation_list({&works_.client}));
          EXPECT_TRUE(context->reload(error)) << error;
        });
    EXPECT_FALSE(outcome.is_open);
    EXPECT_NE(outcome.fault.find("has been revoked"), std::string::npos) << outcome.fault;
  }
}

// An authority that has ended is no client's any more; which one it was, a session does not say.
TEST_F(ResumptionTest, WhatEndsMeanwhileIsVerifiedAnew) {
  const Identity old({.common_name = "Old works",
                      .is_authority = true,
                      .begins_s = -9 * kDay_s,
                      .ends_s = -kDay_s});
  demand_certificates();
  for (const bool by_list : {false, true}) {
    if (by_list) {
      demand_certificates();
      config_.crl = folder_.write(
          "ca.crl", works_.authority.revocation_list({}) + old.revocation_list({}, -kDay_s));
    } else {
      config_.client_ca = folder_.write("all.pem", works_.authority.pem() + old.pem());
    }
    const auto context = open();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const auto outcome =
          resume(*context, {.version_max = version, .identity = &works_.client}, [] {});
      EXPECT_TRUE(outcome.is_open) << outcome.fault;
      EXPECT_FALSE(outcome.is_reused);
      EXPECT_EQ(outcome.user, "pump");
    }
  }
}

TEST_F(ResumptionTest, OnlyWhatIsStillGoodMayResume) {
  const X509& certificate = *works_.client.certificate();
  const auto end = to_time(X509_get0_notAfter(&certificate));
  ContextData data;
  EXPECT_TRUE(may_resume(data, certificate, end - 1));
  EXPECT_FALSE(may_resume(data, certificate, end));
  data.validities = {{"an authority", end - 300, 0}, {"a list", end - 300, end - 100}};
  EXPECT_TRUE(may_resume(data, certificate, end - 101));
  EXPECT_FALSE(may_resume(data, certificate, end - 100));
  EXPECT_TRUE(may_resume(data, certificate, 60)) << "a clock that was never set";
}

// A ticket of one listener, shown to another that trusts somebody else.
TEST_F(ResumptionTest, ATicketOfAnotherListenerDoesNotOpen) {
  const auto open_to_all = open();
  demand_certificates();
  const auto strict = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Link first(*open_to_all, {.version_max = version});
    ASSERT_TRUE(first.opens());
    Link second(*strict, {.version_max = version, .session = first.client().session()});
    EXPECT_FALSE(second.opens());
    EXPECT_EQ(second.state(), State::failed);
  }
}

TEST_F(ResumptionTest, OpenConnectionsOutliveAReload) {
  const auto context = open();
  Link link(*context, {});
  Link half(*context, {});
  half.client().pump();
  half.serve();
  ASSERT_TRUE(link.opens());
  std::string error;
  ASSERT_TRUE(context->reload(error)) << error;
  EXPECT_TRUE(half.opens()) << half.channel().fault();
  EXPECT_EQ(link.client().send("still here"), 10U);
  link.settle();
  EXPECT_EQ(link.received(), "still here");
}

TEST_F(ResumptionTest, ReloadsBesideConnectionsOfOtherThreads) {
  const auto context = open();
  std::thread other([&] {
    for (int i = 0; i < 40; ++i) {
      Link link(*context, {});
      EXPECT_TRUE(link.opens()) << link.channel().fault();
    }
  });
  std::string error;
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(context->reload(error)) << error;
    EXPECT_EQ(context->certificates().size(), 1U);
  }
  other.join();
}

}  // namespace
}  // namespace linnet::tls::test
