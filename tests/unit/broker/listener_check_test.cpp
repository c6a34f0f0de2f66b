#include "broker/listener_check.hpp"

#include <gtest/gtest.h>

namespace linnet {
namespace {

ListenerConfig at(const std::string& url) {
  ListenerConfig listener;
  listener.url = url;
  return listener;
}

ListenerConfig tls_at(const std::string& url) {
  ListenerConfig listener = at(url);
  listener.tls.cert = {"c.pem"};
  listener.tls.key = {"k.pem"};
  return listener;
}

/// "key: text", or "" if the listener is fine.
std::string fault_of(const ListenerConfig& listener, const TlsConfig& inherited = {}) {
  const auto fault = find_fault(listener, inherited, {});
  return fault ? fault->key + ": " + fault->text : "";
}

/// The key that the fault is blamed on.
std::string key_of(const ListenerConfig& listener, const TlsConfig& inherited = {}) {
  const auto fault = find_fault(listener, inherited, {});
  return fault ? fault->key : "";
}

template <class Change>
std::string key_with(ListenerConfig listener, Change change) {
  change(listener);
  return key_of(listener);
}

TEST(ListenerCheck, takes_every_scheme_on_loopback) {
  for (const char* url : {"mqtt://127.0.0.1", "ws://localhost:8083", "any://[::1]:1", "unix:/s"}) {
    EXPECT_EQ(fault_of(at(url)), "") << url;
  }
  for (const char* url : {"mqtts://127.0.0.1", "wss://localhost", "any://127.0.0.1"}) {
    EXPECT_EQ(fault_of(tls_at(url)), "") << url;
  }
}

TEST(ListenerCheck, refuses_what_is_no_url_or_not_built) {
  EXPECT_EQ(key_of(at("127.0.0.1:1883")), "url");
  EXPECT_EQ(fault_of(at("http://127.0.0.1")),
            "url: http:// listeners are not built yet; use mqtt://host:port");
  EXPECT_EQ(key_of(tls_at("https://127.0.0.1")), "url");
}

TEST(ListenerCheck, logins_say_who_may_connect) {
  const auto fault_with = [](AuthConfig auth) {
    return find_fault(at("mqtt://*:1883"), {}, auth).has_value();
  };
  AuthConfig auth;
  auth.unix_users = {{"1000", "", "anna"}};  // nobody comes from another machine that way
  EXPECT_TRUE(fault_with(auth));
  auth.password_file = "users.txt";
  EXPECT_FALSE(fault_with(auth));
  auth.order = {"jwt", "http"};
  EXPECT_TRUE(fault_with(auth));
  auth.jwt.keys = {"token.pub"};
  EXPECT_FALSE(fault_with(auth));
  auth.jwt.keys.clear();
  auth.http.url = "https://auth.example/";
  EXPECT_FALSE(fault_with(auth));
}

TEST(ListenerCheck, beyond_loopback_somebody_has_to_say_who_may_connect) {
  EXPECT_EQ(
      fault_of(at("mqtt://*:1883")),
      "url: \"mqtt://*:1883\" can be reached from other machines, and nothing says who may "
      "connect; give users a password (auth.password_file, linnet passwd), or let anybody in: "
      "set allow_anonymous = true, or give --allow-anonymous");
  EXPECT_NE(fault_of(tls_at("mqtts://*")).find("ask for certificates (tls.client_ca)"),
            std::string::npos);
  ListenerConfig listener = at("ws://*");
  listener.allow_anonymous = true;
  EXPECT_EQ(fault_of(listener), "");
}

TEST(ListenerCheck, proven_clients_need_no_more) {
  ListenerConfig mutual = tls_at("mqtts://*");
  mutual.tls.client_ca = "ca.pem";
  EXPECT_EQ(fault_of(mutual), "");
  mutual.tls.psk_file = "psk";
  EXPECT_EQ(fault_of(mutual), "");
  mutual.tls.client_certificate = ClientCertificate::optional;
  EXPECT_EQ(key_of(mutual), "url");

  ListenerConfig psk = at("mqtts://*");
  psk.tls.psk_file = "psk";
  EXPECT_EQ(fault_of(psk), "");
  psk.tls.cert = {"c"};
  psk.tls.key = {"k"};
  EXPECT_EQ(key_of(psk), "url") << "a client may choose the certificate, and prove nothing";

  ListenerConfig any = tls_at("any://*");
  any.tls.client_ca = "ca.pem";
  EXPECT_EQ(fault_of(any), "") << "a client without TLS is an anonymous one, and refused";
}

TEST(ListenerCheck, tls_needs_a_certificate_and_its_key) {
  EXPECT_EQ(key_of(at("mqtts://127.0.0.1")), "tls.cert");
  EXPECT_EQ(key_of(at("wss://127.0.0.1")), "tls.cert");
  for (const char* url : {"wss://127.0.0.1", "any://127.0.0.1"}) {
    EXPECT_EQ(key_with(at(url), [](auto& it) { it.tls.psk_file = "psk"; }), "") << url;
    EXPECT_EQ(key_with(tls_at(url), [](auto& it) { it.tls.key.clear(); }), "tls.key") << url;
  }
  ListenerConfig two = tls_at("mqtts://127.0.0.1");
  two.tls.cert = {"a", "b"};
  EXPECT_EQ(fault_of(two),
            "tls.key: names 1 key for 2 certificates; name one for each of tls.cert, "
            "in the same order");
}

TEST(ListenerCheck, keys_about_clients_certificates_need_a_ca) {
  const ListenerConfig base = tls_at("mqtts://127.0.0.1");
  const auto crl = [](auto& it) { it.tls.crl = "crl"; };
  const auto optional = [](auto& it) { it.tls.client_certificate = ClientCertificate::optional; };
  const auto identity = [](auto& it) { it.tls.identity = CertificateName::san; };
  EXPECT_EQ(key_with(base, crl), "tls.crl");
  EXPECT_EQ(key_with(base, optional), "tls.client_certificate");
  EXPECT_EQ(key_with(base, identity), "tls.identity");
  ListenerConfig with_ca = base;
  with_ca.tls.client_ca = "ca.pem";
  EXPECT_EQ(key_with(with_ca, crl), "");
  EXPECT_EQ(key_with(with_ca, optional), "");
  EXPECT_EQ(key_with(with_ca, identity), "");
}

TEST(ListenerCheck, a_proxy_may_tell_an_identity) {
  for (ListenerConfig listener : {at("mqtt://127.0.0.1"), tls_at("mqtts://127.0.0.1")}) {
    listener.proxy_protocol = true;
    listener.trusted_proxies = {"loopback"};
    EXPECT_EQ(fault_of(listener), "") << listener.url;
    listener.tls.identity = CertificateName::none;
    EXPECT_EQ(key_of(listener), "url") << "clients come from elsewhere, and prove nothing";
    listener.allow_anonymous = true;
    EXPECT_EQ(fault_of(listener), "") << listener.url;
  }
}

TEST(ListenerCheck, what_is_inherited_may_have_no_effect) {
  TlsConfig common = tls_at("mqtts://h").tls;
  common.client_ca = "ca.pem";
  common.crl = "crl.pem";
  for (const char* url : {"mqtt://127.0.0.1", "ws://127.0.0.1", "unix:/s", "mqtts://127.0.0.1"}) {
    ListenerConfig listener = at(url);
    listener.tls = common;
    EXPECT_EQ(fault_of(listener, common), "") << url;
  }
  ListenerConfig open = at("wss://127.0.0.1");
  open.tls = common;
  open.tls.client_ca.clear();
  EXPECT_EQ(fault_of(open, common), "") << "the list comes with the authority that it has not";
  common.client_ca.clear();
  EXPECT_EQ(key_of(open, common), "tls.crl") << "nothing has an authority";
}

TEST(ListenerCheck, tls_of_its_own_has_to_have_an_effect) {
  EXPECT_EQ(fault_of(tls_at("mqtt://127.0.0.1")),
            "tls: has no effect: mqtt:// has no TLS; remove it, or use mqtts://");
  EXPECT_EQ(fault_of(tls_at("ws://127.0.0.1")),
            "tls: has no effect: ws:// has no TLS; remove it, or use wss://");
  EXPECT_EQ(key_of(tls_at("unix:/s")), "tls");
  const auto versions = [](auto& it) { it.tls.version_min = TlsVersion::v1_3; };
  EXPECT_EQ(key_with(at("any://127.0.0.1"), versions), "tls.cert");
  EXPECT_EQ(key_with(tls_at("any://127.0.0.1"), versions), "");
}

TEST(ListenerCheck, web_keys_need_the_web) {
  const auto origins = [](auto& it) { it.origins = {"https://app.example.com:8443", "*"}; };
  const auto deflate = [](auto& it) { it.deflate = true; };
  for (const ListenerConfig& web :
       {at("ws://127.0.0.1"), tls_at("wss://127.0.0.1"), at("any://127.0.0.1")}) {
    EXPECT_EQ(key_with(web, origins), "") << web.url;
    EXPECT_EQ(key_with(web, deflate), "") << web.url;
  }
  for (const ListenerConfig& other : {at("mqtt://127.0.0.1"), at("unix:/s")}) {
    EXPECT_EQ(key_with(other, origins), "origins") << other.url;
    EXPECT_EQ(key_with(other, deflate), "deflate") << other.url;
  }
}

TEST(ListenerCheck, origins_are_scheme_host_and_port) {
  for (const char* wrong :
       {"app.example.com", "https://", "https://a/path", "null", "https://a:x"}) {
    ListenerConfig listener = at("ws://127.0.0.1");
    listener.origins = {"https://good", wrong};
    EXPECT_EQ(key_of(listener), "origins") << wrong;
  }
}

TEST(ListenerCheck, file_keys_need_a_unix_socket) {
  const auto mode = [](auto& it) { it.mode = "0660"; };
  const auto owner = [](auto& it) { it.owner = "mqtt"; };
  const auto group = [](auto& it) { it.group = "mqtt"; };
  const auto free_bind = [](auto& it) { it.free_bind = true; };
  EXPECT_EQ(key_with(at("mqtt://127.0.0.1"), mode), "mode");
  EXPECT_EQ(key_with(at("mqtt://127.0.0.1"), owner), "owner");
  EXPECT_EQ(key_with(at("mqtt://127.0.0.1"), group), "group");
  EXPECT_EQ(key_with(at("mqtt://127.0.0.1"), free_bind), "");
  EXPECT_EQ(key_with(at("unix:/s"), mode), "");
  EXPECT_EQ(key_with(at("unix:/s"), owner), "");
  EXPECT_EQ(key_with(at("unix:/s"), group), "");
  EXPECT_EQ(key_with(at("unix:/s"), free_bind), "free_bind");
}

TEST(ListenerCheck, a_mode_is_octal) {
  ListenerConfig listener = at("unix:/s");
  for (const char* right : {"0", "660", "0660", "0777", "600"}) {
    listener.mode = right;
    EXPECT_EQ(fault_of(listener), "") << right;
  }
  for (const char* wrong : {"1777", "0888", "-1", "0x1ff", "rw", "0660 ", "77777777777777"}) {
    listener.mode = wrong;
    EXPECT_EQ(key_of(listener), "mode") << wrong;
  }
}

TEST(ListenerCheck, proxies_are_named_and_needed) {
  const auto protocol = [](auto& it) { it.proxy_protocol = true; };
  const auto networks = [](auto& it) { it.trusted_proxies = {"10.0.0.0/8", "2001:db8::1"}; };
  const auto both = [&](auto& it) {
    protocol(it);
    networks(it);
  };
  EXPECT_EQ(key_with(at("mqtt://127.0.0.1"), protocol), "trusted_proxies");
  EXPECT_EQ(key_with(at("mqtt://127.0.0.1"), networks), "trusted_proxies");
  EXPECT_EQ(key_with(at("mqtt://127.0.0.1"), both), "");
  EXPECT_EQ(key_with(at("ws://127.0.0.1"), networks), "url") << "who comes by a proxy is no local";
  const auto forwarded = [&](auto& it) {
    networks(it);
    it.allow_anonymous = true;
  };
  EXPECT_EQ(key_with(at("ws://127.0.0.1"), forwarded), "") << "for X-Forwarded-For";
  EXPECT_EQ(key_with(at("ws://127.0.0.1"),
                     [](auto& it) {
                       it.trusted_proxies = {"10.0.0.0/8", "nonsense"};
                     }),
            "trusted_proxies");
}

TEST(ListenerCheck, a_line_names_the_listener_and_the_key) {
  EXPECT_EQ(listener_error(at("mqtt://127.0.0.1"), {}, {}), std::nullopt);
  const auto error = listener_error(at("mqtts://127.0.0.1"), {}, {});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->find("mqtts://127.0.0.1: tls.cert is missing"), 0U) << *error;
}

TEST(ListenerCheck, binding_takes_what_the_listener_says) {
  ListenerConfig listener = at("unix:/s");
  EXPECT_EQ(bind_options(listener).mode, 0660U);
  EXPECT_FALSE(bind_options(listener).free_bind);
  listener.mode = "0606";
  listener.owner = "mqtt";
  listener.group = "100";
  listener.free_bind = true;
  const net::BindOptions options = bind_options(listener);
  EXPECT_EQ(options.mode, 0606U);
  EXPECT_EQ(options.owner + options.group, "mqtt100");
  EXPECT_TRUE(options.free_bind);
}

}  // namespace
}  // namespace linnet
