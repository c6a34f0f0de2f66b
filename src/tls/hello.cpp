#include "tls/hello.hpp"

#include <algorithm>
#include <cstring>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <optional>
#include <tuple>

#include "base/cat.hpp"
#include "tls/fault_text.hpp"
#include "tls/openssl_channel.hpp"
#include "tls/peer_name.hpp"

namespace linnet::tls {

namespace {

// Each with its length before it, as ALPN writes them.
constexpr std::string_view kMqtt = "\x04mqtt";
constexpr std::string_view kHttp = "\x08http/1.1";
constexpr std::string_view kBoth = "\x04mqtt\x08http/1.1";

// RFC 8446, section 4.2.11: without a hash of its own a key goes with SHA-256.
constexpr unsigned char kPskCipher[] = {0x13, 0x01};

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view offered(Offer offer) noexcept {
  switch (offer) {
    case Offer::mqtt: return kMqtt;
    case Offer::http: return kHttp;
    case Offer::both: break;
  }
  return kBoth;
}

int on_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
            unsigned int in_size, void* data) {
  const auto ours = offered(static_cast<ContextData*>(data)->offer);
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, bytes_of(ours),
                                          static_cast<unsigned int>(ours.size()), in, in_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int on_certificate(SSL* ssl, void* data) {
  const auto& certificates = static_cast<ContextData*>(data)->certificates;
  const char* host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (host == nullptr) return 1;
  const auto chosen = certificates_for(certificates, host);
  if (chosen.empty()) return 1;
  SSL_certs_clear(ssl);
  for (const auto index : chosen) {
    const Certificate& certificate = certificates[index];
    if (SSL_use_cert_and_key(ssl, certificate.leaf.get(), certificate.key.get(),
                             certificate.chain.get(), 1) != 1)
      return 0;
  }
  return 1;
}

std::span<const unsigned char> key_for(const SSL* ssl, std::string_view identity) {
  return data_of(*SSL_get_SSL_CTX(ssl)).psk_file.find(identity);
}

// TLS 1.2. OpenSSL would ask it in TLS 1.3 as well, with an identity that it has cut at a NUL.
unsigned int on_psk(SSL* ssl, const char* identity, unsigned char* key, unsigned int key_max) {
  if (SSL_version(ssl) >= TLS1_3_VERSION || identity == nullptr) return 0;
  const auto found = key_for(ssl, identity);
  if (found.empty() || found.size() > key_max) return 0;
  std::memcpy(key, found.data(), found.size());
  return static_cast<unsigned int>(found.size());
}

// TLS 1.3. The identity becomes part of the session that the client has to prove, since it may name
// several here and prove another. An unknown one may be a ticket, and so is no error.
int on_psk_session(SSL* ssl, const unsigned char* identity, size_t size, SSL_SESSION** session) {
  *session = nullptr;
  const auto key = key_for(ssl, {reinterpret_cast<const char*>(identity), size});
  if (key.empty()) return 1;
  std::unique_ptr<SSL_SESSION, OpensslDelete<SSL_SESSION_free>> made(SSL_SESSION_new());
  const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl, kPskCipher);
  const bool is_made = made != nullptr && cipher != nullptr &&
                       SSL_SESSION_set1_master_key(made.get(), key.data(), key.size()) == 1 &&
                       SSL_SESSION_set_cipher(made.get(), cipher) == 1 &&
                       SSL_SESSION_set_protocol_version(made.get(), TLS1_3_VERSION) == 1 &&
                       SSL_SESSION_set1_ticket_appdata(made.get(), identity, size) == 1;
  if (!is_made) return 0;
  *session = made.release();
  return 1;
}

int on_status(SSL* ssl, void*) {
  const ContextData& data = data_of(*SSL_get_SSL_CTX(ssl));
  const Staple& staple = data.staple;
  const bool is_first = SSL_get_certificate(ssl) == data.certificates.front().leaf.get();
  if (!is_first || !validity_error(staple.validity, std::time(nullptr)).empty())
    return SSL_TLSEXT_ERR_NOACK;
  void* copy = OPENSSL_memdup(staple.response.data(), staple.response.size());
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(staple.response.size()));
  return SSL_TLSEXT_ERR_OK;
}

