#include "tls/context.hpp"

#include <algorithm>
#include <limits>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/cat.hpp"
#include "tls/client_trust.hpp"
#include "tls/hello.hpp"
#include "tls/read_secret.hpp"

namespace linnet::tls {

namespace {

constexpr std::size_t kCertificatesMax = 256;
constexpr long kClientCertificatesBytesMax = 64 << 10;
constexpr int kClientChainMax = 8;

// Forward secrecy and authenticated encryption; ECDSA first, which costs a tenth of RSA.
constexpr std::string_view kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr std::string_view kPskCiphers =
    "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:DHE-PSK-AES256-GCM-SHA384:"
    "DHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:"
    "PSK-CHACHA20-POLY1305:";
// Of TLS 1.3. A pre-shared key goes with SHA-256 only, so its ciphers come first.
constexpr std::string_view kSuites =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
// All that TLS 1.0 and 1.1 have, and OpenSSL's level of security that lets them.
constexpr std::string_view kOldCiphers =
    ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "AES128-SHA:AES256-SHA";
constexpr std::string_view kOldPskCiphers =
    "ECDHE-PSK-AES128-CBC-SHA:PSK-AES128-CBC-SHA:PSK-AES256-CBC-SHA:";

// Finds ContextData on its SSL_CTX, and deletes it with it.
void delete_data(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<ContextData*>(data);
}

int data_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, delete_data);
  return kIndex;
}

bool is_old(TlsVersion version) noexcept {
  return version == TlsVersion::v1_0 || version == TlsVersion::v1_1;
}

int openssl_version(TlsVersion version) noexcept {
  switch (version) {
    case TlsVersion::v1_0: return TLS1_VERSION;
    case TlsVersion::v1_1: return TLS1_1_VERSION;
    case TlsVersion::v1_2: return TLS1_2_VERSION;
    case TlsVersion::v1_3: break;
  }
  return TLS1_3_VERSION;
}

std::string cipher_list(const TlsConfig& config) {
  std::string list = config.ciphers;
  if (list.empty()) {
    // Who offers a key means to prove it, so that comes before a certificate of ours.
    if (!config.psk_file.empty()) list += kPskCiphers;
    if (!config.psk_file.empty() && is_old(config.version_min)) list += kOldPskCiphers;
    list += kCiphers;
    if (is_old(config.version_min)) list += kOldCiphers;
  }
  list += ":!aNULL:!eNULL";
  if (is_old(config.version_min) && list.find("@SECLEVEL") == list.npos) list += ":@SECLEVEL=0";
  return list;
}

X509* issuer_of(const Certificate& certificate) {
  for (int i = 0; i < sk_X509_num(certificate.chain.get()); ++i) {
    X509* candidate = sk_X509_value(certificate.chain.get(), i);
    if (X509_check_issued(candidate, certificate.leaf.get()) == X509_V_OK) return candidate;
  }
  return nullptr;
}

/// The part of the response that is about the certificate. Without its issuer that can't be told,
/// and it is the first. Null if there is none.
OCSP_SINGLERESP* part_about(OCSP_BASICRESP& basic, const Certificate& certificate) {
  const X509* issuer = issuer_of(certificate);
  if (issuer == nullptr) return OCSP_resp_get0(&basic, 0);
  // The responder chooses what it names certificates by.
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    const OcspIdPtr id(OCSP_cert_to_id(digest, certificate.leaf.get(), issuer));
    if (id == nullptr) return nullptr;
    const int place = OCSP_resp_find(&basic, id.get(), -1);
    if (place >= 0) return OCSP_resp_get0(&basic, place);
  }
  return nullptr;
}

// One load: everything that is read becomes part of `data`, and `context` is told of it.
class ContextMaker {
 public:
  ContextMaker(const TlsConfig& config, ContextData& data, SSL_CTX& context, std::string& error)
      : config_(config), data_(data), context_(context), error_(error) {}

