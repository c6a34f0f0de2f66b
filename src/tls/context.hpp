// The SSL_CTX of a listener, made from its configuration. What OpenSSL's callbacks look up hangs on
// it and lives as long as the last connection that began with it. Nothing of it changes after
// make_context(): any thread.
#pragma once

#include <ctime>
#include <openssl/ssl.h>
#include <string>
#include <vector>

#include "tls/certificate.hpp"
#include "tls/openssl_types.hpp"
#include "tls/psk_file.hpp"
#include "tls/server_context.hpp"
#include <linnet/config.hpp>

namespace linnet::tls {

/// A certificate's OCSP response, as its authority has signed it.
struct Staple {
  std::string response;  // DER
  Validity validity;
};

struct ContextData {
  CertificateName identity = CertificateName::cn;
  Offer offer = Offer::mqtt;
  std::vector<Certificate> certificates;
  PskFile psk_file;
  Staple staple;
  std::vector<Validity> validities;  // of authorities and lists
  std::vector<std::string> notes;    // warnings that do not depend on the time
};

/// Null if something is wrong; then `error` says what.
[[nodiscard]] SslContextPtr make_context(const TlsConfig& config, Offer offer, std::string& error);

[[nodiscard]] const ContextData& data_of(const SSL_CTX& context) noexcept;

/// What an operator should know at `now`.
[[nodiscard]] std::vector<std::string> warnings_of(const ContextData& data, std::time_t now);

}  // namespace linnet::tls
