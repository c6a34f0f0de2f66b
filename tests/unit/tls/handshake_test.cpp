#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

#include "unit/tls/peers.hpp"

namespace linnet::tls::test {
namespace {

using HandshakeTest = TlsTest;

std::string shown_name(const Client& client) {
  const X509Ptr certificate(SSL_get1_peer_certificate(client.ssl()));
  if (certificate == nullptr) return "none";
  return subject_text(X509_get_subject_name(certificate.get()));
}

TEST_F(HandshakeTest, VersionsFrom12AreSpokenByDefault) {
  show_works();
  const auto context = open();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Link link(*context, {.version_min = version, .version_max = version});
    EXPECT_TRUE(link.channel().is_opening());
    EXPECT_TRUE(link.opens()) << link.channel().fault();
    EXPECT_EQ(SSL_version(link.client().ssl()), version);
    EXPECT_FALSE(link.channel().has_more());
    EXPECT_FALSE(link.channel().wants_write());
    EXPECT_EQ(link.proof(), net::PeerFacts::Proof::none);
  }
}

TEST_F(HandshakeTest, OldVersionsAreRefusedWithAReasonUnlessAllowed) {
  show_works();
  const ClientSpec old{.version_min = TLS1_1_VERSION, .version_max = TLS1_1_VERSION};
  {
    const auto context = open();
    Link link(*context, old);
    EXPECT_FALSE(link.opens());
    EXPECT_EQ(link.state(), State::failed);
    EXPECT_EQ(link.channel().fault(),
              "it speaks TLS 1.1 at most, which tls.version_min does not allow");
    EXPECT_EQ(link.client().failure(), "tlsv1 alert protocol version");
  }
  config_.version_min = TlsVersion::v1_1;
  const auto context = open();
  Link link(*context, old);
  EXPECT_TRUE(link.opens()) << link.channel().fault();
  EXPECT_EQ(SSL_version(link.client().ssl()), TLS1_1_VERSION);
  Link older(*context, {.version_min = TLS1_VERSION, .version_max = TLS1_VERSION});
  EXPECT_FALSE(older.opens());
  config_.version_min = TlsVersion::v1_3;
  const auto newest = open();
  Link not_new(*newest, {.version_max = TLS1_2_VERSION});
  EXPECT_FALSE(not_new.opens());
  EXPECT_NE(not_new.channel().fault().find("TLS 1.2 at most"), std::string::npos);
}

TEST_F(HandshakeTest, NoCipherInCommonIsSaid) {
  show_works();
  const auto context = open();
  Link link(*context, {.version_max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA"});
  EXPECT_FALSE(link.opens());
  EXPECT_EQ(link.channel().fault().rfind("no cipher in common", 0), 0U) << link.channel().fault();
}

TEST_F(HandshakeTest, SniChoosesTheCertificateElseTheFirst) {
  show_works();
  show(Identity({.common_name = "two", .names = "DNS:two.example,DNS:*.two.example"}), "two");
  show(Identity({.common_name = "three.example"}), "three");
  const auto context = open();
  const auto shown = [&](const std::string& host) {
    Link link(*context, {.host = host});
    EXPECT_TRUE(link.opens()) << link.channel().fault();
    return shown_name(link.client());
  };
  EXPECT_EQ(shown("two.example"), "CN=two");
  EXPECT_EQ(shown("TWO.example"), "CN=two");
  EXPECT_EQ(shown("a.two.example"), "CN=two");
  EXPECT_EQ(shown("a.b.two.example"), "CN=server");
  EXPECT_EQ(shown("three.example"), "CN=three.example");
  EXPECT_EQ(shown("localhost"), "CN=server");
  EXPECT_EQ(shown("unknown.example"), "CN=server");
  EXPECT_EQ(shown(""), "CN=server");
}

TEST_F(HandshakeTest, RsaAndEcdsaOfOneNameAreChosenByWhatTheClientCan) {
  for (const std::string host : {"localhost", "other.example"}) {
    show(Identity({.common_name = "ec", .names = "DNS:" + host}), "ec-" + host);
    show(
        Identity({.common_name = "rsa", .names = "DNS:" + host, .key = linnet::test::KeyKind::rsa}),
        "rsa-" + host);
  }
  const auto context = open();
  for (const std::string host : {"localhost", "other.example", ""}) {
    Link rsa(*context, {.version_max = TLS1_2_VERSION, .host = host, .ciphers = "aRSA"});
    EXPECT_TRUE(rsa.opens()) << rsa.channel().fault();
    EXPECT_EQ(shown_name(rsa.client()), "CN=rsa");
    Link ec(*context, {.version_max = TLS1_2_VERSION, .host = host, .ciphers = "ALL"});
    EXPECT_TRUE(ec.opens()) << ec.channel().fault();
    EXPECT_EQ(shown_name(ec.client()), "CN=ec");
  }
}

TEST_F(HandshakeTest, AlpnChoosesWhatTheListenerOffers) {
  show_works();
  const std::string mqtt = "\x04mqtt";
  const std::string http = "\x08http/1.1";
  const auto chosen = [&](Offer offer, const std::string& alpn) {
    const auto context = open(offer);
    Link link(*context, {.alpn = alpn});
    EXPECT_TRUE(link.opens()) << link.channel().fault();
    return link.channel().chosen();
  };
  EXPECT_EQ(chosen(Offer::mqtt, mqtt), Chosen::mqtt);
  EXPECT_EQ(chosen(Offer::mqtt, ""), Chosen::nothing);
  EXPECT_EQ(chosen(Offer::http, "\x02h2" + http), Chosen::http);
  EXPECT_EQ(chosen(Offer::both, http), Chosen::http);
  EXPECT_EQ(chosen(Offer::both, http + mqtt), Chosen::mqtt);
}

TEST_F(HandshakeTest, AlpnWithNothingOfOursIsRefused) {
  show_works();
  const auto context = open(Offer::mqtt);
  Link link(*context, {.alpn = "\x02h2\x08http/1.1"});
  EXPECT_FALSE(link.opens());
  EXPECT_EQ(link.channel().fault(),
            "it offers by ALPN only protocols that this listener does not speak");
  EXPECT_EQ(link.client().failure(), "tlsv1 alert no application protocol");
}

TEST_F(HandshakeTest, AClientThatRefusesOurCertificateIsUnderstood) {
  show_works();
  const auto context = open();
  Link link(*context, {});
  SSL_set_verify(link.client().ssl(), SSL_VERIFY_PEER, nullptr);
  EXPECT_FALSE(link.opens());
  EXPECT_NE(link.channel().fault().find("cafile"), std::string::npos) << link.channel().fault();
}

// --- What does not speak TLS ---

class GarbageTest : public TlsTest {
 protected:
  // What the channel says of a client that sends these bytes.
  std::string fault_of(const std::string& bytes) {
    show_works();
    const auto context = open();
    const Sockets sockets;
    const auto channel = context->accept(sockets.server.get());
    EXPECT_EQ(::write(sockets.client.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
    std::array<char, 16384> room;
    EXPECT_EQ(channel->read(sockets.server.get(), room).state, State::failed);
    // It stays so.
    EXPECT_EQ(channel->read(sockets.server.get(), room).state, State::failed);
    EXPECT_TRUE(channel->write(sockets.server.get(), {}).failed);
    EXPECT_FALSE(channel->end(sockets.server.get()).blocked);
    EXPECT_EQ(channel->facts().proof, net::PeerFacts::Proof::none);
    return channel->fault();
  }
};

TEST_F(GarbageTest, PlainMqttIsToldToSwitchTlsOn) {
  const std::string connect("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", 14);
  EXPECT_EQ(fault_of(connect),
            "it does not speak TLS, and this port does: switch TLS on in the client (mqtts://, "
            "wss://)");
}

TEST_F(GarbageTest, PlainHttpIsToldToUseHttps) {
  EXPECT_NE(fault_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n").find("plain HTTP"), std::string::npos);
}

TEST_F(GarbageTest, NoiseIsRefused) {
  EXPECT_NE(fault_of(std::string(300, '\xff')), "");
  EXPECT_NE(fault_of(std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff", 10)), "");
  // A ClientHello that claims 16 MiB.
  EXPECT_NE(fault_of(std::string("\x16\x03\x01\x00\x08\x01\xff\xff\xff\x03\x03\x00\x00", 13)), "");
}

TEST_F(GarbageTest, AClientHelloThatClaimsMuchIsRefusedBeforeThereIsRoomForIt) {
  // OpenSSL itself would take 100 KiB.
  const std::string claims("\x16\x03\x01\x00\x08\x01\x01\x90\x00\x03\x03\x00\x00", 13);
  const std::string fault =
      "its ClientHello is larger than 16 KiB, or its first record too short for one";
  EXPECT_EQ(fault_of(claims), fault);
  // Nor may the claim hide in crumbs.
  const std::string crumbs("\x16\x03\x01\x00\x02\x01\x01\x16\x03\x01\x00\x02\x90\x00", 14);
  EXPECT_EQ(fault_of(crumbs), fault);
}

TEST_F(GarbageTest, AClientThatGoesBeforeItsHandshakeIsClosedWithoutAFault) {
  show_works();
  const auto context = open();
  Sockets sockets;
  const auto channel = context->accept(sockets.server.get());
  ASSERT_EQ(::write(sockets.client.get(), "\x16\x03\x01", 3), 3);
  std::array<char, 16384> room;
  EXPECT_EQ(channel->read(sockets.server.get(), room).state, State::again);
  sockets.client.close();
  EXPECT_EQ(channel->read(sockets.server.get(), room).state, State::closed);
  EXPECT_EQ(channel->fault(), "");
}

// What a client writes, moved to the server byte by byte.
TEST_F(HandshakeTest, AHandshakeInPiecesOfOneByteComesThrough) {
  show_works();
  const auto context = open();
  const Sockets near;
  const Sockets far;
  const auto channel = context->accept(near.server.get());
  Client client({}, far.client.get());
  std::array<char, 16384> room;
  std::string received;
  const auto give = [&](int from, int to, std::size_t at_most) {
    std::array<char, 16384> bytes;
    const auto got = ::read(from, bytes.data(), std::min(at_most, bytes.size()));
    if (got <= 0) return false;
    EXPECT_EQ(::write(to, bytes.data(), static_cast<std::size_t>(got)), got);
    return true;
  };
  bool is_sent = false;
  for (int i = 0; i < 5000 && received.empty(); ++i) {
    client.pump();
    if (SSL_is_init_finished(client.ssl()) == 1 && !is_sent) is_sent = client.send("hi") == 2;
    give(far.server.get(), near.client.get(), 1);
    const auto result = channel->read(near.server.get(), room);
    ASSERT_NE(result.state, State::failed) << channel->fault();
    if (result.state == State::bytes) received.assign(room.data(), result.count);
    give(near.client.get(), far.server.get(), 16384);
  }
  EXPECT_EQ(received, "hi");
}

TEST_F(HandshakeTest, NothingIsTakenBeforeTheHandshakeIsDone) {
  show_works();
  const auto context = open();
  Link link(*context, {});
  const auto result = link.write("too early");
  EXPECT_EQ(result.count, 0U);
  EXPECT_FALSE(result.blocked);
  EXPECT_FALSE(result.failed);
  EXPECT_TRUE(link.opens());
  EXPECT_EQ(link.write("now").count, 3U);
}

TEST_F(HandshakeTest, RenegotiationIsRefused) {
  show_works();
  const auto context = open();
  Link link(*context, {.version_max = TLS1_2_VERSION});
  ASSERT_TRUE(link.opens());
  SSL_renegotiate(link.client().ssl());
  link.settle();
  EXPECT_EQ(link.client().failure(), "no renegotiation");
}

// The bytes of 5,000 KeyUpdates.
std::string key_updates(const Client& client) {
  BIO* socket = SSL_get_wbio(client.ssl());
  BIO_up_ref(socket);
  SSL_set0_wbio(client.ssl(), BIO_new(BIO_s_mem()));
  for (int i = 0; i < 5000; ++i) {
    SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    EXPECT_EQ(SSL_do_handshake(client.ssl()), 1);
  }
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(SSL_get_wbio(client.ssl()), &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  SSL_set0_wbio(client.ssl(), socket);
  return text;
}

TEST_F(HandshakeTest, AStreamOfKeyUpdatesDoesNotKeepTheServer) {
  show_works();
  const auto context = open();
  Link link(*context, {.version_min = TLS1_3_VERSION});
  ASSERT_TRUE(link.opens());
  const auto updates = key_updates(link.client());
  ASSERT_EQ(::write(link.sockets().client.get(), updates.data(), updates.size()),
            static_cast<ssize_t>(updates.size()));
  std::array<char, 16384> room;
  const auto is_readable = [&] {
    char byte = 0;
    return ::recv(link.socket(), &byte, 1, MSG_PEEK) == 1;
  };
  int calls = 0;
  for (; is_readable() && calls < 100; ++calls)
    ASSERT_EQ(link.channel().read(link.socket(), room).state, State::again);
  EXPECT_GT(calls, 1);
  EXPECT_LT(calls, 100);
  ASSERT_EQ(link.client().send("after all"), 9U);
  link.serve();
  EXPECT_EQ(link.received(), "after all");
}

TEST_F(HandshakeTest, AHandshakeThatDoesNotEndIsGivenUp) {
  show_works();
  const auto context = open();
  const Sockets sockets;
  const auto channel = context->accept(sockets.server.get());
  std::array<char, 16384> room;
  auto state = State::again;
  // A ClientHello first, and then change_cipher_spec for ever, which TLS 1.3 lets pass.
  Client client({.version_min = TLS1_3_VERSION}, sockets.client.get());
  client.pump();
  const std::string filler("\x14\x03\x03\x00\x01\x01", 6);
  std::size_t sent = 0;
  for (; state == State::again && sent < (1 << 20); sent += filler.size()) {
    if (::write(sockets.client.get(), filler.data(), filler.size()) < 0) break;
    state = channel->read(sockets.server.get(), room).state;
  }
  EXPECT_EQ(state, State::failed);
  EXPECT_LE(sent, 256U << 10);
  EXPECT_NE(channel->fault(), "");
}

}  // namespace
}  // namespace linnet::tls::test
