// Whom a listener believes that they have signed clients' certificates, and what was revoked. Any
// thread.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "tls/certificate.hpp"
#include "tls/openssl_types.hpp"
#include <linnet/config.hpp>

namespace linnet::tls {

struct ClientTrust {
  X509StorePtr store;
  X509NamesPtr names;                // told to clients, which choose their certificate by them
  std::vector<Validity> validities;  // of the authorities and the lists
};

/// `authorities` is a PEM file, or a folder whose *.pem, *.crt and *.cer files are read. They need
/// not be roots: each is trusted by itself. `lists` is empty or a PEM file of CRLs: then the
/// authority of each client needs a list there that has not expired.
[[nodiscard]] std::optional<ClientTrust> load_client_trust(const std::string& authorities,
                                                           const std::string& lists,
                                                           std::string& error);

}  // namespace linnet::tls
