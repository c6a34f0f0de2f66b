#include "tls/client_context.hpp"

#include <ctime>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/cat.hpp"
#include "tls/certificate.hpp"
#include "tls/client_trust.hpp"
#include "tls/openssl_channel.hpp"
#include "tls/openssl_types.hpp"

namespace linnet::tls {

namespace {

constexpr int kChainMax = 8;
constexpr long kCertificatesBytesMax = 64 << 10;

void set_basics(SSL_CTX& context) {
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  SSL_CTX_set_options(&context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // See OpensslChannel's bound of socket reads.
  SSL_CTX_clear_mode(&context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_read_ahead(&context, 1);
  SSL_CTX_set_max_cert_list(&context, kCertificatesBytesMax);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify_depth(&context, kChainMax);
}

bool set_trust(SSL_CTX& context, const std::string& authorities, std::string& error) {
  if (authorities.empty()) {
    if (SSL_CTX_set_default_verify_paths(&context) == 1) return true;
    error = cat("the system's authorities cannot be used: ", take_openssl_error());
    return false;
  }
  const auto trust = load_client_trust(authorities, {}, error);
  if (!trust) return false;
  if (SSL_CTX_set1_verify_cert_store(&context, trust->store.get()) == 1) return true;
  error = cat(authorities, ": ", take_openssl_error());
  return false;
}

bool set_expected_name(SSL_CTX& context, const std::string& host) {
  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(&context);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1) return true;
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1;
}

bool set_own_certificate(SSL_CTX& context, const ClientTls& options, std::string& error) {
  if (options.cert_file.empty()) return true;
  const auto own =
      load_certificate({options.cert_file, options.key_file}, std::time(nullptr), error);
  if (!own) return false;
  if (SSL_CTX_use_cert_and_key(&context, own->leaf.get(), own->key.get(), own->chain.get(), 1) == 1)
    return true;
  error = cat(options.cert_file, ": ", take_openssl_error());
  return false;
}

bool is_address(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, OpensslDelete<ASN1_OCTET_STRING_free>> address(
      a2i_IPADDRESS(host.c_str()));
  ERR_clear_error();
  return address != nullptr;
}

}  // namespace

struct ClientContext::Impl {
  SslContextPtr context;
  std::string name;  // what is asked for by SNI; empty: an address, which has none
};

std::unique_ptr<const ClientContext> ClientContext::open(const std::string& authorities,
                                                         const std::string& host,
                                                         std::string& error) {
  return open(ClientTls{authorities, host, {}, {}, false}, error);
}

std::unique_ptr<const ClientContext> ClientContext::open(const ClientTls& options,
                                                         std::string& error) {
  ERR_clear_error();
  auto impl = std::make_unique<Impl>();
  impl->context.reset(SSL_CTX_new(TLS_client_method()));
  if (impl->context == nullptr) {
    error = cat("OpenSSL cannot be used: ", take_openssl_error());
    return nullptr;
  }
  set_basics(*impl->context);
  if (options.insecure) {
    SSL_CTX_set_verify(impl->context.get(), SSL_VERIFY_NONE, nullptr);
  } else if (!set_trust(*impl->context, options.authorities, error)) {
    return nullptr;
  } else if (!set_expected_name(*impl->context, options.host)) {
    error = cat("'", options.host, "' can be no certificate's name: ", take_openssl_error());
    return nullptr;
  }
  if (!set_own_certificate(*impl->context, options, error)) return nullptr;
  if (!is_address(options.host)) impl->name = options.host;
  return std::unique_ptr<const ClientContext>(new ClientContext(std::move(impl)));
}

ClientContext::ClientContext(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

ClientContext::~ClientContext() = default;

std::unique_ptr<net::Channel> ClientContext::connect(int socket) const {
  return OpensslChannel::make_client(*impl_->context, socket, impl_->name);
}

}  // namespace linnet::tls