  [[nodiscard]] bool make() {
    set_basics();
    return set_ciphers() && load_certificates() && show_certificates() && load_keys() &&
           load_clients() && load_staple() && set_sessions();
  }

 private:
  [[nodiscard]] bool fail(std::string text) {
    error_ = std::move(text);
    return false;
  }

  void set_basics();
  [[nodiscard]] bool set_ciphers();
  [[nodiscard]] bool load_certificates();
  [[nodiscard]] bool show_certificates();
  [[nodiscard]] bool use(SSL_CTX& context, const Certificate& certificate);
  [[nodiscard]] bool load_keys();
  [[nodiscard]] bool load_clients();
  [[nodiscard]] bool load_staple();
  [[nodiscard]] bool read_staple(std::string_view der);
  [[nodiscard]] bool set_sessions();

  const TlsConfig& config_;
  ContextData& data_;
  SSL_CTX& context_;
  std::string& error_;
};

void ContextMaker::set_basics() {
  auto options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF;
  if (config_.ktls) options |= SSL_OP_ENABLE_KTLS;
  if (!config_.session_tickets) options |= SSL_OP_NO_TICKET;
  SSL_CTX_set_options(&context_, options);
  SSL_CTX_set_mode(&context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  // See OpensslChannel's bound of socket reads.
  SSL_CTX_clear_mode(&context_, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_read_ahead(&context_, 1);
  SSL_CTX_set_max_cert_list(&context_, kClientCertificatesBytesMax);
  choose_protocol_by_alpn(context_, data_);
  data_.identity = config_.identity;
}

bool ContextMaker::set_ciphers() {
  ERR_clear_error();
  if (SSL_CTX_set_min_proto_version(&context_, openssl_version(config_.version_min)) != 1 ||
      SSL_CTX_set_max_proto_version(&context_, 0) != 1)
    return fail(cat("tls.version_min: ", take_openssl_error()));
  if (SSL_CTX_set_cipher_list(&context_, cipher_list(config_).c_str()) != 1)
    return fail(cat("tls.ciphers: \"", config_.ciphers, "\": ", take_openssl_error(),
                    "; names as `openssl ciphers` prints them, with colons between them"));
  const auto suites = config_.ciphersuites.empty() ? std::string(kSuites) : config_.ciphersuites;
  if (SSL_CTX_set_ciphersuites(&context_, suites.c_str()) != 1)
    return fail(cat("tls.ciphersuites: \"", config_.ciphersuites, "\": ", take_openssl_error(),
                    "; of TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 and "
                    "TLS_CHACHA20_POLY1305_SHA256, with colons between them"));
  const bool may_use_key = suites.find("_SHA256") != suites.npos;
  if (!config_.psk_file.empty() && config_.version_min == TlsVersion::v1_3 && !may_use_key)
    return fail(cat("tls.ciphersuites: \"", suites,
                    "\": no key of tls.psk_file could be used: in TLS 1.3 they go with SHA-256 "
                    "only; add TLS_AES_128_GCM_SHA256"));
  if (SSL_CTX_set1_groups_list(&context_, "X25519:P-256:P-384") != 1)
    return fail(cat("OpenSSL lacks X25519, P-256 or P-384: ", take_openssl_error()));
  if (is_old(config_.version_min))
    data_.notes.push_back(
        "tls.version_min allows TLS 1.0 or 1.1, which are broken: only for devices that speak "
        "nothing newer, on a listener of their own");
  return true;
}

bool ContextMaker::load_certificates() {
  const auto count = config_.cert.size();
  if (count == 0 && config_.psk_file.empty())
    return fail(
        "tls.cert is missing: a TLS listener needs a certificate, or a psk_file; `linnet "
        "cert` makes one");
  if (count > kCertificatesMax) return fail(cat("tls.cert: more than ", kCertificatesMax));
  if (config_.key.size() > count || (!config_.key.empty() && config_.key.size() < count))
    return fail(cat("tls.key: ", config_.key.size(), " keys for ", count,
                    " certificates: one each, in the same order, or none if each is in its "
                    "certificate's file"));
  for (std::size_t i = 0; i < count; ++i) {
    const CertificateFiles files{config_.cert[i], config_.key.empty() ? "" : config_.key[i]};
    std::string reason;
    auto certificate = load_certificate(files, std::time(nullptr), reason);
    if (!certificate) return fail(cat("tls.cert: ", reason));
    if (certificate->key_is_exposed)
      data_.notes.push_back(cat(files.key_file.empty() ? files.file : files.key_file,
                                ": the private key can be read by everybody (chmod o= it)"));
    data_.certificates.push_back(std::move(*certificate));
  }
  return true;
}

bool ContextMaker::use(SSL_CTX& context, const Certificate& certificate) {
  ERR_clear_error();
  if (SSL_CTX_use_cert_and_key(&context, certificate.leaf.get(), certificate.key.get(),
                               certificate.chain.get(), 1) == 1)
    return true;
  return fail(cat("tls.cert: ", certificate.file,
                  ": OpenSSL does not take it: ", take_openssl_error(), "; make a stronger one"));
}

// All are tried, so that one that is too weak is found now; those for clients without a name stay.
bool ContextMaker::show_certificates() {
  if (data_.certificates.empty()) return true;
  auto shown = certificates_for(data_.certificates, data_.certificates.front().name);
  if (shown.empty() || shown.front() != 0) shown = {0};
  const SslContextPtr trial(SSL_CTX_new(TLS_server_method()));
  if (trial == nullptr) return fail(cat("OpenSSL cannot be used: ", take_openssl_error()));
  SSL_CTX_set_security_level(trial.get(), SSL_CTX_get_security_level(&context_));
  for (const Certificate& certificate : data_.certificates) {
    if (!use(*trial, certificate)) return false;
  }
  for (const auto index : shown) {
    if (!use(context_, data_.certificates[index])) return false;
  }
  if (data_.certificates.size() > 1) choose_certificates_by_name(context_, data_);
  return true;
}

bool ContextMaker::load_keys() {
  if (config_.psk_file.empty()) return true;
  std::string reason;
  const auto text = read_secret(config_.psk_file, reason);
  if (!text) return fail(cat("tls.psk_file: ", reason));
  auto parsed = PskFile::parse(text->view(), config_.psk_file, reason);
  if (!parsed) return fail(cat("tls.psk_file: ", reason));
  if (parsed->empty()) return fail(cat("tls.psk_file: ", config_.psk_file, ": has no keys"));
  data_.psk_file = std::move(*parsed);
  if (data_.psk_file.short_keys() > 0)
    data_.notes.push_back(cat(config_.psk_file, ": ", data_.psk_file.short_keys(),
                              " keys are shorter than ", PskFile::kKeyBytesAdvised,
                              " bytes and may be guessed"));
  // For DHE-PSK.
  SSL_CTX_set_dh_auto(&context_, 1);
  find_pre_shared_keys(context_);
  return true;
}

bool ContextMaker::load_clients() {
  // A list may be inherited where no client is asked for its certificate.
  if (config_.client_ca.empty()) return true;
  std::string reason;
  auto trust = load_client_trust(config_.client_ca, config_.crl, reason);
  if (!trust)
    return fail(cat(config_.crl.empty() ? "tls.client_ca: " : "tls.client_ca, tls.crl: ", reason));
  if (SSL_CTX_set1_verify_cert_store(&context_, trust->store.get()) != 1)
    return fail(cat("tls.client_ca: ", take_openssl_error()));
  SSL_CTX_set_client_CA_list(&context_, trust->names.release());
  SSL_CTX_set_verify_depth(&context_, kClientChainMax);
  check_clients(context_, config_.client_certificate);
  data_.validities = std::move(trust->validities);
  return true;
}

bool ContextMaker::read_staple(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const OcspResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(der.size())));
  if (response == nullptr) return fail("is no OCSP response in DER");
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return fail(cat("the OCSP responder did not answer: ", OCSP_response_status_str(status)));
  const OcspBasicPtr basic(OCSP_response_get1_basic(response.get()));
  if (basic == nullptr || OCSP_resp_count(basic.get()) < 1)
    return fail("the OCSP response is about no certificate");
  const Certificate& certificate = data_.certificates.front();
  OCSP_SINGLERESP* part = part_about(*basic, certificate);
  if (part == nullptr) {
    // No reason not to start: the certificate may just have been renewed.
    data_.notes.push_back(cat(config_.ocsp_staple, ": the OCSP response is not about ",
                              certificate.file, " and is not shown; get a newer one and reload"));
    return true;
  }
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  const int verdict = OCSP_single_get0_status(part, nullptr, nullptr, &from, &until);
  if (verdict != V_OCSP_CERTSTATUS_GOOD)
    return fail(cat("the certificate's status is ", OCSP_cert_status_str(verdict)));
  data_.staple = {std::string(der),
                  {cat(config_.ocsp_staple, ": the OCSP response"), to_time(from), to_time(until)}};
  staple_response(context_);
  return true;
}

