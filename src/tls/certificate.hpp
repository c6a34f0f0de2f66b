// A certificate that a listener shows, with its chain and key, as files hold them. Any thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl_types.hpp"

namespace linnet::tls {

/// Before 2020 a clock is one that was never set, as on boards that boot in 1970.
inline constexpr std::time_t kClockSetSince = 1'577'836'800;
/// How long before its end a certificate is warned of.
inline constexpr std::time_t kWarnAhead_s = 30 * 24 * 3600;

/// A file that is good for a time only.
struct Validity {
  std::string what;  // "/etc/linnet/server.pem: the certificate of broker.example"
  std::time_t not_before = 0;
  std::time_t not_after = 0;  // 0: no end
};

/// Why it must not be used at `now`, or empty. With a clock that was never set, "not yet valid" is
/// no reason.
[[nodiscard]] std::string validity_error(const Validity& validity, std::time_t now);
/// What an operator should know at `now`, or empty: its end is near or has passed, or it is not
/// valid yet.
[[nodiscard]] std::string validity_warning(const Validity& validity, std::time_t now);

struct Certificate {
  X509Ptr leaf;
  X509StackPtr chain;
  KeyPtr key;
  std::string file;
  std::string name;  // see certificate_name()
  Validity validity;
  bool key_is_exposed = false;  // its file can be read by everybody

  /// RSA, EC, Ed25519: OpenSSL holds one certificate of each kind and chooses among them.
  [[nodiscard]] int key_kind() const noexcept { return EVP_PKEY_get_base_id(key.get()); }
  [[nodiscard]] bool is_for(std::string_view host) const;
};

/// Where a certificate and its key are. `key_file` may be empty: then the key is in `file` too.
struct CertificateFiles {
  std::string file;
  std::string key_file;
};

/// Nothing if something is wrong; then `error` says what, and names the file.
[[nodiscard]] std::optional<Certificate> load_certificate(const CertificateFiles& files,
                                                          std::time_t now, std::string& error);

/// All certificates of a PEM text. False, with OpenSSL's reason, if one is broken; none at all is
/// no error.
[[nodiscard]] bool parse_certificates(std::string_view text, std::vector<X509Ptr>& certificates,
                                      std::string& reason);

}  // namespace linnet::tls
