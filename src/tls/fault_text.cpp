#include "tls/fault_text.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string_view>

#include "base/cat.hpp"
#include "tls/openssl_types.hpp"

namespace linnet::tls {

namespace {

constexpr std::size_t kNameShown = 200;

struct Meaning {
  int reason;
  std::string_view text;
};

constexpr std::string_view kNotTls =
    "it does not speak TLS, and this port does: switch TLS on in the client (mqtts://, wss://)";
constexpr std::string_view kOwnCertificate = "the client refuses this broker's certificate";

// By OpenSSL's reason. An alert of the client is its number + 1000.
constexpr Meaning kMeanings[] = {
    {SSL_R_WRONG_VERSION_NUMBER, kNotTls},
    {SSL_R_UNKNOWN_PROTOCOL, kNotTls},
    {SSL_R_HTTP_REQUEST, "it speaks plain HTTP, and this port wants TLS: use https:// or wss://"},
    {SSL_R_HTTPS_PROXY_REQUEST, "it takes this port for an HTTP proxy"},
    {SSL_R_NO_SHARED_CIPHER,
     "no cipher in common: it offers none of tls.ciphers that the listener's certificate or "
     "pre-shared keys can serve"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
     "no signature in common: it cannot check the listener's kind of certificate, or showed no "
     "known pre-shared key where there is no certificate"},
    {SSL_R_NO_SUITABLE_KEY_SHARE,
     "no key exchange in common: it offers none of X25519, P-256, "
     "P-384"},
    {SSL_R_NO_SHARED_GROUPS, "no key exchange in common: it offers none of X25519, P-256, P-384"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
     "the client sent no certificate, and this listener demands one (tls.client_certificate)"},
    {SSL_R_NO_APPLICATION_PROTOCOL,
     "it offers by ALPN only protocols that this listener does not speak"},
    {SSL_R_PSK_IDENTITY_NOT_FOUND, "its pre-shared key's identity is not in tls.psk_file"},
    {SSL_R_BINDER_DOES_NOT_VERIFY, "its pre-shared key is not the one in tls.psk_file"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC,
     "a record was damaged, or its pre-shared key is not the one in tls.psk_file"},
    {SSL_R_EXCESSIVE_MESSAGE_SIZE, "a message of its handshake is too long"},
    {SSL_R_INAPPROPRIATE_FALLBACK, "it fell back to an older TLS than both sides speak"},
    {SSL_R_NO_RENEGOTIATION, "it wants to renegotiate, which is not offered"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
     "the client does not know the authority of this broker's certificate: give it the "
     "authority's certificate (its cafile option)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
     "the client holds this broker's certificate for expired: check its clock"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, kOwnCertificate},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, kOwnCertificate},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, kOwnCertificate},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, kOwnCertificate},
};

// The client's ClientHello has told it, where OpenSSL has kept it.
std::string version_fault(const SSL& ssl) {
  const char* version = "an older TLS";
  switch (SSL_client_version(&ssl)) {
    case SSL3_VERSION: version = "SSL 3.0"; break;
    case TLS1_VERSION: version = "TLS 1.0"; break;
    case TLS1_1_VERSION: version = "TLS 1.1"; break;
    case TLS1_2_VERSION: version = "TLS 1.2"; break;
    default: break;
  }
  return cat("it speaks ", version, " at most, which tls.version_min does not allow");
}

bool is_version_fault(int reason) noexcept {
  return reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_VERSION_TOO_LOW ||
         reason == SSL_R_NO_PROTOCOLS_AVAILABLE;
}

std::string shown(std::string text) {
  if (text.size() > kNameShown) text.replace(kNameShown, text.npos, "...");
  return text;
}

}  // namespace

std::string take_fault(const SSL& ssl) {
  std::string first;
  while (const auto code = ERR_get_error()) {
    if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
      const int reason = ERR_GET_REASON(code);
      if (is_version_fault(reason)) {
        ERR_clear_error();
        return version_fault(ssl);
      }
      for (const Meaning& meaning : kMeanings) {
        if (meaning.reason != reason) continue;
        ERR_clear_error();
        return std::string(meaning.text);
      }
    }
    const char* text = ERR_reason_error_string(code);
    if (first.empty() && text != nullptr) first = cat("it broke the rules of TLS: ", text);
  }
  return first;
}

std::string take_server_fault(const SSL& ssl) {
  const auto code = ERR_peek_error();
  const auto text = take_openssl_error();
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST)
    return "the server does not speak TLS on this port";
  if (reason != SSL_R_CERTIFICATE_VERIFY_FAILED) return cat("TLS has failed: ", text);
  const long verdict = SSL_get_verify_result(&ssl);
  const auto whose = "the server's certificate is not accepted: ";
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return cat(whose, "it is for another name");
  return cat(whose, X509_verify_cert_error_string(verdict));
}

std::string verify_fault(X509_STORE_CTX& store) {
  const int code = X509_STORE_CTX_get_error(&store);
  const X509* certificate = X509_STORE_CTX_get_current_cert(&store);
  if (certificate == nullptr) return X509_verify_cert_error_string(code);
  const auto subject = shown(subject_text(X509_get_subject_name(certificate)));
  const auto issuer = shown(subject_text(X509_get_issuer_name(certificate)));
  const bool is_leaf = X509_STORE_CTX_get_error_depth(&store) == 0;
  const auto whose = cat(is_leaf ? "the client's certificate (" : "the authority (", subject, ")");
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return cat(whose, " has expired on ", date_text(to_time(X509_get0_notAfter(certificate))));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return cat(whose, " is not valid before ",
                 date_text(to_time(X509_get0_notBefore(certificate))), "; check this clock");
    case X509_V_ERR_CERT_REVOKED: return cat(whose, " has been revoked (tls.crl)");
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return cat("tls.crl has no list of ", issuer, ", which has signed ", whose);
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return cat("the list of ", issuer, " in tls.crl has expired: get a newer one and reload");
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return cat("the list of ", issuer, " in tls.crl is not valid yet; check this clock");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return cat(whose, " is signed by ", issuer, ", which is no authority of tls.client_ca");
    case X509_V_ERR_INVALID_PURPOSE:
      return cat(whose, " is not made for clients (extended key usage clientAuth)");
    default: break;
  }
  return cat(whose, ": ", X509_verify_cert_error_string(code));
}

}  // namespace linnet::tls