int on_client_certificate(int is_good, X509_STORE_CTX* store) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  OpensslChannel& channel = OpensslChannel::of(*ssl);
  const bool is_leaf = X509_STORE_CTX_get_error_depth(store) == 0;
  // An authority that nobody keeps a list about is believed; one that is in a list is not.
  if (is_good == 0 && !is_leaf && X509_STORE_CTX_get_error(store) == X509_V_ERR_UNABLE_TO_GET_CRL) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  if (is_good == 0) {
    channel.note_fault(verify_fault(*store));
    return 0;
  }
  if (!is_leaf) return 1;
  const auto kind = data_of(*SSL_get_SSL_CTX(ssl)).identity;
  if (peer_name(*X509_STORE_CTX_get_current_cert(store), kind)) return 1;
  channel.note_fault(cat("the client's certificate has no ", peer_name_text(kind),
                         " that can be a user name (tls.identity)"));
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

// The rest is the ticket's status and nothing of ours.
template <class... Rest>
SSL_TICKET_RETURN on_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char*, size_t,
                            Rest... rest) {
  const SSL_TICKET_STATUS status = std::get<0>(std::tuple(rest...));
  const bool is_good = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
  if (!is_good) return SSL_TICKET_RETURN_IGNORE_RENEW;
  const X509* certificate = SSL_SESSION_get0_peer(session);
  const ContextData& data = data_of(*SSL_get_SSL_CTX(ssl));
  if (certificate != nullptr && !may_resume(data, *certificate, std::time(nullptr)))
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace

bool may_resume(const ContextData& data, const X509& certificate, std::time_t now) {
  const auto is_good = [now](const Validity& validity) {
    return validity_error(validity, now).empty();
  };
  return is_good({{}, 0, to_time(X509_get0_notAfter(&certificate))}) &&
         std::all_of(data.validities.begin(), data.validities.end(), is_good);
}

std::vector<std::size_t> certificates_for(const std::vector<Certificate>& certificates,
                                          std::string_view host) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const auto has_kind = [&](std::size_t other) {
      return certificates[other].key_kind() == certificates[i].key_kind();
    };
    if (std::none_of(chosen.begin(), chosen.end(), has_kind) && certificates[i].is_for(host))
      chosen.push_back(i);
  }
  return chosen;
}

void choose_protocol_by_alpn(SSL_CTX& context, ContextData& data) {
  SSL_CTX_set_alpn_select_cb(&context, on_alpn, &data);
}

void choose_certificates_by_name(SSL_CTX& context, ContextData& data) {
  SSL_CTX_set_cert_cb(&context, on_certificate, &data);
}

void find_pre_shared_keys(SSL_CTX& context) {
  SSL_CTX_set_psk_server_callback(&context, on_psk);
  SSL_CTX_set_psk_find_session_callback(&context, on_psk_session);
}

void staple_response(SSL_CTX& context) {
  // The macro for this has a cast that our warnings refuse.
  SSL_CTX_callback_ctrl(&context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB,
                        reinterpret_cast<void (*)()>(on_status));
}

void check_clients(SSL_CTX& context, ClientCertificate demand) {
  const int demanded =
      demand == ClientCertificate::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE;
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | demanded, on_client_certificate);
  SSL_CTX_set_session_ticket_cb(&context, nullptr, on_ticket, nullptr);
}

std::string psk_identity(const SSL& ssl) {
  if (SSL_version(&ssl) < TLS1_3_VERSION) {
    const char* identity = SSL_get_psk_identity(&ssl);
    return identity != nullptr ? std::string(identity) : std::string();
  }
  void* data = nullptr;
  size_t size = 0;
  SSL_SESSION* session = SSL_get_session(&ssl);
  if (session == nullptr || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1) return {};
  return {static_cast<const char*>(data), data != nullptr ? size : 0};
}

}  // namespace linnet::tls
