#include "tls/client_context.hpp"

#include <cstring>
#include <ctime>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <tuple>

#include "base/cat.hpp"
#include "tls/authority_secret.hpp"
#include "tls/certificate.hpp"
#include "tls/client_trust.hpp"
#include "tls/openssl_channel.hpp"
#include "tls/openssl_types.hpp"
#include "tls/psk_file.hpp"

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

bool set_protocol(SSL_CTX& context, const ClientTls& options, std::string& error) {
  if (!options.version.empty()) {
    const bool is_1_2 = options.version == "1.2";
    if (!is_1_2 && options.version != "1.3") {
      error = cat("'", options.version, "' is no version of TLS that we speak; write 1.2 or 1.3");
      return false;
    }
    const int version = is_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX_set_min_proto_version(&context, version);
    SSL_CTX_set_max_proto_version(&context, version);
  }
  if (!options.ciphers.empty() && SSL_CTX_set_cipher_list(&context, options.ciphers.c_str()) != 1) {
    ERR_clear_error();
    error = cat("'", options.ciphers, "' is no list of ciphers; see `openssl ciphers -v`");
    return false;
  }
  if (options.alpn.empty()) return true;
  std::string wire(1, static_cast<char>(options.alpn.size()));
  wire += options.alpn;
  const auto* bytes = reinterpret_cast<const unsigned char*>(wire.data());
  if (options.alpn.size() <= 255 &&
      SSL_CTX_set_alpn_protos(&context, bytes, static_cast<unsigned>(wire.size())) == 0)
    return true;
  error = "the name of an ALPN protocol has at most 255 bytes";
  return false;
}

bool is_address(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, OpensslDelete<ASN1_OCTET_STRING_free>> address(
      a2i_IPADDRESS(host.c_str()));
  ERR_clear_error();
  return address != nullptr;
}

/// The digits' bytes; nothing if they are no key.
bool read_psk(const ClientTls& options, Secret& key, std::string& error) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  const std::string& text = options.psk;
  bool fine = text.size() % 2 == 0 && text.size() <= 2 * PskFile::kKeyBytesMax;
  for (std::size_t at = 0; fine && at < text.size(); at += 2) {
    fine = digit(text[at]) >= 0 && digit(text[at + 1]) >= 0;
    const char byte = static_cast<char>(digit(text[at]) * 16 + digit(text[at + 1]));
    key.append({&byte, 1});
  }
  if (!fine) {
    error = cat("the pre-shared key is not 1 to ", PskFile::kKeyBytesMax,
                " bytes in hexadecimal digits");
    return false;
  }
  if (!options.psk_identity.empty() && options.psk_identity.size() <= PskFile::kIdentityBytesMax)
    return true;
  error = cat("a pre-shared key needs an identity of 1 to ", PskFile::kIdentityBytesMax, " bytes");
  return false;
}

}  // namespace

struct ClientContext::Impl {
  SslContextPtr context;
  std::string name;  // what is asked for by SNI; empty: an address, which has none
  std::string psk_identity;
  Secret psk;  // empty: none

  /// OpenSSL asks who we are; 0: nobody. `rest` is the room for the identity, the key's place and
  /// the room there.
  template <class... Rest>
  static unsigned int on_psk(SSL* ssl, const char* /*hint*/, char* identity, Rest... rest) {
    const auto [identity_max, key, key_max] = std::tuple(rest...);
    const auto& impl = *static_cast<Impl*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const std::string_view bytes = impl.psk.view();
    if (impl.psk_identity.size() >= identity_max || bytes.size() > key_max) return 0;
    std::memcpy(identity, impl.psk_identity.c_str(), impl.psk_identity.size() + 1);
    std::memcpy(key, bytes.data(), bytes.size());
    return static_cast<unsigned int>(bytes.size());
  }
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
  } else if (!options.any_name && !set_expected_name(*impl->context, options.host)) {
    error = cat("'", options.host, "' can be no certificate's name: ", take_openssl_error());
    return nullptr;
  }
  if (!set_own_certificate(*impl->context, options, error)) return nullptr;
  if (!set_protocol(*impl->context, options, error)) return nullptr;
  if (!options.psk.empty()) {
    if (!read_psk(options, impl->psk, error)) return nullptr;
    impl->psk_identity = options.psk_identity;
    SSL_CTX_set_app_data(impl->context.get(), impl.get());
    SSL_CTX_set_psk_client_callback(impl->context.get(),
                                    Impl::on_psk<unsigned int, unsigned char*, unsigned int>);
  }
  if (!is_address(options.host)) impl->name = options.host;
  return std::unique_ptr<const ClientContext>(new ClientContext(std::move(impl)));
}

ClientContext::ClientContext(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

ClientContext::~ClientContext() = default;

std::unique_ptr<net::Channel> ClientContext::connect(int socket) const {
  return OpensslChannel::make_client(*impl_->context, socket, impl_->name);
}

}  // namespace linnet::tls