bool ContextMaker::load_staple() {
  if (config_.ocsp_staple.empty()) return true;
  if (data_.certificates.empty()) return fail("tls.ocsp_staple is given without tls.cert");
  std::string reason;
  const auto text = read_secret(config_.ocsp_staple, reason);
  if (!text) return fail(cat("tls.ocsp_staple: ", reason));
  if (read_staple(text->view())) return true;
  return fail(cat("tls.ocsp_staple: ", config_.ocsp_staple, ": ", error_));
}

// Sessions live in tickets only, whose keys are drawn for each context: after a reload, which may
// have changed whom it trusts, every client is verified anew.
bool ContextMaker::set_sessions() {
  SSL_CTX_set_session_cache_mode(&context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(&context_, config_.session_tickets ? 1 : 0);
  unsigned char id[SSL_MAX_SID_CTX_LENGTH];
  if (RAND_bytes(id, sizeof id) != 1 ||
      SSL_CTX_set_session_id_context(&context_, id, sizeof id) != 1)
    return fail(cat("OpenSSL has no random numbers: ", take_openssl_error()));
  return true;
}

}  // namespace

SslContextPtr make_context(const TlsConfig& config, Offer offer, std::string& error) {
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  auto data = std::make_unique<ContextData>();
  if (context == nullptr || SSL_CTX_set_ex_data(context.get(), data_index(), data.get()) != 1) {
    error = cat("OpenSSL cannot be used: ", take_openssl_error());
    return nullptr;
  }
  ContextData& owned = *data.release();
  owned.offer = offer;
  if (!ContextMaker(config, owned, *context, error).make()) return nullptr;
  ERR_clear_error();
  return context;
}

const ContextData& data_of(const SSL_CTX& context) noexcept {
  return *static_cast<const ContextData*>(SSL_CTX_get_ex_data(&context, data_index()));
}

std::vector<std::string> warnings_of(const ContextData& data, std::time_t now) {
  std::vector<std::string> warnings = data.notes;
  const auto add = [&](const Validity& validity) {
    if (auto text = validity_warning(validity, now); !text.empty())
      warnings.push_back(std::move(text));
  };
  for (const Certificate& certificate : data.certificates)
    add(certificate.validity);
  for (const Validity& validity : data.validities)
    add(validity);
  // Responses last days, and are renewed within them: only the end is worth a word.
  if (auto text = validity_error(data.staple.validity, now); !text.empty())
    warnings.push_back(std::move(text));
  return warnings;
}

}  // namespace linnet::tls
